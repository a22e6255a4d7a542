"""The backtest: every day as it would have gone, and no way to cheat."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError, NotEnoughHistoryError, SqlAssetError
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation import backtest
from ghstars_assets.learning.evaluation.backtest import UP_TO_DATE, Backtest, Mode, Period, periods
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.tables import backtest_table
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, LABELLED, rewrite, wired_tides

ORIGINS = DayRange(date(2026, 2, 9), date(2026, 2, 24))
FORECASTS = ("typical", "mean", "low_80", "high_80", "low_95", "high_95")


def _backtest(lake: Lake, mode: Mode = "weekly") -> Backtest:
    return Backtest(lake, PROBLEM, wired_tides(), PROBLEM.training, mode, lambda _text: None)


def _run(lake: Lake, days: DayRange = ORIGINS, mode: Mode = "weekly") -> list[DayOutcome]:
    return list(_backtest(lake, mode).run(days))


def _forecasts(lake: Lake, days: DayRange = ORIGINS) -> pl.DataFrame:
    return lake.scan("tides.backtest", days).sort("day", "station").collect()


def test_months_and_weeks_are_whole_ones_wherever_a_backtest_begins() -> None:
    days = DayRange(date(2026, 1, 30), date(2026, 2, 3))
    assert periods(days, "monthly") == [
        Period(date(2026, 1, 1), DayRange(date(2026, 1, 30), date(2026, 1, 31))),
        Period(date(2026, 2, 1), DayRange(date(2026, 2, 1), date(2026, 2, 3))),
    ]
    assert [period.trained_as_of for period in periods(days, "weekly")] == [
        date(2026, 1, 26),
        date(2026, 2, 2),
    ]
    assert periods(days, "never") == [Period(days.first, days)]


def test_a_backtest_writes_one_row_for_each_forecast(tides: Lake, columns: LearningColumns) -> None:
    outcomes = _run(tides)
    assert [outcome.day for outcome in outcomes] == list(ORIGINS)
    stored = _forecasts(tides)
    assert stored.schema == backtest_table(PROBLEM, columns).empty().schema
    assert stored.height == sum(outcome.rows for outcome in outcomes) == 6 * len(ORIGINS)
    assert set(stored["mode"]) == {"weekly"}
    labels = tides.scan("tides.labels", ORIGINS).collect()
    both = stored.join(labels, on=["day", "station"])
    assert both["actual"].to_list() == both["level_in_3d_cm"].to_list()


def test_nothing_is_learnt_or_calibrated_on_that_was_not_known_on_the_day(tides: Lake) -> None:
    _run(tides)
    stored = _forecasts(tides)
    horizon = timedelta(days=PROBLEM.horizon_days)
    assert (stored["calibrated_through"] <= stored["day"] - horizon).all()
    monday = stored["day"].dt.truncate("1w")
    assert (stored["trained_through"] < monday - horizon).all()
    # And no interval is measured on what the model learnt.
    assert (stored["trained_through"] < stored["calibrated_through"]).all()


@pytest.mark.parametrize("stage", ["features", "labels", "snapshots"])
def test_whatever_comes_after_a_day_its_forecasts_stay_as_they_were(
    tides: Lake, stage: str
) -> None:
    """The future is turned into nonsense; what was forecast before does not move."""
    _run(tides)
    before = _forecasts(tides)
    day = date(2026, 2, 18)
    known = DayRange(ORIGINS.first, day)
    if stage == "labels":
        # The outcome of a day is known as many days later as the horizon is long.
        newest = day - timedelta(days=PROBLEM.horizon_days)
        later = DayRange(newest + timedelta(days=1), LABELLED.last)
        rewrite(tides, "labels", later, level_in_3d_cm=pl.lit(-5000.0))
    elif stage == "features":
        later = DayRange(day + timedelta(days=1), DAYS.last)
        rewrite(tides, "features", later, rise_cm=pl.lit(9e6))
        known = DayRange(ORIGINS.first, date(2026, 2, 15))  # the week's model is refused below
    else:
        later = DayRange(day + timedelta(days=1), DAYS.last)
        rewrite(tides, "snapshots", later, level_cm=pl.lit(9e6))
    _run(tides, known)
    unmoved = before.filter(pl.col("day").is_in(list(known)))
    assert_frame_equal(
        _forecasts(tides, known).select("day", "station", *FORECASTS),
        unmoved.select("day", "station", *FORECASTS),
        check_exact=True,
    )


def test_features_that_saw_the_future_stop_the_backtest(tides: Lake) -> None:
    day = ORIGINS.first
    rewrite(tides, "features", [day], rise_cm=pl.col("rise_cm") + 1)
    with pytest.raises(SqlAssetError, match=r"other values in rise_cm"):
        _run(tides)
    assert tides.days("tides.backtest") == []


def test_a_second_backtest_finds_all_of_it_and_trains_nothing(
    tides: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(tides)
    before = _forecasts(tides)
    monkeypatch.setattr(backtest, "train_candidate", _never)
    again = _run(tides)
    assert {outcome.reason for outcome in again} == {UP_TO_DATE}
    assert [outcome.rows for outcome in again] == [6] * len(ORIGINS)
    assert_frame_equal(_forecasts(tides), before)


def test_a_backtest_that_was_ended_half_way_goes_on_and_ends_as_if_it_had_not_been(
    tides: Lake,
) -> None:
    whole = _run_whole_elsewhere(tides)
    outcomes: Iterator[DayOutcome] = _backtest(tides).run(ORIGINS)
    for _ in range(5):
        next(outcomes)
    del outcomes
    assert len(tides.days("tides.backtest")) == 5
    resumed = _run(tides)
    assert [outcome.reason == UP_TO_DATE for outcome in resumed].count(True) == 5
    assert_frame_equal(_forecasts(tides), whole)


def test_a_forecast_finds_its_row_by_key_in_whatever_order_forecasts_come(
    tides: Lake, columns: LearningColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_baseline = {"tides": replace(columns, baselines=("week_before_cm",))}
    wired = replace(wired_tides(), columns=with_baseline)
    backtest_of = Backtest(tides, PROBLEM, wired, PROBLEM.training, "never", lambda _text: None)
    list(backtest_of.run(ORIGINS))
    ordered = _forecasts(tides)
    for day in ORIGINS:
        tides.delete("tides.backtest", day)
    forecast = ServedModel.forecast

    def shuffled(*given: object) -> pl.DataFrame:
        return forecast(*given).sample(fraction=1, shuffle=True, seed=1)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(ServedModel, "forecast", shuffled)
    list(backtest_of.run(ORIGINS))
    found = _forecasts(tides)
    assert_frame_equal(found.drop("fingerprint"), ordered.drop("fingerprint"))
    features = tides.scan("tides.features", ORIGINS).collect()
    both = found.join(features, on=["day", "station"], suffix="_known")
    assert both["naive"].to_list() == both["level_cm"].to_list()
    assert both["week_before_cm"].to_list() == both["week_before_cm_known"].to_list()


def test_an_outcome_that_came_in_later_is_filled_in(tides: Lake) -> None:
    newest = LABELLED.last
    day = DayRange(newest, newest)
    labels = tides.read("tides.labels", newest)
    tides.delete("tides.labels", newest)
    _run(tides, day)
    assert _forecasts(tides, day)["actual"].null_count() == 6
    tides.write("tides.labels", newest, labels)
    _run(tides, day)
    assert _forecasts(tides, day)["actual"].null_count() == 0


def test_cadences_stand_side_by_side(tides: Lake) -> None:
    for mode in backtest.MODES:
        _run(tides, mode=mode)
    stored = tides.scan("tides.backtest", ORIGINS).collect()
    assert stored.group_by("mode").len().sort("mode").rows() == [
        (mode, 6 * len(ORIGINS)) for mode in sorted(backtest.MODES)
    ]
    trained = stored.group_by("mode").agg(pl.col("trained_through").n_unique())
    assert dict(trained.rows()) == {"monthly": 1, "never": 1, "weekly": 3}


def test_a_day_without_rows_is_a_hole_and_no_failure(tides: Lake) -> None:
    day = date(2026, 2, 12)
    tides.write("tides.features", day, tides.read("tides.features", day).clear())
    outcomes = {outcome.day: outcome for outcome in _run(tides)}
    assert outcomes[day].status is Status.GAP
    assert outcomes[day + timedelta(days=1)].status is Status.WRITTEN


def test_days_before_any_model_could_be_trained_are_refused_with_the_reason(tides: Lake) -> None:
    early = DayRange(DAYS.first, DAYS.first + timedelta(days=3))
    with pytest.raises(NotEnoughHistoryError, match="needs 10 labelled days"):
        _run(tides, early)
    elsewhere = DayRange(date(2020, 1, 1), date(2020, 1, 3))
    with pytest.raises(MissingDayError, match=r"ghstars backfill tides --from 2020-01-01"):
        _run(tides, elsewhere)


def _run_whole_elsewhere(lake: Lake) -> pl.DataFrame:
    _run(lake)
    whole = _forecasts(lake)
    for day in lake.days("tides.backtest"):
        lake.delete("tides.backtest", day)
    return whole


def _never(*_given: object) -> None:
    raise AssertionError("nothing was to be trained")
