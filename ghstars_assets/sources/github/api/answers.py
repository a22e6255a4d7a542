"""What GitHub's answers mean: which can be waited out, which mean "ask for less", which end a run.

The same words come under several status codes, and a status of 200 may be a refusal, so headers and
body are read together. Every case is listed in docs/github.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from ghstars_assets.errors import BudgetError, Cause, SourceError

LEAST_SECONDARY_WAIT_SECONDS = 60.0
"""GitHub: where a secondary limit names no time, wait at least a minute, and longer each time."""

_LONGEST_SECONDS = 366 * 86400.0
"""Who asks for more means never, and a clock has no such time."""
_MOST_WORDS = 500

_LIMIT_TYPES = {"RATE_LIMITED", "RATE_LIMIT"}
_HEAVY_TYPES = {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT"}
_HEAVY_STATUSES = {502, 504}
_HEAVY_WORDS = ("something went wrong while executing", "timedout", "timed out", "couldn't respond")
_SECONDARY_WORDS = ("secondary rate limit", "abuse detection", "submitted too quickly")


class TooHeavyError(SourceError):
    """The request was more than GitHub would do at once: ask for less."""

    cause = Cause.TRANSIENT


class UnreachableError(SourceError):
    """No usable answer, after several tries."""

    cause = Cause.TRANSIENT
    was_tried_again = True


class RefusedError(UnreachableError):
    """An answer, or a limit of ours, that asking again does not change."""

    cause = Cause.BAD_DATA


class BadCredentialsError(SourceError):
    """The token or the App is not known (any more)."""

    cause = Cause.BAD_DATA


class ForbiddenError(SourceError):
    """The token may not do this at all."""

    cause = Cause.BAD_DATA


class BadQueryError(SourceError):
    """GitHub does not understand what was asked: a fault of ours."""

    cause = Cause.BUG


class BudgetSpentError(BudgetError):
    """The budget of the hour is spent, and its return is further off than patience goes."""


@dataclass(frozen=True)
class GraphError:
    """One entry of a GraphQL answer's `errors`."""

    type: str
    path: tuple[str | int, ...]
    message: str

    @property
    def is_heavy(self) -> bool:
        words = self.message.lower()
        return self.type in _HEAVY_TYPES or any(known in words for known in _HEAVY_WORDS)

    @property
    def is_limit(self) -> bool:
        return self.type in _LIMIT_TYPES

    @property
    def is_secondary_limit(self) -> bool:
        words = self.message.lower()
        return any(known in words for known in _SECONDARY_WORDS)


@dataclass(frozen=True)
class Limited:
    """GitHub says: not now."""

    is_secondary: bool
    wait_seconds: float | None
    """None: it did not say how long."""


def graph_errors(body: object) -> tuple[GraphError, ...]:
    found = body.get("errors") if isinstance(body, Mapping) else None
    if not isinstance(found, Sequence):
        return ()
    return tuple(_graph_error(error) for error in found if isinstance(error, Mapping))


def _graph_error(error: Mapping[str, Any]) -> GraphError:
    extensions, path = error.get("extensions"), error.get("path")
    code = extensions.get("code") if isinstance(extensions, Mapping) else None
    steps = path if isinstance(path, list) else []
    return GraphError(
        type=str(error.get("type") or code or ""),
        path=tuple(step for step in steps if isinstance(step, str | int)),
        message=_shortened(str(error.get("message") or "")),
    )


def limited(response: httpx.Response, body: object, now: datetime) -> Limited | None:
    """Whether the answer is a rate limit, and how long GitHub asks us to wait."""
    errors = graph_errors(body)
    words = message_of(body).lower()
    is_secondary = any(known in words for known in _SECONDARY_WORDS) or any(
        error.is_secondary_limit for error in errors
    )
    is_spent = response.headers.get("x-ratelimit-remaining") == "0"
    is_primary = any(error.is_limit for error in errors) or (
        response.status_code in (403, 429) and (is_spent or "rate limit exceeded" in words)
    )
    # Where it says when to come back it is a limit, whatever its words.
    is_unnamed = response.status_code in (403, 429) and "retry-after" in response.headers
    if not (is_secondary or is_primary or is_unnamed or response.status_code == 429):
        return None
    is_secondary = is_secondary or not is_primary
    if "retry-after" in response.headers:
        return Limited(is_secondary, _bounded(_number(response.headers["retry-after"])))
    if is_spent or not is_secondary:
        reset = _number(response.headers.get("x-ratelimit-reset", ""))
        if reset:
            return Limited(is_secondary, _bounded(max(0.0, reset - now.timestamp()) + 1.0))
    return Limited(is_secondary, None)


def raise_for(response: httpx.Response, body: object, asked: str) -> None:
    """Raise what an answer that is no limit means for the request as a whole."""
    status = response.status_code
    words = message_of(body)
    if status == 451:
        # One of many is taken down: asked for in halves, it is found.
        raise TooHeavyError(f"GitHub withholds {asked} for legal reasons (451).")
    if status in _HEAVY_STATUSES:
        raise TooHeavyError(f"GitHub gave up on {asked} ({status}); ask for less at once.")
    if status == 401:
        raise BadCredentialsError(
            "GitHub does not know this token: it is wrong, expired or revoked; put a new one into "
            "GHSTARS_GITHUB_TOKEN (or mend GHSTARS_GITHUB_APP_*)."
        )
    if status == 403:
        raise ForbiddenError(
            f"GitHub forbids {asked} ({words or 'no reason given'}); the token needs read access "
            "to public repositories, and single sign-on where an organisation demands it."
        )
    if status in (400, 422):
        raise BadQueryError(f"GitHub does not accept {asked} ({status}: {words}).")
    if status >= 500 or status == 408:
        raise UnreachableError(f"GitHub answered {asked} with {status}; try again later.")
    if status >= 300:
        raise RefusedError(
            f"GitHub answered {asked} with {status}, and would again; look at GHSTARS_GITHUB_API "
            "and at what stands between here and there."
        )


def raise_for_graph(errors: Sequence[GraphError], data: object) -> None:
    """Raise what concerns a whole GraphQL answer; what concerns one node is left to the caller."""
    for error in errors:
        if error.is_heavy:
            raise TooHeavyError(f"GitHub gave up on the batch: {error.message or error.type}")
    if data:
        return
    for error in errors:
        if error.type == "FORBIDDEN":
            raise ForbiddenError(
                f"GitHub forbids the batch ({error.message}); authorise the token for the "
                "organisation's single sign-on, or untrack its repositories."
            )
    whole = [error for error in errors if not error.path]
    if whole:
        raise BadQueryError(f"GitHub does not accept the query: {whole[0].message}")


def message_of(body: object) -> str:
    """GitHub's own words, where the answer has any."""
    if isinstance(body, Mapping):
        return _shortened(str(body.get("message") or ""))
    return ""


def _shortened(words: str) -> str:
    """Nobody reads more of it, and a row keeps it."""
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}…"


def _bounded(seconds: float | None) -> float | None:
    return None if seconds is None else min(seconds, _LONGEST_SECONDS)


def _number(text: str) -> float | None:
    """Seconds that a server states; None for what is no number of seconds."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None
