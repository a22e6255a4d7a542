"""`ghstars replay`: what it sums up, and what it refuses before any work."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.commands.replaying import run_replay, summary_of
from ghstars_assets.errors import GhstarsError
from ghstars_assets.problems.registry import find_problem
from ghstars_assets.settings import Settings

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
    told = summary_of(skill, [FIRST])
    assert told["mae_with"] == pytest.approx(5.0)
    assert told["skill_with"] == pytest.approx(0.5)
    assert told["skill_without"] == pytest.approx(0.2)
    assert told["days_scored"] == 2


@pytest.mark.parametrize(("apart", "most"), [(6, 2), (7, 1)])
def test_trainings_are_counted_by_any_seven_days(apart: int, most: int) -> None:
    trained = [FIRST, FIRST + timedelta(days=apart)]
    assert summary_of(pl.DataFrame(), trained)["most_trained_in_a_week"] == most


def test_nothing_is_replayed_for_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    nowhere = tmp_path / "no" / "such.json"
    days = DayRange(FIRST, FIRST)
    with pytest.raises(GhstarsError, match="There is no folder"):
        run_replay(settings, find_problem("stars"), days, is_weekly=False, json_file=nowhere)
    assert not (tmp_path / "lake").exists()
