"""`ghstars import`: brings history from where a user says, and tells what came and what was odd."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from rich.progress import TaskID

from ghstars_assets.calendar import DayRange, consecutive, parse_day, utc_today
from ghstars_assets.commands.console import out, progress_bars, say
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.runs import Recorded, Runner, dagster_instance
from ghstars_assets.settings import Settings
from ghstars_assets.sources.archives import ImportResult, Progress, import_from_archives


def bring_history(
    settings: Settings, problem: Problem, place: str, first: str | None, last: str | None
) -> None:
    lake = Lake(settings)
    brought = import_history(lake, problem, place, _asked(problem, first, last))
    for line in brought.lines:
        out().print(line, highlight=False)
    recorded = record_in_dagster(settings, lake, problem, brought)
    if recorded:
        say(f"{recorded:,} days recorded in Dagster")
    stored = {day for table in brought.changed for day in lake.days(table)}
    if stored:
        say(
            f"next: `ghstars backfill {problem.name} --from {min(stored)} --to {max(stored)} "
            "--stages snapshots,features,labels`"
        )


def import_history(lake: Lake, problem: Problem, place: str, days: DayRange | None) -> ImportResult:
    """Into the lake; nothing of it is in Dagster's records yet."""
    archives = [source.archive for source in problem.sources if source.archive]
    if not archives:
        raise GhstarsError(f"{problem.name} has no source into which history can be imported.")
    with _told_progress(problem.name) as progress:
        return import_from_archives(archives, lake, place, days, progress)


def record_in_dagster(
    settings: Settings, lake: Lake, problem: Problem, brought: ImportResult
) -> int:
    """Let Dagster know of the days that were written, and of any whose record a killed import
    left out; how many these were."""
    done = 0
    with dagster_instance(settings) as instance, progress_bars() as bars:
        runner, recorded = Runner(settings, instance), Recorded(instance)
        for table, changed in brought.changed.items():
            unknown = set(lake.days(table)) - recorded.materialized_days(table)
            wanted = sorted(changed | unknown)
            task = bars.add_task(f"{problem.name} in Dagster", total=len(wanted) or 1)
            for days in consecutive(wanted):
                runner.run(table, days, lambda _day, task=task: bars.advance(task))
            done += len(wanted)
    return done


def _asked(problem: Problem, first: str | None, last: str | None) -> DayRange | None:
    if first is None and last is None:
        return None
    begin: date = parse_day(first) if first else problem.first_day
    return DayRange(begin, parse_day(last) if last else max(begin, utc_today()))


@contextmanager
def _told_progress(name: str) -> Iterator[Progress]:
    """A bar for each thing that is counted."""
    with progress_bars() as bars:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(f"{name} {what}", total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield progress
