"""Homes filled with an invented world at once, without asking it over HTTP."""

from collections.abc import Mapping

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, SandboxWorld, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.world.world import World, WorldSpec
from ghstars_assets.sources.github.tables import LIVE, tables_of

TRACK_EVERYTHING: Mapping[str, str] = {"GHSTARS_TRACK_STARS": "0.."}


def begin_world(lake: Lake, world: WorldSpec) -> None:
    """Mark an empty lake as the sandbox's, so that its partitions begin with this world."""
    known = SandboxWorld(world.seed, world.repositories, world.first_day)
    mark_lake(lake, Marker("sandbox", world.first_day, known))


def write_snapshots(lake: Lake, world: WorldSpec, days: DayRange) -> None:
    """Write what the source would have stored. What the world alone does not know stays null."""
    table = tables_of("stars").github
    node_id = pl.format("R_{}", "repo_id")
    for day, frame in World(world).snapshots(days.first, days.last):
        known = frame.with_columns(status=pl.lit(LIVE), node_id=node_id, asked_as=node_id)
        rows = pl.concat([table.empty(), known], how="diagonal")
        lake.write(table.name, day, table.conform(rows))
