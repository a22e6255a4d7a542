"""The verdict on a candidate, from what was measured on the two windows."""

from dataclasses import replace
from datetime import date

import pytest

from ghstars_assets.learning.gates import Threshold
from ghstars_assets.learning.promotion.comparison import Comparison
from ghstars_assets.learning.promotion.rules import decide_on_comparisons
from ghstars_assets_tests.support.tides.problem import PROBLEM

GATES = replace(
    PROBLEM.gates,
    no_worse_than=Threshold(1.01, "the seed alone does as much"),
    oldest_champion_days=Threshold(28, "a month"),
)


def _of(difference: float, low: float, high: float) -> Comparison:
    return Comparison(
        first_day=date(2026, 2, 1),
        last_day=date(2026, 2, 8),
        days=8,
        rows=48,
        entities=6,
        mae_candidate=100 * (1 + difference),
        mae_champion=100,
        mae_naive=200,
        difference=difference,
        low=low,
        high=high,
    )


CLEAR_GAIN = _of(-0.05, -0.08, -0.02)
CLEAR_LOSS = _of(0.05, 0.02, 0.08)
SMALL_CLEAR_LOSS = _of(0.008, 0.004, 0.012)
MAYBE_A_GAIN = _of(-0.05, -0.11, 0.01)
MAYBE_A_LOSS = _of(0.05, -0.01, 0.11)
NOTHING = _of(0.002, -0.01, 0.015)


@pytest.mark.parametrize(
    ("reference", "current", "decision"),
    [
        (None, CLEAR_GAIN, "deploy"),
        (NOTHING, CLEAR_GAIN, "deploy"),
        (MAYBE_A_LOSS, CLEAR_GAIN, "deploy"),
        (SMALL_CLEAR_LOSS, CLEAR_GAIN, "deploy"),
        (CLEAR_LOSS, CLEAR_GAIN, "reject"),
        (CLEAR_LOSS, None, "reject"),
        (CLEAR_GAIN, CLEAR_LOSS, "reject"),
        (None, CLEAR_LOSS, "reject"),
        (None, SMALL_CLEAR_LOSS, "skip"),
        (None, MAYBE_A_LOSS, "skip"),
        (CLEAR_GAIN, MAYBE_A_GAIN, "skip"),
        (NOTHING, NOTHING, "skip"),
        (CLEAR_GAIN, None, "skip"),
        (None, None, "skip"),
    ],
)
def test_what_is_decided(
    reference: Comparison | None, current: Comparison | None, decision: str
) -> None:
    assert decide_on_comparisons(GATES, 3, 7, reference, current)[0] == decision


@pytest.mark.parametrize(
    ("served_days", "reference", "current", "decision"),
    [
        (27, NOTHING, NOTHING, "skip"),
        (28, NOTHING, NOTHING, "deploy"),
        (28, None, NOTHING, "deploy"),
        (28, NOTHING, MAYBE_A_GAIN, "deploy"),
        (28, NOTHING, MAYBE_A_LOSS, "skip"),
        (28, MAYBE_A_LOSS, NOTHING, "skip"),
        (28, NOTHING, CLEAR_LOSS, "reject"),
        (28, CLEAR_LOSS, NOTHING, "reject"),
        (28, NOTHING, None, "skip"),
    ],
)
def test_who_has_served_long_makes_way_to_one_that_is_no_worse(
    served_days: int, reference: Comparison | None, current: Comparison | None, decision: str
) -> None:
    assert decide_on_comparisons(GATES, 3, served_days, reference, current)[0] == decision


def test_the_reason_states_the_figures_and_what_was_allowed() -> None:
    _, reason = decide_on_comparisons(GATES, 3, 7, CLEAR_LOSS, CLEAR_GAIN)
    assert reason == (
        "on the reference window, 2026-02-01 to 2026-02-08 its error of 105 is 5.0% above the 100 "
        "of version 3 (95 % interval +2.0% to +8.0%); at most 1.0% is no worse"
    )
    _, reason = decide_on_comparisons(GATES, 3, 7, MAYBE_A_LOSS, CLEAR_GAIN)
    assert reason == (
        "on 2026-02-01 to 2026-02-08 its error of 95 is 5.0% below the 100 of version 3 "
        "(95 % interval -8.0% to -2.0%). On the reference window it is 5.0% above"
    )
