"""Predictions: each day's champion on that day's features, and what becomes of days without."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.holes import declare_gaps
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.stage_runs import calibrate_days, predict_days
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import AS_OF, DAYS, fill_table, trained_with

DAY = AS_OF


@pytest.fixture
def modelled(tides: Lake, columns: LearningColumns, versions: ListedVersions) -> Lake:
    """Tides with a version 1 that says much and a version 2 that says little."""
    for training in (PROBLEM.training, trained_with(rounds=1)):
        obtain_candidate(
            tides,
            PROBLEM,
            columns,
            training,
            card=model_card,
            as_of=AS_OF,
            dagster_run_id="run",
            progress=lambda _message: None,
        )
    return tides


def _predict(lake: Lake, columns: LearningColumns, champions: dict[date, int]) -> list[DayOutcome]:
    list(calibrate_days(lake, PROBLEM, columns, champions, sorted(champions)))
    return list(predict_days(lake, PROBLEM, columns, champions, sorted(champions)))


def _one(lake: Lake, columns: LearningColumns, day: date = DAY) -> DayOutcome:
    (outcome,) = _predict(lake, columns, {day: 1})
    return outcome


def test_each_day_is_forecast_by_its_own_champion(modelled: Lake, columns: LearningColumns) -> None:
    next_day = DAY + timedelta(days=1)
    outcomes = _predict(modelled, columns, {DAY: 1, next_day: 2})
    assert [(outcome.status, outcome.rows) for outcome in outcomes] == [(Status.WRITTEN, 6)] * 2
    first, second = (modelled.read("tides.predictions", day) for day in (DAY, next_day))
    assert set(first["model_version"]) == {1}
    assert set(second["model_version"]) == {2}
    (again,) = _predict(modelled, columns, {DAY: 2})
    assert again.status is Status.WRITTEN
    assert not modelled.read("tides.predictions", DAY)["typical"].equals(first["typical"])


def test_a_calibration_of_an_earlier_release_makes_the_same_forecasts(
    modelled: Lake, columns: LearningColumns
) -> None:
    _one(modelled, columns)
    expected = modelled.read("tides.predictions", DAY)
    stored = modelled.read("tides.calibration", DAY)
    earlier = stored.rename({"is_sparse": "is_thin", "upper_bound": "upto"})
    modelled.write("tides.calibration", DAY, earlier)
    (outcome,) = predict_days(modelled, PROBLEM, columns, {DAY: 1}, [DAY])
    assert outcome.status is Status.WRITTEN
    assert_frame_equal(modelled.read("tides.predictions", DAY), expected, check_exact=True)


def test_a_forecast_stands_beside_the_naive_one_in_the_declared_columns(
    modelled: Lake, columns: LearningColumns
) -> None:
    _one(modelled, columns)
    stored = modelled.read("tides.predictions", DAY)
    assert stored.schema == loop_tables(PROBLEM)["predictions"].empty().schema
    features = modelled.read("tides.features", DAY)
    assert stored["station"].to_list() == features["station"].to_list()
    assert stored["naive"].to_list() == features["level_cm"].to_list()
    assert {driver["feature"] for drivers in stored["drivers"] for driver in drivers} == set(
        columns.features
    )


def test_a_forecast_follows_its_entity_and_not_its_place(
    modelled: Lake, columns: LearningColumns
) -> None:
    _one(modelled, columns)
    before = modelled.read("tides.predictions", DAY)
    features = modelled.read("tides.features", DAY)
    modelled.write("tides.features", DAY, features.reverse())
    _one(modelled, columns)
    assert_frame_equal(modelled.read("tides.predictions", DAY), before)


def test_a_day_that_no_version_served_fails_and_says_what_to_do_while_others_go_on(
    modelled: Lake, columns: LearningColumns
) -> None:
    days = DayRange(DAY, DAY + timedelta(days=1))
    list(calibrate_days(modelled, PROBLEM, columns, {days.last: 1}, [days.last]))
    failed, written = predict_days(modelled, PROBLEM, columns, {days.last: 1}, days)
    assert (failed.status, written.status) == (Status.FAILED, Status.WRITTEN)
    assert f"no version of tides served on {DAY}" in failed.reason
    assert "ghstars backfill tides" in failed.reason
    assert modelled.days("tides.predictions") == [days.last]


def test_a_quarantined_day_is_skipped_and_keeps_no_forecast_of_before(
    modelled: Lake, columns: LearningColumns
) -> None:
    _one(modelled, columns)
    gauges = modelled.read("tides.gauges", DAY)
    modelled.write("tides.gauges", DAY, gauges.head(2))
    one_day = DayRange(DAY, DAY)
    for stage in ("snapshots", "features"):
        fill_table(modelled, stage, one_day)
    outcome = _one(modelled, columns)
    assert outcome.status is Status.SKIPPED
    assert f"tides.snapshots of {DAY} is quarantined (half_is_missing" in outcome.reason
    assert modelled.days("tides.predictions") == []


def test_a_declared_gap_is_an_empty_day_that_says_why(
    modelled: Lake, columns: LearningColumns
) -> None:
    modelled.delete("tides.gauges", DAY)
    one_day = DayRange(DAY, DAY)
    declare_gaps(modelled, "tides", one_day, "the gauges were painted")
    for stage in ("snapshots", "features"):
        fill_table(modelled, stage, one_day)
    outcome = _one(modelled, columns)
    assert (outcome.status, outcome.reason) == (Status.GAP, "the gauges were painted")
    (partition,) = modelled.partitions("tides.predictions", one_day)
    assert modelled.notes(partition)[GAP] == "the gauges were painted"
    assert modelled.read("tides.predictions", DAY).is_empty()


def test_a_day_whose_features_were_never_filled_fails_and_says_what_to_do(
    modelled: Lake, columns: LearningColumns
) -> None:
    day = DAYS.last + timedelta(days=1)
    outcome = _one(modelled, columns, day)
    assert outcome.status is Status.FAILED
    assert f"--from {day} --to {day} --stages features" in outcome.reason


def test_a_version_that_needs_a_column_that_is_gone_fails_and_names_it(
    modelled: Lake, columns: LearningColumns
) -> None:
    without = modelled.read("tides.features", DAY).drop("rise_cm")
    modelled.write("tides.features", DAY, without)
    outcome = _one(modelled, columns)
    assert outcome.status is Status.FAILED
    assert "version 1 of tides forecasts with rise_cm" in outcome.reason


def test_a_day_without_a_row_is_forecast_as_one(modelled: Lake, columns: LearningColumns) -> None:
    modelled.write("tides.features", DAY, modelled.read("tides.features", DAY).clear())
    outcome = _one(modelled, columns)
    assert (outcome.status, outcome.rows) == (Status.WRITTEN, 0)


def test_forecasts_are_put_in_words_where_the_problem_has_any(
    modelled: Lake, columns: LearningColumns
) -> None:
    def words_of(features: pl.DataFrame, forecasts: pl.DataFrame) -> pl.Series:
        leading = pl.col("drivers").list.first().struct.field("feature")
        return (
            pl.concat([features.select("station"), forecasts.select(leading)], how="horizontal")
            .select(pl.concat_str("station", "feature", separator=": "))
            .to_series()
        )

    _one(modelled, columns)
    without = modelled.read("tides.predictions", DAY)
    assert without["in_words"].null_count() == without.height
    list(predict_days(modelled, replace(PROBLEM, words=words_of), columns, {DAY: 1}, [DAY]))
    stored = modelled.read("tides.predictions", DAY)
    assert stored["in_words"].to_list() == [
        f"{row['station']}: {row['drivers'][0]['feature']}" for row in stored.iter_rows(named=True)
    ]
    assert_frame_equal(stored.drop("in_words"), without.drop("in_words"))


def test_what_happens_later_moves_no_forecast(modelled: Lake, columns: LearningColumns) -> None:
    _one(modelled, columns)
    before = modelled.read("tides.predictions", DAY)
    for day in DayRange(DAY + timedelta(days=1), DAYS.last):
        changed = modelled.read("tides.snapshots", day).with_columns(pl.col("level_cm") * 2)
        modelled.write("tides.snapshots", day, changed)
    fill_table(modelled, "features", DayRange(DAY, DAY))
    _one(modelled, columns)
    assert_frame_equal(modelled.read("tides.predictions", DAY), before, check_exact=True)
