"""`ghstars import`: imports a history from a place that a user names, and reports what was odd."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import click
from rich.progress import TaskID

from ghstars_assets.calendar import DayRange, consecutive, utc_today
from ghstars_assets.cli.console import print_line, progress_bars, say
from ghstars_assets.cli.parameters import DAY, pass_settings, problem_argument
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.marker import begin_no_later_than
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.runs import Recorded, Runner, dagster_instance
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import Settings
from ghstars_assets.sources.archives import ImportResult, Progress, import_from_archives


class _ImportCommand(click.Command):
    """Its help ends with what each problem takes."""

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        takes = [
            (name, problem.importable)
            for name, problem in all_problems().items()
            if problem.importable
        ]
        if takes:
            with formatter.section("What it takes"):
                formatter.write_dl(takes)


@click.command("import", cls=_ImportCommand)
@problem_argument
@click.argument("place", metavar="PATH_OR_URL")
@click.option("--from", "first", type=DAY, metavar="DAY", help="YYYY-MM-DD [the first there is]")
@click.option(
    "--to", "last", type=DAY, metavar="DAY", help="the last day, included [the last there is]"
)
@pass_settings
def import_command(
    settings: Settings, problem: Problem, place: str, first: date | None, last: date | None
) -> None:
    """Import the history of PROBLEM from a folder, a file or the web.

    Files are known by their columns. What is there already is kept, so an interrupted import is
    resumed by running it again.

    \b
    ghstars import stars ~/Github-Ranking
    ghstars import stars https://github.com/EvanLi/Github-Ranking --from 2025-01-01
    """
    lake = Lake(settings)
    imported = import_history(lake, problem, place, _days(problem, first, last))
    for line in imported.lines:
        print_line(line)
    recorded = record_in_dagster(settings, lake, problem, imported)
    if recorded:
        say(f"{recorded:,} days recorded in Dagster")
    stored = {day for table in imported.changed for day in lake.days(table)}
    if stored:
        say(
            f"next: `ghstars backfill {problem.name} --from {min(stored)} --to {max(stored)} "
            "--stages snapshots,features,labels`"
        )


def import_history(lake: Lake, problem: Problem, place: str, days: DayRange | None) -> ImportResult:
    """Import into the lake; nothing of it is in Dagster's records yet."""
    archives = [source.archive for source in problem.sources if source.archive]
    if not archives:
        raise GhstarsError(f"{problem.name} has no source into which history can be imported.")
    with _progress(problem.name) as progress:
        return import_from_archives(archives, lake, place, days, progress)


def record_in_dagster(
    settings: Settings, lake: Lake, problem: Problem, imported: ImportResult
) -> int:
    """Record the days that were written, and any whose record a killed import left out. Returns
    how many these were. A home that began later begins with them from now on."""
    done = 0
    _begin_with(lake, imported)
    with dagster_instance(settings) as instance, progress_bars() as bars:
        runner, recorded = Runner(settings, instance), Recorded(instance)
        for table, changed in imported.changed.items():
            unknown = set(lake.days(table)) - recorded.materialized_days(table)
            wanted = sorted(changed | unknown)
            task = bars.add_task(f"{problem.name} in Dagster", total=len(wanted) or 1)
            for days in consecutive(wanted):
                runner.run(table, days, lambda _day, task=task: bars.advance(task))
            done += len(wanted)
    return done


def _begin_with(lake: Lake, imported: ImportResult) -> None:
    first = min((day for table in imported.changed for day in lake.days(table)[:1]), default=None)
    if first and begin_no_later_than(lake, first):
        say(
            f"This home begins on {first} now, with the archive; where `ghstars up` runs, start it "
            "again to see the earlier days."
        )


def _days(problem: Problem, first: date | None, last: date | None) -> DayRange | None:
    """None, for all there are, where no end is named."""
    if first is None and last is None:
        return None
    begin = first or problem.first_day
    return DayRange(begin, last or max(begin, utc_today()))


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """Show a bar for each thing that is counted."""
    with progress_bars() as bars:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(f"{name} {what}", total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield progress
