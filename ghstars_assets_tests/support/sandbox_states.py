"""States of one small sandbox world at chosen moments, for the tests of what GitHub shows."""

from datetime import date, datetime, timedelta
from typing import Any

from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.world import WorldSpec

FIRST_DAY = date(2026, 1, 1)
SPEC = WorldSpec(seed=12, repositories=300, first_day=FIRST_DAY)
DAYS = 120


def day_number(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def state_at(moment: datetime | date, spec: WorldSpec = SPEC) -> GitHubState:
    at = moment if isinstance(moment, datetime) else capture_moment(spec.seed, moment)
    return GitHubState(spec, SandboxClock.fixed(at))


def rows_of(state: GitHubState) -> list[dict[str, Any]]:
    """Every repository as it is shown, its name looked up too."""
    rows = [state.repository(repo_id) for repo_id in state.table()["repo_id"]]
    return [row for row in rows if row]


def living(state: GitHubState, place: int = 0) -> dict[str, Any]:
    return rows_of(state)[place]


def full_name_of(state: GitHubState, repo_id: int) -> str:
    row = state.repository(repo_id)
    assert row
    return row["full_name"]
