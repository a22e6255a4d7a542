"""Fills `health`: whether the champion of a day should be trained anew, and what led to that."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.recent_skill import Skill, SkillMeter
from ghstars_assets.learning.gates import Gates
from ghstars_assets.learning.monitoring.drift_summary import Drift, drift_on
from ghstars_assets.learning.monitoring.retraining import Verdict
from ghstars_assets.learning.monitoring.retraining_requests import Request, RetrainRequests
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.stage import Event, Filled, StageDay

DRIFT_GATES = (
    "population_stability", "wasserstein", "jensen_shannon", "share_missing", "share_outside",
)  # fmt: skip
"""By which `drift` calls a feature drifted."""
LOWER_IS_BETTER = ("rmse",)
HIGHER_IS_BETTER = ("r2", "auc")
LOOKS_BACK = timedelta(days=31)
"""For the decision before: days between may be holes."""


def fill_health(day: StageDay) -> Filled:
    """Decide whether the champion of the day should be trained anew."""
    lake, problem, champion = day.lake, day.problem, day.champion
    table = problem.table("health")
    thresholds = day.once("thresholds", lambda: json.dumps(thresholds_of(problem)))
    meter = day.once("skill", lambda: SkillMeter(lake, problem))
    requests = day.once("requests", lambda: RetrainRequests(lake, problem))
    drift, skill = drift_on(day.frame("drift"), problem.gates), meter.skill_on(day.day)
    request = requests.open_on(day.day)
    verdict, reason = verdict_of(problem.gates, skill, drift, request)
    row = {
        "day": day.day,
        "decision": verdict.value,
        "is_due": verdict.is_due,
        "reason": reason,
        "model_version": champion.version,
        **asdict(skill),
        "drifted_share": drift.drifted_share,
        "drifted_features": ", ".join(drift.drifted),
        "is_target_drifted": drift.is_target_drifted,
        "request": request and request.number,
        "thresholds": thresholds,
    }
    recorded = (_decision_of(lake, table, day.day), _decision_before(lake, table, day.day))
    events = [] if verdict.value in recorded else [_change_of_decision(row)]
    return Filled(pl.DataFrame([row]), events)


def verdict_of(
    gates: Gates, skill: Skill, drift: Drift, request: Request | None
) -> tuple[Verdict, str]:
    """The decision, and one sentence that says why."""
    share = gates.drifted_share.value
    has_drifted = drift.drifted_share is not None and drift.drifted_share >= share
    drifted = _drift_told(drift, share)
    if request:
        return Verdict.FORCE, str(request)
    is_enough = skill.scored_days >= gates.fewest_skill_days
    if is_enough and (broken := _broken_gates(gates, skill)):
        return Verdict.REACTIVE, f"{' and '.join(broken)}; {drifted}"
    if skill.skill_vs_naive is None:
        unknown = _skill_unknown(gates, skill)
        return (Verdict.WAIT if has_drifted else Verdict.HEALTHY), f"{unknown}; {drifted}"
    measured = f"the skill of {skill.skill_vs_naive:.3g} {_origins(skill)}"
    warning, critical = gates.skill_warning.value, gates.skill_critical.value
    if skill.skill_vs_naive < critical:
        return Verdict.REACTIVE, f"{measured} is below {critical:g}, which is critical; {drifted}"
    if skill.skill_vs_naive < warning:
        verdict = Verdict.PROACTIVE if has_drifted else Verdict.WAIT
        return verdict, f"{measured} is below the warning of {warning:g}; {drifted}"
    verdict = Verdict.WAIT if has_drifted else Verdict.HEALTHY
    return verdict, f"{measured} holds (the warning is {warning:g}); {drifted}"


def thresholds_of(problem: Problem) -> dict[str, float | dict[str, float]]:
    """What a day is held against."""
    gates = problem.gates
    for name in gates.absolute:
        if name not in (*LOWER_IS_BETTER, *HIGHER_IS_BETTER):
            raise GhstarsError(
                f"The gates of {problem.name} set {name!r}, which health does not measure; choose "
                f"among {', '.join((*LOWER_IS_BETTER, *HIGHER_IS_BETTER))}."
            )
    return {
        "skill_critical": gates.skill_critical.value,
        "skill_warning": gates.skill_warning.value,
        "drifted_share": gates.drifted_share.value,
        "drifted": {name: getattr(gates, name).value for name in DRIFT_GATES},
        "young_history": gates.young_history.value,
        "drift_days": gates.drift_days,
        "skill_days": gates.skill_days,
        "fewest_skill_days": gates.fewest_skill_days,
        "absolute": {name: threshold.value for name, threshold in gates.absolute.items()},
    }


def _broken_gates(gates: Gates, skill: Skill) -> list[str]:
    broken = []
    for name, threshold in gates.absolute.items():
        value, bound = getattr(skill, name), threshold.value
        if value is None:
            continue
        if value > bound if name in LOWER_IS_BETTER else value < bound:
            side = "above" if name in LOWER_IS_BETTER else "below"
            broken.append(f"the {name} of {value:.3g} {_origins(skill)} is {side} {bound:g}")
    return broken


def _origins(skill: Skill) -> str:
    days = "day" if skill.scored_days == 1 else "days"
    return f"over {skill.scored_days} {days} of origin up to {skill.scored_through}"


def _skill_unknown(gates: Gates, skill: Skill) -> str:
    if skill.scored_days >= gates.fewest_skill_days:
        return f"the naive forecast was never wrong {_origins(skill)}, so skill means nothing"
    return (
        f"too early to tell: forecasts of {skill.scored_days} days have come due, and "
        f"{gates.fewest_skill_days} are needed"
    )


def _drift_told(drift: Drift, share: float) -> str:
    if drift.drifted_share is None:
        return "no feature could be held against the training rows"
    target = ", and so have the outcomes" if drift.is_target_drifted else ""
    early = f"; of {drift.too_early} it is too early to tell" if drift.too_early else ""
    return (
        f"{len(drift.drifted)} of {drift.features} features have drifted "
        f"({drift.drifted_share:.0%}; {share:.0%} is much){target}{early}"
    )


def _decision_of(lake: Lake, table: str, day: date) -> str | None:
    if not lake.days(table, DayRange(day, day)):
        return None
    stored = lake.read(table, day)
    return stored["decision"][0] if stored.height else None


def _decision_before(lake: Lake, table: str, day: date) -> str:
    """Of the newest earlier day that has one. All is well until something is said."""
    earlier = lake.days(table, DayRange(day - LOOKS_BACK, day - timedelta(days=1)))
    decisions = (_decision_of(lake, table, before) for before in reversed(earlier))
    return next((decision for decision in decisions if decision), Verdict.HEALTHY.value)


def _change_of_decision(row: Mapping[str, object]) -> Event:
    inputs = {name: value for name, value in row.items() if name not in ("reason", "thresholds")}
    thresholds = json.loads(str(row["thresholds"]))
    return Event(
        event="health",
        cause=str(row["reason"]),
        subject=f"{row['day']}: {row['decision']}",
        detail=json.dumps({**inputs, "thresholds": thresholds}, default=str),
    )
