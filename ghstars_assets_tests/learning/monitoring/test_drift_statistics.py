"""Drift as numbers: sketches against SciPy on the raw samples, and what is flagged."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import polars as pl
import pytest
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, wasserstein_distance

from ghstars_assets.learning.gates import Threshold
from ghstars_assets.learning.monitoring.drift_profile import (
    as_floats,
    drift_profile_from_json,
    drift_profile_json,
    drift_profile_of,
    is_whole,
)
from ghstars_assets.learning.monitoring.drift_statistics import (
    FLOOR,
    MOST_CATEGORIES,
    POINTS,
    Sample,
    Shift,
    Sketch,
)
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.tasks.count import Count
from ghstars_assets.learning.tasks.target_forms import RelativeToBase
from ghstars_assets_tests.support.tides.problem import PROBLEM

GATES = PROBLEM.gates
Floats = NDArray[np.float64]
Draw = Callable[[Generator, int], Floats]

SHAPES: dict[str, Draw] = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "log-normal": lambda rng, rows: rng.lognormal(0, 1.5, rows),
    "heavy on both sides": lambda rng, rows: rng.standard_t(3, rows),
    "mostly nothing": lambda rng, rows: np.where(rng.random(rows) < 0.9, 0, rng.normal(size=rows)),
    "even": lambda rng, rows: rng.random(rows),
}


@pytest.fixture
def rng() -> Generator:
    return default_rng(7)


def _flags(reference: Floats, values: Floats, *, whole: bool = False) -> set[str]:
    shift = Shift.between(Sketch.of(reference, is_whole=whole), values)
    return set(shift.passed(GATES))


# ---- agreement with SciPy -----------------------------------------------------------------------


def test_population_stability_compares_the_deciles_both_ways(
    rng: Generator,
) -> None:
    reference, values = rng.normal(size=5000), rng.normal(0.4, 1.3, 800)
    edges = [-np.inf, *np.quantile(reference, np.arange(0.1, 0.95, 0.1)), np.inf]
    then, now = (np.histogram(sample, edges)[0] / len(sample) for sample in (reference, values))
    expected = entropy(then, now) + entropy(now, then)
    found = Shift.between(Sketch.of(reference), values).population_stability
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("moved", "stretched"), [(0.0, 1.0), (0.3, 1.0), (0.0, 1.5)])
def test_the_distance_to_a_sketch_is_that_to_the_rows_it_was_made_of(
    rng: Generator, shape: str, moved: float, stretched: float
) -> None:
    reference, values = SHAPES[shape](rng, 60_000), SHAPES[shape](rng, 20_000)
    values = values * stretched + moved * reference.std()
    expected = wasserstein_distance(reference, values) / reference.std()
    found = Shift.between(Sketch.of(reference), values).wasserstein
    assert found == pytest.approx(expected, abs=0.004)


def test_of_few_values_the_distance_is_exact(rng: Generator) -> None:
    reference, values = (rng.poisson(rate, 3000).astype(float) for rate in (5, 7))
    expected = wasserstein_distance(reference, values) / reference.std()
    found = Shift.between(Sketch.of(reference), values).wasserstein
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_distance_of_categories_is_exact(rng: Generator) -> None:
    reference = rng.choice([1.0, 2.0, 3.0], 5000, p=[0.5, 0.3, 0.2])
    values = rng.choice([1.0, 2.0, 3.0], 700, p=[0.2, 0.3, 0.5])
    then, now = ([float((of == value).mean()) for value in (1, 2, 3)] for of in (reference, values))
    shift = Shift.between(Sketch.of(reference, is_whole=True), values)
    assert shift.jensen_shannon == pytest.approx(jensenshannon(then, now, base=2), abs=1e-12)
    assert shift.population_stability is shift.wasserstein is None


def test_equal_categories_lie_at_no_distance(rng: Generator) -> None:
    reference = rng.choice([1.0, 2.0, 7.0], 997)
    found = Shift.between(Sketch.of(reference, is_whole=True), np.tile(reference, 3))
    assert found.jensen_shannon == pytest.approx(0, abs=1e-7)


# ---- what is flagged ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sample_of_the_same_is_not_flagged(rng: Generator, shape: str) -> None:
    assert _flags(SHAPES[shape](rng, 20_000), SHAPES[shape](rng, 2000)) == set()


@pytest.mark.parametrize("shape", ["normal", "heavy on both sides", "even"])
def test_a_shift_by_half_a_standard_deviation_is_flagged(rng: Generator, shape: str) -> None:
    reference = SHAPES[shape](rng, 20_000)
    assert "wasserstein" in _flags(reference, reference[:2000] + 0.5 * reference.std())


def test_one_value_that_gathers_rows_is_flagged_by_the_deciles(rng: Generator) -> None:
    reference = rng.normal(size=20_000)
    gathered = np.where(rng.random(2000) < 0.3, 0.0, rng.normal(size=2000))
    assert _flags(reference, gathered) == {"population_stability"}


def test_rows_beyond_what_was_learnt_from_are_counted_at_both_ends() -> None:
    reference = np.linspace(0, 1, 1001)
    values = np.concatenate([reference, [-0.1] * 80, [1.1] * 80])
    shift = Shift.between(Sketch.of(reference), values)
    assert shift.share_outside == pytest.approx(160 / 1161)
    assert "share_outside" in shift.passed(GATES)


def test_the_reason_names_what_passes_its_threshold_the_farthest_first() -> None:
    reference = np.linspace(0, 1, 1001)
    shift = Shift.between(Sketch.of(reference), reference + 0.1)
    assert shift.reason(GATES) == (
        "population stability 0.53 (2.7 × the threshold); "
        "10.0% of the rows outside the reference (2.0 × the threshold); "
        "moved by 0.35 standard deviations (1.4 × the threshold)"
    )
    assert Shift.between(Sketch.of(reference), reference).reason(GATES) == ""


def test_a_threshold_of_nothing_is_passed_by_anything() -> None:
    strict = replace(GATES, share_outside=Threshold(0.0, "no value is new"))
    shift = Shift.between(Sketch.of(np.linspace(0, 1, 500)), np.linspace(0, 1.01, 500))
    assert shift.passed(strict)["share_outside"] == np.inf


# ---- missing values -----------------------------------------------------------------------------


def _with_missing(values: Floats, share: float) -> Floats:
    return np.where(np.arange(len(values)) < share * len(values), np.nan, values)


def test_rows_that_lose_their_value_are_flagged(rng: Generator) -> None:
    reference, values = rng.normal(size=10_000), _with_missing(rng.normal(size=2000), 0.15)
    shift = Shift.between(Sketch.of(reference), values)
    assert (shift.share_missing, shift.share_missing_reference) == (0.15, 0.0)
    assert set(shift.passed(GATES)) == {"share_missing", "population_stability"}
    assert shift.wasserstein == pytest.approx(0, abs=0.06)


def test_missing_values_are_a_bin_of_their_own(rng: Generator) -> None:
    reference = _with_missing(rng.permutation(np.linspace(0, 1, 10_000)), 0.4)
    sketch = Sketch.of(reference)
    assert sketch.shares[:-1] == pytest.approx([0.06] * 10, abs=2e-4)
    assert sketch.share_missing == 0.4
    known = reference[np.isfinite(reference)]
    shift = Shift.between(sketch, known)
    assert shift.population_stability == pytest.approx(
        0.4 * np.log(1 / 0.6) + (0.4 - FLOOR) * np.log(0.4 / FLOOR), abs=1e-3
    )


def test_what_was_often_missing_and_still_is_has_not_drifted(rng: Generator) -> None:
    reference, values = (_with_missing(rng.normal(size=rows), 0.4) for rows in (10_000, 2000))
    assert _flags(reference, values) == set()


def test_a_feature_that_is_gone_is_flagged_and_has_no_distance(rng: Generator) -> None:
    shift = Shift.between(Sketch.of(rng.normal(size=100)), np.full(50, np.nan))
    assert (shift.share_missing, shift.wasserstein) == (1.0, None)
    assert "share_missing" in shift.passed(GATES)


def test_a_feature_that_was_never_known_is_flagged_when_it_comes(rng: Generator) -> None:
    shift = Shift.between(Sketch.of(np.full(50, np.nan)), rng.normal(size=100))
    assert (shift.share_outside, shift.wasserstein) == (1.0, None)
    assert {"share_outside", "population_stability"} <= set(shift.passed(GATES))


def test_an_infinite_value_is_not_a_known_one() -> None:
    values = np.array([0.0, 1.0, 2.0, np.inf, -np.inf, np.nan])
    assert Sample.of(values).known.tolist() == [0.0, 1.0, 2.0]
    assert Sketch.of(values).share_missing == 0.5


# ---- categories and constants -------------------------------------------------------------------


def test_few_whole_numbers_are_categories_and_many_a_measure(rng: Generator) -> None:
    few, many = (rng.integers(0, n, 2000).astype(float) for n in (MOST_CATEGORIES, 40))
    assert Sketch.of(few, is_whole=True).is_category
    assert not Sketch.of(many, is_whole=True).is_category
    assert not Sketch.of(few).is_category


def test_whether_numbers_are_whole_is_known_by_their_type() -> None:
    frame = pl.DataFrame(
        {"weekday": [1, None], "is_fork": [True, None], "pace": [0.5, None]},
        schema_overrides={"weekday": pl.Int32},
    )
    assert [is_whole(kind) for kind in frame.schema.values()] == [True, True, False]
    assert as_floats(frame["is_fork"])[0] == 1.0
    assert np.isnan(as_floats(frame["weekday"])[1])


def test_a_category_that_nobody_knew_is_outside() -> None:
    weekdays = np.tile(np.arange(1.0, 6.0), 200)
    shift = Shift.between(Sketch.of(weekdays, is_whole=True), np.tile([5.0, 6.0], 50))
    assert shift.share_outside == 0.5
    assert {"share_outside", "jensen_shannon"} == set(shift.passed(GATES))


def test_a_category_between_two_others_is_not_taken_for_one_of_them() -> None:
    shift = Shift.between(Sketch.of(np.array([1.0, 3.0]), is_whole=True), np.array([2.0, 3.0]))
    assert shift.share_outside == 0.5


def test_a_constant_stays_itself_and_any_other_value_is_outside() -> None:
    constant = np.full(100, 5.0)
    assert _flags(constant, constant[:10]) == set()
    for other in (4.0, 6.0):
        shift = Shift.between(Sketch.of(constant), np.full(10, other))
        assert (shift.share_outside, shift.wasserstein) == (1.0, None)


# ---- what a version keeps -----------------------------------------------------------------------


def test_a_sketch_is_small_whatever_it_was_made_of(rng: Generator) -> None:
    sizes = [len(json.dumps(asdict(Sketch.of(rng.normal(size=n))))) for n in (1000, 1_000_000)]
    assert max(sizes) < 10_000
    assert len(Sketch.of(rng.normal(size=1_000_000)).points) == POINTS


def test_the_order_of_rows_says_nothing(rng: Generator) -> None:
    values = _with_missing(rng.normal(size=3000), 0.1)
    assert Sketch.of(values) == Sketch.of(rng.permutation(values))


@pytest.fixture
def judged() -> pl.DataFrame:
    return pl.DataFrame({"typical": [1.0, 2.0], "mean": [2.0, 3.0], "actual": [1.0, 8.0]})


def test_a_version_keeps_features_target_forecasts_and_errors(judged: pl.DataFrame) -> None:
    columns = LearningColumns(("pace", "weekday"), "naive", "gained", "base", "scale")
    rows = pl.DataFrame({"pace": [0.5, None, 2.5], "weekday": [1, 2, 2], "gained": [0.0, 1.0, 7.0]})
    kept = drift_profile_of(Count(RelativeToBase(), 0.2), columns, rows, judged)
    assert {kind: list(sketches) for kind, sketches in kept.items()} == {
        "feature": ["pace", "weekday"],
        "target": ["gained"],
        "forecast": ["typical", "mean"],
        "error": ["typical"],
    }
    assert kept["feature"]["weekday"].is_category
    assert kept["feature"]["pace"].rows == 3
    # Errors are alike on the scale of the form: nine to three is as far as three to one.
    assert kept["error"]["typical"].points == pytest.approx((0.0, np.log(3)))
    assert kept["target"]["gained"].most == pytest.approx(np.log(8))
    assert drift_profile_from_json(drift_profile_json(kept)) == kept
