"""Scores: a forecast beside what happened to the same entity on the same day."""

from datetime import date, timedelta

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.holes import declare_gaps
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets_tests.support.stage_runs import score_days
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, LABELLED, fill_table

DAY = date(2026, 2, 10)


@pytest.fixture
def forecast(tides: Lake) -> Lake:
    """Tides with forecasts of every day: what they say of a station is its place in the list."""
    table = loop_tables(PROBLEM)["predictions"]
    for day in DAYS:
        known = tides.read("tides.features", day).select(
            "day", "station", naive="level_cm", typical=pl.int_range(pl.len()).cast(pl.Float64)
        )
        rows = pl.concat([table.empty(), known], how="diagonal")
        tides.write(table.name, day, rows)
    return tides


def _score(lake: Lake, columns: LearningColumns, day: date = DAY) -> DayOutcome:
    (outcome,) = score_days(lake, PROBLEM, columns, [day])
    return outcome


def test_forecasts_meet_the_outcome_of_their_own_station(
    forecast: Lake, columns: LearningColumns
) -> None:
    labels = forecast.read("tides.labels", DAY)
    # Neither in the order of the forecasts nor complete, and one outcome is null.
    shuffled = labels.reverse().filter(pl.col("station") != "Dover")
    null_at_brest = pl.when(pl.col("station") != "Brest").then("level_in_3d_cm")
    forecast.write("tides.labels", DAY, shuffled.with_columns(level_in_3d_cm=null_at_brest))
    outcome = _score(forecast, columns)
    assert (outcome.status, outcome.rows) == (Status.WRITTEN, 4)
    scores = forecast.read("tides.scores", DAY)
    happened = dict(labels.select("station", "level_in_3d_cm").iter_rows())
    predicted = forecast.read("tides.predictions", DAY)
    forecast_at = dict(predicted.select("station", "typical").iter_rows())
    assert scores["station"].to_list() == ["Cuxhaven", "Hoek van Holland", "Le Havre", "St. Mary's"]
    for station, typical, actual in scores.select("station", "typical", "actual").iter_rows():
        assert actual == happened[station]
        assert typical == forecast_at[station]


def test_an_outcome_of_another_day_is_none_of_this_one(
    forecast: Lake, columns: LearningColumns
) -> None:
    other = forecast.read("tides.labels", DAY + timedelta(days=1))
    forecast.write("tides.labels", DAY, other)
    assert _score(forecast, columns).rows == 0


def test_the_outcome_of_a_day_is_that_of_three_days_later(
    forecast: Lake, columns: LearningColumns
) -> None:
    _score(forecast, columns)
    later = forecast.read("tides.snapshots", DAY + timedelta(days=3))
    assert forecast.read("tides.scores", DAY)["actual"].to_list() == later["level_cm"].to_list()


@pytest.mark.parametrize("stage", ["predictions", "labels"])
def test_what_is_not_there_to_be_scored_fails_and_says_what_to_do(
    forecast: Lake, columns: LearningColumns, stage: str
) -> None:
    forecast.delete(f"tides.{stage}", DAY)
    outcome = _score(forecast, columns)
    assert outcome.status is Status.FAILED
    assert f"tides.{stage} has no {DAY}" in outcome.reason
    assert f"--from {DAY} --to {DAY} --stages {stage}" in outcome.reason
    assert forecast.days("tides.scores") == []


def test_a_quarantined_day_is_skipped_and_keeps_no_score_of_before(
    forecast: Lake, columns: LearningColumns
) -> None:
    _score(forecast, columns)
    forecast.write("tides.gauges", DAY, forecast.read("tides.gauges", DAY).head(2))
    one_day = DayRange(DAY, DAY)
    for stage in ("snapshots", "features", "labels"):
        fill_table(forecast, stage, one_day)
    outcome = _score(forecast, columns)
    assert outcome.status is Status.SKIPPED
    assert "is quarantined (half_is_missing" in outcome.reason
    assert forecast.days("tides.scores") == []


def test_where_the_outcome_fell_into_a_gap_the_day_is_empty_and_says_why(
    forecast: Lake, columns: LearningColumns
) -> None:
    outcome_day = DAY + timedelta(days=PROBLEM.horizon_days)
    forecast.delete("tides.gauges", outcome_day)
    declare_gaps(forecast, "tides", DayRange(outcome_day, outcome_day), "a storm")
    fill_table(forecast, "snapshots", DayRange(outcome_day, outcome_day))
    fill_table(forecast, "labels", DayRange(DAY, DAY))
    outcome = _score(forecast, columns)
    assert (outcome.status, outcome.rows) == (Status.GAP, 0)
    assert outcome.reason == f"tides.snapshots of {outcome_day} is a hole (a storm)"
    assert forecast.read("tides.scores", DAY).is_empty()


def test_a_range_is_scored_as_its_days_one_by_one(forecast: Lake, columns: LearningColumns) -> None:
    outcomes = list(score_days(forecast, PROBLEM, columns, LABELLED))
    together = forecast.scan("tides.scores").collect()
    assert len(outcomes) == len(LABELLED)
    for day in LABELLED:
        forecast.delete("tides.scores", day)
        _score(forecast, columns, day)
    assert forecast.scan("tides.scores").collect().equals(together)
