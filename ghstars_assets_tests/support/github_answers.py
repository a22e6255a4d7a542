"""What a real GitHub answers, one answer after another, to a client in virtual time."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.credentials import Token
from ghstars_assets.sources.github.api.endpoint import Endpoint
from ghstars_assets.sources.github.api.governor import Limits

QUERY = "{ viewer { login } }"
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
HTML = "<html>Unicorn!</html>"
SECRET = "ghp_a_very_secret_token"

Story = Callable[[GitHub], Any]


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    """A real GitHub's answer: a Date, and no mark of a sandbox."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"date": AT.strftime("%a, %d %b %Y %H:%M:%S GMT"), **named}
    if isinstance(body, str):
        return httpx.Response(status, html=body, headers=sent)
    return httpx.Response(status, json=body, headers=sent)


def good() -> httpx.Response:
    return answer(200, {"data": {"viewer": {"login": "me"}}})


def rate_limited(kind: str, **headers: str) -> httpx.Response:
    return answer(
        200, {"errors": [{"type": kind, "message": "API rate limit exceeded"}]}, **headers
    )


def run(
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


async def ask(github: GitHub) -> Any:
    return (await github.graphql(QUERY, {})).data


async def get(github: GitHub) -> Any:
    return await github.get("/repos/a/b")


def github_answering(handle: Callable[[httpx.Request], Any]) -> GitHub:
    endpoint = Endpoint("https://github.invalid", Token(SECRET), Limits(), "real")
    return GitHub(endpoint, transport=httpx.MockTransport(handle))
