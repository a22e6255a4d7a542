"""`ghstars replay`: past days lived in order, and what the loop did about each of them."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.commands.backfill import backfill
from ghstars_assets.commands.backtesting import STAGES, needed_days, require_folder_of
from ghstars_assets.commands.console import out, progress_bars, say, show_frame
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import champions_of
from ghstars_assets.learning.simulation.simulation import LivedPast, with_and_without
from ghstars_assets.learning.simulation.simulation_lake import ReplayLake
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.triggers.schedules import training_days
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets.settings import SQL_ROOT, Settings

WEEK = timedelta(days=7)


def run_replay(
    settings: Settings,
    problem: Problem,
    days: DayRange,
    *,
    is_weekly: bool,
    json_file: Path | None,
) -> None:
    """Live the days, then show each day on which something happened, and what the loop gained."""
    require_folder_of(json_file)
    backfill(settings, problem, needed_days(Lake(settings), problem, days, "never"), STAGES)
    columns = wire([problem], SQL_ROOT).columns[problem.name]
    lake = ReplayLake(settings, problem)
    trains_on = partial(training_days, settings.weekly_cron)
    past = LivedPast(lake, problem, columns, say, model_card, is_weekly, trains_on)
    with progress_bars() as bars:
        task = bars.add_task(f"{problem.name} replay", total=len(days))
        for lived in past.live(days):
            bars.update(task, completed=(lived.day - days.first).days + 1)
            if lived.events:
                say(f"{lived.day}: {lived.events}")
        bars.update(task, completed=len(days))
    told = diary(lake, problem, days)
    skill = with_and_without(lake, problem, days)
    trained = lake.days(problem.table("model"), days)
    summary = summary_of(skill, trained)
    if json_file:
        whole = {"days": told.to_dicts(), "skill": skill.to_dicts(), "summary": summary}
        json_file.write_text(json.dumps(whole, default=str, indent=2) + "\n", encoding="utf-8")
    show_frame(told, "table", f"{problem.question}\nLived {days}")
    show_frame(pl.DataFrame([summary]), "table", "With the loop, and without it")
    out().print(
        f"Every event is a row of {problem.name}_replay.audit, every day one of "
        f"{problem.name}_replay.health: `ghstars sql`.",
        highlight=False,
    )


def diary(lake: ReplayLake, problem: Problem, days: DayRange) -> pl.DataFrame:
    """One row a day that was lived: its health, who served at its end, and what was decided."""
    health = _of_days(lake, problem.table("health"), days).select(
        "day", "decision", "skill_vs_naive", "drifted_share", "reason"
    )
    champions = champions_of(lake, problem, days).select(
        "day", "model_version", then=pl.when(pl.col("decision") != "carry").then("decision")
    )
    return champions.join(health, on="day", how="left").select(
        "day", "decision", "skill_vs_naive", "drifted_share", "model_version", "then", "reason"
    )


def summary_of(skill: pl.DataFrame, trained: Sequence[date]) -> dict[str, object]:
    """Errors over all days that came due, each forecast counting once."""
    figures: dict[str, object] = {}
    if skill.height:
        weighed = skill.select(
            (pl.col(name) * pl.col("rows")).sum() / pl.col("rows").sum()
            for name in ("mae_typical", "mae_frozen", "mae_naive")
        )
        with_loop, without, naive = map(float, weighed.row(0))
        figures = {
            "skill_with": 1 - with_loop / naive,
            "skill_without": 1 - without / naive,
            "mae_with": with_loop,
            "mae_without": without,
            "mae_naive": naive,
        }
    most = max((sum(day <= other < day + WEEK for other in trained) for day in trained), default=0)
    return {
        "days_scored": skill.height,
        **figures,
        "trained": len(trained),
        "most_trained_in_a_week": most,
    }


def _of_days(lake: Lake, table: str, days: DayRange) -> pl.DataFrame:
    return pl.concat([lake.read(table, day) for day in lake.days(table, days)])
