"""The thresholds by which a problem retrains and promotes, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ghstars_assets.calendar import DayRange


@dataclass(frozen=True)
class Threshold:
    value: float
    because: str


@dataclass(frozen=True)
class Gates:
    """When a version is trained anew and when a candidate may serve: each threshold with its
    reason. Those that hang on the problem's own figures have no default."""

    no_worse_than: Threshold
    """A candidate's error as a share of the champion's, up to which it counts as no worse."""
    skill_warning: Threshold
    """Skill against the naive forecast below which drift is taken for a cause to retrain."""
    skill_critical: Threshold
    """Skill below which a version is trained anew whatever else is known."""
    reference: DayRange | None = None
    """Days held out of every training, on which no candidate may be worse than the champion. A lake
    that holds none of them takes days of its own, see `training/reference_windows.py`."""
    oldest_champion_days: Threshold = Threshold(
        28, "what a version knows grows old, and a newer one that is no worse costs nothing"
    )
    """Days of service from which on a version makes way to a newer one that is no worse."""
    skill_days: int = 14
    """Days of origin, the latest that are scored, whose skill is judged together."""
    fewest_skill_days: int = 3
    drift_days: int = 7
    """The latest days that are held together against the training reference: a whole week, so that
    a Sunday is no drift."""
    population_stability: Threshold = Threshold(
        0.2, "the usual bound between a shift to watch and one to act on"
    )
    wasserstein: Threshold = Threshold(0.25, "a quarter of the spread of the training rows")
    jensen_shannon: Threshold = Threshold(
        0.1, "the distance of two categories whose shares differ by some 14 points"
    )
    share_missing: Threshold = Threshold(
        0.1, "a tenth more rows without the value than in training is a fault of a source"
    )
    share_outside: Threshold = Threshold(
        0.05, "trees cannot tell beyond what they were trained on; a twentieth of the rows is many"
    )
    young_history: Threshold = Threshold(
        0.05,
        "in a real history it stayed below 0.034 from a year and a half on; in the "
        "first four months of an unchanged world it was 0.13 and more",
    )
    """How many more of the values may be unknown in the training rows than in the latest ones: if
    it is more on average over the features, nothing is said of those of which it is more. See
    `monitoring/young_history.py`."""
    drifted_share: Threshold = Threshold(
        0.5, "features hang together, so that half of them move where the world has changed"
    )
    cooldown_days: Threshold = Threshold(
        7, "what a retraining did shows only when its first forecasts have come due"
    )
    most_attempts: Threshold = Threshold(
        3, "in a cooldown; a training that failed three times will not pass at the fourth"
    )
    absolute: Mapping[str, Threshold] = field(default_factory=dict)
    """Gates on rmse, r2 or auc where the problem sets them: an rmse above, an r2 or auc below."""
