"""`ghstars backfill`: fills the stages of a problem for a range of days, in order, and resumes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import click

from ghstars_assets.calendar import DayRange, consecutive, parse_day, utc_now
from ghstars_assets.cli.console import progress_bars
from ghstars_assets.cli.parameters import pass_settings, problem_argument
from ghstars_assets.errors import GhstarsError, NotEnoughHistoryError
from ghstars_assets.lake.marker import Marker, read_marker, require_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.decisions import first_championed_day
from ghstars_assets.learning.stages import (
    NEED_A_CHAMPION,
    Stage,
    chosen_stages,
    first_told_day,
    held_back_days,
    lead_days,
    newest_day,
    stages_of,
    stale_days,
)
from ghstars_assets.learning.training.candidates_on_record import is_on_record
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.runs import Recorded, Runner, RunReport, dagster_instance
from ghstars_assets.settings import SQL_ROOT, Settings
from ghstars_assets.sources.source import Source


@dataclass
class StageReport:
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
        told = f"{self.stage:<12} {self.filled:>5} days filled"
        if self.up_to_date:
            told += f", {self.up_to_date} up to date"
        if self.filled:
            told += f"; {self.lake_seconds:.1f} s of work, {self.dagster_seconds:.1f} s of records"
        return told + "".join(f"; {note}" for note in self.notes)


def backfill(
    settings: Settings,
    problem: Problem,
    days: DayRange,
    stage_names: Sequence[str] = (),
    *,
    force: bool = False,
    is_strict: bool = False,
) -> list[StageReport]:
    """Fill what is missing or stale; with `force` everything. Every run is recorded in Dagster.

    Earlier days that the range looks back on are filled too, so that the result does not hang on
    what was filled before. Days in quarantine and days without a champion are left out; with
    `is_strict` it is a failure to ask for such days alone, or for forecasts without a champion.
    """
    lake = Lake(settings)
    marker = read_marker(lake)
    wired = wire([problem], SQL_ROOT)
    stages = chosen_stages(stages_of(problem, wired, marker), stage_names)
    leads = lead_days(stages)
    with dagster_instance(settings) as instance, progress_bars() as bars:
        runner = Runner(settings, instance)
        filling = _Backfill(
            lake,
            problem,
            wired.columns[problem.name],
            runner,
            force=force,
            is_strict=is_strict,
        )
        reports = []
        for stage in stages:
            wanted = filling.wanted(stage, _led(days, leads[stage.table], marker))
            task = bars.add_task(f"{problem.name} {stage.name}", total=len(wanted) or 1)
            report = filling.fill(stage, wanted, lambda _day, task=task: bars.advance(task))
            bars.update(task, completed=len(wanted) or 1)
            reports.append(report)
    return reports


def days_or_all(
    settings: Settings, problem: Problem, first: str | None, last: str | None
) -> DayRange:
    """The days that were asked for; what was left out is the lake's first day, or the newest that
    there can be."""
    lake = Lake(settings)
    marker = read_marker(lake)
    newest = newest_day(lake, problem, marker)
    if last and parse_day(last) > newest:
        raise GhstarsError(
            f"No source of {problem.name} knows {parse_day(last)} yet; the newest day is {newest}."
        )
    begin = (
        parse_day(first)
        if first
        else (marker and marker.first_day) or first_told_day(lake, problem) or problem.first_day
    )
    return DayRange(begin, parse_day(last) if last else newest)


def _led(days: DayRange, lead: int, marker: Marker | None) -> DayRange:
    if marker is None or marker.first_day is None:
        return days
    return DayRange(min(days.first, max(marker.first_day, days.first - timedelta(lead))), days.last)


class _Backfill:
    def __init__(
        self,
        lake: Lake,
        problem: Problem,
        columns: LearningColumns,
        runner: Runner,
        *,
        force: bool,
        is_strict: bool,
    ) -> None:
        self.lake = lake
        self.problem = problem
        self.columns = columns
        self.runner = runner
        self.force = force
        self.is_strict = is_strict

    def wanted(self, stage: Stage, days: DayRange) -> list[date]:
        """The days of the range that this stage can have."""
        last = days.last
        if stage.looks_ahead_days:
            snapshots = self.lake.days(self.problem.table("snapshots"))
            known = snapshots[-1] if snapshots else days.first
            last = min(last, known - timedelta(days=stage.looks_ahead_days))
        if stage.name == "scores":
            last = min([last, *self.lake.days(self.problem.table("labels"))[-1:]])
        listed = list(DayRange(days.first, last)) if last >= days.first else []
        listed = stage.own_days(self.lake, listed)
        if stage.source:
            return listed if self.is_strict else self._tellable(stage.source, listed)
        if stage.name == "model":
            return [day for day in listed if day.weekday() == self.problem.training_weekday]
        if not listed:
            return []
        held_back = held_back_days(self.lake, self.problem, stage, DayRange(days.first, last))
        if self.is_strict and held_back.issuperset(listed):
            return listed
        if stage.name in NEED_A_CHAMPION and not self.is_strict:
            first = first_championed_day(self.lake, self.problem)
            listed = [day for day in listed if first and day >= first]
        return [day for day in listed if day not in held_back]

    def _tellable(self, source: Source, days: list[date]) -> list[date]:
        """What the source can tell now, and what it told before."""
        marker = require_marker(self.lake, source.kinds)
        known = {
            *source.known_days(self.lake, marker, utc_now()),
            *self.lake.days(source.table.name),
        }
        return [day for day in days if day in known]

    def fill(self, stage: Stage, wanted: list[date], on_day: Callable[[date], None]) -> StageReport:
        report = StageReport(stage.name)
        if stage.name == "model":
            self._train(wanted, report, on_day)
            return report
        todo = wanted if self.force else self._not_done(stage, wanted)
        report.up_to_date = len(wanted) - len(todo)
        for days in consecutive(todo):
            report.count(self.runner.run(stage.table, days, on_day))
        if stage.name in NEED_A_CHAMPION and not wanted:
            report.notes.append("no version serves on these days yet")
        return report

    def _not_done(self, stage: Stage, wanted: list[date]) -> list[date]:
        """Stale in the lake, or not recorded in Dagster (a run killed between the two)."""
        if not wanted:
            return []
        recorded = Recorded(self.runner.instance).materialized_days(stage.table)
        stale = set(stale_days(self.lake, stage, DayRange(wanted[0], wanted[-1])))
        return [day for day in wanted if day in stale or day not in recorded]

    def _train(self, days: list[date], report: StageReport, on_day: Callable[[date], None]) -> None:
        """One run a candidate, so that each has its own record; a version that exists is found
        again, not trained anew."""
        table = self.problem.table("model")
        recorded = Recorded(self.runner.instance).materialized_days(table)
        too_early: list[date] = []
        for day in days:
            try:
                is_known = is_on_record(
                    self.lake, self.problem, self.columns, self.problem.training, day
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


@click.command("backfill")
@problem_argument
@click.option(
    "--from", "first", metavar="DAY", help="YYYY-MM-DD, or `yesterday` [the lake's first]"
)
@click.option(
    "--to", "last", metavar="DAY", help="the last day, included [the newest there can be]"
)
@click.option("--stages", default="", metavar="A,B", help="only these, in their own order")
@click.option("--force", is_flag=True, help="fill again what is up to date")
@pass_settings
def backfill_command(
    settings: Settings,
    problem: Problem,
    first: str | None,
    last: str | None,
    stages: str,
    *,
    force: bool,
) -> None:
    """Fill the stages of PROBLEM for a range of days.

    What is there and up to date is left alone, so an interrupted backfill is resumed by running it
    again. Models are trained for the Mondays of the range.

    \b
    ghstars backfill stars --from 2026-08-01 --to yesterday
    ghstars backfill stars --from 2026-08-01 --to 2026-08-31 --stages features,labels
    """
    names = [name.strip() for name in stages.split(",") if name.strip()]
    days = days_or_all(settings, problem, first, last)
    # Whoever names stages means them: a day that cannot be had is then a failure.
    is_strict = bool(names)
    for report in backfill(settings, problem, days, names, force=force, is_strict=is_strict):
        click.echo(str(report))
