"""`ghstars coverage`: which days are known from which source."""

import json
from pathlib import Path

from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.filled_home import DAYS
from ghstars_assets_tests.support.ghstars_command import Ghstars


def test_every_source_has_a_row_and_a_lane_in_the_picture(
    ghstars: Ghstars, filled_lake: Lake, tmp_path: Path
) -> None:
    picture = tmp_path / "coverage.svg"
    ran = ghstars(filled_lake.settings.home, "coverage", "stars", "--json", "--svg", str(picture))
    assert ran.code == 0, ran.err
    rows = {row["table"]: row for row in json.loads(ran.out)}
    assert rows["stars.github"]["first"] == str(DAYS.first)
    assert rows["stars.github"]["last"] == str(DAYS.last)
    assert f"drawn in {picture}" in " ".join(ran.err.split())
    assert "<svg" in picture.read_text(encoding="utf-8")


def test_a_picture_in_no_folder_is_refused_before_anything_is_shown(
    ghstars: Ghstars, filled_lake: Lake, tmp_path: Path
) -> None:
    nowhere = tmp_path / "no" / "coverage.svg"
    ran = ghstars(filled_lake.settings.home, "coverage", "stars", "--svg", str(nowhere))
    assert (ran.code, ran.out) == (2, "")
    assert f"There is no folder {nowhere.parent}" in ran.err


def test_an_empty_home_is_answered_with_how_to_begin(ghstars: Ghstars, tmp_path: Path) -> None:
    ran = ghstars(tmp_path, "coverage", "stars")
    assert ran.code == 1
    assert "Nothing of stars is stored yet; run `ghstars demo`" in ran.err
    assert "`ghstars track OWNER/NAME` for GitHub" in ran.err
