"""The lake as DuckDB views, one for each declared table."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.catalog import Table, folder_of
from ghstars_assets.lake.duck import bind_select, quoted, quoted_file
from ghstars_assets.lake.integrity import raise_damage_among
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import SQL_ROOT


def known_tables() -> list[Table]:
    wired = wire(list(all_problems().values()), SQL_ROOT)
    return list(wired.graph.tables.values())


def named_tables(text: str, tables: Sequence[Table]) -> list[Table]:
    """The tables that a text of SQL names, so that only their folders are listed. All of them where
    it cannot be read, or may find a table by other means than its full name: `show tables`, `use`,
    `information_schema`, `duckdb_views()`, a name without its problem."""
    try:
        trees = sqlglot.parse(text, read="duckdb", error_level=sqlglot.ErrorLevel.RAISE)
    except (SqlglotError, RecursionError):  # nested without end is DuckDB's to refuse
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


def bind_lake(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    tables: Iterable[Table],
    *,
    with_comments: bool = False,
) -> None:
    """Each of these tables as a view; one that holds nothing is empty but typed. Its description
    and those of its columns can be its comments."""
    for table in tables:
        bind_select(connection, table.name, _over_parquet(lake, table) or table.empty_sql())
        if with_comments:
            _describe(connection, table)


def _describe(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    schema, name = table.name.split(".")
    view = f'"{schema}"."{name}"'
    connection.execute(f"comment on view {view} is {quoted(table.description)}")
    for column in table.columns:
        comment = quoted(column.description)
        connection.execute(f'comment on column {view}."{column.name}" is {comment}')


@contextmanager
def damage_named(lake: Lake, tables: Iterable[Table]) -> Iterator[None]:
    """What DuckDB cannot read is named as the table and the day that it is."""
    try:
        yield
    except (duckdb.Error, GhstarsError) as error:
        if isinstance(error, duckdb.Error) or isinstance(error.__cause__, duckdb.Error):
            for table in tables:
                raise_damage_among(lake, lake.partitions(table.name))
                lake.read_log(table.name)
        raise


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
        files = quoted_file(folder, pattern)
    else:
        files = f"[{', '.join(quoted_file(lake.store.url(key)) for key in keys)}]"
    columns = ", ".join(f'"{name}"' for name in table.column_names)
    # A column that is new since the files were written is null in them.
    return (
        f"select {columns} from "  # noqa: S608 - declared names
        f"(select * from read_parquet({files}, union_by_name = true, hive_partitioning = false) "
        f"union all by name {table.empty_sql()})"
    )
