"""What a batch of a SQL file may read: which days go together, are stored, or never will be.

The first table a file reads, its driver, decides whether a day can be made. A table marked
`optional` may lack a day; one of the same day stands in for the driver where that has none.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property
from operator import attrgetter

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.catalog import problem_of
from ghstars_assets.lake.holes import Hole, declared_gaps, holes_among
from ghstars_assets.lake.integrity import raise_damage_among
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake, Partition
from ghstars_assets.sql_tables.header import SqlFile

MOST_ROWS_READ = 2_500_000
"""One pass reads no more. The features of so many rows take 1.5 GB; with fewer, each day would be
read more often."""
MOST_DAYS = 740
"""One batch fills no more, so that progress is seen and a killed run loses little."""


class StoredTables:
    """The tables that a file reads, as they are stored. Each is listed once for a whole fill, for
    there may be thousands of days in it; so are the gaps and the marker."""

    def __init__(self, lake: Lake, file: SqlFile) -> None:
        self.lake = lake
        self.file = file
        self._listed: dict[str, list[Partition]] = {}

    @cached_property
    def gaps(self) -> dict[date, str]:
        return declared_gaps(self.lake, problem_of(self.file.table.name))

    @cached_property
    def first_day(self) -> date | None:
        """Where the lake begins, if its marker says so."""
        marker = read_marker(self.lake)
        return marker.first_day if marker else None

    def partitions(self, table: str, days: DayRange | None = None) -> list[Partition]:
        if table not in self._listed:
            self._listed[table] = self.lake.partitions(table)
        listed = self._listed[table]
        if days is None:
            return listed
        of_day = attrgetter("day")
        return listed[
            bisect_left(listed, days.first, key=of_day) : bisect_right(
                listed, days.last, key=of_day
            )
        ]

    def days(self, table: str, days: DayRange | None = None) -> list[date]:
        return sorted({partition.day for partition in self.partitions(table, days)})


def batches_of(stored: StoredTables, days: DayRange) -> Iterator[DayRange]:
    """Months, joined while what is read stays small. A batch that looks back reads far more days
    than it fills, and the fewer batches, the seldomer each day is read."""
    reads = stored.file.reads
    reach = max(window.last_offset for window in reads.values()) - min(
        window.first_offset for window in reads.values()
    )
    rows_a_day = _RowsADay(stored, days)
    together: DayRange | None = None
    for month in days.months():
        if together is None:
            together = month
            continue
        joined = DayRange(together.first, month.last)
        rows = (len(joined) + reach) * rows_a_day.on(month)
        if rows > MOST_ROWS_READ or len(joined) > MOST_DAYS:
            yield together
            joined = month
        together = joined
    if together:
        yield together


class _RowsADay:
    """Estimates the rows that are read for a day, by the newest partition of each month."""

    def __init__(self, stored: StoredTables, days: DayRange) -> None:
        self._lake = stored.lake
        self._newest = [
            {f"{one.day:%Y-%m}": one for one in stored.partitions(table, days)}
            for table in stored.file.reads
        ]

    def on(self, month: DayRange) -> int:
        found = [newest.get(f"{month.last:%Y-%m}") for newest in self._newest]
        return sum(self._lake.row_count(partition) for partition in found if partition)


class Inputs:
    """Compares the days of one batch with the tables that its file reads."""

    def __init__(self, stored: StoredTables, days: DayRange) -> None:
        self._stored = stored
        self._file = stored.file
        self._days = days
        self._problem = problem_of(stored.file.table.name)
        self._gaps = stored.gaps | self._gaps_by_nature()

    def require(self) -> None:
        """Raise an error for a day that should be stored and is not, unless it is a known hole."""
        for table, window in self._file.reads.items():
            if window.optional:
                continue
            needed = DayRange(
                self._days.first + timedelta(days=window.first_offset),
                self._days.last + timedelta(days=window.last_offset),
            )
            present = set(self._stored.days(table, needed))
            if table == self._file.driver:
                present |= self.supplied_otherwise(needed)
            begins = self._begins(table) if window.first_offset < 0 else needed.first
            missing = [
                day
                for day in needed
                if day >= begins and day not in present and day not in self._gaps
            ]
            if missing:
                raise MissingDayError(
                    f"{table} has no {missing[0]}, which {self._file.table.name} needs for "
                    f"{self._days}; fill it with `ghstars backfill {self._problem} "
                    f"--from {missing[0]} --to {missing[-1]}` or declare it with "
                    f"`ghstars gap {self._problem} {missing[0]} --why …`."
                )

    def holes(self, days: DayRange) -> dict[date, Hole]:
        """Days that neither the driver nor a table in its place has, and why."""
        gaps = {day: why for day, why in self._gaps.items() if day in days}
        holes = holes_among(
            self._stored.lake, self._stored.partitions(self._file.driver, days), gaps
        )
        supplied = self.supplied_otherwise(days)
        return {day: hole for day, hole in holes.items() if day not in supplied}

    def supplied(self, days: DayRange) -> list[date]:
        """Days that can be made of what is there."""
        return sorted({*self._stored.days(self._file.driver, days), *self.supplied_otherwise(days)})

    def supplied_otherwise(self, days: DayRange) -> set[date]:
        """Days that a table in the driver's place has."""
        return {day for table in self._file.alternatives for day in self._stored.days(table, days)}

    def urls(self, table: str, days: DayRange) -> list[str]:
        """What a query of these days may read of a table."""
        return self._stored.lake.urls_of(self._stored.partitions(table, days))

    def raise_damage(self) -> None:
        """Raise an error about a damaged partition that a query of these days has read."""
        for table, window in self._file.reads.items():
            read = DayRange(
                self._days.first + timedelta(days=window.first_offset),
                self._days.last + timedelta(days=window.last_offset),
            )
            raise_damage_among(self._stored.lake, self._stored.partitions(table, read))

    def _begins(self, table: str) -> date:
        """Before a table begins a lag has nothing to miss; from then on every day counts."""
        if self._stored.first_day:
            return self._stored.first_day
        return min([self._days.first, *self._stored.days(table)[:1]])

    def _gaps_by_nature(self) -> dict[date, str]:
        """Days before the driver begins that no table in its place has, though one has days before
        them and something is known of the time after: nobody will ever know them."""
        stored = {table: self._stored.days(table) for table in self._file.alternatives}
        gaps: dict[date, str] = {}
        if any(stored.values()):
            begins = min(self._stored.days(self._file.driver), default=None)
            for table, known in stored.items():
                last = begins or max(known, default=date.min)
                why = self._file.reads[table].optional
                gaps |= {day: why for day in self._days if known and known[0] < day < last}
        supplied = {day for known in stored.values() for day in known}
        return {day: why for day, why in gaps.items() if day not in supplied}
