"""`ghstars backtest`: replays the loop over past days and tells how good its forecasts were."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from ghstars_assets.calendar import DayRange
from ghstars_assets.commands.backfill import backfill
from ghstars_assets.commands.console import progress_bars, say, show_frame
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.backtest import Mode, Replay, periods
from ghstars_assets.learning.evaluation.skill import SkillReport, measure_skill
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.registry.mlflow_tracking import Tracking
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.assets.backtest_asset import backtest_files, report_backtest
from ghstars_assets.orchestration.runs import dagster_instance
from ghstars_assets.reporting.skill_report import rows_for_console
from ghstars_assets.settings import SQL_ROOT, Settings

STAGES = ("snapshots", "features", "labels")
"""What a replay is made of; it trains, calibrates and forecasts by itself."""


def run_backtest(
    settings: Settings,
    problem: Problem,
    first: date | None,
    last: date | None,
    mode: Mode,
    json_file: Path | None,
    *,
    is_expanding: bool = False,
) -> SkillReport:
    require_folder_of(json_file)
    lake = Lake(settings)
    days = _days(lake, problem, first, last)
    needed = needed_days(lake, problem, days, mode, is_expanding=is_expanding)
    backfill(settings, problem, needed, STAGES)
    wired = wire([problem], SQL_ROOT)
    with progress_bars() as bars:
        task = bars.add_task(f"{problem.name} backtest", total=len(days))
        replay = Replay(lake, problem, wired, problem.training, mode, say, is_expanding)
        for outcome in replay.run(days):
            bars.update(task, completed=(outcome.day - days.first).days + 1)
        bars.update(task, completed=len(days))
    columns = wired.columns[problem.name]
    report = measure_skill(lake, problem, columns.baselines, days, replay.part)
    if json_file:
        json_file.write_text(json.dumps(report.as_dict(), indent=2) + "\n", encoding="utf-8")
    run_id = Tracking(settings, problem.name).record_backtest(report, backtest_files(report))
    with dagster_instance(settings) as instance:
        report_backtest(instance, problem.table("backtest"), report, run_id)
    return report


def require_folder_of(json_file: Path | None) -> None:
    """Before the work is done, not after it."""
    if json_file and not json_file.absolute().parent.is_dir():
        raise GhstarsError(f"There is no folder {json_file.absolute().parent}; make it first.")


def show_backtest(problem: Problem, report: SkillReport) -> None:
    title = f"{problem.question}\nReplayed {report.days}, retrained {report.mode}"
    show_frame(rows_for_console(report), "table", title)


def needed_days(
    lake: Lake, problem: Problem, days: DayRange, mode: Mode, *, is_expanding: bool = False
) -> DayRange:
    """From the first that the first model learns from to the last outcome that anybody knows."""
    as_of = periods(days, mode)[0].trained_as_of
    told = [day for source in problem.sources for day in _ends_of(lake, source.table.name)]
    if not told:
        raise GhstarsError(
            f"No source of {problem.name} holds a day in {lake.store.root}; import an archive with "
            f"`ghstars import {problem.name} PATH_OR_URL`, or run `ghstars demo`."
        )
    first, window = min(told), problem.training.window_days
    if window is not None and not is_expanding:
        first = max(first, as_of - timedelta(days=window + problem.label_lag_days))
    last = min(max(told), days.last + timedelta(days=problem.horizon_days))
    if last < first:
        raise GhstarsError(
            f"The sources of {problem.name} hold {min(told)} to {max(told)} and nothing of {days}; "
            "choose days among them."
        )
    return DayRange(first, last)


def _days(lake: Lake, problem: Problem, first: date | None, last: date | None) -> DayRange:
    """What is not said is the latest quarter whose outcomes are known."""
    told = [day for source in problem.sources for day in _ends_of(lake, source.table.name)]
    newest = max(told, default=date.max - timedelta(days=problem.horizon_days))
    ends = last or newest - timedelta(days=problem.horizon_days)
    return DayRange(first or ends - timedelta(days=90), ends)


def _ends_of(lake: Lake, table: str) -> Sequence[date]:
    stored = lake.days(table)
    return [stored[0], stored[-1]] if stored else []
