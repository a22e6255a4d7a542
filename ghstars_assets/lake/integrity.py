"""Looks at whole files: every byte against the checksum, every row against its day and its key.

What every reader looks at, the size and the footer, stands in `footers`; this costs a download of
the file and is done when somebody asks, once a week, and to find out why a query failed.
"""

import io
from collections.abc import Iterable
from datetime import date

import polars as pl

from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.footers import UNREADABLE_ROWS, damaged, footer_of
from ghstars_assets.lake.parquet import UNREADABLE, why_bytes_differ
from ghstars_assets.lake.store import Store, StoredFile
from ghstars_assets.lake.tables import Lake, Partition


def why_partition_is_damaged(lake: Lake, partition: Partition, table: Table | None = None) -> str:
    """Why a partition is not what was written, or not what its table may hold; empty where it is
    both. Without a table its columns are not looked at."""
    rows = read_whole(lake.store, partition.file)
    return rows if isinstance(rows, str) else why_rows_are_wrong(rows, partition.day, table)


def read_whole(store: Store, file: StoredFile) -> pl.DataFrame | str:
    """The rows of a file, or why they are not those that were written."""
    footer = footer_of(store, file)
    if footer.damage:
        return footer.damage
    content = store.get(file.key) or b""
    if footer.has_checksum and (why := why_bytes_differ(content)):
        return why
    try:
        return pl.read_parquet(io.BytesIO(content))
    except UNREADABLE:
        return UNREADABLE_ROWS


def why_rows_are_wrong(rows: pl.DataFrame, day: date, table: Table | None) -> str:
    """Why rows cannot be those of a table on a day; empty where they can."""
    if table is not None:
        for name, kind in table.empty().schema.items():
            if name in rows.columns and rows.schema[name] != kind:
                return f"its column {name} is {rows.schema[name]} and must be {kind}"
    if rows.schema.get("day") == pl.Date:
        strange = rows.filter(pl.col("day").ne_missing(day))["day"]
        if strange.len():
            return f"it holds rows of {strange[0]}"
    has_keys = table is not None and table.key and set(table.order) <= set(rows.columns)
    # An earlier release may have had another key; what has a checksum lacks no column.
    if table is not None and has_keys and rows.select(table.order).is_duplicated().any():
        return f"rows share the same {', '.join(table.key)}"
    return ""


def raise_damage_among(lake: Lake, partitions: Iterable[Partition]) -> None:
    """Raise an error about the first of these partitions that is damaged: what a query that failed
    could not say."""
    for partition in partitions:
        lake.require_whole([partition])
        if why := why_partition_is_damaged(lake, partition):
            raise damaged(partition.key, why, is_deep=True)
