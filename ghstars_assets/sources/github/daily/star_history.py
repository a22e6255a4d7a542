"""`stars/star_history`: what GitHub answers today about stars of earlier days.

A page holds 30 weeks. Whoever takes a star back lowers a past day, so a later answer may have
fewer of the same day; so each row carries the day on which it was asked, and is stored under it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.api.answer_fields import (
    ImpossibleAnswerError,
    as_count,
    as_list,
    as_mapping,
    count_in,
    refusals,
)
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.daily import each_day
from ghstars_assets.sources.github.daily.each_day import Fetched
from ghstars_assets.sources.github.daily.intake import Intake
from ghstars_assets.sources.github.tables import LIVE, GitHubTables
from ghstars_assets.sources.github.tracking.registry import registry_as_of
from ghstars_assets.sources.source import Say

DAYS_A_WEEK = 7
WEEKS_A_PAGE = 30
_GITHUB_OPENED = datetime(2008, 1, 1, tzinfo=UTC)
READ_AGAIN_DAYS = 7 * WEEKS_A_PAGE - 14
"""A page reaches back 210 days; read again a little earlier, and no day is missed."""


def take_star_history_days(
    lake: Lake, marker: Marker, tables: GitHubTables, days: DayRange, say: Say
) -> Iterator[DayOutcome]:
    table = tables.star_history
    most = lake.settings.star_history_per_day

    async def fetch(github: GitHub, day: date) -> Fetched:
        intake = Intake(lake, table, day)
        kept = intake.rows()
        had = set(kept["repo_id"])
        chosen = _chosen(lake, tables, day, most)
        gone, refused = 0, list[str]()
        for repo_id, node_id, full_name in chosen.iter_rows():
            if repo_id in had:
                continue
            try:
                rows = await _read(github, repo_id, full_name)
            except ImpossibleAnswerError as error:
                refused.append(f"{full_name}: {error}")
                continue
            if rows is None:
                gone += 1
                continue
            known = {"repo_id": repo_id, "node_id": node_id, "full_name": full_name}
            intake.keep([row | known for row in rows])
        read = chosen.height - gone - len(refused)
        summary = f"{read:,} repositories read, 30 weeks of each"
        if refused:
            summary += f"; {refusals(refused)}"
        if gone:
            summary += f"; {gone:,} had no history"
        return Fetched(_once_each(intake.rows()), summary)

    def finish(day: date) -> Fetched | None:
        rows = Intake(lake, table, day).rows()
        return (
            Fetched(_once_each(rows), "made of what was read before the day ended")
            if rows.height
            else None
        )

    yield from each_day.take_each_day(lake, marker, table, days, say, fetch=fetch, finish=finish)


async def _read(github: GitHub, repo_id: int, full_name: str) -> list[dict[str, Any]] | None:
    """The days that one page holds; None where there is no such history, or it is another's."""
    reply = await github.get(f"/repos/{full_name}/stargazers/history", {"per_page": WEEKS_A_PAGE})
    if reply.moved_to and f"/repositories/{repo_id}/" not in reply.moved_to:
        return None
    if reply.status != 200:
        return None
    now = github.now()
    observed, today = reply.observed_at, reply.observed_at.date()
    found = []
    for week in as_list(reply.body, "the answer"):
        sunday = _sunday(week, today)
        for place, gained in enumerate(_days(week)):
            gained_on = sunday + timedelta(days=place)
            # The current week is listed whole; its days to come are no news.
            if gained_on <= today:
                found.append(
                    {
                        "gained_on": gained_on,
                        "stars_gained": as_count(gained, f"the count of {gained_on}"),
                        "observed_at": observed,
                        "ingested_at": now.replace(microsecond=0),
                    }
                )
    return found


def _sunday(week: object, today: date) -> date:
    """The first day of a week of GitHub's, which has begun."""
    began = count_in(week, "week")
    last = datetime.combine(today + timedelta(days=7), time.min, UTC)
    if not _GITHUB_OPENED.timestamp() <= began <= last.timestamp():
        raise ImpossibleAnswerError(f"week is {began}, and no week of GitHub's")
    return datetime.fromtimestamp(began, UTC).date()


def _days(week: object) -> Sequence[Any]:
    days = as_list(as_mapping(week, "a week").get("days"), "days")
    if len(days) > DAYS_A_WEEK:
        raise ImpossibleAnswerError(f"a week has {len(days):,} days")
    return days


def _chosen(lake: Lake, tables: GitHubTables, day: date, most: int) -> pl.DataFrame:
    """Those never read first, the fastest growing among them first, then those read longest ago."""
    registry = registry_as_of(lake, tables, day).filter(
        pl.col("is_tracked") & (pl.col("status") == LIVE)
    )
    since = DayRange(day - timedelta(days=READ_AGAIN_DAYS), day - timedelta(days=1))
    read: list[int] = []
    if lake.days(tables.star_history.name, since):
        stored = lake.scan(tables.star_history.name, since)
        read = stored.select(pl.col("repo_id").unique()).collect()["repo_id"].to_list()
    due = registry.filter(~pl.col("repo_id").is_in(read))
    ranked = due.sort("stars_per_day", "stars", "repo_id", descending=True, nulls_last=True)
    return ranked.head(most).select("repo_id", "node_id", "full_name")


def _once_each(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique(["repo_id", "gained_on"], keep="first", maintain_order=True)
