"""The client against the sandbox, fault by fault."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ghstars_assets.sandbox.http.faults import Faults
from ghstars_assets.sandbox.http.limits import SandboxLimits
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sources.github.api.answers import (
    ForbiddenError,
    TooHeavyError,
)
from ghstars_assets_tests.support.invented_github import invented_github

QUERY = "{ viewer { login } }"

IDS_QUERY = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { databaseId } } }"


def _story_of_a_fault(fault: str, *, of_rest: bool) -> tuple[Any, float, int]:
    """What came of one question that meets this fault once, when, and after how many requests."""

    async def story() -> tuple[Any, float, int]:
        faults = Faults()
        faults.ask_for(fault, of_rest=of_rest)
        async with invented_github(faults=faults) as invented:
            asked = invented.asked(4)
            if of_rest:
                reply = await invented.github.get(f"/repositories/{asked[0].repo_id}")
                came: Any = reply.body["id"] == asked[0].repo_id
            else:
                ids = [one.node_id for one in asked]
                answer = await invented.github.graphql(IDS_QUERY, {"ids": ids})
                came = [node and node["databaseId"] for node in answer.data["nodes"]]
                came = came == [one.repo_id for one in asked]
            return came, asyncio.get_running_loop().time(), invented.github.requests

    return run_in_virtual_time(story())


@pytest.mark.parametrize(
    "fault",
    [
        "bad_gateway_json",
        "bad_gateway_html",
        "gateway_timeout_html",
        "internal_error",
        "null_parent",
        "partial_data",
    ],
)
def test_the_sandboxs_heavy_faults_ask_for_less(fault: str) -> None:
    with pytest.raises(TooHeavyError):
        _story_of_a_fault(fault, of_rest=False)


def test_the_sandboxs_single_sign_on_ends_the_run() -> None:
    with pytest.raises(ForbiddenError, match="SAML"):
        _story_of_a_fault("saml", of_rest=False)


@pytest.mark.parametrize(
    ("fault", "of_rest", "waited"),
    [
        ("rate_limited", False, 31),
        ("rate_limit", False, 31),
        ("secondary_200", False, 60),
        ("secondary_403", False, 60),
        ("server_error_500", False, 1),
        ("truncated_json", False, 1),
        ("rest_limit", True, 31),
        ("secondary_403", True, 60),
        ("server_error_500", True, 1),
        ("bad_gateway_html", True, 1),
        ("truncated_json", True, 1),
    ],
)
def test_the_sandboxs_passing_faults_are_got_over(fault: str, of_rest: bool, waited: int) -> None:
    came, seconds, requests = _story_of_a_fault(fault, of_rest=of_rest)
    assert came
    assert requests == 2
    assert seconds == pytest.approx(waited, abs=1.5)


def test_a_spent_hour_is_waited_for_before_github_has_to_refuse() -> None:
    async def story() -> None:
        limits = SandboxLimits(points_per_hour=5)
        async with invented_github(limits=limits) as invented:
            for _ in range(12):
                await invented.github.graphql(QUERY, {})
            assert invented.ledger.record()["refused"] == 0
            # A floor of half such a small budget would be kept, but none is asked for here.
            assert asyncio.get_running_loop().time() >= 2 * 3600

    run_in_virtual_time(story())


def test_a_day_in_the_past_is_githubs_day_from_then_on() -> None:
    async def story() -> None:
        async with invented_github() as invented:
            day = invented.state.now().date() + timedelta(days=40)
            moment = await invented.github.travel_to(day)
            assert moment.date() == day
            assert await invented.github.today() == day
            reply = await invented.github.graphql(QUERY, {})
            assert reply.observed_at.date() == day

    run_in_virtual_time(story())
