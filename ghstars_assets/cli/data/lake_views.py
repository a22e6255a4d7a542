"""The lake as DuckDB views, one for each declared table."""

from collections.abc import Iterable

import duckdb

from ghstars_assets.lake.catalog import Table, folder_of
from ghstars_assets.lake.duck import bind_select, quoted
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import SQL_ROOT


def known_tables() -> list[Table]:
    wired = wire(list(all_problems().values()), SQL_ROOT)
    return list(wired.graph.tables.values())


def bind_lake(connection: duckdb.DuckDBPyConnection, lake: Lake, tables: Iterable[Table]) -> None:
    """Make a view of every declared table; one that holds nothing is empty but typed."""
    stored = set(lake.tables())
    for table in tables:
        bind_select(
            connection,
            table.name,
            _over_parquet(lake, table) if table.name in stored else table.empty_sql(),
        )


def _over_parquet(lake: Lake, table: Table) -> str:
    """Select by a glob where DuckDB can list files, so that an exported view sees later days."""
    folder = lake.store.url(folder_of(table.name))
    entries = lake.log_entries(table.name)
    if entries:
        files = quoted(f"{folder}/entry-*.parquet")
    elif lake.store.scheme == "file":
        files = quoted(f"{folder}/*/*.parquet")
    else:
        files = f"[{', '.join(quoted(url) for url in lake.urls(table.name))}]"
    columns = ", ".join(f'"{name}"' for name in table.column_names)
    # A column that is new since the files were written is null in them.
    return (
        f"select {columns} from "  # noqa: S608 - declared names
        f"(select * from read_parquet({files}, union_by_name = true, hive_partitioning = false) "
        f"union all by name {table.empty_sql()})"
    )
