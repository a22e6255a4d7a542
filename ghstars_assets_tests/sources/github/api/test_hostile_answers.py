"""Answers that no honest GitHub gives: each ends in a sentence or a refused row, and none is waited
for without end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sources.github.api import reading
from ghstars_assets.sources.github.api.answers import (
    BudgetSpentError,
    RefusedError,
    TooHeavyError,
    UnreachableError,
)
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.credentials import Token
from ghstars_assets.sources.github.api.endpoint import Endpoint
from ghstars_assets.sources.github.api.governor import Limits
from ghstars_assets.sources.github.api.repository_batches import Asked, CaptureReport, capture
from ghstars_assets.sources.github.tables import LIVE, UNREADABLE
from ghstars_assets_tests.support.invented_github import invented_github

URL = "https://github.invalid"
DATE = "Mon, 01 Jun 2026 12:00:00 GMT"
AN_HOUR = 3600.0
ODD_DATES = ["soon", "Mon, 01 Jun 99999 12:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "0", "\x01"]


def _answer(content: bytes, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=content, headers={"date": DATE, **named})


def _ask(
    story: Callable[[GitHub], Any], answer: Callable[[httpx.Request], httpx.Response]
) -> tuple[Exception | None, float, int]:
    """What was raised, the virtual seconds that passed, and the requests that were sent."""
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer(request)

    async def main() -> tuple[Exception | None, float]:
        endpoint = Endpoint(URL, Token("a-token"), Limits(), "real")
        async with GitHub(endpoint, transport=httpx.MockTransport(handle)) as github:
            try:
                await story(github)
            except Exception as error:  # noqa: BLE001 - it is what the test looks at
                return error, asyncio.get_running_loop().time()
        return None, asyncio.get_running_loop().time()

    error, seconds = run_in_virtual_time(main())
    return error, seconds, len(sent)


def _query(github: GitHub) -> Any:
    return github.graphql("{ viewer { login } }", {})


def _get(github: GitHub) -> Any:
    return github.get("/repos/a/b", {"secret": "x"})


def _budgets(github: GitHub) -> Any:
    return github.budgets()


STORIES = pytest.mark.parametrize("story", [_query, _get, _budgets])


@STORIES
def test_a_web_page_in_the_place_of_data_is_not_asked_for_again(
    story: Callable[[GitHub], Any],
) -> None:
    page = b"\n<!DOCTYPE html><title>Sign in to the hotel's network</title>"
    error, seconds, sent = _ask(story, lambda _request: _answer(page))
    assert isinstance(error, RefusedError)
    assert "answers with a web page" in str(error)
    assert "secret" not in str(error)
    assert (seconds < 1, sent) == (True, 1)


@STORIES
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"data":' * 50_000,
        b'{"data": {"a": ' + b"9" * 10_000 + b"}}",
        b'{"data": "\xff\xfe"}',
        b"",
        b"\x00" * 100,
        b"null",
        b'"text"',
        b"[]",
        b"5",
        b'{"data": [1]}',
        b'{"resources": [1]}',
        b'{"resources": {"core": {"limit": 1e400, "remaining": -1, "reset": 0}}}',
        b'{"resources": {"core": {"limit": 1, "remaining": 1, "reset": 99999999999999999}}}',
        b'{"errors": [{"path": 5, "extensions": "x", "message": {"a": 1}}]}',
        b'{"errors": [{"path": [1.5, null], "message": null}]}',
    ],
)
def test_whatever_is_answered_ends_in_a_sentence_of_ours(
    story: Callable[[GitHub], Any], content: bytes
) -> None:
    error, seconds, _ = _ask(story, lambda _request: _answer(content))
    assert error is None or isinstance(error, GhstarsError)
    assert seconds < AN_HOUR


@STORIES
@pytest.mark.parametrize("date", ODD_DATES)
def test_a_date_that_cannot_be_is_named_and_never_the_day_of_a_row(
    story: Callable[[GitHub], Any], date: str
) -> None:
    error, _, sent = _ask(story, lambda _request: _answer(b'{"data": {"a": 1}}', date=date))
    assert isinstance(error, RefusedError)
    assert f"answers with the date {date!a}" in str(error)
    assert sent == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"retry_after": "1e400"},
        {"retry_after": "99999999999999999999999999"},
        {"retry_after": "nan"},
        {"retry_after": "-5"},
        {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "99999999999999999999"},
        {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "-1", "x_ratelimit_limit": "1e9"},
        {"x_ratelimit_remaining": "-9", "x_ratelimit_reset": "x", "x_ratelimit_limit": "5000"},
    ],
)
def test_a_limit_of_odd_numbers_is_waited_for_within_reason(headers: dict[str, str]) -> None:
    error, seconds, _ = _ask(_query, lambda _request: _answer(b"{}", 429, **headers))
    assert isinstance(error, BudgetSpentError | UnreachableError)
    assert seconds < 2 * AN_HOUR


@pytest.mark.parametrize(
    "link",
    [
        '<http://[::1>; rel="next"',
        '<https://elsewhere.invalid/x>; rel="next"',
        '<\x7f>; rel="next"',
        '<//>; rel="next"',
        '<javascript:1>; rel="next"',
    ],
)
def test_a_next_page_that_leads_nowhere_is_not_followed(link: str) -> None:
    async def story(github: GitHub) -> None:
        reply = await github.get("/repos/a/b")
        if reply.next_url:
            await github.get(reply.next_url)

    error, _, _ = _ask(story, lambda _request: _answer(b"{}", link=link))
    assert error is None or isinstance(error, GhstarsError)


class _WithoutEnd(httpx.AsyncByteStream):
    """Sends on and on; with a pause, a byte now and then."""

    def __init__(self, chunk: bytes, pause_seconds: float = 0.0) -> None:
        self.chunk = chunk
        self.pause_seconds = pause_seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self.pause_seconds)
            yield self.chunk


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ANSWER_BYTES", 2**20)
    error, _, sent = _ask(
        _get, lambda _request: httpx.Response(200, stream=_WithoutEnd(b" " * 65_536))
    )
    assert isinstance(error, RefusedError)
    assert "answers with more than 1 MB" in str(error)
    assert sent == 1


def test_an_answer_that_trickles_is_not_waited_for_without_end() -> None:
    trickle = _WithoutEnd(b" ", pause_seconds=20)
    error, seconds, _ = _ask(_query, lambda _request: httpx.Response(200, stream=trickle))
    assert isinstance(error, TooHeavyError)
    assert seconds < 2 * reading.LONGEST_ANSWER_SECONDS


# ---- what cannot be, about one repository ------------------------------------------------------


def _captured(spoil: Callable[[dict[str, Any]], object]) -> tuple[dict[str, Any], CaptureReport]:
    """The row of the repository whose answer was spoilt, beside one that was not."""
    kept: list[dict[str, Any]] = []

    async def main() -> tuple[int, CaptureReport]:
        async with invented_github(repositories=10) as invented:
            asked = invented.asked(2)
            within = invented.github._opened._transport.within  # type: ignore[attr-defined]
            invented.github._opened._transport.within = _Spoiling(  # type: ignore[attr-defined]
                within, asked[0], spoil
            )
            report = await capture(
                invented.github, asked, keep=kept.extend, progress=lambda _done, _total: None
            )
            return asked[0].repo_id or 0, report

    spoilt, report = run_in_virtual_time(main())
    assert sorted(row["status"] for row in kept if row["repo_id"] != spoilt) == [LIVE]
    (row,) = (row for row in kept if row["repo_id"] == spoilt)
    return row, report


class _Spoiling(httpx.AsyncBaseTransport):
    def __init__(
        self,
        within: httpx.AsyncBaseTransport,
        one: Asked,
        spoil: Callable[[dict[str, Any]], object],
    ) -> None:
        self.within, self.one, self.spoil = within, one, spoil

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.within.handle_async_request(request)
        body = json.loads(await answer.aread())
        for node in body.get("data", {}).get("nodes", []):
            if node and node["databaseId"] == self.one.repo_id:
                self.spoil(node)
        headers = {"date": answer.headers["date"], "x-ghstars-sandbox": "1"}
        return httpx.Response(answer.status_code, content=json.dumps(body), headers=headers)


def _set(*path: str, to: object) -> Callable[[dict[str, Any]], object]:
    def spoil(node: dict[str, Any]) -> None:
        *way, last = path
        for name in way:
            node = node[name]
        node[last] = to

    return spoil


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (_set("stargazerCount", to=-5), "stargazerCount is -5, and no count"),
        (_set("stargazerCount", to=1e308), "stargazerCount is 1e+308, and no count"),
        (_set("stargazerCount", to=float("inf")), "stargazerCount is inf, and no count"),
        (_set("stargazerCount", to=2**63), f"stargazerCount is {2**63}, and no count"),
        (_set("stargazerCount", to="many"), "stargazerCount is 'many', and no count"),
        (_set("stargazerCount", to=True), "stargazerCount is True, and no count"),
        (_set("stargazerCount", to=None), "stargazerCount is None, and no count"),
        (_set("watchers", "totalCount", to=[]), "watchers.totalCount is [], and no count"),
        (_set("watchers", to="x"), "watchers is 'x', and no object with fields"),
        (_set("nameWithOwner", to="\ud800/x"), "nameWithOwner is '\\ud800/x', and no text"),
        (_set("nameWithOwner", to="../x?y"), "nameWithOwner is '../x?y', and no owner/name"),
        (_set("createdAt", to="0000-00-00"), "createdAt is '0000-00-00', and no moment"),
        (_set("createdAt", to="2026-01-01"), "createdAt is '2026-01-01', and no moment"),
        (_set("repositoryTopics", to=5), "repositoryTopics is 5, and no object with fields"),
        (_set("repositoryTopics", "nodes", to={"a": 1}), "and no list"),
        (_set("isFork", to="no"), "isFork is 'no', neither true nor false"),
        (lambda node: node.pop("forkCount"), "forkCount is missing"),
    ],
)
def test_what_cannot_be_is_refused_named_and_counted(
    spoil: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    row, report = _captured(spoil)
    assert row["status"] == UNREADABLE
    assert complaint in row["trouble"]
    assert row.get("stars") is None
    (refused,) = report.refused
    assert refused.startswith(row["full_name"])


def test_the_date_of_a_commit_may_be_invented_and_costs_no_row() -> None:
    row, report = _captured(
        lambda node: node["defaultBranchRef"]["target"].update(committedDate="292277026596-12-04")
    )
    assert (row["status"], row["head_committed_at"], report.refused) == (LIVE, None, [])
