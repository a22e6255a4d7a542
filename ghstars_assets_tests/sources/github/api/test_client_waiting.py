"""How long the client waits for GitHub, and when it gives up."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sources.github.api.answers import (
    UnreachableError,
)
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets_tests.support.github_answers import (
    AT,
    answer,
    ask,
    get,
    github_answering,
    good,
    rate_limited,
    run,
)


def test_it_gives_up_on_a_broken_connection_without_a_last_pause() -> None:
    async def story() -> tuple[str, float]:
        def refuse(_request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused")

        async with github_answering(refuse) as github:
            with pytest.raises(UnreachableError) as raised:
                await ask(github)
        return str(raised.value), asyncio.get_running_loop().time()

    words, seconds = run_in_virtual_time(story())
    assert "6 tries: ConnectError; look at the connection" in words
    assert seconds == pytest.approx(1 + 2 + 4 + 8 + 16)


def test_a_limit_that_never_ends_is_not_waited_for_for_ever() -> None:
    with pytest.raises(UnreachableError, match="rate limits again and again"):
        run(ask, rate_limited("RATE_LIMITED"))


def test_several_that_meet_one_limit_wait_for_it_once() -> None:
    """Four under way at once are each refused; that is one limit, not the fourth in a row."""
    limited = answer(403, {"message": "You have exceeded a secondary rate limit."})
    sent: list[httpx.Request] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        is_early = len(sent) <= 4
        await asyncio.sleep(0.5)
        return limited if is_early else good()

    async def story() -> float:
        async with github_answering(handle) as github:
            await asyncio.gather(*(ask(github) for _ in range(4)))
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(story()) == pytest.approx(0.5 + 60 + 0.5)
    assert len(sent) == 8


def test_while_github_asks_us_to_wait_nothing_at_all_is_sent() -> None:
    """Another kind of request neither."""
    limited = answer(403, {"message": "You have exceeded a secondary rate limit."})

    async def story(github: GitHub) -> float:
        asking = asyncio.create_task(ask(github))
        await asyncio.sleep(1)
        await get(github)
        at = asyncio.get_running_loop().time()
        await asking
        return at

    at, _, _ = run(story, limited, good())
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
        await get(github)
        return await github.budgets()

    budgets, seconds, _ = run(story, answer(200, {"id": 1}, **left), answer(200, budget))
    assert budgets["core"].remaining == 0
    assert budgets["core"].resets_at == AT + timedelta(minutes=50)
    assert seconds == 0
