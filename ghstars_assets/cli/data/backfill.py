"""`ghstars backfill`: fills the stages of a problem for a range of days, in order, and resumes."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import click

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.console import print_line, progress_bars
from ghstars_assets.cli.parameters import DAY, pass_settings, problem_argument
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.plan import days_in_range
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.stage import Stage
from ghstars_assets.orchestration.backfill import StageReport, plan_of
from ghstars_assets.orchestration.backfill import backfill as fill_stages
from ghstars_assets.orchestration.runs import Runner, dagster_instance
from ghstars_assets.settings import Settings


def backfill(
    settings: Settings,
    problem: Problem,
    days: DayRange,
    stage_names: Sequence[str] = (),
    *,
    force: bool = False,
    is_strict: bool = False,
) -> Iterator[StageReport]:
    """Fill a range of days with a bar for each stage, and report each as soon as it is done."""
    plan = plan_of(settings, problem)
    with dagster_instance(settings) as instance, progress_bars() as bars:

        def begins(stage: Stage, days: int) -> Callable[[date], None]:
            task = bars.add_task(f"{problem.name} {stage.name}", total=days or 1)
            if not days:
                bars.update(task, completed=1)
            return lambda _day: bars.advance(task)

        yield from fill_stages(
            plan,
            Runner(settings, instance),
            days,
            stage_names,
            force=force,
            is_strict=is_strict,
            begins=begins,
        )


def days_or_all(
    settings: Settings, problem: Problem, first: date | None, last: date | None
) -> DayRange:
    """The days that were asked for; what was left out is the lake's first day, or the newest that
    there can be."""
    return days_in_range(plan_of(settings, problem), first, last)


@click.command("backfill")
@problem_argument
@click.option(
    "--from", "first", type=DAY, metavar="DAY", help="YYYY-MM-DD, or `yesterday` [the lake's first]"
)
@click.option(
    "--to", "last", type=DAY, metavar="DAY", help="the last day, included [the newest there can be]"
)
@click.option("--stages", default="", metavar="A,B", help="only these, in their own order")
@click.option("--force", is_flag=True, help="fill again what is up to date")
@pass_settings
def backfill_command(
    settings: Settings,
    problem: Problem,
    first: date | None,
    last: date | None,
    stages: str,
    *,
    force: bool,
) -> None:
    """Fill the stages of PROBLEM for a range of days.

    What is there and up to date is left alone, so an interrupted backfill is resumed by running it
    again. Models are trained for the days on which the weekly schedule trains.

    \b
    ghstars backfill stars --from 2026-08-01 --to yesterday
    ghstars backfill stars --from 2026-08-01 --to 2026-08-31 --stages features,labels
    """
    names = [name.strip() for name in stages.split(",") if name.strip()]
    problem.begin(Lake(settings))
    days = days_or_all(settings, problem, first, last)
    # Whoever names stages means them: a day that cannot be had is then a failure.
    is_strict = bool(names)
    for report in backfill(settings, problem, days, names, force=force, is_strict=is_strict):
        print_line(str(report))
