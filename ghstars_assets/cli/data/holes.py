"""`ghstars gap` and `ghstars release`: what a user decides about days, recorded with the reason."""

from collections.abc import Iterator
from datetime import timedelta

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.data.backfill import backfill
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.holes import declare_gaps, holes_in, release_days
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.plan import Plan
from ghstars_assets.orchestration.backfill import plan_of
from ghstars_assets.problems.registry import find_problem
from ghstars_assets.settings import Settings


def declare_gap(settings: Settings, problem_name: str, days: DayRange, why: str) -> str:
    problem = find_problem(problem_name)
    lake = Lake(settings)
    _require_a_past(plan_of(settings, problem), days)
    for source in problem.sources:
        held = lake.days(source.table.name, days)
        if held:
            raise GhstarsError(
                f"{source.table.name} holds {held[0]}, so it is no gap; declare only days that no "
                "source knows."
            )
    declare_gaps(lake, problem.name, days, why)
    return (
        f"{days} is a declared gap of {problem.name}; `ghstars backfill {problem.name} --from "
        f"{days.first} --to {days.last}` writes the empty partitions."
    )


def _require_a_past(plan: Plan, days: DayRange) -> None:
    """What is to come is no gap yet, and where nothing begins nothing is missing."""
    name = plan.problem.name
    if days.last > plan.newest_day:
        raise GhstarsError(
            f"{days.last} is not over for {name}, whose newest day is {plan.newest_day}; declare "
            "days as gaps when they have passed."
        )
    if days.first < plan.first_day:
        raise GhstarsError(
            f"{name} begins on {plan.first_day} here, so {days.first} is no gap in it; declare "
            "days from then on."
        )


def release_from_quarantine(
    settings: Settings, problem_name: str, days: DayRange, why: str
) -> Iterator[str]:
    problem = find_problem(problem_name)
    lake = Lake(settings)
    quarantine = f"{problem.table('snapshots')}_quarantine"
    held_back = set(lake.days(quarantine, days))
    held_back |= {
        day
        for day, hole in holes_in(lake, problem.table("snapshots"), days).items()
        if hole.is_quarantine
    }
    if not held_back:
        raise GhstarsError(f"{quarantine} holds nothing of {days}; there is nothing to release.")
    release_days(lake, problem.name, days, why)
    yield f"released {problem.name} {days}: {why}"
    for report in backfill(settings, problem, days, ("snapshots",), force=True):
        yield str(report)
    plan = plan_of(settings, problem)
    affected = affected_days(plan, days)
    for report in backfill(settings, problem, affected, stages_after_snapshots(plan)):
        yield str(report)


def affected_days(plan: Plan, released: DayRange) -> DayRange:
    """From the first day whose outcome fell into the hole to the newest day there is, for every
    later day may look back on it."""
    first = released.first - timedelta(days=plan.problem.horizon_days)
    snapshots = plan.lake.days(plan.problem.table("snapshots"))
    return DayRange(max(first, snapshots[0]), max(released.last, snapshots[-1]))


def stages_after_snapshots(plan: Plan) -> list[str]:
    """Everything that is made of snapshots, but for the models: a version that was trained without
    the day stays what it is."""
    snapshots = plan.problem.table("snapshots")
    return [
        stage.name
        for stage in plan.stages
        if not (stage.source or stage.is_of_training_days or stage.table.name == snapshots)
    ]
