"""Puts two distributions side by side, as the share of all rows in each of a few places."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghstars_assets.learning.monitoring.drift_statistics import POINTS, Sketch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_PLACES = 24


@dataclass(frozen=True)
class Place:
    """A value, a range of values around its label, or the rows that have none."""

    label: str
    then: float
    now: float
    is_missing: bool = False


def side_by_side(then: Sketch, now: Sketch) -> list[Place]:
    """Few values have a place each, of many each place is a range and the outermost hold all that
    lies beyond; the rows without a value come last, where there are any."""
    import numpy as np

    both = (then, now)
    values = sorted({*then.points, *now.points})
    if len(values) <= MOST_PLACES:
        held = [dict(zip(sketch.points, sketch.weights, strict=True)) for sketch in both]
        labels = [f"{value:g}" for value in values]
        shares = [[weights.get(value, 0.0) for value in values] for weights in held]
    else:
        edges = np.linspace(*_ends(then, now), MOST_PLACES + 1)
        labels = _labels((edges[1:] + edges[:-1]) / 2)
        shares = [_shares_between(sketch, edges) for sketch in both]
    of_all_rows = [
        [share * (1 - sketch.share_missing) for share in found]
        for sketch, found in zip(both, shares, strict=True)
    ]
    places = [Place(*place) for place in zip(labels, *of_all_rows, strict=True)]
    if then.share_missing or now.share_missing:
        places.append(Place("missing", then.share_missing, now.share_missing, is_missing=True))
    return places


def _labels(values: "Floats") -> list[str]:
    """Three digits that count, and more where values would read alike, as 3,000,100 and 3,000,200
    do."""
    labels: list[str] = []
    for digits in range(3, 18):
        labels = [f"{float(f'{value:.{digits}g}'):,.16g}" for value in values]
        if len(set(labels)) == len(labels):
            break
    return labels


def _ends(then: Sketch, now: Sketch) -> tuple[float, float]:
    """Between them lie 98 % of the rows of both, so that an outlier leaves room for the others."""
    known = [sketch for sketch in (then, now) if sketch.points]
    ends = [_quantile(sketch, share) for sketch in known for share in (0.01, 0.99)]
    low, high = min(ends), max(ends)
    if low < high:
        return low, high
    values = [value for sketch in known for value in sketch.points]
    return min(values), max(values)


def _shares_between(sketch: Sketch, edges: "Floats") -> list[float]:
    """The shares of the known rows. Where the points are all the values, they are counted; where
    they stand for others, the rows between two are taken to lie evenly."""
    import numpy as np

    if not sketch.points:
        return [0.0] * (len(edges) - 1)
    points, cumulated = np.array(sketch.points), np.cumsum(sketch.weights)
    if len(points) < POINTS:
        counted = np.concatenate([[0.0], cumulated])
        below = counted[np.searchsorted(points, edges[1:-1], side="right")]
    else:
        below = np.interp(edges[1:-1], points, cumulated - np.array(sketch.weights) / 2)
    return [float(share) for share in np.diff(np.concatenate([[0.0], below, [1.0]]))]


def _quantile(sketch: Sketch, share: float) -> float:
    import numpy as np

    cumulated = np.cumsum(sketch.weights)
    place = int(np.searchsorted(cumulated, share))
    return sketch.points[min(place, len(sketch.points) - 1)]
