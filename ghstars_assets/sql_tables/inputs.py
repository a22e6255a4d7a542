"""What a batch of a SQL file may read: which days go together, are there, or never will be.

The first table a file reads, its driver, decides whether a day can be made. A table marked
`optional` may lack a day; one of the same day stands in for the driver where that has none.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from operator import attrgetter

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.catalog import problem_of
from ghstars_assets.lake.holes import Hole, declared_gaps, holes_among
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake, Partition
from ghstars_assets.sql_tables.header import SqlFile

MOST_ROWS_READ = 2_500_000
"""In one pass. The features of so many take 1.5 GB; less would be read more often."""
MOST_DAYS = 740
"""In one batch, so that progress is seen and little is lost with a killed run."""


def batches_of(lake: Lake, file: SqlFile, days: DayRange) -> Iterator[DayRange]:
    """Months, joined while what is read stays small. A batch that looks back reads far more days
    than it fills, and the fewer batches, the seldomer each day is read."""
    reach = max(window.last_offset for window in file.reads.values()) - min(
        window.first_offset for window in file.reads.values()
    )
    rows_a_day = _RowsADay(lake, file, days)
    together: DayRange | None = None
    for month in days.months():
        joined = DayRange(together.first, month.last) if together else month
        rows = (len(joined) + reach) * rows_a_day.on(month)
        if together and (rows > MOST_ROWS_READ or len(joined) > MOST_DAYS):
            yield together
            joined = month
        together = joined
    if together:
        yield together


class _RowsADay:
    """How many rows the tables that are read hold on a day, by the newest partition of a month."""

    def __init__(self, lake: Lake, file: SqlFile, days: DayRange) -> None:
        self._lake = lake
        # Thousands of days may be listed, so they are listed once.
        self._newest = [
            {f"{one.day:%Y-%m}": one for one in lake.partitions(table, days)}
            for table in file.reads
        ]

    def on(self, month: DayRange) -> int:
        found = [newest.get(f"{month.last:%Y-%m}") for newest in self._newest]
        return sum(self._lake.row_count(partition) for partition in found if partition)


class Inputs:
    """The days of one batch against the tables that its file reads."""

    def __init__(self, lake: Lake, file: SqlFile, days: DayRange) -> None:
        self._lake = lake
        self._file = file
        self._days = days
        self._problem = problem_of(file.table.name)
        self._listed: dict[str, list[Partition]] = {}
        self._gaps = declared_gaps(lake, self._problem) | self._gaps_by_nature()

    def require(self) -> None:
        """A day that should be there and is not is an error, unless it is a known hole."""
        for table, window in self._file.reads.items():
            if window.optional:
                continue
            needed = DayRange(
                self._days.first + timedelta(days=window.first_offset),
                self._days.last + timedelta(days=window.last_offset),
            )
            present = set(self._days_of(table, needed))
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
        holes = holes_among(self._lake, self._partitions(self._file.driver, days), gaps)
        supplied = self.supplied_otherwise(days)
        return {day: hole for day, hole in holes.items() if day not in supplied}

    def supplied(self, days: DayRange) -> list[date]:
        """Days that can be made of what is there."""
        return sorted({*self._days_of(self._file.driver, days), *self.supplied_otherwise(days)})

    def supplied_otherwise(self, days: DayRange) -> set[date]:
        """Days that a table in the driver's place has."""
        return {day for table in self._file.alternatives for day in self._days_of(table, days)}

    def urls(self, table: str, days: DayRange) -> list[str]:
        """What a query of these days may read of a table."""
        return [self._lake.store.url(one.key) for one in self._partitions(table, days)]

    def _days_of(self, table: str, days: DayRange | None = None) -> list[date]:
        return sorted({partition.day for partition in self._partitions(table, days)})

    def _partitions(self, table: str, days: DayRange | None = None) -> list[Partition]:
        """A folder is listed once for a batch: there may be thousands of days in it."""
        if table not in self._listed:
            self._listed[table] = self._lake.partitions(table)
        listed = self._listed[table]
        if days is None:
            return listed
        of_day = attrgetter("day")
        return listed[
            bisect_left(listed, days.first, key=of_day) : bisect_right(
                listed, days.last, key=of_day
            )
        ]

    def _begins(self, table: str) -> date:
        """Before a table begins a lag has nothing to miss; from then on every day counts."""
        marker = read_marker(self._lake)
        if marker and marker.first_day:
            return marker.first_day
        return min([self._days.first, *self._days_of(table)[:1]])

    def _gaps_by_nature(self) -> dict[date, str]:
        """Days before the driver begins that no table in its place has, though one tells of time
        before and something of time after: nobody will ever know them."""
        stored = {table: self._days_of(table) for table in self._file.alternatives}
        gaps: dict[date, str] = {}
        if any(stored.values()):
            begins = min(self._days_of(self._file.driver), default=None)
            for table, marker in stored.items():
                last = begins or max(marker, default=date.min)
                why = self._file.reads[table].optional
                gaps |= {day: why for day in self._days if marker and marker[0] < day < last}
        known = {day for marker in stored.values() for day in marker}
        return {day: why for day, why in gaps.items() if day not in known}
