"""The plan: which days are due by the schedule that the settings name."""

from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.plan import Plan
from ghstars_assets.learning.stages import chosen_stages
from ghstars_assets.orchestration.triggers.schedules import training_days
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, settings_of, wired_tides

FEBRUARY = DayRange(date(2026, 2, 1), date(2026, 2, 28))
WEDNESDAYS = [date(2026, 2, day) for day in (4, 11, 18, 25)]


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 7 * * 3", WEDNESDAYS),
        ("0 7 * * WED", WEDNESDAYS),
        ("0 0 * * 3", WEDNESDAYS),
        ("30 23 1 * *", [date(2026, 2, 1)]),
        ("0 6,18 2-3 * *", [date(2026, 2, 2), date(2026, 2, 3)]),
    ],
)
def test_training_days_are_those_on_which_the_schedule_runs(cron: str, days: list[date]) -> None:
    assert sorted(training_days(cron, FEBRUARY)) == days


def test_a_schedule_on_another_weekday_leaves_no_monday_missing(tmp_path: Path) -> None:
    lake = Lake(settings_of(tmp_path))
    marker = mark_lake(lake, Marker("sandbox", DAYS.first))
    plan = Plan(lake, PROBLEM, wired_tides(), marker, partial(training_days, "0 7 * * 3"))
    (model,) = chosen_stages(plan.stages, ["model"])
    assert plan.possible_days(model, FEBRUARY) == WEDNESDAYS
    # Since the first version, each Wednesday should have one; no Monday should.
    lake.write(model.table.name, date(2026, 2, 4), pl.DataFrame({"day": [date(2026, 2, 4)]}))
    due = plan.due_days(model, 365)
    assert due
    assert {day.weekday() for day in due} == {2}


def test_a_problem_of_which_nothing_is_stored_has_nothing_due(tmp_path: Path) -> None:
    """Somebody else's problem has begun the home, and no day of this one was ever taken."""
    lake = Lake(settings_of(tmp_path))
    marker = mark_lake(lake, Marker("sandbox"))
    plan = Plan(lake, PROBLEM, wired_tides(), marker, partial(training_days, "0 7 * * 1"))
    assert [plan.due_days(stage, 28) for stage in plan.stages] == [[]] * len(plan.stages)


def test_a_source_that_answers_the_past_lacks_its_newest_day_at_most(tmp_path: Path) -> None:
    """Nobody can ask for an earlier one any more, so no remedy could fill it."""
    lake = Lake(settings_of(tmp_path))
    marker = mark_lake(lake, Marker("sandbox", DAYS.first))
    plan = Plan(lake, PROBLEM, wired_tides(), marker, partial(training_days, "0 7 * * 1"))
    stage = next(stage for stage in plan.stages if stage.source)
    assert stage.source
    lake.write(stage.table.name, DAYS.first, pl.DataFrame({"day": [DAYS.first]}))
    assert len(plan.due_days(stage, 28)) > 1
    reaching_back = replace(stage, source=replace(stage.source, answers_the_past=True))
    assert plan.due_days(reaching_back, 28) == [plan.newest_day]
