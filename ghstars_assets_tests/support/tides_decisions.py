"""Versions of the tides, trained and decided on in a line each."""

from dataclasses import replace
from datetime import date

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.promotion.decisions import Decision, champions_of, decide
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, trained_with

MONDAYS = (date(2026, 2, 9), date(2026, 2, 16), date(2026, 2, 23))
GOOD = PROBLEM.training
BAD = trained_with(rounds=1)
"""One small tree hardly leaves the median."""
REFERENCE = DayRange(date(2026, 1, 8), date(2026, 1, 14))
WITH_REFERENCE = replace(PROBLEM, gates=replace(PROBLEM.gates, reference=REFERENCE))


def train(
    lake: Lake,
    columns: LearningColumns,
    as_of: date,
    training: Training = GOOD,
    problem: Problem = PROBLEM,
) -> int:
    obtained = obtain_candidate(
        lake,
        problem,
        columns,
        training,
        card=model_card,
        as_of=as_of,
        dagster_run_id="run",
        progress=lambda _message: None,
    )
    return int(obtained.row["model_version"])


def decide_on(
    lake: Lake, columns: LearningColumns, day: date, problem: Problem = PROBLEM
) -> Decision:
    (decision,) = decide(lake, problem, columns, day)
    return decision


def figures_of(decision: Decision, window: str) -> dict[str, float]:
    found = decision.figures[window]
    assert isinstance(found, dict)
    return found


def decided_again(lake: Lake, columns: LearningColumns, problem: Problem) -> Decision:
    """The last decision, had it been taken by other gates."""
    (*_, (_, last)) = lake.log_entries("tides.decisions")
    day = pl.read_parquet(lake.store.url(last))["effective_from"][0]
    lake.store.delete(last)
    return decide_on(lake, columns, day, problem)


def champion_by_day(lake: Lake, days: DayRange = DAYS) -> dict[date, int]:
    return dict(champions_of(lake, PROBLEM, days).select("day", "model_version").iter_rows())


def decision_log(lake: Lake) -> list[tuple[int, str]]:
    log = lake.read_log("tides.decisions")
    return [] if log is None else list(log.select("model_version", "decision").iter_rows())


def decide_by_hand(lake: Lake, version: int, from_day: date, decision: str = "rollback") -> None:
    row = {
        "model_version": version,
        "decision": decision,
        "decided_at": utc_now(),
        "effective_from": from_day,
        "reason": "a person decided so",
        "figures": "{}",
        "actor": "somebody",
    }
    lake.append("tides.decisions", loop_tables(PROBLEM)["decisions"].conform(pl.DataFrame([row])))
