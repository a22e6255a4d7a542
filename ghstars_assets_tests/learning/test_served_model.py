"""Served models: they forecast as the trained one did, with intervals that make sense."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.candidate import Candidate
from ghstars_assets.learning.served_model import (
    FEWEST_ROWS_IN_A_LEVEL,
    ErrorSpread,
    ServedModel,
    measure_spread,
)
from ghstars_assets.problems.stars.problem import PROBLEM as STARS
from ghstars_assets_tests.learning.tides.problem import PROBLEM
from ghstars_assets_tests.learning.tides_lake import DAYS, settings_of

VALUES = st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), min_size=1, max_size=50)


@pytest.fixture
def features(tides_home: Path) -> pl.DataFrame:
    return Lake(settings_of(tides_home)).read("tides.features", DAYS.last)


def test_what_is_read_back_forecasts_as_what_was_trained(
    candidate: Candidate, features: pl.DataFrame
) -> None:
    trained = candidate.served
    row = {
        "served": trained.served_json(),
        "booster_typical": trained.booster_typical,
        "booster_mean": trained.booster_mean,
    }
    read_back = ServedModel.from_row(PROBLEM, row)
    assert read_back == trained
    assert_frame_equal(read_back.forecast(features), trained.forecast(features), check_exact=True)


def _is_nested(forecast: pl.DataFrame) -> bool:
    order = ("low_95", "low_80", "typical", "high_80", "high_95")
    nested = (pl.col(a) <= pl.col(b) for a, b in itertools.pairwise(order))
    return forecast.select(pl.all_horizontal(*nested).all()).item()


def test_the_80_interval_lies_in_the_95_and_the_typical_value_in_both(
    candidate: Candidate, features: pl.DataFrame
) -> None:
    forecast = candidate.served.forecast(features)
    assert _is_nested(forecast)
    assert (forecast["low_80"] < forecast["high_80"]).all()


@pytest.mark.parametrize("error", [-80.0, 80.0])
def test_a_model_that_always_missed_on_one_side_still_holds_its_typical_value(
    candidate: Candidate, features: pl.DataFrame, error: float
) -> None:
    quantiles = (error - 1, error + 1, error - 2, error + 2)
    biased = replace(candidate.served, spread=ErrorSpread((), (quantiles,)))
    assert _is_nested(biased.forecast(features))


@given(pairs=VALUES)
def test_the_quantiles_of_every_group_are_in_order_whatever_the_errors(
    pairs: list[tuple[float, float]],
) -> None:
    typical, actual = (np.array(side) for side in zip(*pairs, strict=True))
    spread = measure_spread(STARS, typical, actual)
    assert len(spread.quantiles) == len(spread.level_bounds) + 1
    for low_80, high_80, low_95, high_95 in spread.quantiles:
        assert low_95 <= low_80 <= high_80 <= high_95


def test_what_hardly_moves_has_narrower_intervals_than_what_soars() -> None:
    random = np.random.default_rng(4)
    rows = 4 * FEWEST_ROWS_IN_A_LEVEL
    typical = np.concatenate([np.linspace(0, 10, rows), np.linspace(1000, 2000, rows)])
    error = np.concatenate([random.normal(0, 1, rows), random.normal(0, 50, rows)])
    spread = measure_spread(PROBLEM, typical, typical + error)
    width = [high - low for low, high, *_ in spread.quantiles]
    assert len(width) == 8
    assert max(width[:4]) < min(width[4:])


def test_forecasts_that_are_mostly_equal_make_no_group_without_errors() -> None:
    rows = 10 * FEWEST_ROWS_IN_A_LEVEL
    typical = np.concatenate([np.full(rows, 3.0), [1.0, 900.0]])
    spread = measure_spread(PROBLEM, typical, typical + np.linspace(-2, 2, rows + 2))
    assert all(high - low > 1 for low, high, *_ in spread.quantiles)


def test_a_forecast_is_of_its_row_alone(candidate: Candidate, features: pl.DataFrame) -> None:
    together = candidate.served.forecast(features)
    for row in range(features.height):
        alone = candidate.served.forecast(features.slice(row, 1))
        assert_frame_equal(alone, together.slice(row, 1), check_exact=True)


def test_what_is_not_known_of_a_row_is_missing_and_no_number(
    candidate: Candidate, features: pl.DataFrame
) -> None:
    unknown = features.with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in candidate.served.columns.features
    )
    forecast = candidate.served.forecast(unknown)
    assert forecast["typical"].is_finite().all()
    assert _is_nested(forecast)
    zeros = unknown.with_columns(pl.col(candidate.served.columns.features).fill_null(0))
    assert not forecast["typical"].equals(candidate.served.forecast(zeros)["typical"])


def test_it_says_which_columns_it_misses(candidate: Candidate) -> None:
    assert candidate.served.lacking(["level_cm", "rise_cm", "tide"]) == [
        "day_before_cm",
        "week_before_cm",
    ]
