"""`stars/github`: what GitHub answers about every repository that is due on a day."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.api.answer_fields import refusals
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.endpoint import own_world
from ghstars_assets.sources.github.api.repository_batches import CaptureReport, Row, capture
from ghstars_assets.sources.github.daily import each_day
from ghstars_assets.sources.github.daily.each_day import Fetched
from ghstars_assets.sources.github.daily.intake import Intake
from ghstars_assets.sources.github.tables import LIVE, GitHubTables
from ghstars_assets.sources.github.tracking.planning import capacity_per_day, plan
from ghstars_assets.sources.github.tracking.registry import Registry
from ghstars_assets.sources.github.tracking.tracking_rules import current_rules
from ghstars_assets.sources.source import Say

_SHOW_EVERY_SECONDS = 5.0


class _MidnightError(SourceError):
    """The day ended while it was being asked about."""


def known_days(lake: Lake, marker: Marker, tables: GitHubTables, now: datetime) -> list[date]:
    """GitHub has nothing to say today where nobody is followed and nobody ever was: such a home
    holds an archive alone."""
    known = each_day.known_days(lake, marker, tables.github, now)
    if (
        own_world(lake.settings, marker)
        or lake.days(tables.github.name)
        or current_rules(lake, tables, lake.settings).rules
    ):
        return known
    return [day for day in known if day != now.date()]


def take_github_days(
    lake: Lake, marker: Marker, tables: GitHubTables, days: DayRange, say: Say
) -> Iterator[DayOutcome]:
    taking = _Taking(lake, marker, tables, say)
    yield from each_day.take_each_day(
        lake, marker, tables.github, days, say, fetch=taking.fetch, finish=taking.finish
    )


class _Taking:
    def __init__(self, lake: Lake, marker: Marker, tables: GitHubTables, say: Say) -> None:
        self.lake = lake
        self.tables = tables
        self.say = say
        self.registry = Registry(lake, tables)
        self.current_rules = current_rules(lake, tables, lake.settings)
        self.capacity = capacity_per_day(lake.settings, marker)

    async def fetch(self, github: GitHub, day: date) -> Fetched | None:
        intake = Intake(self.lake, self.tables.github, day)
        kept = intake.rows()
        planned = plan(
            self.registry.before(day),
            self.current_rules,
            self._discovered(day),
            self.capacity,
            day,
        )
        had = set(kept["asked_as"])
        missing = [one for one in planned.asked if one.asked_as not in had]
        progress_line = _ProgressLine(self.say, self.tables.github.name, day)

        def keep(rows: Sequence[Row]) -> None:
            self._keep(day, rows)

        try:
            report = await capture(github, missing, keep=keep, progress=progress_line)
        except _MidnightError:
            return self.finish(day)
        return self._made(intake.rows(), _summary(report, len(had), planned.is_short))

    def finish(self, day: date) -> Fetched | None:
        rows = Intake(self.lake, self.tables.github, day).rows()
        return (
            self._made(rows, "made of what was fetched before the day ended")
            if rows.height
            else None
        )

    def _keep(self, day: date, rows: Sequence[Row]) -> None:
        """Rows belong to the day on which GitHub answered, whichever was asked for."""
        by_day: dict[date, list[Row]] = {}
        for row in rows:
            by_day.setdefault(row["observed_at"].astimezone(UTC).date(), []).append(row)
        for observed, found in by_day.items():
            Intake(self.lake, self.tables.github, observed).keep(found)
        if any(observed > day for observed in by_day):
            raise _MidnightError(f"{day} is over on GitHub's clock.")

    def _discovered(self, day: date) -> pl.DataFrame:
        table = self.tables.discovered
        if not self.lake.days(table.name, DayRange(day, day)):
            return table.empty()
        return self.lake.read(table.name, day)

    def _made(self, rows: pl.DataFrame, summary: str) -> Fetched:
        """One row a repository. A name may lead to one that was asked for by its id as well, and
        what became of an old name stands in a row of its own."""
        fate = rows.filter(pl.col("old_name_is_now").is_not_null()).select(
            "repo_id", pl.col("old_name_is_now").alias("taken_by")
        )
        answered = rows.filter(
            pl.col("observed_at").is_not_null()
            & ((pl.col("status") != LIVE) | pl.col("stars").is_not_null())
        )
        known = answered.filter(pl.col("repo_id").is_not_null())
        known = known.sort("repo_id", pl.col("status") != LIVE, "asked_as").unique(
            "repo_id", keep="first", maintain_order=True
        )
        known = (
            known.join(fate.unique("repo_id", keep="any"), on="repo_id", how="left")
            .with_columns(old_name_is_now=pl.coalesce("old_name_is_now", "taken_by"))
            .drop("taken_by")
        )
        unknown = answered.filter(pl.col("repo_id").is_null()).unique("asked_as", keep="any")
        return Fetched(pl.concat([known, unknown]), summary)


class _ProgressLine:
    """Shows how far the day is, now and then."""

    def __init__(self, say: Say, table: str, day: date) -> None:
        self.say = say
        self.about = f"{table} {day}"
        self.next_at = time.monotonic() + _SHOW_EVERY_SECONDS

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() >= self.next_at:
            self.next_at = time.monotonic() + _SHOW_EVERY_SECONDS
            self.say(f"{self.about}: {done:,} of {total:,} repositories")


def _summary(report: CaptureReport, had: int, is_short: bool) -> str:
    parts = [
        f"{report.answered:,} answered in {report.batches:,} batches for {report.points:,} points"
    ]
    if had:
        parts.append(f"{had:,} had been fetched before")
    if report.refused:
        parts.append(refusals(report.refused))
    if report.missing:
        parts.append(f"{report.missing:,} not there or not to be read")
    if report.failed_batches:
        parts.append(f"{report.failed_batches:,} batches failed and were split")
    if is_short:
        parts.append("the budget is short of the tracked set, so the others take turns")
    return "; ".join(parts)
