"""`stars/discovered`: what search finds for rules that name no single repository.

Search shows at most 1,000 results of a query and says how many there are, so a query that has more
is split, by stars and then by creation, until each part can be seen whole. What cannot be split
further, or stays incomplete, is reported; nothing is cut off in silence.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.api.answer_fields import (
    ImpossibleAnswerError,
    as_list,
    as_mapping,
    count_in,
    flag_in,
    full_name_in,
    identity_in,
    refusals,
    text_in,
)
from ghstars_assets.sources.github.api.answers import RefusedError
from ghstars_assets.sources.github.api.client import GitHub, RestReply
from ghstars_assets.sources.github.api.governor import SEARCH
from ghstars_assets.sources.github.daily import each_day
from ghstars_assets.sources.github.daily.each_day import Fetched
from ghstars_assets.sources.github.tables import GitHubTables
from ghstars_assets.sources.github.tracking.tracking_rules import TrackingRule, current_rules
from ghstars_assets.sources.source import Say, kept_as_it_was

MOST_RESULTS = 1000
_PER_PAGE = 100
_MOST_PAGES = MOST_RESULTS // _PER_PAGE
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


@dataclass(frozen=True)
class _Page:
    """What one answer of search says."""

    total: int
    items: Sequence[Any]
    is_incomplete: bool

    @property
    def highest(self) -> int | None:
        """The stars of its first result that has any."""
        for item in self.items:
            try:
                return count_in(item, "stargazers_count")
            except ImpossibleAnswerError:
                continue
        return None


def _page_in(reply: RestReply) -> _Page:
    try:
        return _Page(
            count_in(reply.body, "total_count"),
            as_list(as_mapping(reply.body, "the answer").get("items"), "items"),
            flag_in(reply.body, "incomplete_results"),
        )
    except ImpossibleAnswerError as error:
        raise RefusedError(
            f"Search is not answered as GitHub does ({error}); look at GHSTARS_GITHUB_API and at "
            "what stands between here and there."
        ) from None


def _name_of(item: object) -> str:
    """What to call a result that is refused."""
    try:
        return text_in(item, "full_name")
    except ImpossibleAnswerError:
        return "a result"


@dataclass
class _Search:
    """The search for one tracking rule."""

    github: GitHub
    rule: TrackingRule
    found: dict[int, dict[str, Any]] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """What was found and cannot be so."""

    async def run(self) -> None:
        if self.rule.kind == "stars":
            await self._search(_Part("", self.rule.stars))
        else:
            qualifier = "user" if self.rule.kind == "owner" else "topic"
            await self._search(_Part(f"{qualifier}:{self.rule.what}", (0, None)))

    async def _search(self, part: _Part) -> None:
        for attempt in range(_TRIES):
            reply = await self._page(part)
            page = _page_in(reply)
            total = page.total
            if total > MOST_RESULTS:
                await self._split(part, reply, page)
                return
            seen, is_whole = await self._walk(reply, page)
            if is_whole and seen >= total:
                return
            # Timed out, or moved between pages while they were turned.
            await asyncio.sleep(_PAUSE_SECONDS * (attempt + 1))
        parts = self._halves(part, None) if part.splits_left else []
        if not parts:
            self.incomplete.append(part.query)
        for half in parts:
            await self._search(replace(half, splits_left=part.splits_left - 1))

    async def _split(self, part: _Part, reply: RestReply, page: _Page) -> None:
        # Sorted by stars: the first shows the highest, which an open range needs to be halved.
        parts = self._halves(part, page.highest)
        if not parts:
            self.incomplete.append(part.query)
            await self._walk(reply, page)
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

    async def _walk(self, reply: RestReply, page: _Page) -> tuple[int, bool]:
        """Take what a query's pages hold. Returns how many results there were, and False where
        search says that it did not finish."""
        seen: set[int] = set()
        refused = len(self.refused)
        is_whole = True
        for _ in range(_MOST_PAGES):
            is_whole &= not page.is_incomplete
            for item in page.items:
                try:
                    row = self._row(item, reply)
                except ImpossibleAnswerError as error:
                    self.refused.append(f"{_name_of(item)}: {error}")
                    continue
                seen.add(row["repo_id"])
                self.found.setdefault(row["repo_id"], row)
            if not reply.next_url:
                return len(seen) + len(self.refused) - refused, is_whole
            reply = await self.github.get(reply.next_url, resource=SEARCH)
            page = _page_in(reply)
        raise RefusedError(
            f"GitHub's search leads from page to page beyond the {_MOST_PAGES} that it has; look "
            "at GHSTARS_GITHUB_API and at what stands between here and there."
        )

    def _row(self, item: object, reply: RestReply) -> dict[str, Any]:
        return {
            "repo_id": identity_in(item, "id"),
            "node_id": text_in(item, "node_id"),
            "full_name": full_name_in(item, "full_name"),
            "stars": count_in(item, "stargazers_count"),
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
        rows: dict[int, dict[str, Any]] = {}
        incomplete: list[str] = []
        refused: list[str] = []
        for rule in rules:
            search = _Search(github, rule)
            await search.run()
            # The first rule that finds one is the one it is tracked for.
            rows = {**search.found, **rows}
            incomplete += search.incomplete
            refused += search.refused
        empty = table.empty()
        dated = [row | {"day": day} for row in rows.values()]
        frame = pl.DataFrame(dated, schema=dict(empty.schema), orient="row")
        summary = f"{len(rows):,} found for {len(rules)} tracking rules"
        if refused:
            summary += f"; {refusals(refused)}"
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
