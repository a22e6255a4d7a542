"""Which GitHub a home talks to, and that no token leaves this machine in the open."""

import asyncio
import socket
from datetime import date
from typing import Any

import pytest

from ghstars_assets.errors import SettingsError, SourceError
from ghstars_assets.lake.marker import Marker, SandboxWorld
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.endpoint import (
    Endpoint,
    open_endpoint,
    own_world,
    world_behind,
)

SECRET = "ghp_a_very_secret_token"
REAL = Marker("real")
SANDBOX = Marker("sandbox", world=SandboxWorld(5, 40, date(2026, 6, 1)))


def _settings(**given: object) -> Settings:
    return Settings.model_validate({"github_token": SECRET, **given})


def _opened(settings: Settings, marker: Marker | None) -> Endpoint:
    with open_endpoint(settings, marker) as endpoint:
        return endpoint


@pytest.mark.parametrize("marker", [None, REAL])
def test_a_real_home_talks_to_github(marker: Marker | None) -> None:
    endpoint = _opened(_settings(), marker)
    assert (endpoint.url, endpoint.kind) == ("https://api.github.com", "real")
    assert not endpoint.can_travel


def test_a_served_sandbox_is_talked_to_as_github_is() -> None:
    """With a token and with GitHub's limits; nobody but its owner sets its clock."""
    settings = _settings(github_api="http://127.0.0.1:8400/", github_points_kept=7)
    endpoint = _opened(settings, SANDBOX)
    assert (endpoint.url, endpoint.kind) == ("http://127.0.0.1:8400", "sandbox")
    assert (endpoint.can_travel, endpoint.limits.points_kept) == (False, 7)
    assert not own_world(settings, SANDBOX)


def test_how_much_is_kept_and_how_long_is_waited_are_settings() -> None:
    settings = _settings(github_points_kept=1234, github_patience_minutes=2)
    limits = _opened(settings, REAL).limits
    assert (limits.points_kept, limits.patience_seconds) == (1234, 120)
    assert limits.response_seconds_per_minute == 60


@pytest.mark.parametrize(
    "url",
    [
        "http://api.github.com",
        "http://192.168.0.7:8400",
        "http://127.0.0.1.elsewhere.invalid",
        "http://localhost@elsewhere.invalid",
        "https://me:secret@github.invalid",
        "https://:secret@github.invalid",
        "ftp://127.0.0.1",
        "api.github.com",
        "https://",
        "https://[::1",
        "https://github.invalid:port",
        "https://github.invalid:99999",
    ],
)
def test_an_address_that_would_show_the_token_is_refused(url: str) -> None:
    settings = _settings(github_api=url)
    for attempt in (
        lambda: _opened(settings, REAL),
        lambda: asyncio.run(world_behind(settings)),
    ):
        with pytest.raises(SettingsError, match="GHSTARS_GITHUB_API must be https") as raised:
            attempt()
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    ["https://github.invalid/api/v3", "http://localhost:8400", "http://[::1]:8400"],
)
def test_https_and_this_machine_are_fine(url: str) -> None:
    assert _opened(_settings(github_api=url), REAL).url == url


def test_without_a_token_there_is_one_clear_sentence() -> None:
    with pytest.raises(SettingsError, match="No GitHub token is set: put a personal access token"):
        _opened(Settings(), REAL)


def test_a_sandbox_home_without_a_world_is_an_error_with_the_remedy() -> None:
    with pytest.raises(SettingsError, match=r"`ghstars demo` on an empty home"):
        _opened(Settings(), Marker("sandbox"))


def test_a_sandbox_home_has_a_github_of_its_own_that_needs_no_token_of_ours() -> None:
    """A process of its own on loopback, which shows any of its days."""

    async def look(endpoint: Endpoint) -> tuple[str | None, date, dict[str, Any]]:
        async with GitHub(endpoint) as github:
            moment = await github.travel_to(date(2026, 6, 3))
            reply = await github.graphql("{ viewer { login } }", {})
            return github.sandbox_world(), moment.date(), dict(reply.data)

    assert own_world(Settings(), SANDBOX)
    with open_endpoint(Settings(), SANDBOX) as endpoint:
        assert endpoint.url.startswith("http://127.0.0.1:")
        assert (endpoint.kind, endpoint.can_travel) == ("sandbox", True)
        world, day, data = asyncio.run(look(endpoint))
    assert world == "5/40/2026-06-01"
    assert day == date(2026, 6, 3)
    assert "viewer" in data


def test_an_endpoint_shows_no_secret() -> None:
    assert SECRET not in repr(_opened(_settings(), REAL))
    assert SECRET not in str(_opened(_settings(), REAL))


# ---- whose data an empty home is to hold --------------------------------------------------------


async def _asked(settings: Settings, *headers: str) -> str:
    """`world_behind`, with somebody on loopback who answers with these headers."""
    lines = ["HTTP/1.1 200 OK", "content-length: 2", "connection: close", *headers, "", "{}"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write("\r\n".join(lines).encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await world_behind(
            settings.model_copy(update={"github_api": f"http://127.0.0.1:{port}"})
        )


@pytest.fixture
def _a_proxy_for_the_world_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.invalid:3128")


@pytest.mark.usefixtures("_a_proxy_for_the_world_outside")
def test_a_sandbox_says_of_itself_that_it_is_one() -> None:
    assert asyncio.run(_asked(_settings(), "x-ghstars-sandbox: 5/40/2026-06-01")) == "sandbox"
    assert asyncio.run(_asked(_settings())) == "real"


def test_github_itself_is_not_even_asked() -> None:
    assert asyncio.run(world_behind(_settings())) == "real"


def test_a_sandbox_that_is_not_running_is_reported_with_the_remedy() -> None:
    with socket.socket() as bound_but_not_listening:
        bound_but_not_listening.bind(("127.0.0.1", 0))
        port = bound_but_not_listening.getsockname()[1]
        settings = _settings(github_api=f"http://127.0.0.1:{port}")
        with pytest.raises(SourceError, match=r"does not answer .*`ghstars sandbox`"):
            asyncio.run(world_behind(settings))
