"""GitHub's limits, kept by the sandbox: points and requests by the hour, and the secondary ones.

What is used up is counted whether or not it is enforced, so that a bench can show how close to a
limit somebody came. Hours go by the sandbox's clock, minutes by the event loop's time.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Resource = Literal["graphql", "core", "search"]

_MINUTE_SECONDS = 60.0
_UNLIMITED = 10**9


@dataclass(frozen=True)
class SandboxLimits:
    """As GitHub publishes them."""

    points_per_hour: int = 5000
    points_per_minute: int = 2000
    graphql_seconds_per_minute: float = 60.0
    concurrent: int = 100
    search_per_minute: int = 30
    rest_per_hour: int = 5000

    @classmethod
    def generous(cls) -> "SandboxLimits":
        """Limits that nobody would notice; the headers still show them."""
        return cls(_UNLIMITED, _UNLIMITED, float(_UNLIMITED), _UNLIMITED, _UNLIMITED, _UNLIMITED)


@dataclass
class _Hour:
    """One budget that fills again at a moment."""

    limit: int
    lasts: timedelta
    used: int = 0
    resets_at: datetime | None = None

    def at(self, now: datetime) -> "_Hour":
        if self.resets_at is None or not self.resets_at - self.lasts <= now < self.resets_at:
            self.used, self.resets_at = 0, now.replace(microsecond=0) + self.lasts
        return self


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered."""

    is_secondary: bool
    retry_after_seconds: int | None = None


@dataclass
class Ledger:
    """What was used of each limit, and the most that ever was in a minute."""

    limits: SandboxLimits
    now: Callable[[], datetime]
    worst_seconds_overlapping: float = 0.0
    worst_seconds_completed: float = 0.0
    worst_points_per_minute: float = 0.0
    worst_concurrent: int = 0
    points_used: int = 0
    requests: int = 0
    response_seconds: float = 0.0
    refused: int = 0
    _in_flight: dict[object, float] = field(default_factory=dict)
    _answered: deque[tuple[float, float, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        hour, minute = timedelta(hours=1), timedelta(minutes=1)
        self._budgets: dict[Resource, _Hour] = {
            "graphql": _Hour(self.limits.points_per_hour, hour),
            "core": _Hour(self.limits.rest_per_hour, hour),
            "search": _Hour(self.limits.search_per_minute, minute),
        }

    def admit(self, resource: Resource) -> Refusal | None:
        """Whether a request may be answered now."""
        budget = self._budgets[resource].at(self.now())
        if budget.used >= budget.limit:
            self.refused += 1
            return Refusal(is_secondary=False)
        if len(self._in_flight) >= self.limits.concurrent:
            self.refused += 1
            return Refusal(is_secondary=True, retry_after_seconds=60)
        if resource == "graphql" and self._is_over_the_minute():
            self.refused += 1
            return Refusal(is_secondary=True, retry_after_seconds=60)
        return None

    def begin(self, resource: Resource) -> object:
        mark = object()
        if resource == "graphql":
            self._in_flight[mark] = _time()
            self.worst_concurrent = max(self.worst_concurrent, len(self._in_flight))
        return mark

    def end(self, mark: object, resource: Resource, points: int) -> None:
        """Count what a request used."""
        self.requests += 1
        budget = self._budgets[resource].at(self.now())
        budget.used += points
        if resource != "graphql":
            return
        now, started = _time(), self._in_flight.pop(mark)
        self.points_used += points
        self.response_seconds += now - started
        self._answered.append((started, now, points))
        self._forget(now)
        completed = sum(ended - began for began, ended, _ in self._answered)
        self.worst_seconds_completed = max(self.worst_seconds_completed, completed)
        self.worst_seconds_overlapping = max(self.worst_seconds_overlapping, self._overlap(now))
        in_minute = sum(cost for _, _, cost in self._answered)
        self.worst_points_per_minute = max(self.worst_points_per_minute, in_minute)

    def headers(self, resource: Resource) -> dict[str, str]:
        budget = self._budgets[resource].at(self.now())
        assert budget.resets_at is not None  # noqa: S101 - `at` set it
        return {
            "x-ratelimit-limit": str(budget.limit),
            "x-ratelimit-remaining": str(max(0, budget.limit - budget.used)),
            "x-ratelimit-used": str(budget.used),
            "x-ratelimit-reset": str(int(budget.resets_at.timestamp())),
            "x-ratelimit-resource": resource,
        }

    def budgets(self) -> dict[str, dict[str, int]]:
        """What /rate_limit shows of each resource."""
        names = ("limit", "remaining", "used", "reset")
        return {
            resource: {name: int(self.headers(resource)[f"x-ratelimit-{name}"]) for name in names}
            for resource in self._budgets
        }

    def record(self) -> dict[str, float | int]:
        return {
            "requests": self.requests,
            "points_used": self.points_used,
            "response_seconds": self.response_seconds,
            "refused": self.refused,
            "worst_seconds_overlapping": self.worst_seconds_overlapping,
            "worst_seconds_completed": self.worst_seconds_completed,
            "worst_points_per_minute": self.worst_points_per_minute,
            "worst_concurrent": self.worst_concurrent,
        }

    def _is_over_the_minute(self) -> bool:
        now = _time()
        self._forget(now)
        points = sum(cost for _, _, cost in self._answered)
        return (
            points >= self.limits.points_per_minute
            or self._overlap(now) > self.limits.graphql_seconds_per_minute
        )

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0][1] <= now - _MINUTE_SECONDS:
            self._answered.popleft()

    def _overlap(self, now: float) -> float:
        """Seconds spent answering within the last minute."""
        begins = now - _MINUTE_SECONDS
        done = sum(ended - max(began, begins) for began, ended, _ in self._answered)
        return done + sum(now - max(began, begins) for began in self._in_flight.values())


def _time() -> float:
    return asyncio.get_running_loop().time()
