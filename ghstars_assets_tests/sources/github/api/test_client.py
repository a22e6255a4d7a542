"""What each of GitHub's answers means to the client."""

import asyncio
import json
import logging
import traceback
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from ghstars_assets.errors import WrongHomeError
from ghstars_assets.sandbox.http.limits import SandboxLimits
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sources.github.api.answers import (
    BadCredentialsError,
    BadQueryError,
    BudgetSpentError,
    ForbiddenError,
    TooHeavyError,
    UnreachableError,
)
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.credentials import Token
from ghstars_assets.sources.github.api.endpoint import Endpoint
from ghstars_assets.sources.github.api.governor import Limits
from ghstars_assets_tests.support.github_answers import (
    AT,
    HTML,
    QUERY,
    SECRET,
    answer,
    ask,
    get,
    github_answering,
    good,
    rate_limited,
    run,
)
from ghstars_assets_tests.support.invented_github import TOKEN, URL, invented_github


@pytest.mark.parametrize(
    "answer",
    [
        answer(502, {"message": "Server Error"}),
        answer(502, HTML),
        answer(504, HTML),
        answer(
            200, {"data": None, "errors": [{"message": "Something went wrong while executing"}]}
        ),
        answer(200, {"data": {"nodes": None}, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED"}]}),
        answer(200, {"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "too many"}]}),
        answer(200, {"data": None}),
        httpx.ReadTimeout("slow"),
    ],
    ids=["502", "502 html", "504", "internal", "limits", "nodes", "nothing", "timeout"],
)
def test_a_batch_that_is_too_heavy_is_raised_at_once(answer: httpx.Response | Exception) -> None:
    with pytest.raises(TooHeavyError):
        run(ask, answer)


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_both_spellings_of_a_spent_budget_are_waited_out(kind: str) -> None:
    reset = int((AT + timedelta(minutes=10)).timestamp())
    limited = rate_limited(kind, x_ratelimit_remaining="0", x_ratelimit_reset=str(reset))
    found, seconds, requests = run(ask, limited, good())
    assert found == {"viewer": {"login": "me"}}
    assert (round(seconds), requests) == (601, 2)


@pytest.mark.parametrize("status", [200, 403, 429])
def test_a_secondary_limit_is_waited_out_as_long_as_it_says(status: int) -> None:
    body = {"message": "You have exceeded a secondary rate limit."}
    if status == 200:
        body = {"errors": [{"message": "You have exceeded a secondary rate limit."}]}
    _, seconds, _ = run(ask, answer(status, body, retry_after="17"), good())
    assert seconds == pytest.approx(17)


def test_a_secondary_limit_that_names_no_time_is_given_a_minute_and_each_time_more() -> None:
    limited = answer(403, {"message": "You have exceeded a secondary rate limit."})
    _, seconds, _ = run(ask, limited, limited, limited, good())
    assert seconds == pytest.approx(60 + 120 + 240)


def test_a_rest_limit_is_waited_out_until_its_reset() -> None:
    reset = int((AT + timedelta(minutes=3)).timestamp())
    spent = answer(
        403,
        {"message": "API rate limit exceeded for user ID 1."},
        x_ratelimit_remaining="0",
        x_ratelimit_reset=str(reset),
    )
    reply, seconds, _ = run(get, spent, answer(200, {"id": 1}))
    assert reply.body == {"id": 1}
    assert round(seconds) == 181


def test_a_budget_that_returns_too_late_ends_the_run_with_its_time() -> None:
    reset = int((AT + timedelta(minutes=50)).timestamp())
    limited = rate_limited("RATE_LIMITED", x_ratelimit_remaining="0", x_ratelimit_reset=str(reset))
    with pytest.raises(BudgetSpentError, match=r"12:50 UTC.*PATIENCE"):
        run(ask, limited, patience_seconds=600)


@pytest.mark.parametrize(
    "broken",
    [
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("cut"),
        answer(500, HTML),
        answer(503, HTML),
        httpx.Response(200, content=b'{"data": {"vie'),
    ],
    ids=["refused", "cut", "500", "503", "truncated"],
)
def test_a_fault_on_the_way_is_tried_again(broken: httpx.Response | Exception) -> None:
    found, seconds, requests = run(ask, broken, broken, good())
    assert found == {"viewer": {"login": "me"}}
    assert (seconds, requests) == (pytest.approx(3), 3)


def test_a_gateway_that_fails_on_a_single_thing_is_tried_again() -> None:
    reply, _, requests = run(get, answer(502, HTML), answer(200, {"id": 1}))
    assert (reply.body, requests) == ({"id": 1}, 2)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (answer(401, {"message": "Bad credentials"}), BadCredentialsError, "GHSTARS_GITHUB_TOKEN"),
        (answer(403, {"message": "Resource not accessible"}), ForbiddenError, "read access"),
        (
            answer(200, {"data": None, "errors": [{"type": "FORBIDDEN", "message": "SAML"}]}),
            ForbiddenError,
            "single sign-on",
        ),
        (answer(200, {"errors": [{"message": "Parse error"}]}), BadQueryError, "Parse error"),
        (answer(418, {"message": "?"}), UnreachableError, "418"),
    ],
    ids=["401", "403", "saml", "query", "418"],
)
def test_what_waiting_does_not_mend_ends_the_run_with_the_remedy(
    answer: httpx.Response, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        run(ask, answer)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("status", [404, 410, 451])
def test_that_a_thing_is_not_there_is_an_answer(status: int) -> None:
    reply, _, _ = run(get, answer(status, {"message": "no"}))
    assert (reply.status, reply.body) == (status, {"message": "no"})


def test_a_redirect_is_followed_on_the_same_host_and_reported() -> None:
    moved = answer(301, {}, location="https://github.invalid/repositories/7")
    reply, _, _ = run(get, moved, answer(200, {"id": 7}))
    assert (reply.body["id"], reply.moved_to) == (7, "https://github.invalid/repositories/7")


def test_a_redirect_to_another_host_is_not_given_the_token() -> None:
    moved = answer(301, {}, location="https://elsewhere.invalid/repositories/7")
    with pytest.raises(UnreachableError, match="another host"):
        run(get, moved, answer(200, {"id": 7}))


def test_the_day_is_githubs_day_whatever_our_clock_says() -> None:
    async def story(github: GitHub) -> tuple[datetime, datetime]:
        reply = await github.graphql(QUERY, {})
        await asyncio.sleep(13 * 3600)
        return reply.observed_at, github.now()

    (observed, later), _, _ = run(story, good())
    assert observed == AT
    assert later == AT + timedelta(hours=13)


def test_a_sandbox_is_never_taken_for_github_nor_github_for_a_sandbox() -> None:
    marked = answer(200, {"data": {}}, x_ghstars_sandbox="7/100/2026-01-01")
    with pytest.raises(WrongHomeError, match="an invented GitHub"):
        run(ask, marked)

    async def other_way() -> None:
        endpoint = Endpoint(URL, Token(SECRET), Limits(), "sandbox")
        async with GitHub(endpoint, transport=httpx.MockTransport(lambda _: good())) as github:
            await github.graphql(QUERY, {})

    with pytest.raises(WrongHomeError, match="GitHub itself"):
        run_in_virtual_time(other_way())


def test_nothing_shows_the_token() -> None:
    endpoint = Endpoint("https://github.invalid", Token(SECRET), Limits(), "real")
    assert SECRET not in repr(endpoint)


def test_budgets_are_shown_with_their_return() -> None:
    async def story() -> None:
        async with invented_github(limits=SandboxLimits(points_per_hour=300)) as invented:
            await invented.github.graphql(QUERY, {})
            budgets = await invented.github.budgets()
            assert (budgets["graphql"].limit, budgets["graphql"].remaining) == (300, 299)
            left = budgets["graphql"].resets_at - invented.state.now()
            assert timedelta(minutes=59) < left <= timedelta(hours=1)
            assert TOKEN not in str(budgets)

    run_in_virtual_time(story())


# ---- what is sent, and to whom ------------------------------------------------------------------


def test_a_request_says_who_asks_and_for_ids_that_last() -> None:
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return good()

    async def story() -> None:
        async with github_answering(handle) as github:
            await github.graphql(QUERY, {"a": 1})

    run_in_virtual_time(story())
    (request,) = sent
    assert (request.method, str(request.url)) == ("POST", "https://github.invalid/graphql")
    assert json.loads(request.content) == {"query": QUERY, "variables": {"a": 1}}
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["x-github-next-global-id"] == "1"
    assert "gzip" in request.headers["accept-encoding"]
    assert request.headers["user-agent"].startswith("ghstars")


def test_the_next_page_is_only_asked_of_the_same_host() -> None:
    on_it = answer(200, [], link='<https://github.invalid/x?page=2>; rel="next"')
    reply, _, _ = run(get, on_it)
    assert reply.next_url == "https://github.invalid/x?page=2"
    with pytest.raises(UnreachableError, match="another host"):
        run(get, answer(200, [], link='<https://elsewhere.invalid/x?page=2>; rel="next"'))


@pytest.mark.parametrize("location", ["http://github.invalid/x", "//elsewhere.invalid/x"])
def test_a_redirect_out_of_https_or_without_a_scheme_is_not_followed(location: str) -> None:
    with pytest.raises(UnreachableError, match="another host"):
        run(get, answer(301, {}, location=location), answer(200, {"id": 7}))


def test_redirects_in_a_circle_end() -> None:
    moved = answer(301, {"message": "Moved"}, location="https://github.invalid/repos/a/b")
    with pytest.raises(UnreachableError, match="301"):
        run(get, moved)


def test_a_body_that_cannot_be_unpacked_is_tried_again() -> None:
    broken = httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip at all")
    )
    found, _, requests = run(ask, broken, good())
    assert (found, requests) == ({"viewer": {"login": "me"}}, 2)


def test_an_error_of_one_node_comes_with_the_rest() -> None:
    error = {"type": "NOT_FOUND", "path": ["nodes", 1], "message": "Could not resolve to a node"}
    partial = answer(200, {"data": {"nodes": [{"id": "R_1"}, None]}, "errors": [error]})

    async def story(github: GitHub) -> Any:
        return await github.graphql(QUERY, {})

    reply, _, _ = run(story, partial)
    assert reply.data == {"nodes": [{"id": "R_1"}, None]}
    assert [(error.type, error.path) for error in reply.errors] == [("NOT_FOUND", ("nodes", 1))]


def test_only_a_sandbox_of_our_own_is_sent_to_another_day() -> None:
    async def story(github: GitHub) -> None:
        await github.travel_to(AT.date())

    with pytest.raises(UnreachableError, match="cannot be asked what it was like on 2026-06-01"):
        run(story, good())


# ---- secrets ------------------------------------------------------------------------------------


def test_no_log_and_no_error_shows_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """Over a real connection, with everything logged that httpx and httpcore have to say."""
    caplog.set_level(logging.DEBUG)
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        body = b'{"message": "Bad credentials"}'
        head = f"HTTP/1.1 401 Unauthorized\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async def story() -> str:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            endpoint = Endpoint(f"http://127.0.0.1:{port}", Token(SECRET), Limits(), "sandbox")
            async with GitHub(endpoint) as github:
                with pytest.raises(BadCredentialsError) as raised:
                    await github.get("/repos/a/b")
        return "".join(traceback.format_exception(raised.value)) + repr(vars(github))

    shown = asyncio.run(story())
    assert SECRET.encode() in seen[0]
    assert caplog.records
    assert SECRET not in caplog.text
    assert SECRET not in shown
