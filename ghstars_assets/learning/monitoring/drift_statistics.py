"""Drift as numbers: values of now against a sketch of the values that a version learnt from.

A sketch is small however many rows it was made of; what is held against it is a plain array, in
which NaN is a missing value. What a version keeps is in `drift_profile.py`, and which rows of which
days are compared with that in `drift.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from ghstars_assets.learning.gates import Gates, Threshold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
MOST_CATEGORIES = 24
"""Whole numbers with no more values than a day has hours stand for something: a weekday, a state.
With more they are a measure."""
POINTS = 200
"""That stand for the values of a sketch. What they make of a distance is wrong by 0.003 standard
deviations at most, in tails as heavy as those of a log-normal too."""
POINTS_OF_NOW = 1000
"""That stand for the values of now where these are many: a distance between 200 and 1,000 points is
had in a hundredth of the time."""
FLOOR = 1e-4
"""Taken for the share of an empty bin, whose logarithm would be infinite. A tenth of the rows that
is gone still counts 0.7; a bin that held a ten-thousandth, nothing."""


@dataclass(frozen=True)
class Sample:
    """Values in order, so that each statistic is a few look-ups."""

    known: "Floats"
    rows: int

    @classmethod
    def of(cls, values: "Floats") -> "Sample":
        import numpy as np

        # What is infinite has no distance to anything: to a reader it is not known either.
        return cls(np.sort(values[np.isfinite(values)]), len(values))

    def shares(self, bounds: "Floats", *, is_category: bool) -> "Floats":
        """Of all rows: in each bin, which holds its upper bound, and last those without a value. Of
        categories: with each value, with any other, without one."""
        import numpy as np

        up_to = np.searchsorted(self.known, bounds, side="right")
        if is_category:
            counts = up_to - np.searchsorted(self.known, bounds, side="left")
        else:
            counts = np.diff(up_to, prepend=0)
        others = len(self.known) - counts.sum()
        return np.append(counts, [others, self.rows - len(self.known)]) / max(self.rows, 1)

    def points(self, most: int) -> "tuple[Floats, Floats]":
        """Values that stand for all, with the share of each: all where they are few. Otherwise the
        middle ones of slices that are narrow at both ends, where values lie far apart."""
        import numpy as np

        distinct, counts = np.unique(self.known, return_counts=True)
        if len(distinct) <= most:
            return distinct, counts / max(len(self.known), 1)
        ends = (1 - np.cos(np.linspace(0, np.pi, most + 1))) / 2
        middle = (ends[1:] + ends[:-1]) / 2
        return self.known[(middle * len(self.known)).astype(int)], np.diff(ends)


@dataclass(frozen=True)
class Sketch:
    """How the values of one column were spread, in as little as is needed to tell it again."""

    rows: int
    is_category: bool
    bounds: tuple[float, ...]
    """The upper bounds of all bins but the last; of categories, their values."""
    shares: tuple[float, ...]
    """As `Sample.shares` has them."""
    points: tuple[float, ...]
    weights: tuple[float, ...]
    """As `Sample.points` has them."""
    least: float | None
    most: float | None
    deviation: float
    """The standard deviation."""

    @classmethod
    def of(cls, values: "Floats", *, is_whole: bool = False) -> "Sketch":
        """Whole numbers of few values are categories."""
        import numpy as np

        sample = Sample.of(values)
        known = sample.known
        points, weights = sample.points(POINTS)
        is_category = is_whole and len(points) <= MOST_CATEGORIES
        if is_category or not len(known):
            bounds = points
        else:
            bounds = np.unique(np.quantile(known, np.arange(1, BINS) / BINS))
        return cls(
            rows=sample.rows,
            is_category=is_category,
            bounds=_floats(bounds),
            shares=_floats(sample.shares(bounds, is_category=is_category)),
            points=_floats(points),
            weights=_floats(weights),
            least=float(known[0]) if len(known) else None,
            most=float(known[-1]) if len(known) else None,
            deviation=float(known.std()) if len(known) else 0.0,
        )

    @property
    def share_missing(self) -> float:
        return self.shares[-1]

    def shares_of(self, sample: Sample) -> "Floats":
        """Of other values, in the same bins."""
        import numpy as np

        return sample.shares(np.array(self.bounds), is_category=self.is_category)

    def share_outside(self, sample: Sample) -> float:
        """Of all rows: those beyond the least and the greatest, or of no known category."""
        import numpy as np

        if self.is_category:
            return float(self.shares_of(sample)[-2])
        within = 0
        if self.least is not None and self.most is not None:
            within = np.searchsorted(sample.known, self.most, side="right") - np.searchsorted(
                sample.known, self.least, side="left"
            )
        return float(len(sample.known) - within) / max(sample.rows, 1)


def _floats(values: "Floats") -> tuple[float, ...]:
    return tuple(map(float, values))


# ---- the statistics -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Shift:
    """How far values of now lie from a sketch. A statistic that says nothing of them is None."""

    rows: int
    reference_rows: int
    is_category: bool
    population_stability: float | None
    wasserstein: float | None
    jensen_shannon: float | None
    share_missing: float
    share_missing_reference: float
    share_outside: float

    @classmethod
    def between(cls, sketch: Sketch, values: "Floats") -> "Shift":
        sample = Sample.of(values)
        shares = sketch.shares_of(sample)
        is_category = sketch.is_category
        return cls(
            rows=sample.rows,
            reference_rows=sketch.rows,
            is_category=is_category,
            population_stability=None if is_category else population_stability(sketch, shares),
            wasserstein=None if is_category else wasserstein(sketch, sample),
            jensen_shannon=jensen_shannon(sketch, shares) if is_category else None,
            share_missing=float(shares[-1]),
            share_missing_reference=sketch.share_missing,
            share_outside=sketch.share_outside(sample),
        )

    def passed(self, gates: Gates) -> dict[str, float]:
        """By name, the statistics beyond their thresholds, each as a multiple of its own."""
        return {
            name: multiple
            for name, multiple in threshold_multiples(vars(self), gates).items()
            if multiple > 1
        }

    def reason(self, gates: Gates) -> str:
        """What passes its threshold, and by how much; nothing where nothing does."""
        described = {
            "population_stability": f"population stability {_figure(self.population_stability)}",
            "wasserstein": f"moved by {_figure(self.wasserstein)} standard deviations",
            "jensen_shannon": f"Jensen–Shannon distance {_figure(self.jensen_shannon)}",
            "share_missing": (
                f"missing in {self.share_missing:.1%} of the rows, "
                f"in {self.share_missing_reference:.1%} of the reference"
            ),
            "share_outside": f"{self.share_outside:.1%} of the rows outside the reference",
        }
        beyond = sorted(self.passed(gates).items(), key=lambda found: -found[1])
        return "; ".join(
            f"{described[name]} ({times:.1f} × the threshold)" for name, times in beyond
        )


def threshold_multiples(row: Mapping[str, Any], gates: Gates) -> dict[str, float]:
    """By name, the statistics of a shift, or of its row in the drift table, each as a multiple of
    its threshold. Those that say nothing of the values are left out."""
    missing, missing_then = row["share_missing"], row["share_missing_reference"]
    measured: dict[str, tuple[float | None, Threshold]] = {
        "population_stability": (row["population_stability"], gates.population_stability),
        "wasserstein": (row["wasserstein"], gates.wasserstein),
        "jensen_shannon": (row["jensen_shannon"], gates.jensen_shannon),
        "share_missing": (
            None if missing is None or missing_then is None else missing - missing_then,
            gates.share_missing,
        ),
        "share_outside": (row["share_outside"], gates.share_outside),
    }
    return {
        name: _multiple(value, threshold.value)
        for name, (value, threshold) in measured.items()
        if value is not None
    }


def _multiple(value: float, threshold: float) -> float:
    """Anything at all is infinitely far beyond a threshold of nothing."""
    if threshold:
        return value / threshold
    return inf if value > 0 else 0.0


def population_stability(sketch: Sketch, shares: "Floats") -> float:
    """Σ (now − then) · ln(now ÷ then) over the bins, where then is the sketch."""
    import numpy as np
    from scipy.special import rel_entr

    now, then = np.maximum(shares, FLOOR), np.maximum(sketch.shares, FLOOR)
    return float(np.sum(rel_entr(now, then) + rel_entr(then, now)))


def wasserstein(sketch: Sketch, sample: Sample) -> float | None:
    """How far the rows have to be moved to lie as those of the sketch do, in its standard
    deviations. A constant has none; what leaves it is outside."""
    from scipy.stats import wasserstein_distance

    if not len(sample.known) or not sketch.deviation:
        return None
    points, weights = sample.points(POINTS_OF_NOW)
    distance = wasserstein_distance(points, sketch.points, weights, sketch.weights)
    return float(distance) / sketch.deviation


def jensen_shannon(sketch: Sketch, shares: "Floats") -> float | None:
    import numpy as np
    from scipy.spatial.distance import jensenshannon

    if not shares.sum() or not sum(sketch.shares):
        return None
    # Of shares that differ by a rounding alone the square is a hair below nothing.
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(jensenshannon(sketch.shares, shares, base=2)))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
