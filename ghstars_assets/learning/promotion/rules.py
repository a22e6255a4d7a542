"""What becomes of a candidate: it is held against the champion twice.

On the reference window nothing may be lost, on the latest days something must be gained.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel, damage_of
from ghstars_assets.learning.gates import Gates
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.comparison import Comparison, compare
from ghstars_assets.learning.training.reference_windows import learnt_nothing_of, reference_window
from ghstars_assets.learning.training.training_set import labelled_days

NOTHING_TO_COMPARE = "no row of it has an outcome and a naive forecast"


@dataclass(frozen=True)
class PromotionDecision:
    decision: str
    """deploy, skip or reject."""
    reason: str
    figures: Mapping[str, object]
    """What was measured on `reference` and `current`, as far as there was anything to compare
    on."""


def decide_on_candidate(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    day: date,
    candidate: Mapping[str, Any],
    champion: Mapping[str, Any],
    served_days: int,
) -> PromotionDecision:
    """Compare two rows of the `model` table and decide which serves; the champion has served for
    so many days."""
    serving = champion["model_version"]
    if damage := damage_of(problem, champion):
        return PromotionDecision("deploy", f"version {serving} cannot forecast: {damage}", {})
    models = [ServedModel.from_row(problem, row) for row in (candidate, champion)]
    challenger, served = models
    if missing := served.missing_heads:
        reason = f"version {serving} was trained without {', '.join(missing)}"
        return PromotionDecision("deploy", reason, {})
    if not champion.get("reference"):
        reason = f"version {serving} is of an earlier release and nobody can tell its drift"
        return PromotionDecision("deploy", reason, {})
    held_out = DayRange(candidate["holdout_from"], candidate["holdout_through"])
    known = labelled_days(lake, problem, held_out)
    if known and (lacking := _lacking(lake, problem, served, known[-1])):
        reason = f"version {serving} needs {', '.join(lacking)}, which the features no longer have"
        return PromotionDecision("deploy", reason, {})

    def both_on(days: Sequence[date]) -> Comparison | None:
        return compare(lake, problem, columns, challenger, served, days) if days else None

    current = both_on(_new_to(problem, champion, known))
    days, without = _reference_days(lake, problem, day, (candidate, champion))
    if days and any(_lacking(lake, problem, model, days[0]) for model in models):
        days, without = [], "its features lack columns that one of the two needs; fill them again"
    reference = both_on(days)
    decision, reason = decide_on_comparisons(
        problem.gates, serving, served_days, reference, current
    )
    if reference is None:
        reason += f". The reference window had no say: {without or NOTHING_TO_COMPARE}"
    windows = {"reference": reference, "current": current}
    figures = {name: window.figures() for name, window in windows.items() if window}
    judged_by = {"no_worse_than": problem.gates.no_worse_than.value, "served_days": served_days}
    return PromotionDecision(decision, reason, {**figures, **judged_by})


def decide_on_comparisons(
    gates: Gates,
    serving: int,
    served_days: int,
    reference: Comparison | None,
    current: Comparison | None,
) -> tuple[str, str]:
    """What is decided, and why. A loss on the reference window is never outweighed by a gain."""
    if reference is None:
        return _on_current(gates, serving, served_days, None, current)
    if _is_clear_loss(gates, reference):
        found = _describe(reference, serving, "the reference window, ")
        return "reject", f"{found}; {_allowed(gates)}"
    decision, reason = _on_current(gates, serving, served_days, reference, current)
    return decision, f"{reason}. On the reference window it is {_side(reference)}"


def _on_current(
    gates: Gates,
    serving: int,
    served_days: int,
    reference: Comparison | None,
    current: Comparison | None,
) -> tuple[str, str]:
    if current is None:
        return "skip", f"no day is left on which it and version {serving} could be compared"
    found = _describe(current, serving)
    if _is_clear_loss(gates, current):
        return "reject", f"{found}; {_allowed(gates)}"
    if current.high < 0:
        return "deploy", found
    oldest = gates.oldest_champion_days.value
    measured = [window for window in (reference, current) if window]
    if served_days >= oldest and all(_loss_allowed(gates, window) for window in measured):
        return "deploy", (
            f"{found}, so it is no worse, and version {serving} has served for {served_days} days: "
            f"after {oldest:.0f} a newer one takes over"
        )
    return "skip", f"{found}, which is no clear gain; version {serving} goes on"


def _is_clear_loss(gates: Gates, window: Comparison) -> bool:
    return window.low > 0 and not _loss_allowed(gates, window)


def _loss_allowed(gates: Gates, window: Comparison) -> bool:
    return window.difference <= gates.no_worse_than.value - 1


def _allowed(gates: Gates) -> str:
    return f"at most {gates.no_worse_than.value - 1:.1%} is no worse"


def _describe(window: Comparison, serving: int, where: str = "") -> str:
    sure = (
        f"95 % interval {window.low:+.1%} to {window.high:+.1%}"
        if math.isfinite(window.low)
        else f"{window.entities} entities are too few for an interval"
    )
    return (
        f"on {where}{window.first_day} to {window.last_day} its error of "
        f"{window.mae_candidate:.4g} is {_side(window)} the {window.mae_champion:.4g} of version "
        f"{serving} ({sure})"
    )


def _side(window: Comparison) -> str:
    return f"{abs(window.difference):.1%} {'above' if window.difference > 0 else 'below'}"


def _reference_days(
    lake: Lake, problem: Problem, day: date, versions: Sequence[Mapping[str, Any]]
) -> tuple[list[date], str]:
    """Days of the reference window; none, and why, where it says nothing of these versions."""
    newest = day - timedelta(days=problem.label_lag_days)
    labels = [known for known in lake.days(problem.table("labels")) if known <= newest]
    window = reference_window(problem, labels, day)
    if window is None:
        return [], "the lake has none whose outcomes were known"
    for version in versions:
        if not learnt_nothing_of(problem, version, window):
            number = version["model_version"]
            return [], f"version {number} may have learnt from {window}"
    return labelled_days(lake, problem, window), ""


def _new_to(problem: Problem, champion: Mapping[str, Any], days: Sequence[date]) -> list[date]:
    """From the first day whose outcome no training row of the champion knew. Usually that is all
    that the candidate was judged on; a champion with a shorter holdout learnt later."""
    unseen = champion["trained_through"] + timedelta(days=problem.horizon_days + 1)
    return [day for day in days if day >= unseen]


def _lacking(lake: Lake, problem: Problem, model: ServedModel, day: date) -> list[str]:
    features = lake.scan(problem.table("features"), DayRange(day, day))
    return model.lacking(features.collect_schema().names())
