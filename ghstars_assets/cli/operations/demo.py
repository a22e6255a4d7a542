"""`ghstars demo`: the whole loop on the sandbox, from an empty home to forecasts and a record."""

import time
from datetime import timedelta

import click

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.cli.console import print_line, say
from ghstars_assets.cli.data.backfill import backfill
from ghstars_assets.cli.learning.forecasts import (
    HOW_TO_READ,
    forecasts_of,
    show_forecasts,
    show_record,
)
from ghstars_assets.cli.operations.demo_drift import demo_drift
from ghstars_assets.cli.parameters import pass_settings
from ghstars_assets.lake.marker import SANDBOX_NOTICE, Marker, SandboxWorld, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import Settings

FORECASTS_SHOWN = 20


@click.command()
@click.option("--days", type=click.IntRange(60, 3000), default=120, show_default=True)
@click.option("--drift", "is_drift", is_flag=True, help="in a world that changes")
@click.option("--control", "is_control", is_flag=True, help="with --drift: it never changes")
@pass_settings
def demo(settings: Settings, days: int, *, is_drift: bool, is_control: bool) -> None:
    """Run the whole loop on the sandbox and show forecasts and their record.

    A second time it takes up where it stopped and adds the days that have passed. With --drift, in
    an empty home, the world changes, the loop notices, trains and deploys, day by day, and each
    step is shown with its cause.
    """
    if is_control and not is_drift:
        raise click.UsageError("--control goes with --drift.")
    if is_drift:
        demo_drift(settings, is_control=is_control)
    else:
        _demo(settings, days)


def _demo(settings: Settings, days: int) -> None:
    """Fill the last `days` days of every problem that has a sandbox, then show what came out."""
    started = time.monotonic()
    lake = Lake(settings)
    newest = utc_now().date() - timedelta(days=1)
    # A home that was filled keeps its own first day.
    first_day = begin_sandbox(lake, days).first_day or newest
    say(f"Everything is kept in {settings.home_path}.")
    shown = []
    for problem in all_problems().values():
        if not any("sandbox" in source.kinds for source in problem.sources):
            continue
        if problem.prepare_sandbox:
            problem.prepare_sandbox(lake)
        for report in backfill(settings, problem, DayRange(first_day, newest)):
            say(f"{problem.name} {report}")
        shown.append(problem)
    for problem in shown:
        show_record(lake, problem)
        frame = forecasts_of(lake, problem, None, FORECASTS_SHOWN)
        show_forecasts(lake, problem, frame, "table")
    print_line(
        f"{HOW_TO_READ}\n{SANDBOX_NOTICE}\n"
        f"Done in {time.monotonic() - started:.0f} s. Open the asset graph with `ghstars up` (in "
        f"this checkout: `make up`) and visit http://127.0.0.1:{settings.web_port}."
    )


def begin_sandbox(lake: Lake, days: int) -> Marker:
    """Mark an empty home as one of an invented world, or find that it is. Its partitions begin so
    many days ago, its world no later."""
    settings, yesterday = lake.settings, utc_now().date() - timedelta(days=1)
    world = SandboxWorld(
        settings.sandbox_seed,
        settings.sandbox_repositories,
        yesterday - timedelta(days=max(settings.sandbox_days, days) - 1),
    )
    marker = mark_lake(lake, Marker("sandbox", yesterday - timedelta(days=days - 1), world))
    say(SANDBOX_NOTICE)
    return marker
