"""DuckDB sessions: in memory, bounded, with names bound to exactly the Parquet they may read."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from ghstars_assets.interrupts import called_on_interrupt
from ghstars_assets.lake.store import Store
from ghstars_assets.settings import Settings

# A name in a query never means a Python variable that happens to hold a frame.
_NOTHING_BUT_TABLES = {"python_enable_replacements": False}

MACROS = ("create macro slog(x) as sign(x) * ln(1 + abs(x))",)
"""What every query may use besides DuckDB's own functions. A macro is put in place of its call, so
it costs nothing when the query runs."""


@contextmanager
def scratch_session() -> Iterator[duckdb.DuckDBPyConnection]:
    """A small connection that reads nothing of the lake, to ask DuckDB about types and queries."""
    with duckdb.connect(config={"threads": 1, **_NOTHING_BUT_TABLES}) as connection:
        connection.execute("set timezone = 'UTC'")
        _add_macros(connection)
        yield connection


@contextmanager
def duck_session(
    settings: Settings, store: Store | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """One connection for one step. Its memory, threads and spill folder are set, because DuckDB
    by itself takes every core and four fifths of the machine for each connection."""
    settings.spill_path.mkdir(parents=True, exist_ok=True)
    # A folder each: two sessions would give their files the same names. It is named after the
    # process, so that what a killed one leaves is known for an orphan.
    with TemporaryDirectory(dir=settings.spill_path, prefix=f"{os.getpid()}-") as spill:
        yield from _bounded_session(settings, store, spill)


def _bounded_session(
    settings: Settings, store: Store | None, spill: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(
        config={
            "memory_limit": f"{settings.memory_gb}GB",
            "threads": settings.threads,
            "temp_directory": spill,
            "autoinstall_known_extensions": False,
            "preserve_insertion_order": False,
            **_NOTHING_BUT_TABLES,
        }
    )
    try:
        connection.execute("set global timezone = 'UTC'")  # for cursors too
        _add_macros(connection)
        if store is not None:
            store.register_with(connection)
        with called_on_interrupt(connection.interrupt):
            yield connection
    finally:
        connection.close()


def _add_macros(connection: duckdb.DuckDBPyConnection) -> None:
    for macro in MACROS:
        connection.execute(macro)


def bind_parquet(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    urls: Sequence[str],
    empty_sql: str,
    *,
    is_of_one_shape: bool = False,
) -> None:
    """Give a table name these files and no others; without files it is empty but typed. Files of
    one shape, as one step writes them, need not all be opened before the query runs."""
    if urls:
        files = ", ".join(quoted_file(url) for url in urls)
        body = (
            f"select * from read_parquet([{files}], "  # noqa: S608 - quoted
            f"union_by_name = {not is_of_one_shape}, hive_partitioning = false)"
        )
    else:
        body = empty_sql
    bind_select(connection, table, body)


def bind_select(connection: duckdb.DuckDBPyConnection, table: str, select: str) -> None:
    schema, name = table.split(".")
    connection.execute(f'create schema if not exists "{schema}"')
    connection.execute(f'create or replace view "{schema}"."{name}" as {select}')


def frames_by_day(
    connection: duckdb.DuckDBPyConnection, query: str, rows_per_batch: int = 100_000
) -> Iterator[tuple[date, pl.DataFrame]]:
    """A query ordered by `day`, as one frame a day: memory holds one day and one record batch."""
    pending: list[pl.DataFrame] = []
    for record_batch in connection.sql(query).to_arrow_reader(rows_per_batch):
        frame = pl.DataFrame(record_batch)
        for part in _runs_of_a_day(frame):
            if pending and pending[0]["day"][0] != part["day"][0]:
                yield pending[0]["day"][0], pl.concat(pending)
                pending = []
            pending.append(part)
    if pending:
        yield pending[0]["day"][0], pl.concat(pending)


def _runs_of_a_day(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """A frame in the order of its days, cut where the day changes; nothing is copied."""
    begins = 0
    for rows in frame["day"].rle().struct.field("len"):
        yield frame.slice(begins, rows)
        begins += rows


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted_file(url: str, name_pattern: str = "") -> str:
    """A file as DuckDB reads it, or those of a folder whose names fit a pattern. DuckDB would read
    the signs of a pattern in the names of folders, too, and so the files of other homes."""
    path = url if "://" in url else re.sub(r"[*?\[]", r"[\g<0>]", url)
    return quoted(f"{path}/{name_pattern}" if name_pattern else path)
