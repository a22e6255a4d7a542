"""`ghstars backfill`: fills the stages of a problem for a range of days, in order, and resumes."""

from collections.abc import Callable, Sequence
from datetime import date

from ghstars_assets.calendar import DayRange, parse_day
from ghstars_assets.commands.console import progress_bars
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
) -> list[StageReport]:
    """Fill a range of days with a bar for each stage."""
    plan = plan_of(settings, problem)
    with dagster_instance(settings) as instance, progress_bars() as bars:

        def begins(stage: Stage, days: int) -> Callable[[date], None]:
            task = bars.add_task(f"{problem.name} {stage.name}", total=days or 1)
            if not days:
                bars.update(task, completed=1)
            return lambda _day: bars.advance(task)

        return list(
            fill_stages(
                plan,
                Runner(settings, instance),
                days,
                stage_names,
                force=force,
                is_strict=is_strict,
                begins=begins,
            )
        )


def days_or_all(
    settings: Settings, problem: Problem, first: str | None, last: str | None
) -> DayRange:
    """The days that were asked for; what was left out is the lake's first day, or the newest that
    there can be."""
    plan = plan_of(settings, problem)
    return days_in_range(
        plan, parse_day(first) if first else None, parse_day(last) if last else None
    )
