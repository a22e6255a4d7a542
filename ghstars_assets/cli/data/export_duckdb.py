"""`ghstars export-duckdb`: a database file of views over the lake."""

import os
from pathlib import Path

import click
import duckdb

from ghstars_assets.cli.data.lake_views import bind_lake, damage_named, known_tables
from ghstars_assets.cli.parameters import OUTPUT_FILE, pass_settings
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings


@click.command("export-duckdb")
@click.argument("file", type=OUTPUT_FILE)
@pass_settings
def export_duckdb(settings: Settings, file: Path) -> None:
    """Write FILE: a DuckDB database of views over the lake, for any DuckDB client.

    A file that is there already is replaced as a whole.
    """
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    tables = known_tables()
    try:
        lake = Lake(settings)
        with duckdb.connect(str(unfinished)) as connection, damage_named(lake, tables):
            # To look at a bucket's files, DuckDB would otherwise download an extension.
            lake.store.register_with(connection)
            bind_lake(connection, lake, tables)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    click.echo(f"{file}: {len(tables)} views", err=True)
