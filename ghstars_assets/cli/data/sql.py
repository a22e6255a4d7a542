"""`ghstars sql`: statements over the lake in DuckDB's SQL, given at once or at a prompt."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
import duckdb
import polars as pl

from ghstars_assets.cli.console import say, say_if_sandbox, show_frame
from ghstars_assets.cli.data.lake_views import bind_lake, damage_named, known_tables, named_tables
from ghstars_assets.cli.parameters import form_options, pass_settings
from ghstars_assets.errors import DamagedFileError, GhstarsError
from ghstars_assets.lake.duck import duck_session
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.platform import Form
from ghstars_assets.settings import Settings


class QueryError(GhstarsError):
    """A query that DuckDB refuses."""


@click.command()
@click.argument("query", required=False)
@click.option("-f", "--file", "file", type=click.Path(path_type=Path), help="run a file of SQL")
@form_options
@pass_settings
def sql(settings: Settings, query: str | None, file: Path | None, form: Form) -> None:
    """Ask the lake in DuckDB's SQL; without QUERY a prompt opens.

    Tables are named problem.table, as in the asset graph. Only the result goes to stdout.

    \b
    ghstars sql "select count(*) from stars.snapshots"
    ghstars sql -f sql/stars/explore/rising_fastest.sql --csv > rising.csv
    """
    if query and file:
        raise click.UsageError("Give a query or a file, not both.")
    if file:
        query = _read_text(file)
    elif query is None and not sys.stdin.isatty():
        query = sys.stdin.read()
    if query is None:
        _prompt(settings, form)
    else:
        run_queries(Lake(settings), query, form)


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GhstarsError(f"{file} cannot be read ({error}); name a text file of SQL.") from None


def run_queries(lake: Lake, text: str, form: Form) -> None:
    """Run statements and show the result of the last one that has any."""
    tables = named_tables(text, known_tables())
    with duck_session(lake.settings, lake.store) as connection, damage_named(lake, tables):
        bind_lake(connection, lake, tables)
        frame = _execute(connection, text)
    if frame is not None:
        show_frame(frame, form)


def _prompt(settings: Settings, form: Form) -> None:
    """Run statements as they are typed; each ends with a semicolon."""
    lake = Lake(settings)
    with duck_session(settings, lake.store) as connection:
        with damage_named(lake, known_tables()):
            bind_lake(connection, lake, known_tables())
        say_if_sandbox(lake)
        say(f"Tables: {', '.join(sorted(lake.tables())) or 'none yet'}. End a query with `;`.")
        for statement in _typed_statements():
            try:
                with damage_named(lake, named_tables(statement, known_tables())):
                    frame = _execute(connection, statement)
            except (QueryError, DamagedFileError) as error:
                say(str(error))
                continue
            if frame is not None:
                show_frame(frame, form)


def _execute(connection: duckdb.DuckDBPyConnection, text: str) -> pl.DataFrame | None:
    frame: pl.DataFrame | None = None
    try:
        for statement in connection.extract_statements(text):
            relation = connection.sql(statement.query)
            frame = relation.pl() if relation is not None else frame
    except duckdb.Error as error:
        raise QueryError(str(error).strip()) from error
    return frame


def _typed_statements() -> Iterable[str]:
    if sys.stdin.isatty():
        # Importing readline is what gives the prompt its history and its arrow keys.
        import readline  # noqa: F401
    pending = ""
    while True:
        try:
            line = input("ghstars> " if not pending else "    ...> ")
        except EOFError:
            click.echo(err=True)
            return
        except KeyboardInterrupt:
            pending = ""
            click.echo(err=True)
            continue
        pending += line + "\n"
        if line.rstrip().endswith(";"):
            yield pending
            pending = ""
