"""Keeps requests inside GitHub's limits: points, seconds of answering, and how many at once.

The points come from GitHub's own headers. The seconds do not: GitHub allows about 60 s of GraphQL
time in any 60 s and says so in no header, so the sum of the response times is kept here. The loop's
time is the only clock, so hours pass in an instant where its time leaps.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.answers import BudgetSpentError

WINDOW_SECONDS = 60.0
GRAPHQL, CORE, SEARCH = "graphql", "core", "search"
FREE = "free"
"""No budget of the hour pays for it."""

_SHARE_USED = 0.998
"""Of the limits by the minute: two clocks never quite agree."""
_LONGEST_SECONDS = 10.1
"""GitHub gives up after ten; the rest is the way there and back."""
_AT_ONCE_WHILE_FRESH = 4
_A_MOMENT = 1e-3


@dataclass(frozen=True)
class Limits:
    """What GitHub publishes, and what of it is left to others."""

    response_seconds_per_minute: float = 60.0
    points_per_minute: float = 2000.0
    all_seconds_per_minute: float = 90.0
    """Of GraphQL and REST together."""
    rest_requests_per_minute: float = 900.0
    points_kept: int = 0
    """Of each hour, for other uses of the same token."""
    patience_seconds: float = 3900.0

    @classmethod
    def github(cls, settings: Settings) -> "Limits":
        return cls(
            points_kept=settings.github_points_kept,
            patience_seconds=60 * settings.github_patience_minutes,
        )

    @classmethod
    def generous(cls) -> "Limits":
        """For a GitHub of our own."""
        return cls(1e9, 1e9, 1e9, 1e9)


@dataclass(frozen=True)
class Budget:
    """One of GitHub's budgets, as its headers showed last."""

    limit: int
    remaining: int
    resets_at: datetime


@dataclass
class _Spent:
    """Something used up over the last minute, oldest first."""

    limit: float
    entries: deque[tuple[float, float]] = field(default_factory=deque)
    total: float = 0.0

    def add(self, at: float, amount: float) -> None:
        self.entries.append((at, amount))
        self.total += amount

    def forget(self, now: float) -> None:
        while self.entries and self.entries[0][0] <= now - WINDOW_SECONDS:
            _, amount = self.entries.popleft()
            # Where nothing is left, nothing of the rounding is either.
            self.total = self.total - amount if self.entries else 0.0

    def wait_seconds(self, now: float, more: float) -> float:
        """How long until `more` fits at once."""
        excess = self.total + more - self.limit
        for at, amount in self.entries:
            if excess <= 0:
                break
            excess -= amount
            if excess <= 0:
                return at + WINDOW_SECONDS - now + _A_MOMENT
        return 0.0

    def wait_seconds_for_work(self, now: float, longest: float, reserved: float = 0.0) -> float:
        """How long until work fits that begins now and uses up as much as it lasts, however long
        that is, up to `longest`; `reserved` is for what is under way.

        The longer it lasts, the more it adds and the more has left the minute by its end. It comes
        to the most just before one of the entries leaves: what is left then and the work until then
        must fit, and as many must have left by its longest end as make room for the longest.
        """
        wait, left = 0.0, self.total + reserved
        for at, amount in self.entries:
            if left + longest <= self.limit:
                break
            leaves = at + WINDOW_SECONDS - now
            wait = max(wait, leaves - longest, min(left + leaves - self.limit, leaves))
            left -= amount
        # What is under way may be too much even when all the rest has left.
        wait = max(wait, left + longest - self.limit)
        return wait + _A_MOMENT if wait > 0 else 0.0


