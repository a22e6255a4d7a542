"""Takes days from GitHub in order: what is stored stays, today is asked, a past day is not guessed.

One connection serves a whole range. Only one run of a home talks to GitHub in bulk at a time: what
would be fetched twice, and limits that would be used twice, wait for each other here.
"""

import asyncio
import fcntl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.interrupts import interrupts_as_asyncio_likes
from ghstars_assets.lake.catalog import Table, problem_of
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.endpoint import open_endpoint, own_world
from ghstars_assets.sources.github.daily.intake import Intake
from ghstars_assets.sources.source import Say, kept_as_it_was

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Fetched:
    """A day as GitHub answered it, and a line about it."""

    rows: pl.DataFrame
    summary: str


Fetch = Callable[[GitHub, date], Awaitable[Fetched | None]]
"""None: the day ended before anything of it was answered."""
Finish = Callable[[date], Fetched | None]
"""Makes what it can of a past day that was begun and never ended."""


def known_days(lake: Lake, marker: Marker, table: Table, now: datetime) -> list[date]:
    """Today, and days that were begun; in a sandbox of our own all its days that are over."""
    begun = Intake.days(lake, table)
    if not own_world(lake.settings, marker):
        return sorted({*begun, now.date()})
    last = now.date() - _ONE_DAY
    first = marker.first_day or last
    return sorted({*begun, *(DayRange(first, last) if first <= last else ())})


def take_each_day(
    lake: Lake,
    marker: Marker,
    table: Table,
    days: DayRange,
    say: Say,
    *,
    fetch: Fetch,
    finish: Finish = lambda _day: None,
) -> Iterator[DayOutcome]:
    with ExitStack() as stack:
        asking: _Asking | None = None
        for day in days:
            if _is_stored(lake, table, day):
                yield kept_as_it_was(lake, table, day)
                continue
            if asking is None and not _is_surely_over(marker, day):
                say(f"{table.name}: connecting to GitHub")
                stack.enter_context(_one_at_a_time(lake.settings, say))
                asking = stack.enter_context(_asking(lake.settings, marker))
            # Another run may have taken it while this one waited for its turn.
            if _is_stored(lake, table, day):
                yield kept_as_it_was(lake, table, day)
                continue
            fetched = asking.fetch(fetch, day) if asking else None
            if fetched is None:
                fetched = finish(day)
            if fetched is None:
                yield DayOutcome(day, Status.SKIPPED, reason=_why_not(table, day))
                continue
            rows = table.conform(fetched.rows)
            written = lake.write(table.name, day, rows, only_if_absent=True)
            Intake(lake, table, day).clear()
            summary = fetched.summary if written.is_new else "taken by another run at the same time"
            yield DayOutcome(day, Status.WRITTEN, written.rows, written.size_bytes, reason=summary)


class _Asking:
    """A connection, and the loop it lives on."""

    def __init__(self, runner: asyncio.Runner, github: GitHub) -> None:
        self.runner = runner
        self.github = github

    def fetch(self, fetch: Fetch, day: date) -> Fetched | None:
        """None: GitHub's clock shows another day, and cannot be set."""
        with interrupts_as_asyncio_likes():
            return self.runner.run(self._fetch(fetch, day))

    async def _fetch(self, fetch: Fetch, day: date) -> Fetched | None:
        if self.github.endpoint.can_travel:
            await self.github.travel_to(day)
        elif await self.github.today() != day:
            return None
        return await fetch(self.github, day)


@contextmanager
def _asking(settings: Settings, marker: Marker) -> Iterator[_Asking]:
    with open_endpoint(settings, marker) as endpoint, asyncio.Runner() as runner:
        github = GitHub(endpoint)
        runner.run(github.__aenter__())
        try:
            yield _Asking(runner, github)
        finally:
            runner.run(github.__aexit__(None, None, None))


@contextmanager
def _one_at_a_time(settings: Settings, say: Say) -> Iterator[None]:
    """The lock ends with the process that holds it, however that ends."""
    settings.home_path.mkdir(parents=True, exist_ok=True)
    with (settings.home_path / ".github-lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run that is asking GitHub")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_stored(lake: Lake, table: Table, day: date) -> bool:
    return bool(lake.days(table.name, DayRange(day, day)))


def _is_surely_over(marker: Marker, day: date) -> bool:
    """Whether no clock on Earth can still call it today: GitHub need not be asked. A sandbox's
    clock may stand anywhere."""
    return marker.kind == "real" and day < utc_today() - _ONE_DAY


def _why_not(table: Table, day: date) -> str:
    return (
        "GitHub knows only what is so today, so nothing was fetched for another day; import "
        "history that knows it, or declare it with "
        f"`ghstars gap {problem_of(table.name)} {day} --why …`"
    )
