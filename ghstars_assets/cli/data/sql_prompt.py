"""The prompt of `ghstars sql`: statements as they are typed, with names completed."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

import duckdb

from ghstars_assets.cli.console import ROWS_ON_A_TERMINAL, is_on_terminal, say, say_if_sandbox
from ghstars_assets.cli.data.lake_views import bind_lake, damage_named, known_tables, named_tables
from ghstars_assets.cli.data.sql_results import QueryError, Result, results_of
from ghstars_assets.errors import DamagedFileError
from ghstars_assets.interrupts import forget_interrupt, passing_interrupts_on
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.duck import duck_session
from ghstars_assets.lake.tables import Lake

_FIRST, _NEXT = "ghstars> ", "    ...> "
_BREAKS = " \t\n\"'(),;=<>+-*/|"
"""Not the point, which stands within the name of a table."""
_ENDS = {"quit", "exit", ".quit", ".exit", "\\q"}


def open_prompt(lake: Lake, show: Callable[[Iterable[Result]], None]) -> None:
    """Run statements as they are typed; each ends with a semicolon. Ctrl-C cancels the query that
    runs, or what was typed; Ctrl-D ends the prompt."""
    with duck_session(lake.settings, lake.store) as connection:
        tables = known_tables()
        with damage_named(lake, tables):
            bind_lake(connection, lake, tables)
        say_if_sandbox(lake)
        say(
            f"Tables: {', '.join(sorted(lake.tables())) or 'none yet'}. End a query with `;`. Tab "
            "completes names, `show tables;` describes the tables, Ctrl-C cancels a query, Ctrl-D "
            "ends."
        )
        most = ROWS_ON_A_TERMINAL if is_on_terminal() else None
        for statement in _typed_statements(words_of(connection, tables)):
            try:
                named = named_tables(statement, tables)
                with passing_interrupts_on(), damage_named(lake, named):
                    show(results_of(connection, statement, most))
            except (QueryError, DamagedFileError) as error:
                say(str(error))
            except KeyboardInterrupt:
                say("\nThe query was cancelled.")
            forget_interrupt()


def words_of(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> list[str]:
    """What can be completed: names of tables and columns, and DuckDB's own words."""
    names = {table.name for table in tables}
    columns = {name for table in tables for name in table.column_names}
    own = connection.execute(
        "select keyword_name from duckdb_keywords() union "
        "select function_name from duckdb_functions() where function_name similar to '[a-z_0-9]+'"
    )
    return [*sorted(names), *sorted(columns - names), *sorted(word for (word,) in own.fetchall())]


def completions(word: str, words: Sequence[str]) -> list[str]:
    """Complete a word as it is typed: names first; SQL's words in the case they are typed in."""
    begun = word.lower()
    found = [each for each in words if begun and each.startswith(begun)]
    return list(dict.fromkeys(each.upper() if word.isupper() else each for each in found))


def _typed_statements(words: Sequence[str]) -> Iterator[str]:
    if sys.stdin.isatty():
        _complete_with(words)
    pending = ""
    while True:
        try:
            line = input(_NEXT if pending else _FIRST)
        except EOFError:
            say("")
            return
        except KeyboardInterrupt:
            forget_interrupt()
            pending = ""
            say("")
            continue
        if not pending and line.strip().rstrip(";").lower() in _ENDS:
            return
        pending += line + "\n"
        if line.rstrip().endswith(";"):
            yield pending
            pending = ""
        elif not pending.strip():
            pending = ""


def _complete_with(words: Sequence[str]) -> None:
    """Importing readline is what gives the prompt its history and its arrow keys."""
    try:
        import readline
    except ImportError:  # a Python that was built without it
        return
    found: list[str] = []

    def complete(word: str, place: int) -> str | None:
        if place == 0:
            found[:] = completions(word, words)
        return found[place] if place < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(_BREAKS)
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
