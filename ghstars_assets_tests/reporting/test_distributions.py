"""Two distributions side by side: the shares of all rows, on the same places."""

import numpy as np
import pytest
from numpy.random import default_rng

from ghstars_assets.learning.monitoring.drift_statistics import Sketch
from ghstars_assets.reporting.distributions import MOST_PLACES, Place, side_by_side

NORMAL = default_rng(7).normal(size=4000)
UNKNOWN = Sketch.of(np.full(50, np.nan))


def test_both_stand_on_the_same_places_and_hold_all_rows() -> None:
    places = side_by_side(Sketch.of(NORMAL), Sketch.of(NORMAL + 1))
    assert len(places) == MOST_PLACES
    then, now = [place.then for place in places], [place.now for place in places]
    assert sum(then) == pytest.approx(1)
    assert sum(now) == pytest.approx(1)
    middle = [float(np.average(range(MOST_PLACES), weights=shares)) for shares in (then, now)]
    assert middle[1] > middle[0] + 1


def test_few_values_have_a_place_each() -> None:
    then = Sketch.of(np.tile([1.0, 2, 3], 50), is_whole=True)
    now = Sketch.of(np.tile([2.0, 9], 20), is_whole=True)
    third = 50 / 150
    assert side_by_side(then, now) == [
        Place("1", third, 0.0),
        Place("2", third, 0.5),
        Place("3", third, 0.0),
        Place("9", 0.0, 0.5),
    ]


def test_rows_without_a_value_have_a_place_of_their_own() -> None:
    *known, missing = side_by_side(Sketch.of(NORMAL), UNKNOWN)
    assert missing == Place("missing", 0.0, 1.0, is_missing=True)
    assert len(known) == MOST_PLACES
    assert [place.now for place in known] == [0.0] * MOST_PLACES


def test_known_values_have_what_the_missing_leave_them() -> None:
    half = Sketch.of(np.concatenate([np.arange(500.0), np.full(500, np.nan)]))
    *known, missing = side_by_side(half, half)
    assert missing.then == missing.now == 0.5
    assert sum(place.then for place in known) == pytest.approx(0.5)


def test_an_outlier_leaves_room_for_the_others_and_is_counted_in_the_outermost_place() -> None:
    heavy = Sketch.of(default_rng(7).standard_cauchy(5000))
    places = side_by_side(heavy, heavy)
    assert sum(place.then for place in places) == pytest.approx(1)
    assert sum(place.then > 0.01 for place in places) > 4
    assert places[-1].then > places[-2].then


def test_nothing_known_leaves_only_what_is_missing() -> None:
    assert side_by_side(UNKNOWN, UNKNOWN) == [Place("missing", 1.0, 1.0, is_missing=True)]


@pytest.mark.parametrize("middle", [0.0, 3e6, -1e12])
def test_every_range_has_a_label_of_its_own(middle: float) -> None:
    sketch = Sketch.of(NORMAL + middle)
    labels = [place.label for place in side_by_side(sketch, sketch)]
    assert len(set(labels)) == MOST_PLACES
