"""A stage is added in one place, the problem's declaration, and is seen everywhere."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from dagster import AssetKey, DagsterInstance

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.operations.status import status_of
from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.stage import SAME_DAY, Filled, Stage, StageDay
from ghstars_assets.orchestration.backfill import backfill, plan_of
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.runs import Recorded, Runner
from ghstars_assets_tests.support.dagster_runs import process_with_home
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, SQL, copied

LAST_DAYS = DayRange(DAYS.last - timedelta(days=2), DAYS.last)


def fill_extremes(day: StageDay) -> Filled:
    """Find the lowest and the highest station of the day."""
    level = pl.col("level_cm")
    extremes = day.frame("features").select("day", lowest=level.min(), highest=level.max())
    return Filled(extremes.head(1))


EXTREMES = Stage(
    "extremes",
    Table(
        "tides.extremes",
        "The lowest and the highest water of each day.",
        (
            Column("day", "date", "the UTC day"),
            Column("lowest", "double", "the lowest water of all stations"),
            Column("highest", "double", "the highest water of all stations"),
        ),
    ),
    {"tides.features": SAME_DAY},
    fill_extremes,
)
TIDES = replace(PROBLEM, own_stages=(EXTREMES,))


@pytest.fixture
def lake(tides_home: Path, tmp_path: Path) -> Iterator[Lake]:
    with process_with_home(copied(tides_home, tmp_path / "home")) as settings:
        yield Lake(settings)


def test_it_is_an_asset_of_the_graph_after_what_it_reads(lake: Lake) -> None:
    graph = build_defs(lake.settings, [TIDES], SQL).resolve_asset_graph()
    node = graph.get(AssetKey(["tides", "extremes"]))
    assert node.parent_keys == {AssetKey(["tides", "features"])}
    assert node.description == EXTREMES.table.description


def test_backfill_fills_it_and_status_shows_it(lake: Lake) -> None:
    with DagsterInstance.ephemeral() as instance:
        plan = plan_of(lake.settings, TIDES, SQL)
        runner = Runner(lake.settings, instance, defs=build_defs(lake.settings, [TIDES], SQL))
        (report,) = backfill(plan, runner, LAST_DAYS, ["extremes"])
        assert (report.stage, report.filled) == ("extremes", 3)
        (again,) = backfill(plan, runner, LAST_DAYS, ["extremes"])
        assert (again.filled, again.up_to_date) == (0, 3)
        (shown,) = (
            status for status in status_of(plan, Recorded(instance)) if status.stage == "extremes"
        )
    assert (shown.days, shown.newest) == (3, DAYS.last)
    rows = lake.read("tides.extremes", DAYS.last)
    levels = lake.read("tides.features", DAYS.last)["level_cm"]
    assert rows.row(0) == (DAYS.last, levels.min(), levels.max())


def test_a_day_that_its_input_lacks_fails_by_name(lake: Lake) -> None:
    lake.delete("tides.features", DAYS.last)
    with DagsterInstance.ephemeral() as instance:
        plan = plan_of(lake.settings, TIDES, SQL)
        runner = Runner(lake.settings, instance, defs=build_defs(lake.settings, [TIDES], SQL))
        with pytest.raises(Exception, match=f"tides.features has no {DAYS.last}; fill it with"):
            list(backfill(plan, runner, LAST_DAYS, ["extremes"]))
