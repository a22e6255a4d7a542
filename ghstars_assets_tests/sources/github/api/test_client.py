"""What each of GitHub's answers means to the client."""

import asyncio
import json
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
from ghstars_assets_tests.support.invented_github import TOKEN, URL, invented_github

QUERY = "{ viewer { login } }"
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
HTML = "<html>Unicorn!</html>"
SECRET = "ghp_a_very_secret_token"

Story = Callable[[GitHub], Any]


def _answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    """A real GitHub's answer: a Date, and no mark of a sandbox."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"date": AT.strftime("%a, %d %b %Y %H:%M:%S GMT"), **named}
    if isinstance(body, str):
        return httpx.Response(status, html=body, headers=sent)
    return httpx.Response(status, json=body, headers=sent)


def _good() -> httpx.Response:
    return _answer(200, {"data": {"viewer": {"login": "me"}}})


def _limited(kind: str, **headers: str) -> httpx.Response:
    return _answer(
        200, {"errors": [{"type": kind, "message": "API rate limit exceeded"}]}, **headers
    )


def _run(
    story: Story, *answers: httpx.Response | Exception, patience_seconds: float = 3900.0
) -> tuple[Any, float, int]:
    """What came of it, the virtual seconds that passed, and the requests that were sent."""
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        answer = answers[min(len(sent), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def main() -> tuple[Any, float]:
        limits = Limits(patience_seconds=patience_seconds)
        endpoint = Endpoint("https://github.invalid", Token(SECRET), limits, "real")
        async with GitHub(endpoint, transport=httpx.MockTransport(handle)) as github:
            found = await story(github)
        return found, asyncio.get_running_loop().time()

    found, seconds = run_in_virtual_time(main())
    return found, seconds, len(sent)


async def _ask(github: GitHub) -> Any:
    return (await github.graphql(QUERY, {})).data


async def _get(github: GitHub) -> Any:
    return await github.get("/repos/a/b")


@pytest.mark.parametrize(
    "answer",
    [
        _answer(502, {"message": "Server Error"}),
        _answer(502, HTML),
        _answer(504, HTML),
        _answer(
            200, {"data": None, "errors": [{"message": "Something went wrong while executing"}]}
        ),
        _answer(200, {"data": {"nodes": None}, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED"}]}),
        _answer(200, {"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "too many"}]}),
        _answer(200, {"data": None}),
        httpx.ReadTimeout("slow"),
    ],
    ids=["502", "502 html", "504", "internal", "limits", "nodes", "nothing", "timeout"],
)
def test_a_batch_that_is_too_heavy_is_raised_at_once(answer: httpx.Response | Exception) -> None:
    with pytest.raises(TooHeavyError):
        _run(_ask, answer)


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_both_spellings_of_a_spent_budget_are_waited_out(kind: str) -> None:
    reset = int((AT + timedelta(minutes=10)).timestamp())
    limited = _limited(kind, x_ratelimit_remaining="0", x_ratelimit_reset=str(reset))
    found, seconds, requests = _run(_ask, limited, _good())
    assert found == {"viewer": {"login": "me"}}
    assert (round(seconds), requests) == (601, 2)


@pytest.mark.parametrize("status", [200, 403, 429])
def test_a_secondary_limit_is_waited_out_as_long_as_it_says(status: int) -> None:
    body = {"message": "You have exceeded a secondary rate limit."}
    if status == 200:
        body = {"errors": [{"message": "You have exceeded a secondary rate limit."}]}
    _, seconds, _ = _run(_ask, _answer(status, body, retry_after="17"), _good())
    assert seconds == pytest.approx(17)


def test_a_secondary_limit_that_names_no_time_is_given_a_minute_and_each_time_more() -> None:
    limited = _answer(403, {"message": "You have exceeded a secondary rate limit."})
    _, seconds, _ = _run(_ask, limited, limited, limited, _good())
    assert seconds == pytest.approx(60 + 120 + 240)


def test_a_rest_limit_is_waited_out_until_its_reset() -> None:
    reset = int((AT + timedelta(minutes=3)).timestamp())
    spent = _answer(
        403,
        {"message": "API rate limit exceeded for user ID 1."},
        x_ratelimit_remaining="0",
        x_ratelimit_reset=str(reset),
    )
    reply, seconds, _ = _run(_get, spent, _answer(200, {"id": 1}))
    assert reply.body == {"id": 1}
    assert round(seconds) == 181


def test_a_budget_that_returns_too_late_ends_the_run_with_its_time() -> None:
    reset = int((AT + timedelta(minutes=50)).timestamp())
    limited = _limited("RATE_LIMITED", x_ratelimit_remaining="0", x_ratelimit_reset=str(reset))
    with pytest.raises(BudgetSpentError, match=r"12:50 UTC.*PATIENCE"):
        _run(_ask, limited, patience_seconds=600)


@pytest.mark.parametrize(
    "broken",
    [
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("cut"),
        _answer(500, HTML),
        _answer(503, HTML),
        httpx.Response(200, content=b'{"data": {"vie'),
    ],
    ids=["refused", "cut", "500", "503", "truncated"],
)
def test_a_fault_on_the_way_is_tried_again(broken: httpx.Response | Exception) -> None:
    found, seconds, requests = _run(_ask, broken, broken, _good())
    assert found == {"viewer": {"login": "me"}}
    assert (seconds, requests) == (pytest.approx(3), 3)


def test_a_gateway_that_fails_on_a_single_thing_is_tried_again() -> None:
    reply, _, requests = _run(_get, _answer(502, HTML), _answer(200, {"id": 1}))
    assert (reply.body, requests) == ({"id": 1}, 2)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (_answer(401, {"message": "Bad credentials"}), BadCredentialsError, "GHSTARS_GITHUB_TOKEN"),
        (_answer(403, {"message": "Resource not accessible"}), ForbiddenError, "read access"),
        (
            _answer(200, {"data": None, "errors": [{"type": "FORBIDDEN", "message": "SAML"}]}),
            ForbiddenError,
            "single sign-on",
        ),
        (_answer(200, {"errors": [{"message": "Parse error"}]}), BadQueryError, "Parse error"),
        (_answer(418, {"message": "?"}), UnreachableError, "418"),
    ],
    ids=["401", "403", "saml", "query", "418"],
)
def test_what_waiting_does_not_mend_ends_the_run_with_the_remedy(
    answer: httpx.Response, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        _run(_ask, answer)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("status", [404, 410, 451])
def test_that_a_thing_is_not_there_is_an_answer(status: int) -> None:
    reply, _, _ = _run(_get, _answer(status, {"message": "no"}))
    assert (reply.status, reply.body) == (status, {"message": "no"})


def test_a_redirect_is_followed_on_the_same_host_and_reported() -> None:
    moved = _answer(301, {}, location="https://github.invalid/repositories/7")
    reply, _, _ = _run(_get, moved, _answer(200, {"id": 7}))
    assert (reply.body["id"], reply.moved_to) == (7, "https://github.invalid/repositories/7")


def test_a_redirect_to_another_host_is_not_given_the_token() -> None:
    moved = _answer(301, {}, location="https://elsewhere.invalid/repositories/7")
    with pytest.raises(UnreachableError, match="another host"):
        _run(_get, moved, _answer(200, {"id": 7}))


def test_the_day_is_githubs_day_whatever_our_clock_says() -> None:
    async def story(github: GitHub) -> tuple[datetime, datetime]:
        reply = await github.graphql(QUERY, {})
        await asyncio.sleep(13 * 3600)
        return reply.observed_at, github.now()

    (observed, later), _, _ = _run(story, _good())
    assert observed == AT
    assert later == AT + timedelta(hours=13)


def test_a_sandbox_is_never_taken_for_github_nor_github_for_a_sandbox() -> None:
    marked = _answer(200, {"data": {}}, x_ghstars_sandbox="7/100/2026-01-01")
    with pytest.raises(WrongHomeError, match="an invented GitHub"):
        _run(_ask, marked)

    async def other_way() -> None:
        endpoint = Endpoint(URL, Token(SECRET), Limits(), "sandbox")
        async with GitHub(endpoint, transport=httpx.MockTransport(lambda _: _good())) as github:
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


# ---- waiting ------------------------------------------------------------------------------------


def test_it_gives_up_on_a_broken_connection_without_a_last_pause() -> None:
    async def story() -> tuple[str, float]:
        def refuse(_request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused")

        async with _github(refuse) as github:
            with pytest.raises(UnreachableError) as raised:
                await _ask(github)
        return str(raised.value), asyncio.get_running_loop().time()

    words, seconds = run_in_virtual_time(story())
    assert "6 tries: ConnectError; look at the connection" in words
    assert seconds == pytest.approx(1 + 2 + 4 + 8 + 16)


def test_a_limit_that_never_ends_is_not_waited_for_for_ever() -> None:
    with pytest.raises(UnreachableError, match="rate limits again and again"):
        _run(_ask, _limited("RATE_LIMITED"))


def test_several_that_meet_one_limit_wait_for_it_once() -> None:
    """Four under way at once are each refused; that is one limit, not the fourth in a row."""
    limited = _answer(403, {"message": "You have exceeded a secondary rate limit."})
    sent: list[httpx.Request] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        is_early = len(sent) <= 4
        await asyncio.sleep(0.5)
        return limited if is_early else _good()

    async def story() -> float:
        async with _github(handle) as github:
            await asyncio.gather(*(_ask(github) for _ in range(4)))
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(story()) == pytest.approx(0.5 + 60 + 0.5)
    assert len(sent) == 8


def test_while_github_asks_us_to_wait_nothing_at_all_is_sent() -> None:
    """Another kind of request neither."""
    limited = _answer(403, {"message": "You have exceeded a secondary rate limit."})

    async def story(github: GitHub) -> float:
        asking = asyncio.create_task(_ask(github))
        await asyncio.sleep(1)
        await _get(github)
        at = asyncio.get_running_loop().time()
        await asking
        return at

    at, _, _ = _run(story, limited, _good())
    assert at >= 60


def test_the_budgets_can_be_asked_for_while_one_is_spent() -> None:
    reset = int((AT + timedelta(minutes=50)).timestamp())
    left = {
        "x_ratelimit_limit": "5000",
        "x_ratelimit_remaining": "0",
        "x_ratelimit_reset": str(reset),
        "x_ratelimit_resource": "core",
    }
    budget = {"resources": {"core": {"limit": 5000, "remaining": 0, "reset": reset}}}

    async def story(github: GitHub) -> Any:
        await _get(github)
        return await github.budgets()

    budgets, seconds, _ = _run(story, _answer(200, {"id": 1}, **left), _answer(200, budget))
    assert budgets["core"].remaining == 0
    assert budgets["core"].resets_at == AT + timedelta(minutes=50)
    assert seconds == 0


# ---- what is sent, and to whom ------------------------------------------------------------------


def test_a_request_says_who_asks_and_for_ids_that_last() -> None:
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return _good()

    async def story() -> None:
        async with _github(handle) as github:
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
    on_it = _answer(200, [], link='<https://github.invalid/x?page=2>; rel="next"')
    reply, _, _ = _run(_get, on_it)
    assert reply.next_url == "https://github.invalid/x?page=2"
    with pytest.raises(UnreachableError, match="another host"):
        _run(_get, _answer(200, [], link='<https://elsewhere.invalid/x?page=2>; rel="next"'))


@pytest.mark.parametrize("location", ["http://github.invalid/x", "//elsewhere.invalid/x"])
def test_a_redirect_out_of_https_or_without_a_scheme_is_not_followed(location: str) -> None:
    with pytest.raises(UnreachableError, match="another host"):
        _run(_get, _answer(301, {}, location=location), _answer(200, {"id": 7}))


def test_redirects_in_a_circle_end() -> None:
    moved = _answer(301, {"message": "Moved"}, location="https://github.invalid/repos/a/b")
    with pytest.raises(UnreachableError, match="301"):
        _run(_get, moved)


def test_a_body_that_cannot_be_unpacked_is_tried_again() -> None:
    broken = httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip at all")
    )
    found, _, requests = _run(_ask, broken, _good())
    assert (found, requests) == ({"viewer": {"login": "me"}}, 2)


def test_an_error_of_one_node_comes_with_the_rest() -> None:
    error = {"type": "NOT_FOUND", "path": ["nodes", 1], "message": "Could not resolve to a node"}
    partial = _answer(200, {"data": {"nodes": [{"id": "R_1"}, None]}, "errors": [error]})

    async def story(github: GitHub) -> Any:
        return await github.graphql(QUERY, {})

    reply, _, _ = _run(story, partial)
    assert reply.data == {"nodes": [{"id": "R_1"}, None]}
    assert [(error.type, error.path) for error in reply.errors] == [("NOT_FOUND", ("nodes", 1))]


def test_only_a_sandbox_of_our_own_is_sent_to_another_day() -> None:
    async def story(github: GitHub) -> None:
        await github.travel_to(AT.date())

    with pytest.raises(UnreachableError, match="cannot be asked what it was like on 2026-06-01"):
        _run(story, _good())


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


def _github(handle: Callable[[httpx.Request], Any]) -> GitHub:
    endpoint = Endpoint("https://github.invalid", Token(SECRET), Limits(), "real")
    return GitHub(endpoint, transport=httpx.MockTransport(handle))
