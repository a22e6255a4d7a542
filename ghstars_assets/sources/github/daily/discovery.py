"""`stars/discovered`: what search finds for rules that name no single repository.

Search shows at most 1,000 results of a query and says how many there are, so a query that has more
is split, by stars and then by creation, until each part can be seen whole. What cannot be split
further, or stays incomplete, is reported; nothing is cut off in silence.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.api.client import GitHub, RestReply
from ghstars_assets.sources.github.api.governor import SEARCH
from ghstars_assets.sources.github.daily import each_day
from ghstars_assets.sources.github.daily.each_day import Fetched
from ghstars_assets.sources.github.tables import GitHubTables
from ghstars_assets.sources.github.tracking.tracking_rules import TrackingRule, current_rules
from ghstars_assets.sources.source import Say, kept_as_it_was

MOST_RESULTS = 1000
_PER_PAGE = 100
_TRIES = 3
_MOST_SPLITS_OF_A_STUMBLE = 3
_PAUSE_SECONDS = 5.0
_GITHUB_OPENED = datetime(2008, 1, 1, tzinfo=UTC)
_ONE_SECOND = timedelta(seconds=1)
_PATH = "/search/repositories"


@dataclass(frozen=True)
class _Part:
    """One query: what is searched for, within bounds of stars and of creation."""

    base: str
    stars: tuple[int, int | None]
    created: tuple[datetime, datetime] | None = None
    splits_left: int = _MOST_SPLITS_OF_A_STUMBLE
    """How often it may still be split because search does not finish. Unlike a count of results,
    that need not get better with smaller parts."""

    @property
    def query(self) -> str:
        low, high = self.stars
        within = f"stars:{low}..{'*' if high is None else high}"
        if self.created:
            first, last = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in self.created)
            within += f" created:{first}..{last}"
        # Search leaves forks out unless it is asked for them.
        return f"{self.base} {within} fork:true".strip()


@dataclass
class _Search:
    """The search for one tracking rule."""

    github: GitHub
    rule: TrackingRule
    found: dict[int, dict[str, object]] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)

    async def run(self) -> None:
        if self.rule.kind == "stars":
            await self._search(_Part("", self.rule.stars))
        else:
            qualifier = "user" if self.rule.kind == "owner" else "topic"
            await self._search(_Part(f"{qualifier}:{self.rule.what}", (0, None)))

    async def _search(self, part: _Part) -> None:
        for attempt in range(_TRIES):
            reply = await self._page(part)
            total = reply.body["total_count"]
            if total > MOST_RESULTS:
                await self._split(part, reply)
                return
            seen, is_whole = await self._walk(reply)
            if is_whole and len(seen) >= total:
                return
            # Timed out, or moved between pages while they were turned.
            await asyncio.sleep(_PAUSE_SECONDS * (attempt + 1))
        parts = self._halves(part, None) if part.splits_left else []
        if not parts:
            self.incomplete.append(part.query)
        for half in parts:
            await self._search(replace(half, splits_left=part.splits_left - 1))

    async def _split(self, part: _Part, reply: RestReply) -> None:
        # Sorted by stars: the first shows the highest, which an open range needs to be halved.
        items = reply.body["items"]
        parts = self._halves(part, items[0]["stargazers_count"] if items else None)
        if not parts:
            self.incomplete.append(part.query)
            await self._walk(reply)
        for half in parts:
            await self._search(half)

    def _halves(self, part: _Part, highest: int | None) -> list[_Part]:
        low, high = part.stars
        top = high if high is not None else highest
        if part.created is None and top is not None and top > low:
            # There are far more with few stars than with many.
            middle = min(top - 1, max(low, int(((low + 1) * (top + 1)) ** 0.5) - 1))
            return [
                replace(part, stars=(low, middle)),
                replace(part, stars=(middle + 1, high)),
            ]
        if part.created is None and top is None:
            return []
        first, last = part.created or (_GITHUB_OPENED, self.github.now().replace(microsecond=0))
        if last <= first:
            return []
        middle = first + timedelta(seconds=int((last - first).total_seconds()) // 2)
        return [
            replace(part, created=(first, middle)),
            replace(part, created=(middle + _ONE_SECOND, last)),
        ]

    async def _page(self, part: _Part) -> RestReply:
        asked = {"q": part.query, "sort": "stars", "order": "desc", "per_page": _PER_PAGE}
        return await self.github.get(_PATH, asked, resource=SEARCH)

    async def _walk(self, reply: RestReply) -> tuple[set[int], bool]:
        """Take what a query's pages hold; False where search says that it did not finish."""
        seen: set[int] = set()
        is_whole = True
        while True:
            is_whole &= not reply.body["incomplete_results"]
            for item in reply.body["items"]:
                seen.add(item["id"])
                self.found.setdefault(item["id"], self._row(item, reply))
            if not reply.next_url:
                return seen, is_whole
            reply = await self.github.get(reply.next_url, resource=SEARCH)

    def _row(self, item: dict[str, object], reply: RestReply) -> dict[str, object]:
        return {
            "repo_id": item["id"],
            "node_id": item["node_id"],
            "full_name": item["full_name"],
            "stars": item["stargazers_count"],
            "found_by": str(self.rule),
            "observed_at": reply.observed_at,
            "ingested_at": self.github.now().replace(microsecond=0),
        }


def take_discovered_days(
    lake: Lake, marker: Marker, tables: GitHubTables, days: DayRange, say: Say
) -> Iterator[DayOutcome]:
    table = tables.discovered
    rules = current_rules(lake, tables, lake.settings).of_kind("owner", "topic", "stars")
    if not rules:
        yield from _nothing_to_search_for(lake, tables, days)
        return

    async def fetch(github: GitHub, day: date) -> Fetched:
        rows: dict[int, dict[str, object]] = {}
        incomplete: list[str] = []
        for rule in rules:
            search = _Search(github, rule)
            await search.run()
            # The first rule that finds one is the one it is tracked for.
            rows = {**search.found, **rows}
            incomplete += search.incomplete
        empty = table.empty()
        dated = [row | {"day": day} for row in rows.values()]
        frame = pl.DataFrame(dated, schema=dict(empty.schema), orient="row")
        summary = f"{len(rows):,} found for {len(rules)} tracking rules"
        if incomplete:
            summary += f"; search stayed incomplete for {'; '.join(incomplete[:5])}"
            say(f"{table.name} {day}: search stayed incomplete for {len(incomplete)} queries")
        return Fetched(frame, summary)

    yield from each_day.take_each_day(lake, marker, table, days, say, fetch=fetch)


def _nothing_to_search_for(
    lake: Lake, tables: GitHubTables, days: DayRange
) -> Iterator[DayOutcome]:
    table = tables.discovered
    stored = set(lake.days(table.name, days))
    for day in days:
        if day in stored:
            yield kept_as_it_was(lake, table, day)
            continue
        written = lake.write(table.name, day, table.empty(), only_if_absent=True)
        summary = "every tracking rule names its repository, so there was nothing to search for"
        yield DayOutcome(day, Status.WRITTEN, 0, written.size_bytes, reason=summary)
