"""The snapshotter against every fault that GitHub has: each repository is recorded once, none is
lost, and what is missing is missing for the reason that GitHub gives."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from ghstars_assets.sandbox.http.faults import OF_GRAPHQL, Faults
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sources.github.api.answers import (
    BadCredentialsError,
    ForbiddenError,
    UnreachableError,
)
from ghstars_assets.sources.github.api.credentials import Token
from ghstars_assets.sources.github.api.query import points_of
from ghstars_assets.sources.github.api.repository_batches import Asked, CaptureReport, capture
from ghstars_assets_tests.support.invented_github import DAY, Invented, invented_github

SURVIVED = sorted(set(OF_GRAPHQL) - {"saml", "rename_midrun"})


class Kept:
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def __call__(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows.extend(rows)

    @property
    def ids(self) -> list[int]:
        return [row["repo_id"] for row in self.rows]

    def of(self, repo_id: int) -> dict[str, Any]:
        (row,) = (row for row in self.rows if row["repo_id"] == repo_id)
        return row


async def _captured(invented: Invented, asked: list[Asked]) -> tuple[Kept, CaptureReport]:
    kept = Kept()
    report = await capture(invented.github, asked, keep=kept, progress=lambda _done, _total: None)
    return kept, report


def test_a_row_says_what_the_world_says() -> None:
    async def story() -> None:
        async with invented_github() as invented:
            asked = invented.asked(1)
            kept, _ = await _captured(invented, asked)
            (row,) = kept.rows
            world = invented.state.repository(row["repo_id"])
            assert world is not None
            for name in set(world) & set(row) - {"observed_at", "ingested_at"}:
                expected = world[name]
                if name.endswith("_at") and expected is not None:
                    expected = expected.replace(microsecond=0)
                assert row[name] == expected, name
            assert row["status"] == "live"
            assert row["observed_at"].date() == DAY
            assert row["tracked_because"] == "a test"

    run_in_virtual_time(story())


@pytest.mark.parametrize("fault", SURVIVED)
def test_whatever_befalls_some_batches_each_repository_is_recorded_once(fault: str) -> None:
    async def story() -> None:
        async with invented_github(repositories=300, faults=Faults({fault: 0.1})) as invented:
            asked = invented.asked()
            kept, _ = await _captured(invented, asked)
            assert Counter(kept.ids) == Counter(one.repo_id for one in asked)
            assert {row["status"] for row in kept.rows} == {"live"}

    run_in_virtual_time(story())


def test_a_batch_that_is_too_heavy_is_halved_until_it_passes() -> None:
    async def story() -> None:
        sizes: list[int] = []

        def meddle(request: httpx.Request) -> httpx.Response | None:
            if request.url.path != "/graphql":
                return None
            sizes.append(len(json.loads(request.content)["variables"]["ids"]))
            too_heavy = {"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["nodes"], "message": ""}
            body = {"data": {"nodes": None}, "errors": [too_heavy]}
            marked = {"x-ghstars-sandbox": "as all of its answers"}
            return httpx.Response(200, json=body, headers=marked) if sizes[-1] > 20 else None

        async with invented_github(repositories=400, meddle=meddle) as invented:
            asked = invented.asked()
            kept, report = await _captured(invented, asked)
            assert Counter(kept.ids) == Counter(one.repo_id for one in asked)
            # It comes back to what GitHub bears, and tries for more only now and then.
            assert max(sizes) == 50
            assert report.failed_batches < 0.3 * report.batches

    run_in_virtual_time(story())


def test_one_repository_that_breaks_every_answer_is_found_and_recorded_alone() -> None:
    async def story() -> None:
        poison = ""

        def meddle(request: httpx.Request) -> httpx.Response | None:
            if request.url.path == "/graphql" and poison.encode() in request.content:
                return httpx.Response(502, html="<html>Unicorn!</html>")
            return None

        async with invented_github(meddle=meddle) as invented:
            asked = invented.asked()
            poison = asked[17].node_id or ""
            kept, report = await _captured(invented, asked)
            assert sorted(kept.ids) == sorted(one.repo_id or 0 for one in asked)
            bad = [row for row in kept.rows if row["status"] != "live"]
            assert [(row["repo_id"], row["status"]) for row in bad] == [
                (asked[17].repo_id, "unreadable")
            ]
            assert "502" in bad[0]["trouble"]
            assert report.answered == len(asked) - 1

    run_in_virtual_time(story())


def test_what_is_gone_blocked_or_forbidden_is_recorded_as_such() -> None:
    async def story() -> None:
        async with invented_github() as invented:
            asked = invented.asked(6)
            gone, blocked, forbidden, private, *_ = (one.repo_id or 0 for one in asked)
            invented.happen(delete=gone)
            invented.happen(block=blocked)
            invented.happen(forbid=forbidden)
            invented.happen(private=private)
            kept, report = await _captured(invented, asked)
            assert [kept.of(one)["status"] for one in (gone, blocked, forbidden, private)] == [
                "not_found",
                "blocked",
                "forbidden",
                "not_found",
            ]
            assert kept.of(gone)["stars"] is None if "stars" in kept.of(gone) else True
            assert "SAML" in kept.of(forbidden)["trouble"]
            assert (report.answered, report.missing) == (2, 4)

    run_in_virtual_time(story())


def test_one_that_is_withheld_with_its_whole_batch_is_found_and_recorded_as_blocked() -> None:
    async def story() -> None:
        withheld = ""

        def meddle(request: httpx.Request) -> httpx.Response | None:
            if request.url.path == "/graphql" and withheld.encode() in request.content:
                return httpx.Response(451, json={"message": "Repository access blocked"})
            return None

        async with invented_github(meddle=meddle) as invented:
            asked = invented.asked(40)
            withheld = asked[9].node_id or ""
            invented.happen(block=asked[9].repo_id)
            kept, report = await _captured(invented, asked)
            assert kept.of(asked[9].repo_id or 0)["status"] == "blocked"
            assert report.answered == 39

    run_in_virtual_time(story())


def test_a_null_without_a_reason_is_asked_for_again_and_not_taken_for_a_deletion() -> None:
    async def story() -> None:
        async with invented_github() as invented:
            invented.faults.ask_for("nulls")
            asked = invented.asked(20)
            kept, _ = await _captured(invented, asked)
            assert {row["status"] for row in kept.rows} == {"live"}
            assert len(kept.rows) == 20

    run_in_virtual_time(story())


def test_a_renamed_repository_is_the_same_one_under_its_new_name() -> None:
    async def story() -> None:
        async with invented_github() as invented:
            asked = invented.asked(5)
            invented.happen(rename=asked[2].repo_id, to="elsewhere/anew")
            kept, _ = await _captured(invented, asked)
            row = kept.of(asked[2].repo_id or 0)
            assert row["full_name"] == "elsewhere/anew"
            assert "old_name_is_now" not in row

    run_in_virtual_time(story())


def test_a_name_that_now_means_another_repository_is_recorded_and_not_followed() -> None:
    async def story() -> None:
        async with invented_github() as invented:
            asked = invented.asked(5)
            renamed, deleted = asked[1], asked[3]
            invented.happen(rename=renamed.repo_id, to="elsewhere/anew")
            squatter = invented.happen(create=renamed.full_name, stars=3)["repo_id"]
            invented.happen(delete=deleted.repo_id)
            heir = invented.happen(create=deleted.full_name, stars=4)["repo_id"]
            kept, _ = await _captured(invented, asked)
            names_taken = {
                row["repo_id"]: row["old_name_is_now"]
                for row in kept.rows
                if row.get("old_name_is_now")
            }
            assert names_taken == {renamed.repo_id: squatter, deleted.repo_id: heir}
            full = [row for row in kept.rows if row.get("stars") is not None]
            assert squatter not in {row["repo_id"] for row in full}

    run_in_virtual_time(story())


def test_a_rename_in_mid_run_loses_nobody() -> None:
    async def story() -> None:
        faults = Faults({"rename_midrun": 0.5})
        async with invented_github(repositories=300, faults=faults) as invented:
            asked = invented.asked()
            kept, _ = await _captured(invented, asked)
            full = [row["repo_id"] for row in kept.rows if row.get("stars") is not None]
            assert Counter(full) == Counter(one.repo_id for one in asked)

    run_in_virtual_time(story())


def test_names_are_asked_for_as_they_are_and_a_wrong_one_harms_no_other() -> None:
    async def story() -> None:
        async with invented_github() as invented:
            name = invented.asked(1)[0].full_name
            odd = ['no-one/"}){x}', "no-one/nothing", name.upper()]
            kept, _ = await _captured(invented, [Asked(one, "a rule") for one in odd])
            by_name = {row["asked_as"]: row for row in kept.rows}
            assert by_name[name.upper()]["full_name"] == name
            assert by_name["no-one/nothing"]["status"] == "not_found"
            assert by_name['no-one/"}){x}']["status"] == "not_found"

    run_in_virtual_time(story())


def test_what_was_answered_before_a_run_ends_has_been_kept() -> None:
    async def story() -> None:
        answered = 0

        def meddle(request: httpx.Request) -> httpx.Response | None:
            nonlocal answered
            answered += request.url.path == "/graphql"
            return (
                httpx.Response(401, json={"message": "Bad credentials"}) if answered > 3 else None
            )

        async with invented_github(repositories=400, meddle=meddle) as invented:
            kept = Kept()
            with pytest.raises(BadCredentialsError, match="GHSTARS_GITHUB_TOKEN"):
                await capture(
                    invented.github, invented.asked(), keep=kept, progress=lambda *_: None
                )
            assert len(kept.rows) >= 150
            assert len(kept.rows) == sum(sum(day.values()) for day in invented.shown.values())

    run_in_virtual_time(story())


@pytest.mark.parametrize(
    ("token", "fault", "error"),
    [("wrong", None, BadCredentialsError), (None, "saml", ForbiddenError)],
)
def test_a_token_that_may_not_ends_the_run_with_the_remedy(
    token: str | None, fault: str | None, error: type[Exception]
) -> None:
    async def story() -> None:
        credentials = Token(token) if token else None
        async with invented_github(credentials=credentials) as invented:
            if fault:
                invented.faults.ask_for(fault)
            with pytest.raises(error, match="token"):
                await _captured(invented, invented.asked(10))

    run_in_virtual_time(story())


def test_a_github_that_is_down_is_given_up_after_several_tries() -> None:
    async def story() -> None:
        def meddle(_request: httpx.Request) -> httpx.Response | None:
            raise httpx.ConnectError("refused")

        async with invented_github(meddle=meddle) as invented:
            began = asyncio.get_running_loop().time()
            with pytest.raises(UnreachableError, match="goes on where it stopped"):
                await _captured(invented, [Asked("a/b", "a rule", 1, "R_kgDOAAAAAAAB")])
            assert 30 < asyncio.get_running_loop().time() - began < 120

    run_in_virtual_time(story())


def test_points_follow_githubs_formula() -> None:
    async def story() -> None:
        async with invented_github() as invented:
            await _captured(invented, invented.asked(50))
            assert invented.ledger.points_used == points_of(50) == 4

    run_in_virtual_time(story())
