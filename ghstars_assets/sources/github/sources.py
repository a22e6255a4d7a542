"""The sources that a problem has of GitHub itself: what search finds, what GitHub says of each
repository, who is tracked, and the star history.

What they do is imported when they do it.
"""

from collections.abc import Iterator
from datetime import date, datetime

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.tables import GitHubTables, rules_log, tables_of
from ghstars_assets.sources.source import Say, Source


def github_sources(problem: str) -> tuple[Source, ...]:
    """In the order in which a day is taken."""
    tables = tables_of(problem)
    wired = _Wired(tables)
    day = tables.github.name
    return (
        Source(tables.discovered, wired.discover, wired.days_now),
        Source(
            tables.github,
            wired.capture,
            wired.days_now,
            reads=(tables.discovered.name,),
            covers="count(*)",
            status_line=wired.status_line,
            logs=(rules_log(problem),),
        ),
        Source(tables.repositories, wired.register, wired.days_captured, reads=(day,)),
        Source(
            tables.star_history,
            wired.star_history,
            wired.newest_day,
            reads=(day,),
            covers="count(distinct repo_id)",
            answers_the_past=True,
        ),
    )


class _Wired:
    """The functions of one problem's tables."""

    def __init__(self, tables: GitHubTables) -> None:
        self.tables = tables

    def discover(
        self, lake: Lake, marker: Marker, days: DayRange, say: Say
    ) -> Iterator[DayOutcome]:
        from ghstars_assets.sources.github.daily.discovery import take_discovered_days

        yield from take_discovered_days(lake, marker, self.tables, days, say)

    def capture(self, lake: Lake, marker: Marker, days: DayRange, say: Say) -> Iterator[DayOutcome]:
        from ghstars_assets.sources.github.daily.capture import take_github_days

        yield from take_github_days(lake, marker, self.tables, days, say)

    def register(
        self, lake: Lake, marker: Marker, days: DayRange, say: Say
    ) -> Iterator[DayOutcome]:
        from ghstars_assets.sources.github.tracking.registry import take_repositories_days

        yield from take_repositories_days(lake, marker, self.tables, days, say)

    def star_history(
        self, lake: Lake, marker: Marker, days: DayRange, say: Say
    ) -> Iterator[DayOutcome]:
        from ghstars_assets.sources.github.daily.star_history import take_star_history_days

        yield from take_star_history_days(lake, marker, self.tables, days, say)

    def days_now(self, lake: Lake, marker: Marker, now: datetime) -> list[date]:
        """Days that GitHub knows, and days whose fetched rows wait to be made a partition."""
        from ghstars_assets.sources.github.daily.capture import known_days

        return known_days(lake, marker, self.tables, now)

    def days_captured(self, lake: Lake, marker: Marker, now: datetime) -> list[date]:
        """Who is tracked follows from what was captured, whenever that was."""
        return sorted({*lake.days(self.tables.github.name), *self.days_now(lake, marker, now)})

    def status_line(self, lake: Lake, marker: Marker) -> str:
        from ghstars_assets.sources.github.tracking.planning import tracked_summary

        return tracked_summary(lake, marker, self.tables)

    def newest_day(self, lake: Lake, marker: Marker, now: datetime) -> list[date]:
        return self.days_now(lake, marker, now)[-1:]
