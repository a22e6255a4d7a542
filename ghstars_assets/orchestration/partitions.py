"""Partitions that end when their data can exist, and mappings of a day to a single day."""

from datetime import date

from dagster import (
    AssetDep,
    AssetKey,
    DailyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    TimeWindowPartitionMapping,
)


def daily_partitions(first_day: date, looks_ahead_days: int = 0) -> DailyPartitionsDefinition:
    """Today exists, because a snapshot taken on day D is partition D. What looks ahead exists only
    when its future has happened."""
    return DailyPartitionsDefinition(
        start_date=first_day.isoformat(), end_offset=1 - looks_ahead_days
    )


def monthly_partitions(first_day: date) -> MonthlyPartitionsDefinition:
    """This month exists, though not all of its days do."""
    return MonthlyPartitionsDefinition(
        start_date=first_day.replace(day=1).isoformat(), end_offset=1
    )


def depends_on_days_of_month(table: str) -> AssetDep:
    """Those of them that there are."""
    mapping = TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)
    return AssetDep(asset_key(table), partition_mapping=mapping)


def depends_on(table: str, days_apart: int = 0) -> AssetDep:
    """A dependency of each day on one day of another table.

    Never on a window: a backfill over a window asks for all of it upstream, and one missing day
    stalls automation. Windows are read and enforced by the engine.
    """
    key = asset_key(table)
    if days_apart == 0:
        return AssetDep(key)
    mapping = TimeWindowPartitionMapping(start_offset=days_apart, end_offset=days_apart)
    return AssetDep(key, partition_mapping=mapping)


def asset_key(table: str) -> AssetKey:
    return AssetKey(table.split("."))
