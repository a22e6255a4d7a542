"""Served models: they forecast as the trained one did, with intervals that make sense."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ghstars_assets.errors import DamagedModelError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel, damage_of
from ghstars_assets.learning.tables import booster_column
from ghstars_assets.learning.tasks.intervals import ENDS, Calibration, Group
from ghstars_assets.learning.training.candidate import Candidate
from ghstars_assets_tests.support.damaged_versions import (
    with_a_digit_changed,
    with_custom_objective,
)
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


def _row_of(trained: ServedModel, *, has_hashes: bool = True) -> dict[str, object]:
    texts = {booster_column(head): text for head, text in trained.texts.items()}
    row = {"day": DAYS.last, "model_version": 3, "served": trained.served_json(), **texts}
    return {**row, "sha256": json.dumps(trained.hashes())} if has_hashes else row


@pytest.mark.parametrize(
    ("column", "change", "what"),
    [
        ("booster_typical", with_a_digit_changed, "head typical: it is not the text that its"),
        ("booster_mean", lambda _text: "", "head mean: it is not the text that its"),
        ("served", lambda text: text.replace("rise_cm", "tide"), "its columns are not those"),
        ("served", lambda text: text[:-1], "its columns are not those"),
        ("sha256", lambda text: text[:-9], ""),
    ],
)
def test_what_its_training_did_not_record_is_not_loaded(
    candidate: Candidate, column: str, change: Callable[[str], str], what: str
) -> None:
    row = _row_of(candidate.served)
    assert damage_of(PROBLEM, row) == ""
    changed = {**row, column: change(str(row[column]))}
    assert damage_of(PROBLEM, changed).startswith(
        f"What is stored of version 3 of tides (tides.model of {DAYS.last}) is damaged ({what}"
    )
    assert damage_of(PROBLEM, changed).endswith(
        "make it again with `ghstars models tides --mend 3`."
    )


def test_of_an_earlier_release_that_recorded_nothing_the_structure_is_checked(
    candidate: Candidate, features: pl.DataFrame
) -> None:
    row = _row_of(candidate.served, has_hashes=False)
    assert damage_of(PROBLEM, row) == ""
    custom = with_custom_objective(str(row["booster_typical"]))
    served = ServedModel.from_row(PROBLEM, {**row, "booster_typical": custom})
    with pytest.raises(DamagedModelError, match="its objective is custom, where regression_l1"):
        served.point_values(features)


def test_heads_changed_about_are_noticed_without_any_hash(candidate: Candidate) -> None:
    row = _row_of(candidate.served, has_hashes=False)
    for one, other in (("typical", "mean"), ("low_80", "high_80"), ("low_80", "low_95")):
        swapped = {**row, booster_column(one): row[booster_column(other)]}
        assert f"(head {one}: " in damage_of(PROBLEM, swapped)
