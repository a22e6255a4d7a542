"""An hour of GH Archive: is a file one, which hour is it, and which stars does it hold.

Only lines that may be a star are parsed. Any other line is known by its two ends: a head that names
another type, and a tail of the hour that is being read; a line that lacks either is parsed too. So
the counts are those of parsing every line, but for one thing: a line that is whole at both ends and
broken between them (two events run into one, say) counts as an event, not as unreadable.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import filterfalse
from pathlib import Path

import polars as pl

from ghstars_assets.errors import SourceError
from ghstars_assets.sources.gharchive.events import STAR, Event, read_event
from ghstars_assets.sources.gharchive.reading import blocks

# A line as GitHub has written it since 2015, of any type but a star and of one hour. Quotes within
# a text are escaped, so that no text of a user's can look like either end; `org` nests nothing.
_NO_STAR = (
    r'\{"id":"\d+","type":"(?!%s")\w+","actor":.*'
    r',"public":true,"created_at":"%s:\d\d:\d\dZ"(?:,"org":\{[^{}]*\})?\}\s*'
)

STAR_COLUMNS = {
    "repo_id": pl.Int64(),
    "full_name": pl.String(),
    "stars_gained": pl.Int64(),
    "first_seen_at": pl.Datetime("us", "UTC"),
    "last_seen_at": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class HourCounts:
    hour_began_at: datetime
    """The UTC hour that most of the events fell into, whatever the file is called."""
    events: int
    """Lines that are events, of whatever type and hour."""
    stars_gained: int
    """Star events of this hour that name a repository, each once."""
    stars: pl.DataFrame
    """One row a repository: repo_id, the last full_name, stars_gained, first and last seen."""
    unreadable: int
    """Lines that are no event."""
    duplicates: int
    """Star events that had been read before."""
    without_repository: int
    """Star events that do not say of what."""
    of_other_hours: dict[datetime, int]
    """Events of any type that fell into other hours; their stars are not counted in this one."""

    @property
    def day(self) -> date:
        return self.hour_began_at.date()

    @property
    def hour(self) -> int:
        return self.hour_began_at.hour


def is_event_hour(path: Path) -> bool:
    """Whether a file is one of GH Archive's, by its first line; never by its name."""
    if not path.is_file():  # a pipe would never answer
        return False
    try:
        first = next(blocks(path), b"")
    except SourceError:
        return False
    event = read_event(first[: first.find(b"\n")])
    return event is not None and (event.repo_id is not None or event.full_name is not None)


def likely_hour(path: Path, shown_as: str = "") -> datetime:
    """The hour that the first events of a file are of, without reading on."""
    tally = _Tally()
    for block in blocks(path, shown_as):
        tally.read(block)
        if tally.hours:
            break
    return tally.main_hour(shown_as or path.name).began_at


def count_stars(path: Path, shown_as: str = "") -> HourCounts:
    """Read one file through. Errors call it `shown_as`."""
    tally = _Tally()
    for block in blocks(path, shown_as):
        tally.read(block)
    return tally.counts(shown_as or path.name)


@dataclass(slots=True)
class _Starred:
    full_name: str | None
    stars_gained: int
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(slots=True)
class _Hour:
    """What was read so far of one hour."""

    began_at: datetime
    events: int = 0
    stars: dict[int, _Starred] = field(default_factory=dict)
    ended_at: datetime = field(init=False)
    is_no_star: Callable[[bytes], object] = field(init=False)
    """Whether a line is surely no star, and surely of this hour."""

    def __post_init__(self) -> None:
        self.ended_at = self.began_at + timedelta(hours=1)
        pattern = _NO_STAR % (STAR, f"{self.began_at:%Y-%m-%dT%H}")
        self.is_no_star = re.compile(pattern.encode(), re.DOTALL).fullmatch


@dataclass(slots=True)
class _Tally:
    """What was read so far of a file."""

    hours: dict[datetime, _Hour] = field(default_factory=dict)
    expected: _Hour | None = None
    """The hour of the last event that was parsed."""
    star_ids: set[str] = field(default_factory=set)
    unreadable: int = 0
    duplicates: int = 0
    without_repository: int = 0
    names_repositories: bool = False

    def read(self, block: bytes) -> None:
        lines = io.BytesIO(block).readlines()
        if self.expected is not None:
            # Of all that is no star, no line costs a step of Python's.
            others = list(filterfalse(self.expected.is_no_star, lines))
            self.expected.events += len(lines) - len(others)
            lines = others
        for line in lines:
            if self.expected is not None and self.expected.is_no_star(line):
                self.expected.events += 1  # another hour began within the block
            else:
                self._parse(line)

    def _parse(self, line: bytes) -> None:
        event = read_event(line)
        if event is None:
            self.unreadable += bool(line.strip())
            return
        self.expected = hour = self._hour_of(event.at)
        hour.events += 1
        self.names_repositories |= event.repo_id is not None
        if event.kind == STAR:
            self._count(event, hour)

    def _hour_of(self, at: datetime) -> _Hour:
        expected = self.expected
        if expected is not None and expected.began_at <= at < expected.ended_at:
            return expected
        began_at = at.replace(minute=0, second=0, microsecond=0)
        if began_at not in self.hours:
            self.hours[began_at] = _Hour(began_at)
        return self.hours[began_at]

    def _count(self, event: Event, hour: _Hour) -> None:
        if event.event_id in self.star_ids:
            self.duplicates += 1
            return
        if event.event_id:
            self.star_ids.add(event.event_id)
        if event.repo_id is None:
            self.without_repository += 1
            return
        known = hour.stars.get(event.repo_id)
        if known is None:
            hour.stars[event.repo_id] = _Starred(event.full_name, 1, event.at, event.at)
            return
        known.stars_gained += 1
        known.first_seen_at = min(known.first_seen_at, event.at)
        if event.at >= known.last_seen_at:
            known.last_seen_at = event.at
            known.full_name = event.full_name or known.full_name

    def main_hour(self, name: str) -> _Hour:
        """The one that most events fell into; of two with as many, the earlier."""
        if not self.hours:
            raise SourceError(
                f"{name} holds no event; an hour of GH Archive has one JSON object on each line."
            )
        return min(self.hours.values(), key=lambda hour: (-hour.events, hour.began_at))

    def counts(self, name: str) -> HourCounts:
        main = self.main_hour(name)
        if self.without_repository and not self.names_repositories:
            raise SourceError(
                f"{name} has stars without a repository's id, as GH Archive did before 2015; "
                "import later hours."
            )
        rows = [
            (repo_id, one.full_name, one.stars_gained, one.first_seen_at, one.last_seen_at)
            for repo_id, one in sorted(main.stars.items())
        ]
        return HourCounts(
            hour_began_at=main.began_at,
            events=sum(hour.events for hour in self.hours.values()),
            stars_gained=sum(one.stars_gained for one in main.stars.values()),
            stars=pl.DataFrame(rows, schema=STAR_COLUMNS, orient="row"),
            unreadable=self.unreadable,
            duplicates=self.duplicates,
            without_repository=self.without_repository,
            of_other_hours={
                began_at: hour.events
                for began_at, hour in sorted(self.hours.items())
                if hour is not main
            },
        )
