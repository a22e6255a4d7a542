"""The sandbox over HTTP: GitHub's headers, limits, refusals and faults."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets.sandbox.http.app import SandboxOptions, create_app
from ghstars_assets.sandbox.http.faults import NAMES, Faults, parsed_rates
from ghstars_assets.sandbox.http.latency import Latency
from ghstars_assets.sandbox.http.limits import SandboxLimits
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.world import WorldSpec

DAY = date(2026, 6, 1)
SPEC = WorldSpec(5, 400, DAY)
TOKEN = "a-token"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
CHEAP = {"query": "{ viewer { login } }"}

Story = Callable[[httpx.AsyncClient, GitHubState], Coroutine[Any, Any, None]]


def _app(**options: Any) -> tuple[Starlette, GitHubState]:
    state = GitHubState(SPEC, SandboxClock.running(capture_moment(SPEC.seed, DAY)))
    return create_app(state, SandboxOptions(TOKEN, **options)), state


@asynccontextmanager
async def _client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=HEADERS
    ) as client:
        yield client


def _run(story: Story, **options: Any) -> None:
    async def main() -> None:
        app, state = _app(**options)
        async with _client(app) as client:
            await story(client, state)

    run_in_virtual_time(main())


def _first(state: GitHubState) -> dict[str, Any]:
    return state.table().row(0, named=True)


def test_every_answer_bears_githubs_headers_and_the_sandboxs_mark() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        answer = await client.post("/graphql", json=CHEAP)
        assert answer.headers["x-ratelimit-resource"] == "graphql"
        assert answer.headers["x-ratelimit-remaining"] == "4999"
        assert answer.headers["x-ghstars-sandbox"] == f"5/400/{DAY}"
        shown = parsedate_to_datetime(answer.headers["date"])
        assert shown == state.now().replace(microsecond=0)
        assert answer.headers["x-github-request-id"]

    _run(story)


def test_a_query_can_ask_for_the_budget_itself() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        asked = {"query": "{ rateLimit { cost limit remaining used resetAt } }"}
        answer = await client.post("/graphql", json=asked)
        shown = answer.json()["data"]["rateLimit"]
        assert (shown["cost"], shown["limit"], shown["used"]) == (1, 5000, 1)
        assert str(shown["remaining"]) == answer.headers["x-ratelimit-remaining"]

    _run(story)


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic a-token", "Bearer"])
def test_nobody_is_let_in_without_the_token(header: str) -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        for path in ("/rate_limit", "/repositories/1"):
            answer = await client.get(path, headers={"Authorization": header})
            assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")

    _run(story)


def test_a_spent_hour_is_refused_as_github_refuses_it_and_comes_back() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        for _ in range(3):
            assert (await client.post("/graphql", json=CHEAP)).json()["data"]
        refused = await client.post("/graphql", json=CHEAP)
        assert refused.status_code == 200
        assert refused.json()["errors"][0]["type"] == "RATE_LIMITED"
        assert refused.headers["x-ratelimit-remaining"] == "0"
        reset = int(refused.headers["x-ratelimit-reset"])
        await asyncio.sleep(reset - state.now().timestamp() + 1)
        assert (await client.post("/graphql", json=CHEAP)).json()["data"]

    _run(story, limits=SandboxLimits(points_per_hour=3))


def test_more_than_sixty_seconds_of_answering_in_a_minute_are_refused() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        answers = await asyncio.gather(*(client.post("/graphql", json=CHEAP) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        refused = await client.post("/graphql", json=CHEAP)
        assert refused.status_code == 403
        assert refused.headers["retry-after"] == "60"
        assert "secondary rate limit" in refused.json()["message"]
        served = (await client.get("/sandbox/served")).json()
        assert served["worst_seconds_overlapping"] == pytest.approx(80, abs=1)
        assert served["refused"] == 1

    _run(story, latency=Latency(base_seconds=4.0))


def test_searches_are_counted_by_the_minute_and_rest_by_the_hour() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        for expected in (200, 200, 403):
            answer = await client.get("/search/repositories", params={"q": "stars:>=1"})
            assert answer.status_code == expected
        assert (await client.get(f"/repositories/{_first(state)['repo_id']}")).status_code == 200
        limits = (await client.get("/rate_limit")).json()["resources"]
        assert (limits["search"]["remaining"], limits["core"]["used"]) == (0, 1)

    _run(story, limits=SandboxLimits(search_per_minute=2))


def test_a_repository_is_had_by_name_by_id_and_by_the_name_it_had() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        row = _first(state)
        by_name = (await client.get(f"/repos/{row['full_name']}")).json()
        by_id = (await client.get(f"/repositories/{row['repo_id']}")).json()
        assert by_name == by_id
        assert by_id["stargazers_count"] == row["stars"]
        renamed = {"rename": row["repo_id"], "to": "some/where"}
        await client.post("/sandbox/happenings", json=renamed)
        moved = await client.get(f"/repos/{row['full_name']}")
        assert moved.status_code == 301
        assert moved.headers["location"].endswith(f"/repositories/{row['repo_id']}")
        await client.post("/sandbox/happenings", json={"block": row["repo_id"]})
        assert (await client.get(f"/repositories/{row['repo_id']}")).status_code == 451
        await client.post("/sandbox/happenings", json={"delete": row["repo_id"]})
        assert (await client.get(f"/repositories/{row['repo_id']}")).status_code == 404

    _run(story)


def test_what_has_not_changed_is_answered_by_304_and_is_free() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        path = f"/repositories/{_first(state)['repo_id']}"
        first = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await client.get("/rate_limit")).json()["resources"]["core"]["used"] == 1

    _run(story)


def test_search_shows_a_thousand_at_most_and_counts_them_all() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        for number in range(900):
            state.happen({"create": f"many/n{number}", "stars": 3})
        asked = {"q": "stars:>=0 fork:true", "per_page": 100}
        url, seen = "/search/repositories", set()
        answer = await client.get(url, params=asked)
        while True:
            assert answer.json()["total_count"] == state.table().height > 1000
            seen |= {item["id"] for item in answer.json()["items"]}
            if "next" not in answer.links:
                break
            answer = await client.get(answer.links["next"]["url"])
        assert len(seen) == 1000
        beyond = await client.get(url, params=asked | {"page": 11})
        assert beyond.status_code == 422
        assert "first 1000 search results" in beyond.json()["message"]

    _run(story)


def test_the_star_history_shows_weeks_from_sunday_newest_first() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        state.travel_to(date(2026, 6, 17))
        row = _first(state)
        answer = await client.get(f"/repos/{row['full_name']}/stargazers/history")
        weeks = answer.json()
        assert len(weeks) == 30
        assert datetime.fromtimestamp(weeks[0]["week"], UTC).date().isoweekday() == 7
        assert [week["week"] for week in weeks] == sorted(
            (week["week"] for week in weeks), reverse=True
        )
        assert all(week["total"] == sum(week["days"]) for week in weeks)
        more = (await client.get(answer.links["next"]["url"])).json()
        assert more[0]["week"] < weeks[-1]["week"]
        assert (await client.get(f"/repos/{row['full_name']}/stargazers")).status_code == 404

    _run(story)


def test_issues_come_with_pull_requests_and_are_followed_by_link() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        row = state.table().sort("open_issues").row(-1, named=True)
        url = f"/repos/{row['full_name']}/issues"
        answer = await client.get(url, params={"state": "all", "sort": "updated", "per_page": 20})
        found = answer.json()
        assert len(found) == 20
        assert any("pull_request" in issue for issue in found)
        updated = [issue["updated_at"] for issue in found]
        assert updated == sorted(updated, reverse=True)
        follows = (await client.get(answer.links["next"]["url"])).json()
        assert not {issue["number"] for issue in found} & {issue["number"] for issue in follows}
        since = await client.get(url, params={"state": "all", "since": updated[5]})
        assert {issue["updated_at"] >= updated[5] for issue in since.json()} == {True}
        assert (await client.get(url, params={"page": 500})).status_code == 422

    _run(story)


@pytest.mark.parametrize(
    ("fault", "status", "seconds", "words"),
    [
        ("bad_gateway_json", 502, 0, '{"message": "Server Error"}'),
        ("bad_gateway_html", 502, 0, "<html>"),
        ("gateway_timeout_html", 504, 10, "<html>"),
        ("rate_limit", 200, 0, '"RATE_LIMIT"'),
        ("rate_limited", 200, 0, '"RATE_LIMITED"'),
        ("secondary_200", 200, 0, "secondary rate limit"),
        ("secondary_403", 403, 0, "secondary rate limit"),
        ("internal_error", 200, 0, "Something went wrong"),
        ("slow", 200, 8, "sandbox"),
    ],
)
def test_a_fault_comes_when_it_is_asked_for_and_then_no_more(
    fault: str, status: int, seconds: int, words: str
) -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        await client.post("/sandbox/faults", json={"name": fault})
        began = asyncio.get_running_loop().time()
        first = await client.post("/graphql", json=CHEAP)
        assert asyncio.get_running_loop().time() - began == pytest.approx(seconds)
        assert first.status_code == status
        assert words in first.text
        second = await client.post("/graphql", json=CHEAP)
        assert second.json() == {"data": {"viewer": {"login": "sandbox"}}}

    _run(story)


def test_rates_come_true() -> None:
    faults = Faults({"bad_gateway_json": 0.25}, seed=3)
    drawn = [faults.next(of_rest=False) for _ in range(2000)]
    assert 400 < drawn.count("bad_gateway_json") < 600


def test_rates_are_read_and_wrong_ones_named() -> None:
    assert parsed_rates("slow=0.1, bad_gateway_html=0.05") == {
        "slow": 0.1,
        "bad_gateway_html": 0.05,
    }
    everything = parsed_rates("all=0.17")
    assert set(everything) == set(NAMES) - {"saml"}
    assert sum(everything.values()) < 0.18
    for wrong, message in (
        ("slow=2", "from 0 to 1"),
        ("oops=0.1", "no fault 'oops'"),
        ("slow", "slow=0.1"),
    ):
        with pytest.raises(GhstarsError, match=message):
            parsed_rates(wrong)


def test_a_wrong_happening_is_refused_and_does_no_harm() -> None:
    async def story(client: httpx.AsyncClient, state: GitHubState) -> None:
        answer = await client.post("/sandbox/happenings", json={"explode": 1})
        assert answer.status_code == 400
        assert "A happening is one of" in answer.json()["message"]
        answer = await client.put("/sandbox/clock", json={"day": "2020-01-01"})
        assert answer.status_code == 400

    _run(story)
