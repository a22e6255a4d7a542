"""`ghstars sql`: statements over the lake in DuckDB's SQL, given at once or at a prompt."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from ghstars_assets.cli.console import (
    HOW_TO_SEE_ALL,
    ROWS_ON_A_TERMINAL,
    is_on_terminal,
    print_line,
    say,
    show_rows,
)
from ghstars_assets.cli.data.lake_views import bind_lake, damage_named, known_tables, named_tables
from ghstars_assets.cli.data.sql_prompt import open_prompt
from ghstars_assets.cli.data.sql_results import Result, results_of
from ghstars_assets.cli.parameters import form_options, pass_settings
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.duck import duck_session
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.platform import Form
from ghstars_assets.settings import Settings


@click.command()
@click.argument("query", required=False)
@click.option("-f", "--file", "file", type=click.Path(path_type=Path), help="run a file of SQL")
@form_options
@pass_settings
def sql(settings: Settings, query: str | None, file: Path | None, form: Form) -> None:
    """Ask the lake in DuckDB's SQL; without QUERY a prompt opens.

    Tables are named problem.table, as in the asset graph. Only the result goes to stdout. Of
    several statements each result is shown; --csv and --json write the last one. On a terminal the
    first 40 rows of a table are shown.

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
        open_prompt(Lake(settings), lambda results: show_results(results, form, at_prompt=True))
    else:
        run_queries(Lake(settings), query, form)


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GhstarsError(f"{file} cannot be read ({error}); name a text file of SQL.") from None


def run_queries(lake: Lake, text: str, form: Form) -> None:
    """Run statements and show what they give."""
    tables = named_tables(text, known_tables())
    with duck_session(lake.settings, lake.store) as connection, damage_named(lake, tables):
        bind_lake(connection, lake, tables)
        show_results(results_of(connection, text, rows_to_fetch(form)), form)


def rows_to_fetch(form: Form) -> int | None:
    """How many rows somebody is going to look at; None for all."""
    return ROWS_ON_A_TERMINAL if form == "table" and is_on_terminal() else None


def show_results(results: Iterable[Result], form: Form, *, at_prompt: bool = False) -> None:
    """Show each result as a table. As CSV or JSON the last, for one file holds one table."""
    how = "`ghstars sql --csv` shows all" if at_prompt else HOW_TO_SEE_ALL
    shown: Result | None = None
    count = 0
    for result in results:
        shown, count = result, count + 1
        if form == "table":
            _show(result, form, how)
    if shown is not None and form != "table":
        _show(shown, form, how)
        if count > 1:
            say(f"{count} statements gave rows; --{form} writes those of the last.")


def _show(result: Result, form: Form, how_to_see_all: str) -> None:
    if result.is_plan and form == "table":
        for plan in result.frame["explain_value"]:
            print_line(plan, soft_wrap=True)
    else:
        show_rows(result.frame, form, result.rows_left_out, how_to_see_all)
