"""`ghstars status`: what is missing is seen in its exit code."""

import json
from pathlib import Path

from ghstars_assets_tests.support.ghstars_command import Ghstars


def test_what_is_missing_is_seen_in_the_exit_code(ghstars: Ghstars, filled_home_copy: Path) -> None:
    """The filled home ends in August, and its source knows every day since."""
    ran = ghstars(filled_home_copy, "status", "--json")
    stages = {row["stage"]: row for row in json.loads(ran.out)}
    assert ran.code == 3
    assert stages["snapshots"]["state"] == "missing"
    assert stages["snapshots"]["newest"] == "2026-08-14"
