"""The days that no training may see, and which of them a decision may look at."""

from dataclasses import replace
from datetime import date, timedelta

from ghstars_assets.calendar import DayRange
from ghstars_assets.learning.training.reference_windows import (
    ENOUGH_LABELS,
    OWN_BEGINS_AFTER,
    OWN_DAYS,
    overlaps,
    reference_window,
    reference_windows,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM

FIRST = date(2025, 1, 1)
NAMED = DayRange(date(2025, 7, 1), date(2025, 7, 14))
NAMING = replace(PROBLEM, gates=replace(PROBLEM.gates, reference=NAMED))


def _labels(count: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in range(count)]


def test_the_window_that_the_gates_name_comes_first() -> None:
    labels = _labels(300)
    assert reference_windows(NAMING, labels)[0] == NAMED
    assert reference_window(NAMING, labels, date(2025, 12, 1)) == NAMED


def test_a_lake_without_it_spares_a_fortnight_of_its_own() -> None:
    (own,) = reference_windows(NAMING, _labels(ENOUGH_LABELS))
    first = FIRST + timedelta(days=OWN_BEGINS_AFTER)
    assert own == DayRange(first, first + timedelta(days=OWN_DAYS - 1))


def test_a_lake_with_few_labels_spares_none() -> None:
    assert reference_windows(NAMING, _labels(ENOUGH_LABELS - 1)) == []
    assert reference_window(NAMING, _labels(ENOUGH_LABELS - 1), date(2026, 1, 1)) is None


def test_a_window_whose_outcomes_were_not_known_by_then_is_not_looked_at() -> None:
    labels = _labels(300)
    known_on = NAMED.last + timedelta(days=PROBLEM.label_lag_days)
    assert reference_window(NAMING, labels, known_on) == NAMED
    before = reference_window(NAMING, labels, known_on - timedelta(days=1))
    assert before is not None
    assert before.last < NAMED.first


def test_days_whose_outcome_overlaps_one_of_the_window_are_kept_out_too() -> None:
    around = timedelta(days=PROBLEM.horizon_days)
    beyond = around + timedelta(days=1)
    assert overlaps(PROBLEM, NAMED.first - around, [NAMED])
    assert overlaps(PROBLEM, NAMED.last + around, [NAMED])
    assert not overlaps(PROBLEM, NAMED.first - beyond, [NAMED])
    assert not overlaps(PROBLEM, NAMED.last + beyond, [NAMED])
