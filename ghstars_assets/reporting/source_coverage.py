"""Finds out which day is known from which source, and how well."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from statistics import median

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.holes import holes_in
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem

USUAL_OF_DAYS = 30
SPARSE_SHARE = 0.8
"""A day with less than this share of what is usual is sparse."""
HALF_SHARE = 0.5


class DayState(Enum):
    """How much is known of a day, by what is usual."""

    FULL = "full"
    SHORT = "short"
    HALF = "under half"
    MISSING = "missing"
    QUARANTINED = "quarantined"


@dataclass(frozen=True)
class Lane:
    """The days of one source, or of the table that is made of them all."""

    name: str
    counts: dict[date, int]
    quarantined: frozenset[date] = frozenset()

    @property
    def first(self) -> date:
        return min(self.counts)

    @property
    def last(self) -> date:
        return max(self.counts)

    @property
    def missing(self) -> list[date]:
        """The days between the first and the last that hold nothing."""
        return [day for day in DayRange(self.first, self.last) if not self.counts.get(day)]

    def shares(self) -> dict[date, float]:
        """Each day's count by the median of the days stored before it: a set that grows or is cut
        is not sparse for that."""
        shares: dict[date, float] = {}
        before: list[int] = []
        for day, count in sorted(self.counts.items()):
            shares[day] = min(1.0, count / median(before)) if before and count else float(count > 0)
            if count:
                before = [*before[-USUAL_OF_DAYS + 1 :], count]
        return shares

    @property
    def sparse(self) -> list[date]:
        return [day for day, share in self.shares().items() if 0 < share < SPARSE_SHARE]

    def states(self) -> dict[date, DayState]:
        """The state of every day from the first to the last, in order."""
        shares = self.shares()
        days = DayRange(self.first, self.last)
        return {day: self._state(day, shares.get(day, 0.0)) for day in days}

    def _state(self, day: date, share: float) -> DayState:
        if day in self.quarantined:
            return DayState.QUARANTINED
        if not share:
            return DayState.MISSING
        if share >= SPARSE_SHARE:
            return DayState.FULL
        return DayState.SHORT if share >= HALF_SHARE else DayState.HALF


def source_coverage(lake: Lake, problem: Problem) -> list[Lane]:
    """A lane for every source that has a day, in the order of trust, and last for the snapshots."""
    return list(_lanes(lake, problem))


def _lanes(lake: Lake, problem: Problem) -> Iterator[Lane]:
    for source in problem.sources:
        if source.covers:
            counts = _counts(lake, source.table.name, source.covers)
            if any(counts.values()):
                yield Lane(source.table.name, counts)
    table = problem.table("snapshots")
    counts = _counts(lake, table, "count(*)")
    if any(counts.values()):
        holes = holes_in(lake, table, DayRange(min(counts), max(counts)))
        quarantined = frozenset(day for day, hole in holes.items() if hole.is_quarantine)
        yield Lane(table, counts, quarantined)


def _counts(lake: Lake, table: str, covers: str) -> dict[date, int]:
    """A column of every file is read, and only the counts are kept."""
    days = lake.days(table)
    if not days:
        return {}
    with duck_session(lake.settings, lake.store) as connection:
        bind_parquet(connection, table, lake.urls(table), "")
        # The expression is the source's own, from the code.
        query = f"select day, {covers} from {table} group by day"  # noqa: S608
        counted = dict(connection.sql(query).fetchall())
    return {day: counted.get(day, 0) for day in days}
