"""An invented GitHub and a client of it in one process, in virtual time: no socket, no waiting."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets.sandbox.http.app import SandboxOptions, create_app
from ghstars_assets.sandbox.http.faults import Faults
from ghstars_assets.sandbox.http.latency import Latency
from ghstars_assets.sandbox.http.limits import Ledger, SandboxLimits
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.credentials import Credentials, Token
from ghstars_assets.sources.github.api.endpoint import Endpoint
from ghstars_assets.sources.github.api.governor import Limits
from ghstars_assets.sources.github.api.repository_batches import Asked

SEED = 5
DAY = date(2026, 6, 1)
TOKEN = "a-token-for-tests"
URL = "http://127.0.0.1"


@dataclass(frozen=True)
class Invented:
    """What a test looks at and meddles with."""

    state: GitHubState
    faults: Faults
    ledger: Ledger
    shown: dict[str, Any]
    github: GitHub

    def asked(self, most: int = 1000) -> list[Asked]:
        rows = self.state.table().head(most).select("full_name", "repo_id", "node_id").rows()
        return [Asked(name, "a test", repo_id, node_id) for name, repo_id, node_id in rows]

    def happen(self, **event: object) -> dict[str, Any]:
        return self.state.happen(event)


@asynccontextmanager
async def invented_github(
    *,
    repositories: int = 120,
    limits: SandboxLimits | None = None,
    latency: Latency | None = None,
    faults: Faults | None = None,
    credentials: Credentials | None = None,
    own_limits: Limits | None = None,
    app_public_key: str = "",
    meddle: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None,
) -> AsyncIterator[Invented]:
    """`meddle` may answer in the sandbox's place, or raise as a broken connection does."""
    state = GitHubState(
        WorldSpec(SEED, repositories, DAY), SandboxClock.running(capture_moment(SEED, DAY))
    )
    options = SandboxOptions(
        TOKEN,
        limits=limits or SandboxLimits(),
        latency=latency or Latency(),
        faults=faults or Faults(),
        app_public_key=app_public_key,
    )
    app = create_app(state, options)
    endpoint = Endpoint(
        URL, credentials or Token(TOKEN), own_limits or Limits(), "sandbox", can_travel=True
    )
    transport = _Meddling(httpx.ASGITransport(app), meddle)
    async with GitHub(endpoint, transport=transport) as github:
        sandbox = app.state.sandbox
        yield Invented(state, options.faults, sandbox.ledger, sandbox.shown, github)


class _Meddling(httpx.AsyncBaseTransport):
    def __init__(
        self,
        within: httpx.AsyncBaseTransport,
        meddle: Callable[[httpx.Request], httpx.Response | None],
    ) -> None:
        self.within = within
        self.meddle = meddle

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.meddle(request) or await self.within.handle_async_request(request)
