"""Search that shows a thousand results at most, asked so that nothing is cut off in silence."""

from datetime import timedelta
from typing import Any

import httpx
import polars as pl
import pytest

from ghstars_assets.sandbox.http.faults import Faults
from ghstars_assets.sandbox.http.limits import SandboxLimits
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sources.github.daily import discovery
from ghstars_assets.sources.github.daily.discovery import _Search
from ghstars_assets.sources.github.tracking.tracking_rules import TrackingRule, parse_tracking_rule
from ghstars_assets_tests.support.invented_github import Invented, invented_github

MANY = 2600


async def _found(invented: Invented, rule: TrackingRule) -> _Search:
    search = _Search(invented.github, rule)
    await search.run()
    return search


def _known(invented: Invented, condition: pl.Expr) -> set[int]:
    return set(invented.state.table().filter(condition)["repo_id"])


@pytest.mark.parametrize("bounds", ["0..", "500..", "1000..20000"])
def test_a_range_that_holds_more_than_a_thousand_is_found_whole(bounds: str) -> None:
    async def story() -> None:
        async with invented_github(repositories=MANY) as invented:
            rule = parse_tracking_rule("stars", bounds)
            low, high = rule.stars
            search = await _found(invented, rule)
            inside = pl.col("stars").is_between(low, high or 10**9)
            assert set(search.found) == _known(invented, inside)
            assert search.incomplete == []

    run_in_virtual_time(story())


def test_a_topic_and_an_owner_are_found_whole() -> None:
    async def story() -> None:
        async with invented_github(repositories=MANY) as invented:
            topic = await _found(invented, parse_tracking_rule("topic", "database"))
            assert set(topic.found) == _known(invented, pl.col("topics").list.contains("database"))
            owner = invented.state.table()["owner"].mode()[0]
            of_owner = await _found(invented, parse_tracking_rule("owner", owner))
            assert set(of_owner.found) == _known(invented, pl.col("owner") == owner)

    run_in_virtual_time(story())


def test_more_than_a_thousand_with_the_same_stars_are_split_by_their_creation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with invented_github(repositories=300) as invented:
            stars = invented.state.table()["stars"].mode()[0]
            for number in range(40):
                invented.happen(create=f"many/n{number}", stars=stars)
            monkeypatch.setattr(discovery, "MOST_RESULTS", 20)
            search = await _found(invented, parse_tracking_rule("stars", f"{stars}..{stars}"))
            # Made in one second: no split can separate them, and the search says so.
            assert search.incomplete
            monkeypatch.setattr(discovery, "MOST_RESULTS", 60)
            search = await _found(invented, parse_tracking_rule("stars", f"{stars}..{stars}"))
            assert set(search.found) == _known(invented, pl.col("stars") == stars)
            assert search.incomplete == []

    run_in_virtual_time(story())


@pytest.mark.parametrize("fault", ["incomplete_results", "unstable_order", "bad_gateway_html"])
def test_a_search_that_stumbles_is_tried_again_until_it_is_whole(fault: str) -> None:
    async def story() -> None:
        faults = Faults({fault: 0.15})
        async with invented_github(repositories=1300, faults=faults) as invented:
            search = await _found(invented, parse_tracking_rule("stars", "0.."))
            assert set(search.found) == _known(invented, pl.lit(value=True))

    run_in_virtual_time(story())


def test_a_search_that_never_finishes_is_reported_and_not_taken_for_whole() -> None:
    async def story() -> None:
        def meddle(request: httpx.Request) -> httpx.Response | None:
            if request.url.path != "/search/repositories":
                return None
            body: dict[str, Any] = {"total_count": 7, "incomplete_results": True, "items": []}
            headers = {"x-ghstars-sandbox": "as all of its answers"}
            return httpx.Response(200, json=body, headers=headers)

        async with invented_github(meddle=meddle) as invented:
            search = await _found(invented, parse_tracking_rule("stars", "5..5"))
            assert search.incomplete

    run_in_virtual_time(story())


def test_thirty_searches_a_minute_are_kept_to() -> None:
    async def story() -> None:
        limits = SandboxLimits(search_per_minute=10)
        async with invented_github(repositories=MANY, limits=limits) as invented:
            began = invented.state.now()
            await _found(invented, parse_tracking_rule("stars", "0.."))
            assert invented.ledger.refused == 0
            assert invented.state.now() - began > timedelta(minutes=2)

    run_in_virtual_time(story())
