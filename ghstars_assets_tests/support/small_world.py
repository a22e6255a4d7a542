"""A sandbox of 60 repositories over five months, with the accidents of a real archive put in."""

import os
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.holes import declare_gaps
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.world.world import World, WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets_tests.support.world_rows import (
    RANKING,
    STAR_HISTORY,
    as_github,
    as_ranking,
    as_star_history,
)
from ghstars_assets_tests.support.world_rows import TABLE as SOURCE

DAYS = DayRange(date(2026, 1, 1), date(2026, 5, 30))
SEED = 11
REPOSITORIES = 60

# What happens to whom: places in the order of `repo_id`, and days from the first.
RENAMED, RENAMED_FROM = 3, 70
DELETED, DELETED_FROM = 5, 100
AWAY_BRIEFLY, BRIEFLY = 7, range(105, 112)
AWAY_FOR_LONG, FOR_LONG = 9, range(80, 116)
"""More than the 30 days over which features draw a line."""
CAME_LATE, CAME_ON = 11, 125
OUTAGE_DAYS = range(85, 98)
"""The repository with the most stars shows a tenth of them: longer than the gate holds it back."""
ASKED = {CAME_LATE: CAME_ON, AWAY_FOR_LONG: FOR_LONG.stop}
"""Whose star history GitHub was asked for, and on which day."""
RANKED_DAYS = range(105, 150)
"""On these days the Github-Ranking archive has everybody's counts, too."""

GAPS = (
    DayRange(date(2026, 2, 10), date(2026, 2, 12)),
    DayRange(date(2026, 4, 28), date(2026, 4, 28)),
)


def _world() -> World:
    return World(WorldSpec(SEED, REPOSITORIES, DAYS.first))


def founding_ids() -> list[int]:
    """The repositories of the first day, before anything was taken away."""
    return _world().snapshot(DAYS.first)["repo_id"].sort().to_list()


def snapshots() -> Iterator[tuple[date, pl.DataFrame]]:
    ids = founding_ids()
    for number, (day, frame) in enumerate(_world().snapshots(DAYS.first, DAYS.last)):
        if any(day in gap for gap in GAPS):
            continue
        absent = {
            DELETED: number >= DELETED_FROM,
            AWAY_BRIEFLY: number in BRIEFLY,
            AWAY_FOR_LONG: number in FOR_LONG,
            CAME_LATE: number < CAME_ON,
        }
        gone = [ids[place] for place, is_gone in absent.items() if is_gone]
        stars = pl.col("stars")
        is_out = (stars == stars.max()) & (number in OUTAGE_DAYS)
        is_renamed = (pl.col("repo_id") == ids[RENAMED]) & (number >= RENAMED_FROM)
        new_name = pl.when(is_renamed).then(pl.lit("new-owner/new-name"))
        yield (
            day,
            frame.filter(~pl.col("repo_id").is_in(gone)).with_columns(
                full_name=new_name.otherwise("full_name"),
                stars=pl.when(is_out).then(stars // 10).otherwise(stars),
            ),
        )


def answers() -> Iterator[tuple[date, pl.DataFrame]]:
    """What GitHub answers about the stars gained in the 140 days before it was asked. It leaves out
    those that were taken back, so it is not what two snapshots differ by."""
    ids = founding_ids()
    for place, number in ASKED.items():
        asked_on = days_after_first(number)
        gained_on = [asked_on - timedelta(days=ago) for ago in range(140)]
        gained = [(place + ago * ago) % 9 for ago in range(140)]
        answer = pl.DataFrame({"gained_on": gained_on, "stars_gained": gained})
        yield asked_on, as_star_history(answer, ids[place], asked_on)


def settle(lake: Lake, graph: SqlGraph) -> None:
    """Fill the sources, declare their gaps and make the snapshots."""
    ranked = {days_after_first(number) for number in RANKED_DAYS}
    for day, frame in snapshots():
        lake.write(SOURCE.name, day, as_github(frame))
        if day in ranked:
            lake.write(RANKING.name, day, as_ranking(frame))
    for asked_on, rows in answers():
        lake.write(STAR_HISTORY.name, asked_on, rows)
    for gap in GAPS:
        declare_gaps(lake, "stars", gap, "the capture was down")
    fill_days(lake, graph, "stars.snapshots", DAYS)


def copy_of(lake: Lake, home: Path) -> Lake:
    """A lake of its own at the cost of some links: a write replaces a file and never changes it."""
    shutil.copytree(lake.store.root, home / "lake", copy_function=os.link)
    return Lake(Settings(home=home, threads=1, memory_gb=1))


def fill_days(lake: Lake, graph: SqlGraph, table: str, days: DayRange) -> list[DayOutcome]:
    batches = fill(lake, graph.files[table], graph.tables, days)
    return [outcome for batch in batches for outcome in batch.outcomes]


def file_contents(lake: Lake, table: str, days: DayRange) -> dict[str, bytes]:
    """Every file of a table by its key."""
    return {
        partition.key: lake.store.get(partition.key) or b""
        for partition in lake.partitions(table, days)
    }


def days_after_first(days: int) -> date:
    return DAYS.first + timedelta(days=days)
