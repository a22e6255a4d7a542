"""`ghstars simulate`: past days lived in order, and what the loop did about each of them."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import click
import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.console import print_line, progress_bars, say, show_frame
from ghstars_assets.cli.data.backfill import backfill
from ghstars_assets.cli.learning.past_days import NEEDED_STAGES, needed_days
from ghstars_assets.cli.parameters import DAY, OUTPUT_FILE, pass_settings, problem_argument
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.metrics import skill as skill_beside
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import champions_of
from ghstars_assets.learning.simulation.simulation import Simulation, with_and_without
from ghstars_assets.learning.simulation.simulation_lake import SimulationLake
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.triggers.schedules import training_days
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets.settings import SQL_ROOT, Settings

WEEK = timedelta(days=7)


@click.command()
@problem_argument
@click.option("--from", "first", type=DAY, metavar="DAY", required=True, help="the first day")
@click.option("--to", "last", type=DAY, metavar="DAY", required=True, help="the last day, included")
@click.option("--weekly", "is_weekly", is_flag=True, help="train each Monday besides")
@click.option("--json", "json_file", type=OUTPUT_FILE, metavar="FILE")
@pass_settings
def simulate(
    settings: Settings,
    problem: Problem,
    first: date,
    last: date,
    *,
    is_weekly: bool,
    json_file: Path | None,
) -> None:
    """Live past days in order: forecast, score, watch, and retrain where health asks for it.

    What production would have done, into tables of its own (`<problem>_simulation`). An interrupted
    simulation goes on where it stopped; one that begins on another day takes the place of the last.

    \b
    ghstars simulate stars --from 2023-12-01 --to 2024-01-31
    """
    days = DayRange(first, last)
    needed = needed_days(Lake(settings), problem, days, "never")
    backfill(settings, problem, needed, NEEDED_STAGES)
    columns = wire([problem], SQL_ROOT).columns[problem.name]
    lake = SimulationLake(settings, problem)
    trains_on = partial(training_days, settings.weekly_cron)
    past = Simulation(lake, problem, columns, say, model_card, is_weekly, trains_on)
    with progress_bars() as bars:
        task = bars.add_task(f"{problem.name} simulation", total=len(days))
        for lived in past.live(days):
            bars.update(task, completed=(lived.day - days.first).days + 1)
            if lived.events:
                say(f"{lived.day}: {lived.events}")
        bars.update(task, completed=len(days))
    lived_days = diary(lake, problem, days)
    skill = with_and_without(lake, problem, days)
    trained = lake.days(problem.table("model"), days)
    summary = summary_of(skill, trained)
    if json_file:
        whole = {"days": lived_days.to_dicts(), "skill": skill.to_dicts(), "summary": summary}
        json_file.write_text(json.dumps(whole, default=str, indent=2) + "\n", encoding="utf-8")
    show_frame(lived_days, "table", f"{problem.question}\nLived {days}")
    show_frame(pl.DataFrame([summary]), "table", "With the loop, and without it")
    print_line(
        f"Every event is a row of {problem.name}_simulation.audit, every day one of "
        f"{problem.name}_simulation.health: `ghstars sql`."
    )


@click.pass_context
def _simulate_by_its_former_name(context: click.Context, **given: object) -> None:
    say("`ghstars replay` is now `ghstars simulate`; the old name will go with the next release.")
    context.invoke(simulate, **given)


replay = click.Command(
    "replay",
    params=simulate.params,
    callback=_simulate_by_its_former_name,
    help=simulate.help,
    hidden=True,
)


def diary(lake: SimulationLake, problem: Problem, days: DayRange) -> pl.DataFrame:
    """Make a row for each day that was lived: its health, the champion at its end, the decision."""
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
    """Sum up the errors over all days that came due, each forecast counting once."""
    figures: dict[str, object] = {}
    if skill.height:
        weighed = skill.select(
            (pl.col(name) * pl.col("rows")).sum() / pl.col("rows").sum()
            for name in ("mae_typical", "mae_frozen", "mae_naive")
        )
        with_loop, without, naive = map(float, weighed.row(0))
        figures = {
            "skill_with": skill_beside(with_loop, naive),
            "skill_without": skill_beside(without, naive),
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
