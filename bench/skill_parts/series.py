"""Histories as the peers need them: unbroken, on a regular calendar, never past their origin."""

from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange

LEAST_HISTORY_DAYS = 60
MOST_MISSING_DAYS = 30  # as in features.sql


def stretches(snapshots: pl.DataFrame, through: date, days: int) -> pl.DataFrame:
    """The known days up to one, each with the number of its unbroken stretch."""
    window = DayRange(through - timedelta(days=days - 1), through)
    days_since = pl.col("day").diff().dt.total_days()
    begins = (days_since > MOST_MISSING_DAYS + 1).fill_null(value=False)
    return snapshots.filter(pl.col("day").is_between(window.first, window.last)).with_columns(
        stretch=begins.cum_sum().over("repo_id")
    )


def unbroken(snapshots: pl.DataFrame, through: date, days: int) -> pl.DataFrame:
    """The last stretch of every repository that is known on the day."""
    is_last = pl.col("stretch") == pl.col("stretch").last().over("repo_id")
    is_known_today = pl.col("day").last().over("repo_id") == through
    return stretches(snapshots, through, days).filter(is_last, is_known_today)


def on_calendar(known: pl.DataFrame) -> pl.DataFrame:
    """A row each day, the missing ones on a straight line between their neighbours."""
    series = ["repo_id", "stretch"]
    return (
        known.upsample("day", every="1d", group_by=series, maintain_order=True)
        .with_columns(pl.col(series).forward_fill())
        .with_columns(pl.col("stars").interpolate().over(series))
    )
