"""Fills the stages of a problem for a range of days, in order, as recorded runs, and resumes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from ghstars_assets.calendar import DayRange, consecutive
from ghstars_assets.errors import NotEnoughHistoryError
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.plan import Plan, lead_days, stale_days
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.stage import Stage
from ghstars_assets.learning.stages import chosen_stages
from ghstars_assets.learning.training.candidates_on_record import is_on_record
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.runs import Recorded, Runner, RunReport
from ghstars_assets.orchestration.triggers.schedules import training_days
from ghstars_assets.settings import SQL_ROOT, Settings


@dataclass
class StageReport:
    """What a backfill did to one stage."""

    stage: str
    filled: int = 0
    up_to_date: int = 0
    lake_seconds: float = 0.0
    dagster_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def count(self, run: RunReport) -> None:
        self.filled += run.days_done
        self.lake_seconds += run.lake_seconds
        self.dagster_seconds += run.dagster_seconds

    def __str__(self) -> str:
        line = f"{self.stage:<12} {self.filled:>5} days filled"
        if self.up_to_date:
            line += f", {self.up_to_date} up to date"
        if self.filled:
            line += f"; {self.lake_seconds:.1f} s of work, {self.dagster_seconds:.1f} s of records"
        return line + "".join(f"; {note}" for note in self.notes)


StageBegins = Callable[[Stage, int], Callable[[date], None]]
"""Hears of each stage before it is filled, with the number of its days, and returns what hears of
each day that is done."""


def plan_of(settings: Settings, problem: Problem, sql_root: Path = SQL_ROOT) -> Plan:
    """How the problem stands in the lake of these settings."""
    lake = Lake(settings)
    wired = wire([problem], sql_root)
    trains_on = partial(training_days, settings.weekly_cron)
    return Plan(lake, problem, wired, read_marker(lake), trains_on)


def backfill(
    plan: Plan,
    runner: Runner,
    days: DayRange,
    stage_names: Sequence[str] = (),
    *,
    force: bool = False,
    is_strict: bool = False,
    begins: StageBegins = lambda _stage, _days: lambda _day: None,
) -> Iterator[StageReport]:
    """Fill what is missing or stale; with `force` everything. Every run is recorded in Dagster.

    Earlier days that the range looks back on are filled too, so that the result does not hang on
    what was filled before. Days in quarantine and days without a champion are left out, and the
    report says so; with `is_strict` it is a failure to ask for such days alone.
    """
    stages = chosen_stages(plan.stages, stage_names)
    leads = lead_days(stages)
    filling = _Backfill(plan, runner, force=force)
    for stage in stages:
        asked = _with_lead(days, leads[stage.table.name], plan)
        chosen = plan.choose_days(stage, asked, is_strict=is_strict)
        report = filling.fill(stage, list(chosen.days), begins(stage, len(chosen.days)))
        report.notes += chosen.left_out
        yield report


def _with_lead(days: DayRange, lead: int, plan: Plan) -> DayRange:
    if plan.marker is None or plan.marker.first_day is None:
        return days
    earliest = max(plan.marker.first_day, days.first - timedelta(lead))
    return DayRange(min(days.first, earliest), days.last)


class _Backfill:
    def __init__(self, plan: Plan, runner: Runner, *, force: bool) -> None:
        self.plan = plan
        self.runner = runner
        self.force = force

    def fill(self, stage: Stage, wanted: list[date], on_day: Callable[[date], None]) -> StageReport:
        report = StageReport(stage.name)
        if stage.is_of_training_days:
            self._train(stage, wanted, report, on_day)
            return report
        todo = wanted if self.force else self._not_done(stage, wanted)
        report.up_to_date = len(wanted) - len(todo)
        for days in consecutive(todo):
            report.count(self.runner.run(stage.table.name, days, on_day))
        return report

    def _not_done(self, stage: Stage, wanted: list[date]) -> list[date]:
        """Stale in the lake, or not recorded in Dagster (a run killed between the two)."""
        if not wanted:
            return []
        recorded = Recorded(self.runner.instance).materialized_days(stage.table.name)
        stale = set(stale_days(self.plan.lake, stage, DayRange(wanted[0], wanted[-1])))
        return [day for day in wanted if day in stale or day not in recorded]

    def _train(
        self, stage: Stage, days: list[date], report: StageReport, on_day: Callable[[date], None]
    ) -> None:
        """One run a candidate, so that each has its own record; a version that exists is found
        again, not trained anew."""
        plan, table = self.plan, stage.table.name
        columns = plan.wired.columns[plan.problem.name]
        recorded = Recorded(self.runner.instance).materialized_days(table)
        too_early: list[date] = []
        for day in days:
            try:
                is_known = is_on_record(
                    plan.lake, plan.problem, columns, plan.problem.training, day
                )
            except NotEnoughHistoryError:
                too_early.append(day)
                on_day(day)
                continue
            if is_known and day in recorded and not self.force:
                report.up_to_date += 1
                on_day(day)
                continue
            report.count(self.runner.run(table, DayRange(day, day), on_day))
        if too_early:
            report.notes.append(f"too little history for one as of {too_early[-1]} or before")
