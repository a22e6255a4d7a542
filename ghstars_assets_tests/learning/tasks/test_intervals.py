"""Calibration: intervals hold what they promise, however wide the heads made them."""

import itertools
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.tasks.intervals import (
    ENDS,
    FEWEST_ROWS_IN_A_LEVEL,
    FEWEST_ROWS_OF_A_KIND,
    INTERVALS,
    Calibration,
    RawForecast,
    calibrate,
)
from ghstars_assets.learning.tasks.target_forms import AsItIs, RelativeToBase
from ghstars_assets_tests.support.tides.problem import PROBLEM

Floats = NDArray[np.float64]

DAY = date(2026, 2, 1)
ORDER = ("low_95", "low_80", "high_80", "high_95")


def _raw(level: Floats, spread: float = 1.0, is_sparse: object = False) -> RawForecast:
    """Heads that say a normal spread around the typical value."""
    reach = {"low_80": -1.28, "high_80": 1.28, "low_95": -1.96, "high_95": 1.96}
    ends = {end: level + spread * reach[end] for end in ENDS}
    return RawForecast(level, ends, np.broadcast_to(np.asarray(is_sparse), level.shape).copy())


def _shares(calibration: Calibration, raw: RawForecast, actual: Floats) -> dict[str, float]:
    ends = calibration.applied_to(raw)
    return {
        share: float(((ends[f"low_{share}"] <= actual) & (actual <= ends[f"high_{share}"])).mean())
        for share in INTERVALS
    }


@pytest.mark.parametrize("spread", [0.1, 1.0, 7.0])
def test_heads_that_are_too_sure_or_not_sure_enough_are_set_right(spread: float) -> None:
    random = np.random.default_rng(1)
    level = random.uniform(0, 100, 20_000)
    actual = level + random.normal(0, 3, len(level))
    raw = _raw(level, spread)
    half = np.arange(len(level)) % 2 == 0
    measured = calibrate(AsItIs(), raw[half], actual[half], DAY, DAY)
    shares = _shares(measured, raw[~half], actual[~half])
    assert shares == pytest.approx({"80": 0.80, "95": 0.95}, abs=0.015)


def test_intervals_of_what_soars_and_of_what_hardly_moves_hold_as_often() -> None:
    random = np.random.default_rng(2)
    level = np.concatenate([random.uniform(0, 1, 10_000), random.uniform(50, 60, 10_000)])
    actual = level + random.normal(0, np.where(level > 10, 20, 0.1))
    raw = _raw(level)
    measured = calibrate(AsItIs(), raw, actual, DAY, DAY)
    for low, high in ((0, 1), (50, 60)):
        rows = (low <= level) & (level <= high)
        shares = _shares(measured, raw[rows], actual[rows])
        assert shares == pytest.approx({"80": 0.80, "95": 0.95}, abs=0.01)


def test_where_most_outcomes_are_one_number_the_upper_end_makes_up_for_the_lower() -> None:
    random = np.random.default_rng(3)
    # Nothing lies below nought, so that no lower end could miss a tenth.
    actual = np.where(random.uniform(size=5_000) < 0.6, 0.0, random.exponential(4, 5_000))
    raw = _raw(np.zeros(5_000))
    measured = calibrate(AsItIs(), raw, actual, DAY, DAY)
    assert _shares(measured, raw, actual) == pytest.approx({"80": 0.80, "95": 0.95}, abs=0.01)


def test_rows_of_which_little_is_known_have_a_group_of_their_own_where_there_are_enough() -> None:
    random = np.random.default_rng(4)
    is_sparse = np.arange(10_000) % 20 == 0
    level = random.uniform(0, 10, 10_000)
    actual = level + random.normal(0, np.where(is_sparse, 30, 1))
    raw = _raw(level, is_sparse=is_sparse)
    measured = calibrate(AsItIs(), raw, actual, DAY, DAY)
    for rows in (is_sparse, ~is_sparse):
        assert _shares(measured, raw[rows], actual[rows])["80"] == pytest.approx(0.8, abs=0.01)

    few = np.flatnonzero(is_sparse)[: FEWEST_ROWS_OF_A_KIND - 1]
    kept = ~is_sparse
    kept[few] = True
    alike = calibrate(AsItIs(), raw[kept], actual[kept], DAY, DAY)
    assert not any(group.is_sparse for group in alike.groups)
    assert np.isfinite(alike.applied_to(raw)["high_95"]).all()


@given(
    values=st.lists(
        st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_no_lower_end_is_above_an_upper_one_whatever_was_missed(
    values: list[tuple[float, float, bool]],
) -> None:
    level, actual, is_sparse = (np.array(side) for side in zip(*values, strict=True))
    raw = _raw(RelativeToBase().squash(level), is_sparse=is_sparse)
    measured = calibrate(RelativeToBase(), raw, actual, DAY, DAY)
    ends = measured.applied_to(raw)
    for lower, upper in itertools.pairwise(ORDER):
        assert (ends[lower] <= ends[upper]).all()
    assert (ends["low_80"] <= raw.level).all()
    assert (raw.level <= ends["high_80"]).all()


def test_what_is_stored_moves_the_ends_as_what_was_measured() -> None:
    random = np.random.default_rng(5)
    level = random.uniform(0, 10, 30 * FEWEST_ROWS_IN_A_LEVEL)
    raw = _raw(level, is_sparse=random.uniform(size=len(level)) < 0.1)
    measured = calibrate(AsItIs(), raw, level + random.normal(0, 1, len(level)), DAY, DAY)
    table = loop_tables(PROBLEM)["calibration"]
    stored = table.conform(pl.DataFrame(list(measured.rows(DAY, 7))))
    assert set(stored["model_version"]) == {7}
    read_back = Calibration.of_rows(stored.sample(fraction=1, shuffle=True, seed=1))
    assert read_back == measured
    assert len(measured.groups) > 10


def test_what_an_earlier_release_stored_is_read() -> None:
    random = np.random.default_rng(5)
    level = random.uniform(0, 10, 30 * FEWEST_ROWS_IN_A_LEVEL)
    raw = _raw(level, is_sparse=random.uniform(size=len(level)) < 0.1)
    measured = calibrate(AsItIs(), raw, level + random.normal(0, 1, len(level)), DAY, DAY)
    stored = loop_tables(PROBLEM)["calibration"].conform(pl.DataFrame([*measured.rows(DAY, 7)]))
    earlier = stored.rename({"is_sparse": "is_thin", "upper_bound": "upto"})
    assert Calibration.of_rows(earlier) == measured


def test_whole_numbers_as_they_are_shown_say_that_they_hold_more() -> None:
    random = np.random.default_rng(6)
    level = random.uniform(2, 3, 5_000)
    raw = _raw(level, 0.3)
    measured = calibrate(AsItIs(), raw, np.round(level + random.normal(0, 1, 5_000)), DAY, DAY)
    for group in measured.groups:
        assert group.held[0] == pytest.approx(0.8, abs=0.03)
        assert group.shown[0] > group.held[0] + 0.03
