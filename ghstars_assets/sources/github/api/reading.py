"""Reads answers within bounds: how long one may be and may take, its time, where it leads on to.

What it means is found in `answers.py`.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from ghstars_assets.sources.github.api.answers import RefusedError

LONGEST_ANSWER_SECONDS = 120.0
MOST_ANSWER_BYTES = 32 * 2**20
"""A hundred repositories have 0.6 MB."""
_OF_THE_WIRE = {"content-encoding", "content-length", "transfer-encoding"}
"""Headers that are about the bytes as they came, not as they are read."""
POSSIBLE_YEARS = range(2008, 3000)
"""Of GitHub's clock, from its first on."""


async def whole_answer(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: Mapping[str, Any],
) -> httpx.Response:
    """Send a request and read its answer. Whoever sends without end, or a byte now and then, keeps
    nobody waiting."""
    try:
        async with (
            asyncio.timeout(LONGEST_ANSWER_SECONDS),
            client.stream(method, url, headers=headers, **content) as response,
        ):
            return await _read_whole(response)
    except TimeoutError:
        words = f"no whole answer within {LONGEST_ANSWER_SECONDS:.0f} s"
        raise httpx.ReadTimeout(words) from None


async def _read_whole(response: httpx.Response) -> httpx.Response:
    """The response with its body read, as far as a body of GitHub's can go."""
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MOST_ANSWER_BYTES:
            raise RefusedError(
                f"{asked_of(response)} answers with more than "
                f"{MOST_ANSWER_BYTES // 2**20} MB, which GitHub never does; mend "
                "GHSTARS_GITHUB_API, or look at what stands between here and there."
            )
    headers = [one for one in response.headers.multi_items() if one[0] not in _OF_THE_WIRE]
    return httpx.Response(
        response.status_code, headers=headers, content=bytes(content), request=response.request
    )


def as_json(response: httpx.Response) -> Any | None:
    """The body, or None where it is no JSON: HTML from a load balancer, cut short, or nested so
    deeply that nobody reads it."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def is_web_page(response: httpx.Response) -> bool:
    """Whether a browser was meant: what asks to sign in, or a server of something else."""
    start = response.content[:200].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


def stated_time(response: httpx.Response) -> datetime | None:
    """GitHub's clock; None where the answer does not state it. A time that cannot be is refused,
    for the day that rows belong to hangs on it."""
    stated = response.headers.get("date")
    if not stated:
        return None
    try:
        found = parsedate_to_datetime(stated).astimezone(UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None or found.year not in POSSIBLE_YEARS:
        raise RefusedError(
            f"{asked_of(response)} answers with the date {stated[:60]!a}, from which no day can be "
            "known; look at the server and at what stands between here and there."
        )
    return found


def on_same_host(response: httpx.Response, location: str) -> str:
    """Where an answer leads on to; never to another host, which would be given our token."""
    try:
        target = urljoin(str(response.url), location)
        is_same = urlsplit(target)[:2] == urlsplit(str(response.url))[:2]
    except ValueError:  # a bracket that does not close
        is_same, target = False, ""
    if not is_same:
        raise RefusedError(
            f"GitHub sends {response.url.path} to another host, which we do not follow."
        )
    return target


def asked_of(response: httpx.Response) -> str:
    """The address that answered, without what was asked of it."""
    return str(response.url.copy_with(query=None))
