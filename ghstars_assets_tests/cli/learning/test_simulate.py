"""`ghstars simulate`: what it sums up, and what it refuses before any work."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.cli.learning.simulate import summary_of
from ghstars_assets_tests.support.ghstars_command import Ghstars

FIRST = date(2026, 1, 5)


def test_every_forecast_counts_once_however_many_a_day_has() -> None:
    skill = pl.DataFrame(
        {
            "rows": [1, 3],
            "mae_typical": [8.0, 4.0],
            "mae_frozen": [8.0, 8.0],
            "mae_naive": [10.0] * 2,
        }
    )
    summary = summary_of(skill, [FIRST])
    assert summary["mae_with"] == pytest.approx(5.0)
    assert summary["skill_with"] == pytest.approx(0.5)
    assert summary["skill_without"] == pytest.approx(0.2)
    assert summary["days_scored"] == 2


@pytest.mark.parametrize(("apart", "most"), [(6, 2), (7, 1)])
def test_trainings_are_counted_by_any_seven_days(apart: int, most: int) -> None:
    trained = [FIRST, FIRST + timedelta(days=apart)]
    assert summary_of(pl.DataFrame(), trained)["most_trained_in_a_week"] == most


def test_nothing_is_simulated_for_a_file_that_cannot_be_written(
    ghstars: Ghstars, tmp_path: Path
) -> None:
    days = ("--from", str(FIRST), "--to", str(FIRST))
    nowhere = tmp_path / "no" / "such.json"
    ran = ghstars(tmp_path, "simulate", "stars", *days, "--json", str(nowhere))
    assert ran.code == 2
    assert "There is no folder" in ran.err
    assert not (tmp_path / "lake").exists()


def test_the_former_name_still_works_and_names_the_new_one(
    ghstars: Ghstars, tmp_path: Path
) -> None:
    days = ("--from", str(FIRST), "--to", str(FIRST))
    by_its_name = ghstars(tmp_path, "simulate", "stars", *days)
    ran = ghstars(tmp_path, "replay", "stars", *days)
    renamed, message = ran.err.splitlines()
    assert "`ghstars replay` is now `ghstars simulate`" in renamed
    assert "next release" in renamed
    assert (ran.code, ran.out, message) == (1, "", by_its_name.err.strip())
    assert "No source of stars holds a day" in message
