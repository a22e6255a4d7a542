"""Filling calibration: on forecasts that have come due and that the version never learnt from."""

from datetime import date, timedelta

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.outcomes import Status
from ghstars_assets.lake.tables import WARNED, Lake
from ghstars_assets.learning.forecasting import calibration
from ghstars_assets.learning.forecasting.calibration import Calibrator
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.training.candidate import Candidate
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.stage_runs import calibrate_days
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import AS_OF, DAYS

HORIZON = timedelta(days=PROBLEM.horizon_days)


@pytest.fixture
def modelled(tides: Lake, columns: LearningColumns, versions: ListedVersions) -> Lake:
    obtain_candidate(
        tides,
        PROBLEM,
        columns,
        PROBLEM.training,
        card=model_card,
        as_of=AS_OF,
        dagster_run_id="run",
        progress=lambda _message: None,
    )
    return tides


@pytest.fixture
def calibrator(tides: Lake, columns: LearningColumns, candidate: Candidate) -> Calibrator:
    learnt = candidate.plan.training_days[-1]
    return Calibrator(tides, PROBLEM, columns, candidate.served, learnt)


def test_the_days_it_is_measured_on_have_come_due_and_were_not_learnt_from(
    calibrator: Calibrator, candidate: Candidate
) -> None:
    days = calibrator.days_for(AS_OF)
    assert days[-1] == AS_OF - HORIZON
    assert days[0] >= candidate.plan.training_days[-1] + HORIZON
    assert calibrator.days_for(AS_OF + timedelta(days=1))[-1] == days[-1] + timedelta(days=1)


def test_days_that_nobody_knows_are_made_up_for_by_earlier_ones(
    calibrator: Calibrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "CALIBRATION_DAYS", 3)
    lacking = AS_OF - HORIZON
    calibrator.lake.delete("tides.labels", lacking)
    assert calibrator.days_for(AS_OF) == [lacking - timedelta(days=n) for n in (3, 2, 1)]


def test_an_outcome_that_spans_a_day_the_gate_warned_of_sizes_no_interval(
    calibrator: Calibrator,
) -> None:
    usual = calibrator.days_for(AS_OF)
    warned = usual[-1]
    snapshots = calibrator.lake.read("tides.snapshots", warned)
    calibrator.lake.write("tides.snapshots", warned, snapshots, notes={WARNED: "a spring tide"})
    touched = {warned - timedelta(days=n) for n in range(1, PROBLEM.horizon_days + 1)}
    assert calibrator.days_for(AS_OF) == [day for day in usual if day not in touched]
    assert touched < set(usual)


def test_a_day_is_stored_in_the_declared_columns_with_the_version_it_is_of(
    modelled: Lake, columns: LearningColumns
) -> None:
    (outcome,) = calibrate_days(modelled, PROBLEM, columns, {AS_OF: 1}, [AS_OF])
    assert outcome.status is Status.WRITTEN
    stored = modelled.read("tides.calibration", AS_OF)
    assert stored.schema == loop_tables(PROBLEM)["calibration"].empty().schema
    assert set(stored["model_version"]) == {1}
    assert set(stored["calibrated_through"]) == {AS_OF - HORIZON}


def test_without_a_champion_or_an_outcome_the_day_fails_and_says_what_to_do(
    modelled: Lake, columns: LearningColumns
) -> None:
    (unserved,) = calibrate_days(modelled, PROBLEM, columns, {}, [AS_OF])
    assert unserved.status is Status.FAILED
    assert f"no version of tides served on {AS_OF}" in unserved.reason
    for day in DayRange(date(2026, 2, 1), DAYS.last):
        modelled.delete("tides.labels", day)
    (unknown,) = calibrate_days(modelled, PROBLEM, columns, {AS_OF: 1}, [AS_OF])
    assert unknown.status is Status.FAILED
    assert "nobody can say how wide the intervals" in unknown.reason
    assert modelled.days("tides.calibration") == []
