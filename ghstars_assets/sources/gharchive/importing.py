"""Hours of GH Archive into the lake: each once, whatever order they come in, however often."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.marker import Marker, mark_lake, read_marker, require_kind
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.gharchive.hours import HourCounts, count_stars, likely_hour
from ghstars_assets.sources.gharchive.reading import fingerprint
from ghstars_assets.sources.gharchive.tables import (
    HOURS_A_DAY,
    LAST_TRUSTED,
    WHY_NOT_LATER,
    GHArchiveTables,
    held_hours,
    held_partition,
    part_of,
)
from ghstars_assets.sources.source import Say

FINGERPRINT = "gharchive_file"
"""The note by which a stored hour knows the file it was read from."""


@dataclass(frozen=True)
class HourTaken:
    """An hour that is in the lake now."""

    name: str
    """The file or the address it came from."""
    day: date
    hour: int
    is_new: bool
    """False: it was stored before, and stays as it is."""
    summary: str


@dataclass(frozen=True)
class Refusal:
    """A file that gave no hour."""

    name: str
    reason: str


@dataclass(frozen=True)
class HoursReport:
    """What became of everything that was offered."""

    hours: tuple[HourTaken, ...]
    refused: tuple[Refusal, ...]
    outside: tuple[str, ...]
    """Files of days that were not asked for."""
    absent: tuple[str, ...]
    """Addresses where there is no file."""
    lacking: dict[date, tuple[int, ...]]
    """The hours that the lake does not hold, of each day asked for (or, where none was asked for,
    of each day that was offered) that has not all 24."""

    @property
    def taken(self) -> tuple[HourTaken, ...]:
        return tuple(hour for hour in self.hours if hour.is_new)

    @property
    def kept(self) -> tuple[HourTaken, ...]:
        return tuple(hour for hour in self.hours if not hour.is_new)


def import_hours(
    lake: Lake, tables: GHArchiveTables, paths: Sequence[Path], days: DayRange | None, say: Say
) -> HoursReport:
    """Take every file that is an hour of `days`; of two for the same hour the first by name.

    One file's fault stops no other. A run that was killed has stored whole hours only, and is
    taken up by running it again."""
    intake = HourIntake(lake, tables, days, say)
    for path in sorted(set(paths)):
        intake.offer(path, path.name)
    return intake.report()


@dataclass
class HourIntake:
    """Takes files one after the other, and remembers what became of each."""

    lake: Lake
    tables: GHArchiveTables
    days: DayRange | None
    say: Say
    _hours: list[HourTaken] = field(default_factory=list)
    _refused: list[Refusal] = field(default_factory=list)
    _outside: list[str] = field(default_factory=list)
    _absent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if read_marker(self.lake) is not None:
            require_kind(self.lake, "real")

    def offer(self, path: Path, name: str) -> None:
        try:
            self._take(path, name)
        except SourceError as error:
            self.refuse(name, str(error))

    def refuse(self, name: str, reason: str) -> None:
        self._refused.append(Refusal(name, reason))
        self.say(reason if name in reason else f"{name}: {reason}")

    def miss(self, name: str) -> None:
        self._absent.append(name)
        self.say(f"{name} does not exist")

    def keep(self, name: str, day: date, hour: int, summary: str = "taken before and kept") -> None:
        self._hours.append(HourTaken(name, day, hour, is_new=False, summary=summary))

    def report(self) -> HoursReport:
        return HoursReport(
            hours=tuple(self._hours),
            refused=tuple(self._refused),
            outside=tuple(self._outside),
            absent=tuple(self._absent),
            lacking=self._lacking(),
        )

    def _take(self, path: Path, name: str) -> None:
        likely = likely_hour(path, name)
        if not self._is_wanted(likely, name):
            return
        if self._is_read_already(path, likely):
            self.keep(name, likely.date(), likely.hour)
            return
        counts = count_stars(path, name)
        # The first events may have been the stragglers of another hour.
        if self._is_wanted(counts.hour_began_at, name):
            self._store(path, name, counts)

    def _is_wanted(self, hour: datetime, name: str) -> bool:
        if self.days is not None and hour.date() not in self.days:
            self._outside.append(name)
            return False
        if hour.date() > LAST_TRUSTED:
            raise SourceError(f"{name} is of {hour.date()}: {WHY_NOT_LATER}.")
        return True

    def _is_read_already(self, path: Path, hour: datetime) -> bool:
        """Whether this very file was read before; another one of the same hour is looked at."""
        stored = held_partition(self.lake, self.tables, hour.date(), hour.hour)
        return stored is not None and (
            self.lake.notes(stored).get(FINGERPRINT) == fingerprint(path)
        )

    def _store(self, path: Path, name: str, counts: HourCounts) -> None:
        mark_lake(self.lake, Marker("real"))
        frame = counts.stars.with_columns(
            day=pl.lit(counts.day),
            hour=pl.lit(counts.hour),
            observed_at=pl.col("last_seen_at"),
            ingested_at=pl.lit(utc_now()),
        )
        written = self.lake.write(
            self.tables.hours.name,
            counts.day,
            self.tables.hours.conform(frame),
            part=part_of(counts.hour),
            notes={FINGERPRINT: fingerprint(path)},
            only_if_absent=True,
        )
        if not written.is_new:
            summary = "taken before from another file and kept"
            self.keep(name, counts.day, counts.hour, summary)
        else:
            summary = _summary(counts)
            self._hours.append(
                HourTaken(name, counts.day, counts.hour, is_new=True, summary=summary)
            )
        self.say(f"{counts.day} {part_of(counts.hour)}: {summary} ({name})")

    def _lacking(self) -> dict[date, tuple[int, ...]]:
        offered = {hour.day for hour in self._hours}
        days = [day for day in self.days or sorted(offered) if day <= LAST_TRUSTED]
        if not days:
            return {}
        marker = held_hours(self.lake, self.tables, DayRange(days[0], days[-1]))
        every = set(range(HOURS_A_DAY))
        lacking = {day: tuple(sorted(every - marker.get(day, set()))) for day in days}
        return {day: hours for day, hours in lacking.items() if hours}


def _summary(counts: HourCounts) -> str:
    summary = f"{counts.stars_gained:,} stars of {counts.stars.height:,} repositories"
    oddities = {
        "unreadable lines": counts.unreadable,
        "stars listed twice": counts.duplicates,
        "stars of no repository": counts.without_repository,
        "events of other hours left out": sum(counts.of_other_hours.values()),
    }
    return ", ".join(
        [summary, *(f"{number:,} {what}" for what, number in oddities.items() if number)]
    )
