"""Who is answered on loopback, by the names that a request carries."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from ghstars_assets.host_guard import HostGuard

HEADER = tuple[str, str]


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"the application"})


def _asked(scope: Scope, *allowed_hosts: str) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    guard = HostGuard(_application, allowed_hosts, lambda scope: scope["path"] == "/launch")
    asyncio.run(guard(scope, receive, send))
    return sent


def _scope(kind: str, headers: Sequence[HEADER], method: str = "GET", path: str = "/") -> Scope:
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": kind, "method": method, "path": path, "headers": encoded}


def _status(method: str, *headers: HEADER, allowed: Sequence[str] = (), path: str = "/") -> int:
    return _asked(_scope("http", headers, method, path), *allowed)[0]["status"]


def _is_connected(*headers: HEADER, allowed: Sequence[str] = ()) -> bool:
    [answer] = _asked(_scope("websocket", headers), *allowed)
    return answer["type"] == "websocket.accept"


OWN = ("host", "127.0.0.1:3000")


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:3000", "LocalHost:3000", "localhost.", "localhost.:3000",
        "127.0.0.1", "127.0.0.1:3000", "127.1.2.3:3000", "[::1]", "[::1]:3000",
    ],
)  # fmt: skip
def test_a_loopback_name_is_answered_on_whatever_port_it_was_forwarded_from(host: str) -> None:
    assert _status("GET", ("host", host)) == 200
    assert _is_connected(("host", host))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:3000", "127.0.0.1.evil.example", "localhost.evil.example",
        "evil.localhost", "10.0.0.1", "0.0.0.0:3000", "192.168.1.2", "[::2]:3000", "example",
    ],
)  # fmt: skip
def test_any_other_name_is_refused(host: str) -> None:
    assert _status("GET", ("host", host)) == 403
    assert not _is_connected(("host", host))


@pytest.mark.parametrize(
    "host",
    ["", "evil@127.0.0.1", "127.0.0.1:port", "127.0.0.1/x", "[::1", "::1", "127.0.0.1, localhost"],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    assert _status("GET", ("host", host)) == 400
    assert not _is_connected(("host", host))


def test_a_request_with_no_host_or_with_two_is_refused() -> None:
    assert _status("GET") == 400
    assert _status("GET", OWN, OWN) == 400
    assert not _is_connected(OWN, ("host", "evil.example"))


def test_a_name_of_the_setting_is_answered_with_any_case_and_port() -> None:
    allowed = ["Stars.example.org"]
    assert _status("GET", ("host", "stars.example.ORG:8443"), allowed=allowed) == 200
    assert _status("GET", ("host", "www.stars.example.org"), allowed=allowed) == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_what_may_change_something_is_taken_from_no_other_page(method: str) -> None:
    others = (
        "http://evil.example", "http://127.0.0.1:8888", "http://localhost:3000", "null", "",
        "file://", "http://[", "https://127.0.0.1.evil.example:3000",
    )  # fmt: skip
    for origin in others:
        assert _status(method, OWN, ("origin", origin)) == 403, origin
    assert _status(method, OWN, ("origin", "http://127.0.0.1:3000")) == 200
    assert _status(method, OWN, ("origin", "http://127.0.0.1:3000"), ("origin", "null")) == 403


def test_a_program_sends_no_origin_and_is_answered() -> None:
    assert _status("POST", OWN) == 200
    assert _is_connected(OWN)


def test_a_websocket_is_opened_by_no_other_page() -> None:
    assert _is_connected(OWN, ("origin", "http://127.0.0.1:3000"))
    assert not _is_connected(OWN, ("origin", "http://evil.example"))


def test_a_page_behind_a_proxy_is_ours_whether_the_proxy_keeps_the_host_or_not() -> None:
    page = ("origin", "https://stars.example.org")
    for host in (OWN, ("host", "stars.example.org"), ("host", "stars.example.org:443")):
        assert _status("POST", host, page, allowed=["stars.example.org"]) == 200


def test_a_get_that_would_change_something_is_refused_even_to_our_own_page() -> None:
    assert _status("GET", OWN, path="/launch") == 405
    assert _status("POST", OWN, path="/launch") == 200


def test_a_refused_preflight_permits_nothing() -> None:
    headers = (OWN, ("origin", "http://evil.example"), ("access-control-request-method", "POST"))
    start, _ = _asked(_scope("http", headers, "OPTIONS"))
    assert not [name for name, _ in start["headers"] if name.startswith(b"access-control-")]


def test_no_other_page_shows_ours_in_a_frame() -> None:
    start, _ = _asked(_scope("http", [OWN]))
    assert (b"x-frame-options", b"SAMEORIGIN") in start["headers"]


def test_a_refusal_names_the_setting_that_lets_a_name_in() -> None:
    _, body = _asked(_scope("http", [("host", "stars.example.org")]))
    assert b"stars.example.org" in body["body"]
    assert b"GHSTARS_ALLOWED_HOSTS" in body["body"]
