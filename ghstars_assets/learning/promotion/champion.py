"""Fills `champion`: decides on the candidates of a day, and reads off the log who serves."""

import json
from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.decisions import champion_on, decide
from ghstars_assets.learning.promotion.fallback import fall_back_from_damage
from ghstars_assets.learning.stage import Filled, StageDay
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.training.candidates_on_record import point_alias_at_champion


def decide_on_candidates(
    lake: Lake, problem: Problem, columns: LearningColumns, days: DayRange
) -> Iterator[str]:
    """Decide on every candidate of these days that waits for it, and in the latest days go back to
    the version before where the one that serves is damaged; one line for each decision."""
    trained = lake.days(problem.table("model"), days)
    for day in trained:
        for decision in decide(lake, problem, columns, day):
            yield (
                f"{decision.decision} version {decision.model_version} from {day}: "
                f"{decision.reason}"
            )
    # A world whose newest day is yesterday is looked after too; what is decided holds from today.
    is_recent = days.last >= utc_today() - timedelta(days=1)
    fallen_back = fall_back_from_damage(lake, problem) if is_recent else None
    if fallen_back:
        yield f"{fallen_back.decision} to version {fallen_back.model_version}: {fallen_back.reason}"
    if trained or fallen_back:
        point_alias_at_champion(lake, problem)


def fill_champion(day: StageDay) -> Filled:
    """Name the version that serves on the day; no row while there is none."""
    log = day.once("decisions", lambda: day.lake.read_log(day.problem.table("decisions")))
    serving = champion_on(log, day.day) if log is not None else None
    if serving is None:
        return Filled(loop_tables(day.problem)["champion"].empty())
    facts = {name: str(serving[name]) for name in ("decision", "reason")}
    figures = json.loads(str(serving["figures"]))
    return Filled(
        pl.DataFrame([serving]),
        facts={
            "model_version": int(str(serving["model_version"])),
            **facts,
            **({"figures": figures} if figures else {}),
        },
    )
