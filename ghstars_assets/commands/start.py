"""`ghstars start`: the first evening. From an empty home to forecasts for one's own repositories.

GitHub has no past to give, so the model learns from an archive of the most starred repositories,
and the past of one's own comes from their star history. Each step is one that other commands do,
too; an interrupted start is resumed by saying it again.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.commands.backfill import backfill
from ghstars_assets.commands.console import out, say
from ghstars_assets.commands.demo import sandbox_marker
from ghstars_assets.commands.forecasts import forecasts_of, show_forecasts
from ghstars_assets.commands.importing import import_history, record_in_dagster
from ghstars_assets.commands.status import thin_forecasts
from ghstars_assets.commands.tracking import track
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.holes import declare_gaps, declared_gaps
from ghstars_assets.lake.marker import SANDBOX_NOTICE, Marker, mark_lake, require_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.stages import first_told_day, newest_day
from ghstars_assets.orchestration.runs import Runner, dagster_instance
from ghstars_assets.problems.registry import find_problem
from ghstars_assets.settings import Settings
from ghstars_assets.sources.archives import ImportResult
from ghstars_assets.sources.github.tables import tables_of

ARCHIVE = "https://github.com/EvanLi/Github-Ranking"
SANDBOX_WISH = "50..150"
"""Stars: repositories as a user may have them, few of them on the archive's lists."""
_OF_EVERY_DAY = ("snapshots", "source_conflicts", "features", "labels")
_STEPS = 5


def start(
    settings: Settings,
    names: Sequence[str],
    owners: Sequence[str],
    topics: Sequence[str],
    stars: Sequence[str],
    *,
    archive: str,
    days: int,
    is_sandbox: bool,
) -> None:
    began = time.monotonic()
    problem, lake = find_problem("stars"), Lake(settings)
    if is_sandbox:
        mark_lake(lake, sandbox_marker(settings, min(days, settings.sandbox_days)))
        say(SANDBOX_NOTICE)
        stars = stars or ((SANDBOX_WISH,) if not (names or owners or topics) else ())

    _step(1, "who is followed")
    if names or owners or topics or stars:
        track(settings, names, owners, topics, stars, "ghstars start")
    _require_rules(settings, lake, problem)
    marker = require_marker(lake, frozenset({"real", "sandbox"}))

    _step(2, "what GitHub says of them now, and their star history")
    newest = newest_day(lake, problem, marker)
    now = DayRange(newest, newest)
    _fill(settings, problem, now, ("discovered", "github", "repositories", "star_history"))

    _step(3, "the archive")
    brought = _archive(settings, lake, problem, marker, archive, _last(days, newest))
    if brought:
        for line in brought.lines:
            say(line)
        record_in_dagster(settings, lake, problem, brought)

    _step(4, "snapshots, features and labels of every day that is known")
    first = first_told_day(lake, problem) or newest
    if marker.first_day and marker.first_day < first:
        unknown = DayRange(marker.first_day, first - timedelta(days=1))
        if not declared_gaps(lake, problem.name).keys() >= set(unknown):
            declare_gaps(lake, problem.name, unknown, "the archive begins later")
    _fill(settings, problem, DayRange(first, newest), _OF_EVERY_DAY)

    _step(5, "a model, and its forecasts")
    with dagster_instance(settings) as instance:
        runner = Runner(settings, instance)
        for stage in ("model", "champion", "calibration", "predictions", "drift", "health"):
            runner.run(problem.table(stage), now, lambda _day: None)
    _show_own(lake, problem, newest)
    for line in thin_forecasts(lake, problem):
        out().print(line, highlight=False)
    out().print(
        f"Done in {time.monotonic() - began:.0f} s. `ghstars up` takes the days from here on; "
        "`ghstars status` says how it stands.",
        highlight=False,
    )


def _step(number: int, what: str) -> None:
    say(f"[bold]{number} of {_STEPS}[/bold]  {what}")


def _last(days: int, newest: date) -> DayRange:
    return DayRange(newest - timedelta(days=days - 1), newest)


def _require_rules(settings: Settings, lake: Lake, problem: Problem) -> None:
    from ghstars_assets.sources.github.tracking.tracking_rules import current_rules

    if not current_rules(lake, tables_of(problem.name), settings).rules:
        raise GhstarsError(
            "Nobody said whom to follow: name repositories (`ghstars start OWNER/NAME …`), or "
            "--owner, --topic or --stars; without a token try `ghstars start --sandbox`."
        )


def _fill(settings: Settings, problem: Problem, days: DayRange, stages: Sequence[str]) -> None:
    for report in backfill(settings, problem, days, stages):
        say(f"{problem.name} {report}")


def _archive(
    settings: Settings, lake: Lake, problem: Problem, marker: Marker, place: str, days: DayRange
) -> ImportResult | None:
    """Without an archive the evening goes on: what there is, is there. Only the model waits."""
    is_folder = bool(place) and "://" not in place
    try:
        with _place(settings, marker, place, days.last) as found:
            return import_history(lake, problem, found, None if is_folder else days)
    except GhstarsError as error:
        say(f"[yellow]no archive:[/yellow] {error}")
        return None


@contextmanager
def _place(settings: Settings, marker: Marker, place: str, newest: date) -> Iterator[str]:
    """Where the archive lies; that of a sandbox's own world is served for as long as this lasts,
    as it is at the end of the newest day."""
    if place or marker.kind == "real":
        yield place or settings.github_ranking or ARCHIVE
        return
    from ghstars_assets.sandbox.child import running_sandbox
    from ghstars_assets.sandbox.world import WorldSpec

    if marker.world is None:
        raise GhstarsError("this sandbox home was filled from a served sandbox; name its archive")
    world = WorldSpec(**asdict(marker.world))
    with running_sandbox(world) as sandbox:
        sandbox.travel_to(newest)
        yield f"{sandbox.url}/github-ranking"


def _show_own(lake: Lake, problem: Problem, day: date) -> None:
    """The forecasts of those whom the user follows, not those of an archive's lists."""
    own = lake.read(tables_of(problem.name).github.name, day)["repo_id"].drop_nulls().unique()
    forecasts = forecasts_of(lake, problem, day, None)
    show_forecasts(
        lake, problem, forecasts.filter(pl.col("repo_id").is_in(own.implode())).head(20), "table"
    )
    say(f"(as of {utc_now():%Y-%m-%d %H:%M} UTC)")
