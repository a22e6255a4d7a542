"""Metrics: one definition, whether rows, SQL or the sums of days are asked."""

import numpy as np
import polars as pl
import pytest

from ghstars_assets.lake.duck import scratch_session
from ghstars_assets.learning.evaluation import metrics
from ghstars_assets.learning.tasks.intervals import INTERVALS


@pytest.fixture
def rows() -> pl.DataFrame:
    """Forecasts of five days, some of which meet an end of their interval exactly."""
    dice = np.random.default_rng(3)
    actual = np.round(dice.lognormal(2, 1, 500))
    typical = np.round(actual + dice.normal(0, 4, 500))
    return pl.DataFrame(
        {
            "day": np.repeat(np.arange(5), 100),
            "actual": actual,
            "typical": typical,
            "naive": actual + dice.normal(0, 6, 500),
            "low_80": typical - 4,
            "high_80": typical + 4,
            "low_95": typical - 7,
            "high_95": typical + 9,
        }
    )


def _sums(rows: pl.DataFrame) -> metrics.ErrorSums:
    return metrics.ErrorSums.of(
        rows.lazy(),
        error=metrics.absolute_error("typical"),
        error_naive=metrics.absolute_error("naive"),
        squared_error=metrics.squared_error("typical"),
    )


def test_the_sums_of_days_add_up_to_those_of_all_rows(rows: pl.DataFrame) -> None:
    by_day = [_sums(rows.filter(day=day)) for day in range(5)]
    found, whole = metrics.ErrorSums.together(by_day), _sums(rows)
    for name in ("rows", "mean_error", "mean_error_naive", "skill", "rmse", "r2"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-12)


def test_sql_and_polars_measure_the_same(rows: pl.DataFrame) -> None:
    measures = metrics.point_measures_sql("typical") | metrics.interval_measures_sql(INTERVALS)
    listed = ", ".join(f"{measure} as {name}" for name, measure in measures.items())
    with scratch_session() as connection:
        connection.register("measured", rows)
        found = connection.sql(f"select {listed} from measured").pl().row(0, named=True)
    whole = _sums(rows)
    beside = metrics.errors_beside_naive(
        rows, metrics.absolute_error("typical"), metrics.absolute_error("naive")
    )
    for name, expected in {
        "mae": whole.mean_error,
        "skill_vs_naive": whole.skill,
        "r2": whole.r2,
        "bias": metrics.total_ratio(rows, "typical"),
        **{
            f"coverage_{share}": rows.select(metrics.interval_held(share).mean()).item()
            for share in INTERVALS
        },
    }.items():
        assert found[name] == pytest.approx(expected, rel=1e-12), name
    assert beside["mae"] == pytest.approx(whole.mean_error)
    assert beside["skill_vs_naive"] == pytest.approx(whole.skill)


def test_the_ends_of_an_interval_are_in_it_for_arrays_too(rows: pl.DataFrame) -> None:
    arrays = (rows[name].to_numpy() for name in ("actual", "low_80", "high_80"))
    inside = metrics.lies_within(*arrays)
    assert inside.tolist() == rows.select(metrics.interval_held("80")).to_series().to_list()
    assert rows.filter(pl.col("actual") == pl.col("low_80")).height > 0


def test_a_naive_forecast_that_was_never_wrong_leaves_no_skill_to_have() -> None:
    assert metrics.skill(1.0, 0.0) is None
    assert metrics.skill(1.0, 4.0) == 0.75


def test_the_area_under_the_curve_is_the_share_of_pairs_in_the_right_order() -> None:
    value, is_so = pl.Series([0.1, 0.4, 0.4, 0.9]), pl.Series([False, True, False, True])
    assert metrics.area_under_roc(value, is_so) == (1 + 0.5 + 1 + 1) / 4
    assert metrics.area_under_roc(value, pl.Series([True] * 4)) is None
