"""`ghstars gap` and `ghstars release`: what a user decides about days, recorded with the reason."""

from collections.abc import Iterator
from datetime import timedelta

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.data.backfill import backfill
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.holes import declare_gaps, holes_in, release_days
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.registry import find_problem
from ghstars_assets.settings import Settings


def declare_gap(settings: Settings, problem_name: str, days: DayRange, why: str) -> str:
    problem = find_problem(problem_name)
    lake = Lake(settings)
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
    # The outcome of the days one horizon before fell into the hole, too.
    affected = DayRange(days.first - timedelta(days=problem.horizon_days), days.last)
    names = ("snapshots", "features", "labels", "calibration", "predictions", "scores")
    for report in backfill(settings, problem, days, ("snapshots",), force=True):
        yield str(report)
    first_held = lake.days(problem.table("snapshots"))[0]
    affected = DayRange(max(affected.first, first_held), affected.last)
    for report in backfill(settings, problem, affected, names[1:]):
        yield str(report)
