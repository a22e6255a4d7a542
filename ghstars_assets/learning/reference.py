"""The reference window: days held out of every training, on which each candidate is compared with
the champion, so that what is gained on new days is not lost on what was known before.

It is the one that the problem's gates name. A lake that does not hold it, or not yet, takes a
fortnight from the fifth week of its own labels on, once it has labels enough to spare one.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from ghstars_assets.days import DayRange
from ghstars_assets.learning.problem import Problem

OWN_BEGINS_AFTER = 28
"""Labelled days: before them most features are unknown."""
OWN_DAYS = 14
ENOUGH_LABELS = 120
"""Of fewer, none can be spared."""


def reference_windows(problem: Problem, labels: Sequence[date]) -> list[DayRange]:
    """The one that the gates name and the lake's own, as far as there are labels: both are held out
    of every training. `labels` are the days that have any, sorted."""
    named = problem.gates.reference
    windows = [named] if named and any(day in named for day in labels) else []
    if len(labels) >= ENOUGH_LABELS:
        own = labels[OWN_BEGINS_AFTER : OWN_BEGINS_AFTER + OWN_DAYS]
        windows.append(DayRange(own[0], own[-1]))
    return windows


def reference_window(problem: Problem, labels: Sequence[date], as_of: date) -> DayRange | None:
    """The one whose outcomes were all known before `as_of`; the named one first."""
    known_by = timedelta(days=problem.label_lag_days)
    known = [w for w in reference_windows(problem, labels) if w.last + known_by <= as_of]
    return known[0] if known else None


def overlaps(problem: Problem, day: date, windows: Sequence[DayRange]) -> bool:
    """Whether the outcome of `day` overlaps one in a window, or its day lies in it."""
    around = timedelta(days=problem.horizon_days)
    return any(window.first - around <= day <= window.last + around for window in windows)
