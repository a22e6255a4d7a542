"""A home in its first months: history that grows is no drift, and drift is drift all the same."""

from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.outcomes import Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.drift_statistics import threshold_multiples
from ghstars_assets.learning.monitoring.drift_summary import drift_on
from ghstars_assets.learning.monitoring.young_history import too_early_to_tell
from ghstars_assets.learning.wiring import Wired, wire
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.settings import SQL_ROOT
from ghstars_assets_tests.support.filled_home import (
    MODEL_DAYS,
    PREDICTED_DAYS,
    SCORED_DAYS,
    fill_loop_stage,
    settings_of,
)


def _features(**missing: tuple[float, float]) -> dict[str, dict[str, float]]:
    """By name, the share without a value in the training rows and in the latest."""
    return {
        name: {"share_missing_reference": then, "share_missing": now}
        for name, (then, now) in missing.items()
    }


def test_what_was_mostly_unknown_in_training_is_not_compared() -> None:
    found = too_early_to_tell(_features(far=(0.9, 0.1), near=(0.01, 0.0)), PROBLEM.gates)
    assert found == {
        "far": "too early to tell: unknown in 90.0% of the training rows, whose history was "
        "shorter, and in 10.0% of these"
    }


def test_values_that_are_gone_are_no_sign_of_youth() -> None:
    assert too_early_to_tell(_features(a=(0.0, 0.5), b=(0.1, 0.6)), PROBLEM.gates) == {}
    young = _features(a=(0.9, 0.0), gone=(0.0, 0.3))
    assert set(too_early_to_tell(young, PROBLEM.gates)) == {"a"}


def test_in_a_long_history_one_feature_that_is_known_more_often_has_changed() -> None:
    steady = {f"steady_{number}": (0.02, 0.0) for number in range(30)}
    assert too_early_to_tell(_features(back=(0.4, 0.0), **steady), PROBLEM.gates) == {}


def _fill(lake: Lake, wired: Wired, stage: str, days: DayRange) -> pl.DataFrame:
    outcomes = fill_loop_stage(lake, wired, stage, days)
    assert {outcome.status for outcome in outcomes} == {Status.WRITTEN}
    return lake.scan(PROBLEM.table(stage), days).collect()


@pytest.fixture(scope="module")
def wired() -> Wired:
    return wire([PROBLEM], SQL_ROOT)


def test_a_young_world_that_stands_still_is_healthy_on_all_days(
    filled_home_copy: Path, wired: Wired
) -> None:
    lake = Lake(settings_of(filled_home_copy))
    for day in SCORED_DAYS:
        # What its small models are worth is another matter, and asks for retraining by itself.
        lake.delete("stars.scores", day)
    drift = _fill(lake, wired, "drift", PREDICTED_DAYS).filter(kind="feature")
    health = _fill(lake, wired, "health", PREDICTED_DAYS)
    assert set(health["decision"]) == {"healthy"}
    assert "it is too early to tell" in health["reason"][0]
    gates = PROBLEM.gates
    apart = [
        any(times > 1 for times in threshold_multiples(row, gates).values())
        for row in drift.iter_rows(named=True)
    ]
    assert sum(apart) > 0.7 * drift.height, "else there was nothing to be mistaken for drift"


def test_what_changes_in_a_young_world_is_found_on_that_day(
    filled_home_copy: Path, wired: Wired
) -> None:
    lake = Lake(settings_of(filled_home_copy))
    day = MODEL_DAYS[0]
    known = ("log_stars", "days_since_push")
    before = _fill(lake, wired, "drift", DayRange(day, day))
    assert not set(known) & set(drift_on(before, PROBLEM.gates).drifted)
    features = lake.read("stars.features", day)
    moved = features.with_columns(pl.col(known) + 1000)
    lake.write("stars.features", day, moved)
    after = _fill(lake, wired, "drift", DayRange(day, day))
    assert set(known) <= set(drift_on(after, PROBLEM.gates).drifted)
