"""Catches a query that sees the future.

A batch of days is one pass, so a query that looks ahead by mistake (`lead`, a frame that runs past
the current row, an average over all rows) finds in a batch what it could not have known on the day.
Made once more with nothing bound that came after, the day shows it: its values are others.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SqlAssetError
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sql_tables.header import SqlFile

TOLERANCE = 1e-6
"""Sums differ in their last digits by the batch they were made in."""


def refuse_hindsight(lake: Lake, file: SqlFile, tables: Mapping[str, Table], day: date) -> None:
    """Raise an error where a stored day has values that it has not when it is made by itself."""
    name = file.table.name
    stored = lake.read(name, day)
    alone = made_alone(lake, file, tables, day)
    differing = columns_that_differ(stored, alone, file.table)
    if differing:
        raise SqlAssetError(
            f"{name} of {day} has other values in {', '.join(differing[:5])} when the days after "
            f"it are unknown, so {file.where()} sees the future (or the day was filled from other "
            f"rows); mend the query, fill {name} again, and run the backtest again."
        )


def made_alone(lake: Lake, file: SqlFile, tables: Mapping[str, Table], day: date) -> pl.DataFrame:
    """Make a day's rows of nothing that came after it."""
    with duck_session(lake.settings, lake.store) as connection:
        for table, window in file.reads.items():
            allowed = DayRange(
                day + timedelta(days=window.first_offset), day + timedelta(days=window.last_offset)
            )
            bind_parquet(connection, table, lake.urls(table, allowed), tables[table].empty_sql())
        for variable in ("first_day", "last_day"):
            connection.execute(f"set variable {variable} = date '{day}'")
        query = f"select * from ({file.query}) where day = date '{day}'"  # noqa: S608 - its own
        return file.table.conform(connection.sql(query).pl())


def columns_that_differ(stored: pl.DataFrame, alone: pl.DataFrame, table: Table) -> list[str]:
    """Name the columns whose values differ, or the key where the two sides have other rows."""
    key = ["day", *table.key]
    present = [name for name in table.column_names if name in stored.columns]
    both = stored.join(alone, on=key, how="full", suffix=":alone", coalesce=True)
    if both.height != stored.height or both.height != alone.height:
        return key
    differing = []
    for name in present:
        if name in key:
            continue
        here, there = both[name], both[f"{name}:alone"]
        if here.dtype.is_float():
            distance = (here - there).abs() > TOLERANCE * pl.max_horizontal(here.abs(), pl.lit(1.0))
            is_other = both.select(distance.fill_null(value=False)).to_series() | (
                here.is_null() != there.is_null()
            )
        else:
            is_other = here.ne_missing(there)
        if is_other.any():
            differing.append(name)
    return differing
