"""`ghstars doctor` on GitHub: the token, what is left of its budgets, and when they return."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from ghstars_assets.calendar import utc_now, utc_today
from ghstars_assets.lake.marker import Marker, SandboxWorld, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.http.child import RunningSandbox, running_sandbox
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.governor import Budget
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets.sources.github.tracking.tracking_rules import parse_tracking_rule, record
from ghstars_assets_tests.support.ghstars_command import Ghstars


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    with running_sandbox(WorldSpec(5, 40, date(2026, 6, 1)), limits="github") as served:
        monkeypatch.setenv("GHSTARS_GITHUB_API", served.url)
        monkeypatch.setenv("GHSTARS_GITHUB_TOKEN", served.token)
        yield served


def _line(printed: str) -> str:
    (line,) = (line for line in printed.splitlines() if line[5:].startswith("GitHub"))
    return line


def test_a_good_token_is_shown_with_what_is_left(
    ghstars: Ghstars, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    line = _line(ghstars(tmp_path, "doctor").out)
    assert line.startswith("ok ")
    assert "graphql: 5,000 of 5,000 left, full again at" in line
    assert "search: 30 of 30 left" in line
    assert sandbox.token not in line


def test_a_spent_budget_is_shown_with_its_return(
    ghstars: Ghstars, sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As GitHub shows it when the hour's points are used up to what is kept for others."""
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    for _ in range(3):
        asked = {"query": "{ viewer { login } }"}
        httpx.post(f"{sandbox.url}/graphql", json=asked, headers=headers).raise_for_status()
    ask = GitHub.budgets

    async def budgets(github: GitHub) -> dict[str, Budget]:
        found = await ask(github)
        spent = replace(found["graphql"], remaining=found["graphql"].remaining - 4500)
        return found | {"graphql": spent}

    monkeypatch.setattr(GitHub, "budgets", budgets)
    ran = ghstars(tmp_path, "doctor")
    assert ran.code == 3
    line = _line(ran.out)
    assert "its points are spent (graphql: 497 of 5,000 left, full again at" in line


def test_a_wrong_token_is_one_sentence(
    ghstars: Ghstars, sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_GITHUB_TOKEN", "wrong-token")
    ran = ghstars(tmp_path, "doctor")
    assert ran.code == 3
    assert "BAD  GitHub" in ran.out
    assert "GitHub does not know this token" in ran.out
    assert "wrong-token" not in ran.out


def test_a_sandbox_home_needs_no_token(ghstars: Ghstars, tmp_path: Path) -> None:
    world = SandboxWorld(5, 40, utc_today() - timedelta(days=60))
    mark_lake(Lake(Settings(home=tmp_path)), Marker("sandbox", world.first_day, world))
    assert "needs no token" in _line(ghstars(tmp_path, "doctor").out)


def test_a_real_home_without_a_token_is_shown_the_remedy(ghstars: Ghstars, tmp_path: Path) -> None:
    lake = Lake(Settings(home=tmp_path))
    mark_lake(lake, Marker("real"))
    assert "this home lives on what was imported" in _line(ghstars(tmp_path, "doctor").out)
    rule = (parse_tracking_rule("repository", "a/b"), None)
    record(lake, tables_of("stars"), "track", [rule], "a test", utc_now())
    ran = ghstars(tmp_path, "doctor")
    assert ran.code == 3
    assert "No GitHub token is set" in _line(ran.out)
