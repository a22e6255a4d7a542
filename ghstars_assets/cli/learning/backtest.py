"""`ghstars backtest`: the loop over past days, and how good its forecasts were."""

import json
from datetime import date
from pathlib import Path
from typing import get_args

import click

from ghstars_assets.cli.console import progress_bars, say, show_frame
from ghstars_assets.cli.data.backfill import backfill
from ghstars_assets.cli.learning.past_days import NEEDED_STAGES, needed_days, origins
from ghstars_assets.cli.parameters import DAY, OUTPUT_FILE, pass_settings, problem_argument
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.backtest import Backtest, Mode
from ghstars_assets.learning.evaluation.skill import SkillReport, measure_skill
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.registry.mlflow_tracking import Tracking
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.assets.backtest_asset import report_backtest
from ghstars_assets.orchestration.runs import dagster_instance
from ghstars_assets.reporting.skill_report import report_files, rows_for_console
from ghstars_assets.settings import SQL_ROOT, Settings


@click.command()
@problem_argument
@click.option(
    "--from", "first", type=DAY, metavar="DAY", help="the first origin [a quarter before the last]"
)
@click.option(
    "--to", "last", type=DAY, metavar="DAY", help="the last [the newest whose outcome is known]"
)
@click.option(
    "--retrain", "mode", type=click.Choice(get_args(Mode)), default="monthly", show_default=True
)
@click.option("--expanding", "is_expanding", is_flag=True, help="learn from all days before")
@click.option("--json", "json_file", type=OUTPUT_FILE, metavar="FILE")
@pass_settings
def backtest(
    settings: Settings,
    problem: Problem,
    first: date | None,
    last: date | None,
    mode: Mode,
    *,
    is_expanding: bool,
    json_file: Path | None,
) -> None:
    """Forecast past days as they would have been forecast, and measure the forecasts.

    Every day is an origin; models know nothing that came after. What a backtest needs is filled in
    first; a day that was forecast by an earlier one is not forecast again.

    \b
    ghstars backtest stars --from 2025-07-01 --to 2026-02-19 --json skill.json
    """
    report = _run(settings, problem, first, last, mode, json_file, is_expanding=is_expanding)
    title = f"{problem.question}\nBacktest of {report.days}, retrained {report.mode}"
    show_frame(rows_for_console(report), "table", title)


def _run(
    settings: Settings,
    problem: Problem,
    first: date | None,
    last: date | None,
    mode: Mode,
    json_file: Path | None,
    *,
    is_expanding: bool = False,
) -> SkillReport:
    lake = Lake(settings)
    days = origins(lake, problem, first, last)
    needed = needed_days(lake, problem, days, mode, is_expanding=is_expanding)
    backfill(settings, problem, needed, NEEDED_STAGES)
    wired = wire([problem], SQL_ROOT)
    with progress_bars() as bars:
        task = bars.add_task(f"{problem.name} backtest", total=len(days))
        past = Backtest(lake, problem, wired, problem.training, mode, say, is_expanding)
        for outcome in past.run(days):
            bars.update(task, completed=(outcome.day - days.first).days + 1)
        bars.update(task, completed=len(days))
    columns = wired.columns[problem.name]
    report = measure_skill(lake, problem, columns.baselines, days, past.part)
    if json_file:
        json_file.write_text(json.dumps(report.as_dict(), indent=2) + "\n", encoding="utf-8")
    run_id = Tracking(settings, problem.name).record_backtest(report, report_files(report))
    with dagster_instance(settings) as instance:
        report_backtest(instance, problem.table("backtest"), report, run_id)
    return report
