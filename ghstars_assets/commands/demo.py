"""`ghstars demo`: the whole loop on the sandbox, from an empty home to forecasts and a record."""

import time
from datetime import timedelta

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.commands.backfill import backfill
from ghstars_assets.commands.console import out, say
from ghstars_assets.commands.forecasts import forecasts_of, show_forecasts, show_record
from ghstars_assets.lake.marker import SANDBOX_NOTICE, Marker, SandboxWorld, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.tables import tables_of

FORECASTS_SHOWN = 20


def demo(settings: Settings, days: int) -> None:
    """Fill the last `days` days of every problem that has a sandbox, then show what came out."""
    started = time.monotonic()
    lake = Lake(settings)
    newest = utc_now().date() - timedelta(days=1)
    # A home that was filled keeps its own first day.
    first_day = mark_lake(lake, sandbox_marker(settings, days)).first_day or newest
    say(f"{SANDBOX_NOTICE}\nEverything is kept in {settings.home_path}.")
    shown = []
    for problem in all_problems().values():
        if not any("sandbox" in source.kinds for source in problem.sources):
            continue
        track_everything(settings, lake, problem)
        for report in backfill(settings, problem, DayRange(first_day, newest)):
            say(f"{problem.name} {report}")
        shown.append(problem)
    for problem in shown:
        show_record(lake, problem)
        frame = forecasts_of(lake, problem, None, FORECASTS_SHOWN)
        show_forecasts(lake, problem, frame, "table")
    out().print(
        f"{SANDBOX_NOTICE}\nDone in {time.monotonic() - started:.0f} s. Open the asset graph with "
        f"`ghstars up` (in this checkout: `make up`) and visit "
        f"http://127.0.0.1:{settings.web_port}.",
        highlight=False,
    )


def track_everything(settings: Settings, lake: Lake, problem: Problem) -> None:
    """The first time, track all of the invented world."""
    from ghstars_assets.sources.github.tracking.tracking_rules import (
        current_rules,
        parse_tracking_rule,
        record,
    )

    tables = tables_of(problem.name)
    if not current_rules(lake, tables, settings).rules:
        everything = [(parse_tracking_rule("stars", "0.."), None)]
        record(lake, tables, "track", everything, "the sandbox's whole world", utc_now())


def sandbox_marker(settings: Settings, days: int) -> Marker:
    """What an empty home is marked with: an invented world, and the day its partitions begin."""
    yesterday = utc_now().date() - timedelta(days=1)
    world = SandboxWorld(
        settings.sandbox_seed,
        settings.sandbox_repositories,
        yesterday - timedelta(days=max(settings.sandbox_days, days) - 1),
    )
    return Marker("sandbox", yesterday - timedelta(days=days - 1), world)
