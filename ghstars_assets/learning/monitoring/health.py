"""Health: on each day, whether the champion should be trained anew, with all that led to it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.holes import holes_in
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.evaluation.recent_skill import Skill, SkillMeter
from ghstars_assets.learning.forecasting.calibration import without_champion
from ghstars_assets.learning.monitoring.drift_summary import Drift, drift_on
from ghstars_assets.learning.monitoring.retraining import Verdict
from ghstars_assets.learning.monitoring.retraining_requests import Request, RetrainRequests
from ghstars_assets.learning.problem import Gates, Problem
from ghstars_assets.learning.tables import loop_tables

DRIFT_GATES = (
    "population_stability", "wasserstein", "jensen_shannon", "share_missing", "share_outside",
)  # fmt: skip
"""By which `drift` calls a feature drifted."""
LOWER_IS_BETTER = ("rmse",)
HIGHER_IS_BETTER = ("r2", "auc")
LOOKS_BACK = timedelta(days=31)
"""For the decision before: days between may be holes."""


def health_days(
    lake: Lake, problem: Problem, champions: Mapping[date, int], days: Iterable[date]
) -> Iterator[DayOutcome]:
    """Fill `health`, a day at a time."""
    table, drift_table = loop_tables(problem)["health"], problem.table("drift")
    meter, requests = SkillMeter(lake, problem), RetrainRequests(lake, problem)
    thresholds = json.dumps(thresholds_of(problem))
    for day in days:
        today = DayRange(day, day)
        if not lake.days(drift_table, today):
            yield _without_drift(lake, problem, day)
            continue
        if hole := holes_in(lake, drift_table, today).get(day):
            written = lake.write(table.name, day, table.empty(), notes={GAP: hole.reason})
            yield DayOutcome(day, Status.GAP, 0, written.size_bytes, reason=hole.reason)
            continue
        if day not in champions:
            yield without_champion(problem, day)
            continue
        rows = lake.read(drift_table, day)
        if stale := set(rows["model_version"]) - {champions[day]}:
            yield _drift_of_another(problem, day, champions[day], stale)
            continue
        drift, skill = drift_on(rows, problem.gates), meter.skill_on(day)
        request = requests.open_on(day)
        verdict, reason = verdict_of(problem.gates, skill, drift, request)
        row = {
            "day": day,
            "decision": verdict.value,
            "is_due": verdict.is_due,
            "reason": reason,
            "model_version": champions[day],
            **asdict(skill),
            "drifted_share": drift.drifted_share,
            "drifted_features": ", ".join(drift.drifted),
            "is_target_drifted": drift.is_target_drifted,
            "request": request and request.number,
            "thresholds": thresholds,
        }
        before = _decision_of(lake, table.name, day)
        written = lake.write(table.name, day, table.conform(pl.DataFrame([row])))
        if verdict.value not in (before, _decision_before(lake, table.name, day)):
            _record_turn(lake, problem, row)
        yield DayOutcome(day, Status.WRITTEN, written.rows, written.size_bytes)


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
    told = f"the skill of {skill.skill_vs_naive:.3g} {_origins(skill)}"
    warning, critical = gates.skill_warning.value, gates.skill_critical.value
    if skill.skill_vs_naive < critical:
        return Verdict.REACTIVE, f"{told} is below {critical:g}, which is critical; {drifted}"
    if skill.skill_vs_naive < warning:
        verdict = Verdict.PROACTIVE if has_drifted else Verdict.WAIT
        return verdict, f"{told} is below the warning of {warning:g}; {drifted}"
    verdict = Verdict.WAIT if has_drifted else Verdict.HEALTHY
    return verdict, f"{told} holds (the warning is {warning:g}); {drifted}"


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
        return f"the naive forecast was never wrong {_origins(skill)}, so skill tells nothing"
    return (
        f"too early to tell: forecasts of {skill.scored_days} days have come due, and "
        f"{gates.fewest_skill_days} are needed"
    )


def _drift_told(drift: Drift, share: float) -> str:
    if drift.drifted_share is None:
        return "no feature could be held against the training rows"
    target = ", and so have the outcomes" if drift.is_target_drifted else ""
    return (
        f"{len(drift.drifted)} of {drift.features} features have drifted "
        f"({drift.drifted_share:.0%}; {share:.0%} is much){target}"
    )


def _without_drift(lake: Lake, problem: Problem, day: date) -> DayOutcome:
    snapshots = problem.table("snapshots")
    hole = holes_in(lake, snapshots, DayRange(day, day)).get(day)
    if hole and hole.is_quarantine:
        lake.delete(problem.table("health"), day)
        reason = f"{snapshots} of {day} is quarantined ({hole.reason})"
        return DayOutcome(day, Status.SKIPPED, reason=reason)
    reason = f"{problem.table('drift')} has no {day}; fill it with {_fill_drift(problem, day)}"
    return DayOutcome(day, Status.FAILED, reason=reason)


def _drift_of_another(
    problem: Problem, day: date, champion: int, stale: Iterable[int]
) -> DayOutcome:
    versions = ", ".join(str(version) for version in sorted(stale))
    reason = (
        f"{problem.table('drift')} of {day} is of version {versions}, and version {champion} "
        f"serves; fill it with {_fill_drift(problem, day)}"
    )
    return DayOutcome(day, Status.FAILED, reason=reason)


def _fill_drift(problem: Problem, day: date) -> str:
    return f"`ghstars backfill {problem.name} --from {day} --to {day} --stages drift`"


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


def _record_turn(lake: Lake, problem: Problem, row: Mapping[str, object]) -> None:
    inputs = {name: value for name, value in row.items() if name not in ("reason", "thresholds")}
    record_event(
        lake,
        problem=problem.name,
        event="health",
        cause=str(row["reason"]),
        subject=f"{row['day']}: {row['decision']}",
        actor="health",
        detail=json.dumps(
            {**inputs, "thresholds": json.loads(str(row["thresholds"]))}, default=str
        ),
    )
