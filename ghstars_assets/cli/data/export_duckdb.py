"""`ghstars export-duckdb`: a database file of views over the lake."""

import os
import tempfile
from importlib.metadata import version
from pathlib import Path

import click
import duckdb

from ghstars_assets.calendar import utc_now
from ghstars_assets.cli.console import say
from ghstars_assets.cli.data.lake_views import bind_lake, damage_named, known_tables
from ghstars_assets.cli.parameters import OUTPUT_FILE, pass_settings
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.duck import quoted
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings

SIGNATURE = "ghstars_export"
"""A view that every export has, and nobody else's database: from which lake it is, and when it was
made. Only a file with it is replaced."""
SIGNATURE_OF_0_1 = "platform.audit"
"""The first release signed nothing; its files have this view among others, and no table."""


@click.command("export-duckdb")
@click.argument("file", type=OUTPUT_FILE)
@pass_settings
def export_duckdb(settings: Settings, file: Path) -> None:
    """Write FILE: a DuckDB database of views over the lake, for any DuckDB client.

    An earlier export is replaced as a whole; any other file is left alone. Descriptions of tables
    and columns are their comments.
    """
    tables = known_tables()
    reader = write_export(Lake(settings), tables, file)
    say(f"{file}: {len(tables)} views; DuckDB {reader} or later reads it.")


def write_export(lake: Lake, tables: list[Table], file: Path) -> str:
    """Write the database beside its place and move it there. Returns the oldest version of DuckDB
    that reads it."""
    # Through a link, to where it leads: the link stays, and what it leads to is looked at.
    target = file.resolve()
    is_there = target.exists()
    if is_there:
        _require_own(file, target)
    try:
        # A folder that is ours alone: nobody else can have put a link in the file's place.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
            unfinished = Path(folder) / target.name
            with duckdb.connect(str(unfinished)) as connection, damage_named(lake, tables):
                # To look at a bucket's files, DuckDB would otherwise download an extension.
                lake.store.register_with(connection)
                bind_lake(connection, lake, tables, with_comments=True)
                _sign(connection, lake)
                reader = _oldest_reader(connection)
            _put_in_place(unfinished, target, replaces=is_there)
    except FileExistsError:
        raise _not_ours(file) from None
    except (OSError, duckdb.IOException) as error:
        raise GhstarsError(
            f"{file} cannot be written ({error}); name a file in a folder of yours."
        ) from None
    return reader


def _put_in_place(unfinished: Path, target: Path, *, replaces: bool) -> None:
    if replaces:
        unfinished.replace(target)
    else:
        try:
            os.link(unfinished, target)  # unlike a move it fails where a file has come meanwhile
        except FileExistsError:
            raise
        except OSError:
            unfinished.replace(target)  # a file system without links


def _sign(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    facts = {
        "lake": str(lake.store.root),
        "made_at": f"{utc_now():%Y-%m-%d %H:%M:%S}+00",
        "ghstars": version("ghstars-assets"),
        "duckdb": duckdb.__version__,
    }
    columns = ", ".join(f'{quoted(value)} as "{name}"' for name, value in facts.items())
    connection.execute(f"create view main.{SIGNATURE} as select {columns}")


def _oldest_reader(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute(
        "select tags['storage_version'] from duckdb_databases() "
        "where database_name = current_database()"
    ).fetchone()
    stored = str(row[0]) if row and row[0] else duckdb.__version__
    return stored.removeprefix("v").split("+")[0]


def _require_own(file: Path, target: Path) -> None:
    """Refuse to replace what we did not make."""
    if not target.is_file():
        raise _not_ours(file)
    try:
        with duckdb.connect(str(target), read_only=True) as connection:
            views = connection.execute(
                "select schema_name || '.' || view_name from duckdb_views() where not internal"
            ).fetchall()
            has_tables = connection.execute("select count(*) from duckdb_tables()").fetchall()
    except duckdb.Error:
        raise _not_ours(file) from None
    names = {name for (name,) in views}
    if has_tables != [(0,)] or not names & {f"main.{SIGNATURE}", SIGNATURE_OF_0_1}:
        raise _not_ours(file)


def _not_ours(file: Path) -> GhstarsError:
    return GhstarsError(
        f"{file} is there and no export that ghstars made, so it was left alone; remove it, or "
        "name another file."
    )
