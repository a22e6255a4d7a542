"""`ghstars status`: what is missing is seen in its exit code."""

import json
from datetime import date
from pathlib import Path

import pytest

from ghstars_assets.cli.operations import status
from ghstars_assets.cli.operations.status import StageStatus, next_steps
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets_tests.support.filled_home import DAYS, QUARANTINED_DAY, settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars


def test_what_is_missing_is_seen_in_the_exit_code(ghstars: Ghstars, filled_home_copy: Path) -> None:
    """The filled home ends in August, and its source knows every day since."""
    ran = ghstars(filled_home_copy, "status", "--json")
    stages = {row["stage"]: row for row in json.loads(ran.out)}
    assert ran.code == 3
    assert stages["snapshots"]["state"] == "missing"
    assert stages["snapshots"]["newest"] == "2026-08-14"


def test_a_day_in_quarantine_is_named_with_its_reason_and_the_way_out(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    """It lies weeks back, where nothing is looked for that is missing or stale."""
    shown = " ".join(ghstars(filled_home_copy, "status").out.split())
    day = QUARANTINED_DAY
    assert f"Quarantined: 1 day of stars.snapshots ({day}), and nothing is made from it" in shown
    assert "an older day was captured again" in shown
    assert f"`ghstars release stars {day} {day} --why REASON` lets it out" in shown
    ran = ghstars(filled_home_copy, "status", "--json")
    stages = {row["stage"]: row for row in json.loads(ran.out)}
    assert stages["snapshots"]["quarantined"] == 1


def test_a_home_with_a_day_in_quarantine_is_not_fresh(
    ghstars: Ghstars, filled_home_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen on the day on which the home ends, when nothing is missing."""
    monkeypatch.setattr("ghstars_assets.learning.plan.newest_day", lambda *_of: DAYS.last)
    monkeypatch.setattr(status, "stale_days", lambda *_of: [])
    ran = ghstars(filled_home_copy, "status", "--json")
    stages = {row["stage"]: row["state"] for row in json.loads(ran.out)}
    assert stages["snapshots"] == "quarantined"


def test_the_backfill_that_is_proposed_begins_where_something_is_behind(tmp_path: Path) -> None:
    """Labels of the last thirty days end a horizon before the others."""
    first, newest = date(2026, 7, 10), date(2026, 8, 14)
    statuses = [
        StageStatus("features", newest, 75, 1, 0, 0, 0, 0, "missing", newest),
        StageStatus("labels", newest, 68, 0, 7, 0, 0, 0, "stale", first),
    ]
    shown = next_steps(settings_of(tmp_path), PROBLEM, statuses)
    assert f"Behind: features, labels; `ghstars backfill stars --from {first} --to " in shown
