"""`ghstars predict`: the stored forecasts of a day."""

import json
from pathlib import Path

from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.filled_home import DAYS
from ghstars_assets_tests.support.ghstars_command import Ghstars

COUNT = "select count(distinct day) as days from stars.snapshots"


def test_forecasts_come_highest_mean_first(ghstars: Ghstars, filled_lake: Lake) -> None:
    rows = json.loads(
        ghstars(filled_lake.settings.home, "predict", "stars", "--json", "--top", "5").out
    )
    means = [row["mean"] for row in rows]
    assert len(rows) == 5
    assert means == sorted(means, reverse=True)
    assert {row["day"] for row in rows} == {str(DAYS.last)}


def test_a_day_without_forecasts_is_an_error_that_names_it_and_the_remedy(
    ghstars: Ghstars, filled_lake: Lake
) -> None:
    ran = ghstars(filled_lake.settings.home, "predict", "stars", "--date", "2026-06-02")
    assert (ran.code, ran.out) == (1, "")
    assert "no forecasts for 2026-06-02" in ran.err
    assert "choose one of those days" in ran.err
    assert "`ghstars backfill stars`" in ran.err


def test_forecasts_of_the_sandbox_come_with_a_warning(ghstars: Ghstars, filled_lake: Lake) -> None:
    assert "invented world" in ghstars(filled_lake.settings.home, "predict", "stars").err


def test_an_unknown_problem_is_an_error_that_names_those_there_are(
    ghstars: Ghstars, tmp_path: Path
) -> None:
    ran = ghstars(tmp_path, "predict", "start")
    assert ran.code == 2
    assert ran.err == "ghstars: There is no problem 'start'; choose one of stars.\n"
