"""Served models: they forecast as the trained one did, with intervals that make sense."""

import itertools
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.tables import booster_column
from ghstars_assets.learning.tasks.intervals import ENDS, Calibration, Group
from ghstars_assets.learning.training.candidate import Candidate
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, settings_of

ALL_ROWS = Group(is_sparse=False, upper_bound=None, rows=1, shifts=(0.0,) * len(ENDS))
UNMOVED = Calibration((ALL_ROWS,), DAYS.first, DAYS.last)
"""The intervals as the heads have them."""


@pytest.fixture
def features(tides_home: Path) -> pl.DataFrame:
    return Lake(settings_of(tides_home)).read("tides.features", DAYS.last)


def test_what_is_read_back_forecasts_as_what_was_trained(
    candidate: Candidate, features: pl.DataFrame
) -> None:
    trained = candidate.served
    row = {booster_column(head): text for head, text in trained.texts.items()}
    read_back = ServedModel.from_row(PROBLEM, {"served": trained.served_json(), **row})
    assert read_back == trained
    assert_frame_equal(
        read_back.forecast(features, UNMOVED), trained.forecast(features, UNMOVED), check_exact=True
    )


def test_a_version_of_before_intervals_had_heads_says_what_it_lacks(candidate: Candidate) -> None:
    trained = candidate.served
    row = {booster_column(head): trained.texts[head] for head in ("typical", "mean")}
    old = ServedModel.from_row(PROBLEM, {"served": trained.served_json(), **row})
    assert old.missing_heads == ["low_80", "high_80", "low_95", "high_95"]
    assert trained.missing_heads == []


def _is_nested(forecast: pl.DataFrame) -> bool:
    order = ("low_95", "low_80", "typical", "high_80", "high_95")
    nested = (pl.col(a) <= pl.col(b) for a, b in itertools.pairwise(order))
    return forecast.select(pl.all_horizontal(*nested).all()).item()


def test_the_80_interval_lies_in_the_95_and_the_typical_value_in_both(
    candidate: Candidate, features: pl.DataFrame
) -> None:
    forecast = candidate.served.forecast(features, UNMOVED)
    assert _is_nested(forecast)
    assert (forecast["low_80"] < forecast["high_80"]).all()


def test_a_forecast_is_of_its_row_alone(candidate: Candidate, features: pl.DataFrame) -> None:
    together = candidate.served.forecast(features, UNMOVED)
    for row in range(features.height):
        alone = candidate.served.forecast(features.slice(row, 1), UNMOVED)
        assert_frame_equal(alone, together.slice(row, 1), check_exact=True)


def test_a_forecast_says_whose_it_is(candidate: Candidate, features: pl.DataFrame) -> None:
    key = ["day", "station"]
    shuffled = features.sample(fraction=1, shuffle=True, seed=1)
    found = candidate.served.forecast(shuffled, UNMOVED)
    assert_frame_equal(found.select(key), shuffled.select(key))
    ordered = candidate.served.forecast(features, UNMOVED)
    assert_frame_equal(found.sort(key), ordered.sort(key), check_exact=True)


def test_what_is_not_known_of_a_row_is_missing_and_no_number(
    candidate: Candidate, features: pl.DataFrame
) -> None:
    unknown = features.with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in candidate.served.columns.features
    )
    forecast = candidate.served.forecast(unknown, UNMOVED)
    assert forecast["typical"].is_finite().all()
    assert _is_nested(forecast)
    zeros = unknown.with_columns(pl.col(candidate.served.columns.features).fill_null(0))
    assert not forecast["typical"].equals(candidate.served.forecast(zeros, UNMOVED)["typical"])


def test_it_says_which_columns_it_misses(candidate: Candidate) -> None:
    assert candidate.served.lacking(["level_cm", "rise_cm", "tide"]) == [
        "day_before_cm",
        "week_before_cm",
    ]
