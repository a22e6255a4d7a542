"""`ghstars sql`, its prompt and `ghstars export-duckdb`: the lake as DuckDB tables."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import duckdb
import polars as pl
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ghstars_assets.commands.console import Form, say, say_if_sandbox, show_frame
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.catalog import Table, folder_of
from ghstars_assets.lake.duck import bind_select, duck_session, quoted
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import SQL_ROOT, Settings


class QueryError(GhstarsError):
    """A query that DuckDB refuses."""


def run_queries(settings: Settings, text: str, form: Form) -> None:
    """Run statements and show the result of the last one that has any."""
    lake = Lake(settings)
    with duck_session(settings, lake.store) as connection:
        bind_lake(connection, lake, named_tables(text, known_tables()))
        frame = _execute(connection, text)
    if frame is not None:
        show_frame(frame, form)


def prompt(settings: Settings, form: Form) -> None:
    """Statements typed one after another; each ends with a semicolon."""
    lake = Lake(settings)
    with duck_session(settings, lake.store) as connection:
        bind_lake(connection, lake, known_tables())
        say_if_sandbox(lake)
        say(f"Tables: {', '.join(sorted(lake.tables())) or 'none yet'}. End a query with `;`.")
        for statement in _typed_statements():
            try:
                frame = _execute(connection, statement)
            except QueryError as error:
                say(str(error))
                continue
            if frame is not None:
                show_frame(frame, form)


def export_duckdb(settings: Settings, target: Path) -> int:
    """Write a database of views over the Parquet, swapped in whole. Returns how many views."""
    if not target.parent.is_dir():
        raise GhstarsError(f"There is no folder {target.parent}; make it, or choose another file.")
    lake = Lake(settings)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    tables = known_tables()
    try:
        with duckdb.connect(str(unfinished)) as connection:
            bind_lake(connection, lake, tables)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(tables)


def known_tables() -> list[Table]:
    wired = wire(list(all_problems().values()), SQL_ROOT)
    return list(wired.graph.tables.values())


def named_tables(text: str, tables: Sequence[Table]) -> list[Table]:
    """The tables that a text of SQL names, so that only their folders are listed. All of them where
    it cannot be read, or may find a table by other means than its full name: `show tables`, `use`,
    `information_schema`, `duckdb_views()`, a name without its problem."""
    try:
        trees = sqlglot.parse(text, read="duckdb", error_level=sqlglot.ErrorLevel.RAISE)
    except SqlglotError:
        return list(tables)
    declared = {table.name for table in tables}
    named: set[str] = set()
    for tree in trees:
        if not isinstance(tree, exp.Query):
            return list(tables)
        steps = {step.alias for step in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            if f"{table.db}.{table.name}".lower() in declared:
                named.add(f"{table.db}.{table.name}".lower())
            elif table.db or table.name not in steps:
                return list(tables)
    return [table for table in tables if table.name in named]


def bind_lake(connection: duckdb.DuckDBPyConnection, lake: Lake, tables: Iterable[Table]) -> None:
    """Each of these tables as a view; one that holds nothing is empty but typed."""
    for table in tables:
        bind_select(connection, table.name, _over_parquet(lake, table) or table.empty_sql())


def _over_parquet(lake: Lake, table: Table) -> str:
    """A glob where files can be listed by DuckDB, so that an exported view sees later days too.
    Empty where the table holds nothing."""
    folder = lake.store.url(folder_of(table.name))
    keys, pattern = [one.key for one in lake.partitions(table.name)], "*/*.parquet"
    if not keys:
        log = lake.log(table.name)
        keys, pattern = log.keys(log.listing()), "entry-*.parquet"
    if not keys:
        return ""
    if lake.store.scheme == "file":
        files = quoted(f"{folder}/{pattern}")
    else:
        files = f"[{', '.join(quoted(lake.store.url(key)) for key in keys)}]"
    columns = ", ".join(f'"{name}"' for name in table.column_names)
    # A column that is new since the files were written is null in them.
    return (
        f"select {columns} from "  # noqa: S608 - declared names
        f"(select * from read_parquet({files}, union_by_name = true, hive_partitioning = false) "
        f"union all by name {table.empty_sql()})"
    )


def _execute(connection: duckdb.DuckDBPyConnection, text: str) -> pl.DataFrame | None:
    frame: pl.DataFrame | None = None
    try:
        for statement in connection.extract_statements(text):
            relation = connection.sql(statement.query)
            frame = relation.pl() if relation is not None else frame
    except duckdb.Error as error:
        raise QueryError(str(error).strip()) from None
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
