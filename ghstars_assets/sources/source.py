"""What a source is: who knows which days of what, and how a day is taken from it, once and for all.

A day that was taken is never taken again: a source's table is append-only, whoever asks twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from ghstars_assets.days import DayRange, consecutive
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.claim import Claim, Kind, require_kind
from ghstars_assets.lake.tables import Lake


@dataclass(frozen=True)
class Source:
    """One place that a problem's counts come from."""

    table: Table
    kind: Kind
    newest_day: Callable[[datetime], date]
    """The newest day that the source can give at a moment."""
    capture: Callable[[Claim, DayRange], Iterator[tuple[date, pl.DataFrame]]]
    """The days of a range as the source knows them, in order, one at a time."""


@dataclass(frozen=True)
class Taken:
    """One day, taken now or kept as it was."""

    day: date
    rows: int
    is_new: bool
    told: str


def take_days(lake: Lake, source: Source, days: DayRange) -> Iterator[Taken]:
    """Take what is not stored yet; keep the rest and say so."""
    held = require_kind(lake, source.kind)
    stored = set(lake.days(source.table.name, days))
    for day in days:
        if day in stored:
            rows = lake.scan(source.table.name, DayRange(day, day)).select(pl.len()).collect()
            yield Taken(day, rows.item(), False, "taken before and kept as it was")
    for missing in consecutive([day for day in days if day not in stored]):
        for day, frame in source.capture(held, missing):
            rows = source.table.conform(frame)
            written = lake.write(source.table.name, day, rows, only_if_absent=True)
            told = "taken now" if written.is_new else "taken by another run at the same time"
            yield Taken(day, written.rows, written.is_new, told)
