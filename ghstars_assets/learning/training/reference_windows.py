"""The reference window: days held out of every training, on which each candidate is compared with
the champion, so that what is gained on new days is not lost on what was known before.

It is the one that the problem's gates name. A lake that does not hold it, or not yet, takes a
fortnight from the fifth week of its own labels on, once it has labels enough to spare one.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ghstars_assets.calendar import DayRange
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


def windows_as_text(windows: Sequence[DayRange]) -> str:
    """As the `model` table keeps those that a training left out."""
    return json.dumps([[str(window.first), str(window.last)] for window in windows])


def learnt_nothing_of(problem: Problem, version: Mapping[str, Any], window: DayRange) -> bool:
    """Whether a version, a row of the `model` table, knows no outcome of a window: its training
    rows lie clear of it, or it was left out. Of one that says nothing of windows, because it was
    trained before they were left out, or in a lake that began elsewhere, nobody can tell."""
    around = timedelta(days=problem.horizon_days)
    if version["trained_through"] < window.first - around:
        return True
    if version["trained_from"] > window.last + around:
        return True
    days = [map(date.fromisoformat, pair) for pair in json.loads(version.get("held_out") or "[]")]
    left_out = [DayRange(*pair) for pair in days]
    return any(window.first in known and window.last in known for known in left_out)
