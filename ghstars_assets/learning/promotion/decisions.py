"""Which version serves: an append-only log of decisions, and the champion of any day off it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.errors import DamagedModelError, LogMovedError, NoChampionError
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import damage_of
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.rules import decide_on_candidate
from ghstars_assets.learning.tables import loop_tables

SERVING_DECISIONS = ("deploy", "promote", "rollback")


@dataclass(frozen=True)
class Decision:
    model_version: int
    decision: str
    effective_from: date
    reason: str
    figures: Mapping[str, object]
    """What was compared: `reference` and `current`, as far as they were, and the gates."""
    actor: str = "champion"
    """Who decided: the stage, or a user."""


def model_row(lake: Lake, problem: Problem, version: int) -> dict[str, Any]:
    """A version's row in the `model` table."""
    table = problem.table("model")
    is_it = pl.col("model_version") == version
    day = lake.scan(table).filter(is_it).select("day").collect()
    if day.is_empty():
        raise NoChampionError(
            f"{table} holds no version {version}; restore its partition, or train anew."
        )
    found = lake.read(table, day.item(0, 0)).filter(is_it)
    return found.row(0, named=True)


def champions_of(lake: Lake, problem: Problem, days: DayRange) -> pl.DataFrame:
    """Read off the log who served on each day: the last version that was deployed or promoted by
    then. A day on which there was none has no row."""
    table = loop_tables(problem)["champion"]
    log = lake.read_log(problem.table("decisions"))
    if log is None:
        return table.empty()
    rows = [row for day in days if (row := champion_on(log, day))]
    return table.conform(pl.DataFrame(rows)) if rows else table.empty()


def first_championed_day(lake: Lake, problem: Problem) -> date | None:
    """The first day on which any version served."""
    log = lake.read_log(problem.table("decisions"))
    if log is None:
        return None
    served = log.filter(pl.col("decision").is_in(SERVING_DECISIONS))["effective_from"].to_list()
    return min(served, default=None)


def champion_on(log: pl.DataFrame, day: date) -> dict[str, object] | None:
    """A row of `champion`, off the log."""
    in_office = log.filter(
        pl.col("decision").is_in(SERVING_DECISIONS), pl.col("effective_from") <= day
    ).sort("effective_from", maintain_order=True)
    if in_office.is_empty():
        return None
    serving = in_office.row(-1, named=True)
    todays = log.filter(pl.col("effective_from") == day)
    if todays.is_empty():
        said = {
            "decision": "carry",
            "decided_at": serving["decided_at"],
            "reason": f"nothing was decided; version {serving['model_version']} goes on",
            "figures": "{}",
        }
    else:
        said = {
            name: todays.row(-1, named=True)[name]
            for name in ("decision", "decided_at", "reason", "figures")
        }
    return {
        "day": day,
        "model_version": serving["model_version"],
        "effective_from": serving["effective_from"],
        **said,
    }


def decide(lake: Lake, problem: Problem, columns: LearningColumns, day: date) -> list[Decision]:
    """Decide on every candidate of `day` that nobody has decided on, and log each decision.

    The log is appended to only if it is still as it was read, so of two runs that decide at once
    one wins and the other starts over from what it finds.
    """
    taken: list[Decision] = []
    while True:
        entries = lake.log_entries(problem.table("decisions"))
        log = lake.read_log(problem.table("decisions"))
        undecided = _undecided(lake, problem, log, day)
        if not undecided:
            return taken
        champion = champion_on(log, day) if log is not None else None
        decision = _judge(lake, problem, columns, day, undecided[0], champion)
        if log_decision(lake, problem, decision, after=entries[-1][0] if entries else 0):
            taken.append(decision)


def _undecided(lake: Lake, problem: Problem, log: pl.DataFrame | None, day: date) -> list[int]:
    table = problem.table("model")
    if not lake.partitions(table, DayRange(day, day)):
        return []
    versions = lake.scan(table, DayRange(day, day)).select("model_version").collect()
    decided = set(log["model_version"]) if log is not None else set()
    return sorted(set(versions["model_version"]) - decided)


def _judge(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    day: date,
    version: int,
    champion: Mapping[str, object] | None,
) -> Decision:
    """The first candidate serves; what becomes of a later one stands in `rules.py`."""
    candidate = model_row(lake, problem, version)
    damage = damage_of(problem, candidate)
    if champion is None:
        if damage:
            raise DamagedModelError(damage)
        return Decision(version, "deploy", day, "the first version there is", {})
    if damage:
        return Decision(version, "reject", day, f"it cannot forecast: {damage}", {})
    served_days = (day - date.fromisoformat(str(champion["effective_from"]))).days
    serving = model_row(lake, problem, int(str(champion["model_version"])))
    verdict = decide_on_candidate(lake, problem, columns, day, candidate, serving, served_days)
    return Decision(version, verdict.decision, day, verdict.reason, verdict.figures)


def log_decision(lake: Lake, problem: Problem, decision: Decision, after: int) -> bool:
    """False: another decision was logged in the meantime."""
    table = loop_tables(problem)["decisions"]
    row = {
        "model_version": decision.model_version,
        "decision": decision.decision,
        "decided_at": utc_now(),
        "effective_from": decision.effective_from,
        "reason": decision.reason,
        "figures": json.dumps(dict(decision.figures)),
        "actor": decision.actor,
    }
    try:
        lake.append(table.name, table.conform(pl.DataFrame([row])), after=after)
    except LogMovedError:
        return False
    record_event(
        lake,
        problem=problem.name,
        event=decision.decision,
        cause=decision.reason,
        subject=f"version {decision.model_version} from {decision.effective_from}",
        actor=decision.actor,
        detail=row["figures"],
    )
    return True
