"""`ghstars start`: the first evening. From an empty home to forecasts for one's own repositories.

GitHub has no past to give, so the model learns from an archive of the most starred repositories,
and the past of one's own comes from their star history. Each step is one that other commands do,
too; an interrupted start is resumed by running it again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta

import click

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.holes import declare_gaps, declared_gaps
from ghstars_assets.lake.marker import Marker, require_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.plan import first_stored_day, newest_day
from ghstars_assets.problems.platform import Platform
from ghstars_assets.problems.stars.commands.repositories import (
    TABLES,
    Choice,
    choosing_repositories,
)
from ghstars_assets.problems.stars.commands.track import track_repositories
from ghstars_assets.problems.stars.own_history import notes_on_own_history
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.sources.archives import ImportResult
from ghstars_assets.sources.github.tracking.tracking_rules import current_rules

ARCHIVE = "https://github.com/EvanLi/Github-Ranking"
SANDBOX_STARS = "50..150"
"""Repositories as a user may have them, few of them on the archive's lists."""
FORECASTS_SHOWN = 20
_OF_NOW = ("discovered", "github", "repositories", "star_history")
_OF_EVERY_DAY = ("snapshots", "source_conflicts", "features", "labels")
_OF_THE_MODEL = ("model", "champion", "calibration", "predictions", "drift", "health")
_STEPS = 5


@click.command()
@choosing_repositories
@click.option(
    "--archive",
    default="",
    metavar="PATH_OR_URL",
    help="of Github-Ranking: a clone, a folder or an address [its address on GitHub]",
)
@click.option(
    "--days",
    type=click.IntRange(min=60),
    default=500,
    show_default=True,
    help="how much past to fetch from an address; of a folder everything is taken",
)
@click.option("--sandbox", "is_sandbox", is_flag=True, help="try it on an invented GitHub")
@click.pass_obj
def start(platform: Platform, choice: Choice, archive: str, days: int, *, is_sandbox: bool) -> None:
    """The first evening: follow, snapshot, import years of past, train and forecast.

    Needs GHSTARS_GITHUB_TOKEN; with --sandbox it needs nothing.

    \b
    ghstars start dagster-io/dagster duckdb/duckdb --archive ~/Github-Ranking
    GHSTARS_HOME=/tmp/try ghstars start --sandbox
    """
    began = time.monotonic()
    lake = Lake(platform.settings)
    if is_sandbox:
        platform.begin_sandbox(lake, min(days, lake.settings.sandbox_days))
        choice = Choice(stars=(SANDBOX_STARS,)) if choice.is_empty else choice

    _step(platform, 1, "who is followed")
    if not choice.is_empty:
        track_repositories(platform, choice, "ghstars start")
    _require_rules(lake)
    marker = require_marker(lake, frozenset({"real", "sandbox"}))

    _step(platform, 2, "what GitHub knows of them now, and their star history")
    newest = newest_day(lake, PROBLEM, marker)
    now = DayRange(newest, newest)
    platform.fill(PROBLEM, now, _OF_NOW)

    _step(platform, 3, "the archive")
    imported = _archive(platform, lake, marker, archive, _last(days, newest))
    if imported:
        for line in imported.lines:
            platform.say(line)
        platform.record_import(lake, PROBLEM, imported)

    _step(platform, 4, "snapshots, features and labels of every day that is known")
    first = first_stored_day(lake, PROBLEM) or newest
    _declare_what_the_archive_lacks(lake, marker, first)
    platform.fill(PROBLEM, DayRange(first, newest), _OF_EVERY_DAY)

    _step(platform, 5, "a model, and its forecasts")
    platform.run(PROBLEM, now, _OF_THE_MODEL)
    # The forecasts of those whom the user follows, not those of an archive's lists.
    own = lake.read(TABLES.github.name, newest)["repo_id"].drop_nulls().unique()
    platform.show_forecasts(lake, PROBLEM, newest, own, FORECASTS_SHOWN)
    platform.say(f"(as of {utc_now():%Y-%m-%d %H:%M} UTC)")
    for line in notes_on_own_history(lake, PROBLEM):
        platform.print_line(line)
    platform.print_line(
        f"Done in {time.monotonic() - began:.0f} s. `ghstars up` takes the days from here on; "
        "`ghstars status` shows how it stands."
    )


def _step(platform: Platform, number: int, what: str) -> None:
    platform.say(f" {what}", heading=f"{number} of {_STEPS}")


def _last(days: int, newest: date) -> DayRange:
    return DayRange(newest - timedelta(days=days - 1), newest)


def _require_rules(lake: Lake) -> None:
    if not current_rules(lake, TABLES, lake.settings).rules:
        raise GhstarsError(
            "No repositories were named: name some (`ghstars start OWNER/NAME …`), or --owner, "
            "--topic or --stars; without a token try `ghstars start --sandbox`."
        )


def _declare_what_the_archive_lacks(lake: Lake, marker: Marker, first: date) -> None:
    if marker.first_day and marker.first_day < first:
        unknown = DayRange(marker.first_day, first - timedelta(days=1))
        if not declared_gaps(lake, PROBLEM.name).keys() >= set(unknown):
            declare_gaps(lake, PROBLEM.name, unknown, "the archive begins later")


def _archive(
    platform: Platform, lake: Lake, marker: Marker, place: str, days: DayRange
) -> ImportResult | None:
    """Import the archive. Without one the evening goes on with what there is; only the model
    waits."""
    is_folder = bool(place) and "://" not in place
    try:
        with _place(lake, marker, place, days.last) as found:
            return platform.import_history(lake, PROBLEM, found, None if is_folder else days)
    except GhstarsError as error:
        platform.say(str(error), heading="no archive:")
        return None


@contextmanager
def _place(lake: Lake, marker: Marker, place: str, newest: date) -> Iterator[str]:
    """Find where the archive lies. That of a sandbox's own world is served for as long as this
    lasts, as it is at the end of the newest day."""
    if place or marker.kind == "real":
        yield place or lake.settings.github_ranking or ARCHIVE
        return
    from ghstars_assets.sandbox.github.ranking_archive import ARCHIVE_PATH
    from ghstars_assets.sandbox.http.child import running_sandbox
    from ghstars_assets.sandbox.world.world import WorldSpec

    if marker.world is None and lake.settings.github_api:
        yield f"{lake.settings.github_api.rstrip('/')}{ARCHIVE_PATH}"
        return
    if marker.world is None:
        raise GhstarsError(
            "This home was filled from a served sandbox, and GHSTARS_GITHUB_API does not say where "
            "that is; set it, or name the archive with `--archive` and its address followed by "
            f"{ARCHIVE_PATH}."
        )
    world = WorldSpec(**asdict(marker.world))
    with running_sandbox(world) as sandbox:
        sandbox.travel_to(newest)
        yield f"{sandbox.url}{ARCHIVE_PATH}"