class Governor:
    """One for each token and process."""

    def __init__(self, limits: Limits, now: Callable[[], datetime]) -> None:
        self.limits = limits
        self.budgets: dict[str, Budget] = {}
        self._now = now
        self._doors: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._done = asyncio.Event()
        self._seconds = _Spent(limits.response_seconds_per_minute * _SHARE_USED)
        self._points = _Spent(limits.points_per_minute * _SHARE_USED)
        self._all_seconds = _Spent(limits.all_seconds_per_minute * _SHARE_USED)
        self._rest_requests = _Spent(limits.rest_requests_per_minute * _SHARE_USED)
        self._in_flight: dict[object, tuple[str, float]] = {}
        self._held_until = 0.0

    @asynccontextmanager
    async def turn(self, resource: str, points: float) -> AsyncIterator[None]:
        """Wait until the request may be sent; the body is the request."""
        async with self._doors[resource]:
            await self._wait(resource, points)
            mark = object()
            self._in_flight[mark] = (resource, points)
        started = _time()
        try:
            yield
        finally:
            del self._in_flight[mark]
            ended = _time()
            self._all_seconds.add(ended, ended - started)
            if resource == GRAPHQL:
                self._seconds.add(ended, ended - started)
                self._points.add(ended, points)
            else:
                self._rest_requests.add(ended, 1)
            self._done.set()

    def learn(self, headers: httpx.Headers) -> None:
        """Take over the budget that an answer shows."""
        try:
            budget = Budget(
                int(headers["x-ratelimit-limit"]),
                int(headers["x-ratelimit-remaining"]),
                datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC),
            )
        except (KeyError, ValueError, OverflowError, OSError):  # none, or no number, or no moment
            return
        self.budgets[headers.get("x-ratelimit-resource", CORE)] = budget

    def hold(self, seconds: float) -> None:
        """Send nothing at all for so long: GitHub asked for it."""
        self._held_until = max(self._held_until, _time() + seconds)

    @property
    def is_held(self) -> bool:
        return _time() < self._held_until

    async def _wait(self, resource: str, points: float) -> None:
        patience_ends = _time() + self.limits.patience_seconds
        while True:
            # Who is under way may take less than is reserved for it, so it is waited for first.
            while self._is_crowded(resource):
                self._done.clear()
                await self._done.wait()
            seconds = max(
                self._held_until - _time(),
                self._budget_wait_seconds(resource, points),
                self._minute_wait_seconds(resource, points),
            )
            if seconds <= 0:
                return
            if _time() + seconds > patience_ends:
                returns = self._now() + timedelta(seconds=seconds)
                raise BudgetSpentError(
                    f"GitHub's {resource} budget is spent and returns at {returns:%H:%M} UTC, "
                    "longer off than GHSTARS_GITHUB_PATIENCE_MINUTES; run the same again then, it "
                    "goes on where it stopped.",
                    returns_in_seconds=seconds,
                )
            await asyncio.sleep(seconds)

    def _budget_wait_seconds(self, resource: str, points: float) -> float:
        budget = self.budgets.get(resource)
        if budget is None or budget.resets_at <= self._now():
            return 0.0
        under_way = sum(cost for kind, cost in self._in_flight.values() if kind == resource)
        kept = self.limits.points_kept if resource != SEARCH else 0
        # A budget smaller than what is kept of it would never be used.
        kept = min(kept, budget.limit // 2)
        if budget.remaining - under_way - points >= kept:
            return 0.0
        return (budget.resets_at - self._now()).total_seconds() + 1.0

    def _minute_wait_seconds(self, resource: str, points: float) -> float:
        now = _time()
        for spent in (self._seconds, self._points, self._all_seconds, self._rest_requests):
            spent.forget(now)
        reserved = _LONGEST_SECONDS * len(self._in_flight)
        wait = self._all_seconds.wait_seconds_for_work(now, _LONGEST_SECONDS, reserved)
        graphql = [cost for kind, cost in self._in_flight.values() if kind == GRAPHQL]
        if resource != GRAPHQL:
            rest = len(self._in_flight) - len(graphql)
            return max(wait, self._rest_requests.wait_seconds(now, 1 + rest))
        return max(
            wait,
            self._points.wait_seconds(now, points + sum(graphql)),
            self._seconds.wait_seconds_for_work(now, _LONGEST_SECONDS),
        )

    def _is_crowded(self, resource: str) -> bool:
        """One at a time keeps 60 s of answering within 60 s by itself; a few at once only while
        the minute is young, so that a short job is done in seconds."""
        under_way = sum(kind == resource for kind, _ in self._in_flight.values())
        worst = self._seconds.total + _LONGEST_SECONDS * (1 + under_way)
        is_fresh = worst <= self.limits.response_seconds_per_minute
        return under_way >= (_AT_ONCE_WHILE_FRESH if is_fresh else 1)


def _time() -> float:
    return asyncio.get_running_loop().time()
