"""The gate of stars.snapshots where one source takes over from another."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.outcomes import Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.world.world import World, WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets_tests.support.small_world import fill_days
from ghstars_assets_tests.support.world_rows import RANKING, TABLE, as_github, as_ranking

DAYS = DayRange(date(2026, 6, 1), date(2026, 6, 9))
GITHUB_BEGINS = date(2026, 6, 5)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An archive has every day; from some day on GitHub has nearly all of its repositories, too."""
    lake = Lake(Settings(home=tmp_path, threads=1, memory_gb=1))
    for day, frame in World(WorldSpec(3, 40, DAYS.first)).snapshots(DAYS.first, DAYS.last):
        lake.write(RANKING.name, day, as_ranking(frame))
        if day >= GITHUB_BEGINS:
            lake.write(TABLE.name, day, as_github(frame.tail(-1)))
    return lake


def _held_back(lake: Lake, graph: SqlGraph, days: DayRange) -> list[date]:
    outcomes = fill_days(lake, graph, "stars.snapshots", days)
    return [one.day for one in outcomes if one.status is Status.QUARANTINED]


def test_no_day_is_held_back_because_a_more_trusted_source_takes_over(
    lake: Lake, stars_graph: SqlGraph
) -> None:
    assert _held_back(lake, stars_graph, DAYS) == []
    handed_over = lake.read("stars.snapshots", GITHUB_BEGINS)
    assert sorted(handed_over["source"].unique()) == ["github", "github_ranking"]


def test_nor_is_it_where_only_the_later_days_are_filled(lake: Lake, stars_graph: SqlGraph) -> None:
    """The gate looks back on days that the archive has and nobody filled."""
    assert _held_back(lake, stars_graph, DayRange(GITHUB_BEGINS, DAYS.last)) == []


def test_a_capture_that_was_cut_short_is_held_back_still(lake: Lake, stars_graph: SqlGraph) -> None:
    short = GITHUB_BEGINS + timedelta(days=2)
    lake.write(TABLE.name, short, lake.read(TABLE.name, short).head(10))
    lake.delete(RANKING.name, short)
    assert _held_back(lake, stars_graph, DAYS) == [short]
