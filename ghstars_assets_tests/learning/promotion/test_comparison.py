"""Comparing: what differs is found, what does not is not, and entities are drawn, not rows."""

import math

import numpy as np
import polars as pl
import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation import metrics
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.promotion.comparison import (
    FEWEST_ENTITIES,
    MOST_DRAWN,
    Comparison,
    compare,
    compared,
    difference_interval,
)
from ghstars_assets.learning.training.candidate import Candidate
from ghstars_assets.learning.training.training_set import read_labelled_rows
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import LABELLED


@pytest.fixture
def dice() -> np.random.Generator:
    return np.random.default_rng(5)


def _errors(
    dice: np.random.Generator,
    entities: int,
    rows_each: int,
    better_by: float = 0.0,
    noise: float = 0.1,
) -> Comparison:
    """The candidate's errors are the champion's, less a share, and now and then other ones."""
    champion = np.repeat(dice.lognormal(2, 1, entities), rows_each)
    candidate = champion * (1 - better_by) * dice.normal(1, noise, entities * rows_each)
    errors = {
        "entity": np.repeat(np.arange(entities), rows_each),
        "candidate": candidate,
        "champion": champion,
        "naive": 2 * champion,
    }
    return compared(pl.DataFrame(errors).with_columns(rows=1), [*LABELLED])


def test_a_difference_that_is_there_is_found(dice: np.random.Generator) -> None:
    found = _errors(dice, 400, 7, better_by=0.05)
    assert found.difference == pytest.approx(-0.05, abs=0.02)
    assert found.low < found.difference < found.high < 0
    assert found.mae_naive == pytest.approx(2 * found.mae_champion)
    assert (found.entities, found.rows) == (400, 2800)


def test_of_models_that_differ_by_chance_nothing_is_clear(dice: np.random.Generator) -> None:
    clear = [
        found for found in (_errors(dice, 200, 3) for _ in range(20)) if found.low * found.high > 0
    ]
    assert len(clear) <= 3


def test_equal_models_differ_by_nothing(dice: np.random.Generator) -> None:
    found = _errors(dice, 50, 3, noise=0)
    assert (found.low, found.difference, found.high) == (0, 0, 0)


def test_entities_are_drawn_and_not_rows(dice: np.random.Generator) -> None:
    """The same errors day after day prove no more than those of a day."""
    champion, candidate = dice.lognormal(2, 1, 40), dice.lognormal(2, 1, 40)
    one_day = {"entity": np.arange(40), "candidate": candidate, "champion": champion, "rows": 1}
    rows = pl.DataFrame(one_day).with_columns(naive="champion")
    a_day, a_hundred = (compared(pl.concat([rows] * days), [*LABELLED]) for days in (1, 100))
    assert (a_hundred.low, a_hundred.high) == pytest.approx((a_day.low, a_day.high))
    assert a_day.high - a_day.low > 0.2


def test_the_interval_is_that_of_a_slow_and_obvious_bootstrap(dice: np.random.Generator) -> None:
    champion = dice.lognormal(1, 1, 300)
    candidate = champion * dice.normal(0.97, 0.2, 300)
    drawn = []
    for _ in range(10_000):
        of = dice.integers(0, 300, 300)
        drawn.append(candidate[of].sum() / champion[of].sum() - 1)
    expected = tuple(np.quantile(drawn, [0.025, 0.975]))
    assert difference_interval(candidate, champion) == pytest.approx(expected, abs=0.003)


def test_the_figures_are_kept_by_name(dice: np.random.Generator) -> None:
    assert list(_errors(dice, 50, 3).figures()) == [
        *("from", "to", "days", "rows", "entities"),
        *("mae_candidate", "mae_champion", "mae_naive", "difference", "low", "high"),
    ]


def test_many_entities_are_drawn_in_bundles_as_surely(dice: np.random.Generator) -> None:
    count = 8 * MOST_DRAWN
    champion = dice.lognormal(0, 1, count)
    noise = dice.normal(0, 1, count)
    low, high = difference_interval(champion + noise, champion)
    # The mean of as many unit errors, beside a mean champion's error of e^½.
    expected = 2 * 1.96 / math.sqrt(count) / math.exp(0.5)
    assert high - low == pytest.approx(expected, rel=0.15)


def test_too_few_entities_prove_nothing(dice: np.random.Generator) -> None:
    found = _errors(dice, FEWEST_ENTITIES - 1, 100, better_by=0.5)
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert (found.figures()["low"], found.figures()["high"]) == (None, None)


def test_a_champion_without_any_error_is_matched_by_nothing_less() -> None:
    nothing, something = np.zeros(9), np.full(9, 0.1)
    assert difference_interval(nothing, nothing) == (0, 0)
    assert difference_interval(something, nothing)[0] > 1


def test_versions_are_compared_on_the_same_rows_and_always_alike(
    tides: Lake, columns: LearningColumns, candidate: Candidate
) -> None:
    days = candidate.plan.holdout_days
    served = candidate.served
    found = compare(tides, PROBLEM, columns, served, served, days)
    assert found is not None
    rows = read_labelled_rows(tides, PROBLEM, columns, days, 10**6)
    expected = metrics.errors_beside_naive(
        rows.select(
            typical=pl.Series(served.point_values(rows)),
            naive=columns.naive,
            actual=columns.target,
        ),
        metrics.absolute_error("typical"),
        metrics.absolute_error("naive"),
    )
    assert found.mae_candidate == pytest.approx(expected["mae"])
    assert found.mae_champion == found.mae_candidate
    assert found.mae_naive == pytest.approx(expected["mae_naive"])
    assert found.rows == expected["rows"] == 6 * len(days)
    assert (found.first_day, found.last_day, found.days) == (days[0], days[-1], len(days))
    assert compare(tides, PROBLEM, columns, served, served, days) == found


def test_rows_without_a_naive_forecast_are_left_out(
    tides: Lake, columns: LearningColumns, candidate: Candidate
) -> None:
    days = candidate.plan.holdout_days[:1]
    rows = tides.read("tides.features", days[0])
    known = pl.when(pl.col("station") != "Dover").then("level_cm")
    tides.write("tides.features", days[0], rows.with_columns(level_cm=known))
    served = candidate.served
    found = compare(tides, PROBLEM, columns, served, served, days)
    assert found is not None
    assert found.entities == 5
    tides.write("tides.features", days[0], rows.with_columns(level_cm=pl.lit(None, pl.Float64)))
    assert compare(tides, PROBLEM, columns, served, served, days) is None
