"""`ghstars track`, `untrack` and `tracked` against a served sandbox."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from ghstars_assets.calendar import utc_now
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.http.child import RunningSandbox, running_sandbox
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.ghstars_command import Ghstars

DAY = date(2026, 10, 1)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    with running_sandbox(WorldSpec(5, 40, DAY)) as served:
        monkeypatch.setenv("GHSTARS_GITHUB_API", served.url)
        monkeypatch.setenv("GHSTARS_GITHUB_TOKEN", served.token)
        yield served


def _names(sandbox: RunningSandbox, most: int) -> list[str]:
    found = httpx.get(
        f"{sandbox.url}/search/repositories",
        params={"q": "stars:>=0", "sort": "stars", "per_page": most},
        headers={"Authorization": f"Bearer {sandbox.token}"},
    )
    return [item["full_name"] for item in found.json()["items"]]


def test_a_tracked_repository_is_asked_about_with_the_next_snapshot(
    ghstars: Ghstars, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    one, two = _names(sandbox, 2)
    ran = ghstars(tmp_path, "track", one, two, "--why", "curious")
    assert ran.code == 0, ran.err
    assert f"tracking repository {one} (id " in ran.err
    marker = read_marker(Lake(Settings(home=tmp_path)))
    assert marker is not None
    assert marker.kind == "sandbox"

    stages = "discovered,github,repositories"
    filled = ghstars(
        tmp_path, "backfill", "stars", "--from", str(DAY), "--to", str(DAY), "--stages", stages
    )
    assert filled.code == 0, filled.err
    shown = json.loads(ghstars(tmp_path, "tracked", "--json").out)
    assert {row["full_name"] for row in shown} == {one, two}
    assert {row["next_day"] for row in shown} == {"2026-10-02"}

    assert ghstars(tmp_path, "untrack", one, "--why", "no more").code == 0
    table = ghstars(tmp_path, "tracked")
    assert f"rule: repository {two}" in table.out
    assert f"rule: repository {one}" not in table.out
    assert "Tracked: 1 repositories; all are asked about every day." in table.out
    assert one not in table.out


def test_nothing_is_behind_on_a_homes_first_day(
    ghstars: Ghstars, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """No label of it can be known yet, and before it there is nothing to miss."""
    httpx.put(f"{sandbox.url}/sandbox/clock", json={"at": utc_now().isoformat()}).raise_for_status()
    assert ghstars(tmp_path, "track", "--stars", "0..").code == 0
    filled = ghstars(tmp_path, "backfill", "stars", "--from", "today")
    assert filled.code == 0, filled.err
    status = ghstars(tmp_path, "status")
    assert (status.code, "missing" in status.out.split("state")[1]) == (0, False), status.out


def test_a_name_that_github_does_not_show_adds_nothing(
    ghstars: Ghstars, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    (one,) = _names(sandbox, 1)
    ran = ghstars(tmp_path, "track", one, "no-one/nothing")
    assert ran.code == 1
    assert "GitHub shows no no-one/nothing to this token, so nothing was added" in ran.err
    assert "rule:" not in ghstars(tmp_path, "tracked").out


def test_rules_are_kept_as_they_were_written(
    ghstars: Ghstars, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    ran = ghstars(tmp_path, "track", "--topic", "cli", "--stars", "1000..", "--owner", "someone")
    assert ran.code == 0, ran.err
    assert "asked about with the next snapshot" in ran.err
    assert "rule: topic cli" in ghstars(tmp_path, "tracked").out


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (("track", "nonsense"), "'nonsense' cannot be tracked; write owner/name", 2),
        (("track", "--stars", "9..1"), "write a range such as", 2),
        (("untrack", "a/b"), "a/b is not tracked, so nothing was changed", 1),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    ghstars: Ghstars,
    sandbox: RunningSandbox,
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
    code: int,
) -> None:
    ran = ghstars(tmp_path, *arguments)
    assert ran.code == code
    assert message in ran.err


def test_naming_nobody_is_a_misuse(ghstars: Ghstars, tmp_path: Path) -> None:
    assert ghstars(tmp_path, "track").code == 2
    assert ghstars(tmp_path, "untrack").code == 2


def test_without_a_token_the_message_names_the_remedy(ghstars: Ghstars, tmp_path: Path) -> None:
    ran = ghstars(tmp_path, "track", "a/b")
    assert ran.code == 1
    assert "No GitHub token is set" in ran.err


def test_a_wrong_token_is_found_though_no_name_is_given(
    ghstars: Ghstars, sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_GITHUB_TOKEN", "wrong-token")
    ran = ghstars(tmp_path, "track", "--topic", "cli")
    assert ran.code == 1
    assert "GitHub does not know this token" in ran.err
    assert "wrong-token" not in ran.err


def test_an_address_that_would_show_the_token_is_refused(
    ghstars: Ghstars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_GITHUB_API", "http://github.invalid")
    monkeypatch.setenv("GHSTARS_GITHUB_TOKEN", "secret")
    ran = ghstars(tmp_path, "track", "a/b")
    assert ran.code == 1
    assert "would travel in the open" in ran.err
