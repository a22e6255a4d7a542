"""What a source is: which days it knows, and how a day is taken from it, once and for all.

A day that was taken is never taken again: a source's table is append-only, whoever asks twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

import polars as pl

from ghstars_assets.calendar import DayRange, consecutive
from ghstars_assets.lake.catalog import Table, problem_of
from ghstars_assets.lake.marker import Kind, Marker
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.archives import Archive

Say = Callable[[str], None]
"""Shows a line of progress to whoever watches."""


class Take(Protocol):
    """Takes the days of a range in order, one outcome a day; what is stored is kept."""

    def __call__(
        self, lake: Lake, marker: Marker, days: DayRange, say: Say, /
    ) -> Iterator[DayOutcome]: ...


class KnownDays(Protocol):
    """The days that a source knows at a moment, in order."""

    def __call__(self, lake: Lake, marker: Marker, now: datetime, /) -> list[date]: ...


@dataclass(frozen=True)
class Source:
    """One place that a problem's counts come from."""

    table: Table
    take: Take
    known_days: KnownDays
    kinds: frozenset[Kind] = field(default=frozenset({"real", "sandbox"}))
    """The lakes that it may fill."""
    reads: tuple[str, ...] = ()
    """Tables whose same day it needs."""
    covers: str = ""
    """SQL that counts how much of a day it covers; without it, its source coverage is not shown."""
    status_line: Callable[[Lake, Marker], str] | None = None
    """What `ghstars status` shows of it beside its days."""
    is_history: bool = False
    """It knows the past alone, and a day only when that was imported: no schedule asks it."""
    answers_the_past: bool = False
    """A day's answer reaches back over the days before, so that a day that was missed is no hole;
    and nobody can ask for it any more."""
    archive: Archive | None = None
    """What `ghstars import` imports from, into this table and into those beside it."""
    logs: tuple[Table, ...] = ()
    """What it keeps beside its days; anybody may query them."""


Capture = Callable[[Marker, DayRange], Iterator[tuple[date, pl.DataFrame]]]
"""The days of a range as a source knows them, in order, one at a time."""


def take_days(
    lake: Lake, table: Table, capture: Capture, marker: Marker, days: DayRange
) -> Iterator[DayOutcome]:
    """Take what is not stored yet; keep the rest and say so."""
    stored = set(lake.days(table.name, days))
    for day in days:
        if day in stored:
            yield kept_as_it_was(lake, table, day)
    for missing in consecutive([day for day in days if day not in stored]):
        for day, frame in capture(marker, missing):
            written = lake.write(table.name, day, table.conform(frame), only_if_absent=True)
            reason = "taken now" if written.is_new else "taken by another run at the same time"
            yield DayOutcome(day, Status.WRITTEN, written.rows, written.size_bytes, reason=reason)


def kept_as_it_was(lake: Lake, table: Table, day: date) -> DayOutcome:
    """The outcome of a day that is stored already."""
    rows = lake.scan(table.name, DayRange(day, day)).select(pl.len()).collect().item()
    return DayOutcome(day, Status.WRITTEN, rows, reason="taken before and kept as it was")


def keep_imported_days(
    lake: Lake, table: Table, days: DayRange, why_not: str
) -> Iterator[DayOutcome]:
    """The outcomes of a table that only imports fill; `why_not` says why a day is not there."""
    stored = set(lake.days(table.name, days))
    remedy = f"`ghstars import {problem_of(table.name)} PATH_OR_URL` brings what an archive has"
    for day in days:
        if day in stored:
            yield kept_as_it_was(lake, table, day)
        else:
            yield DayOutcome(day, Status.SKIPPED, reason=f"{why_not}; {remedy}")
