"""Definitions: what Dagster sees, what importing it costs, and how narrow its mappings are."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    DagsterInstance,
    Definitions,
    TableSchema,
    TimeWindowPartitionMapping,
    TimeWindowPartitionsDefinition,
)
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.execution.asset_backfill import AssetBackfillData

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.partitions import asset_key, daily_partitions, depends_on
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.problems.stars.problem import PROBLEM as STARS
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.dagster_runs import Materializer, process_with_home
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import SQL

FIRST_DAY = date(2026, 1, 1)
NOW = datetime(2026, 8, 15, 12, tzinfo=UTC)
TODAY = NOW.date()
LOGS = ("decisions", "retrain_requests")
"""Written by what others do, not made by an asset."""
HEAVY = (
    "mlflow",
    "lightgbm",
    "sklearn",
    "pandas",
    "scipy",
    "optuna",
    "streamlit",
    "ray",
    "altair",
    "vl_convert",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with process_with_home(tmp_path_factory.mktemp("definitions")) as found:
        mark_lake(Lake(found), Marker("sandbox", FIRST_DAY))
        yield found


@pytest.fixture(scope="module")
def defs(settings: Settings) -> Definitions:
    return build_defs(settings)


@pytest.fixture(scope="module")
def graph(defs: Definitions) -> AssetGraph:
    return defs.resolve_asset_graph()


def test_importing_the_definitions_reads_no_lake_and_loads_nothing_heavy(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ran = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            (
                "import sys, dagster, ghstars_assets.definitions as found\n"
                "import pathlib\n"
                f"assert not pathlib.Path({str(home)!r}).exists()\n"
                "assert isinstance(found.defs(), dagster.Definitions)\n"
                f"print([name for name in {HEAVY} if name in sys.modules])"
            ),
        ],
        env={**os.environ, "GHSTARS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"


def test_two_homes_live_side_by_side_in_one_process(tmp_path: Path) -> None:
    """Each set of definitions obeys the settings it was given, and reads no environment."""
    found: dict[str, Definitions] = {}
    for name, first_day in (("one", FIRST_DAY), ("other", FIRST_DAY + timedelta(days=31))):
        settings = Settings(home=tmp_path / name, threads=1, memory_gb=1)
        mark_lake(Lake(settings), Marker("sandbox", first_day))
        found[name] = build_defs(settings, [PROBLEM], SQL)
    day = DayRange(date(2026, 2, 2), date(2026, 2, 2))
    with DagsterInstance.ephemeral() as instance:
        for defs in found.values():
            assert Materializer(defs, instance)("tides.gauges", day).success
        assert Materializer(found["one"], instance)("tides.snapshots", day).success
    lakes = {name: Lake(Settings(home=tmp_path / name)) for name in found}
    assert lakes["one"].days("tides.snapshots") == list(day)
    assert lakes["other"].days("tides.gauges") == list(day)
    assert lakes["other"].days("tides.snapshots") == []
    firsts = {name: _first_day(defs) for name, defs in found.items()}
    assert firsts == {"one": "2026-01-01", "other": "2026-02-01"}


def _first_day(defs: Definitions) -> str | None:
    partitions = defs.resolve_asset_graph().get(asset_key("tides.gauges")).partitions_def
    assert isinstance(partitions, TimeWindowPartitionsDefinition)
    return partitions.get_first_partition_key()


def test_every_stage_of_every_problem_is_an_asset_with_a_description(graph: AssetGraph) -> None:
    for problem in all_problems().values():
        made = ("snapshots", "features", "labels", "backtest", *loop_tables(problem))
        tables = [problem.table(stage) for stage in made if stage not in LOGS]
        for key in [asset_key(name) for name in tables]:
            node = graph.get(key)
            assert node.description
            assert node.kinds
            assert isinstance(schema := node.metadata["dagster/column_schema"], TableSchema)
            assert all(column.description for column in schema.columns)
            assert node.group_name == problem.name


def _last_day(graph: AssetGraph, stage: str) -> date:
    partitions = graph.get(asset_key(STARS.table(stage))).partitions_def
    assert isinstance(partitions, TimeWindowPartitionsDefinition)
    last = partitions.get_last_partition_key()
    assert last is not None
    return date.fromisoformat(last)


def test_daily_stages_end_today_and_what_looks_ahead_a_horizon_earlier(graph: AssetGraph) -> None:
    with partition_loading_context(effective_dt=NOW):
        stages = (
            "github",
            "snapshots",
            "features",
            "model",
            "champion",
            "calibration",
            "predictions",
            "drift",
            "health",
        )
        for stage in stages:
            assert _last_day(graph, stage) == TODAY
        for stage in ("labels", "scores"):
            assert _last_day(graph, stage) == TODAY - timedelta(days=STARS.horizon_days)


def test_partitions_begin_where_the_lake_does(graph: AssetGraph, tmp_path: Path) -> None:
    def first_day(found: AssetGraph) -> str | None:
        partitions = found.get(asset_key("stars.features")).partitions_def
        assert partitions is not None
        return partitions.get_first_partition_key()

    assert first_day(graph) == str(FIRST_DAY)
    unmarked = build_defs(Settings(home=tmp_path), [STARS]).resolve_asset_graph()
    assert first_day(unmarked) == str(STARS.first_day)


def test_each_day_depends_on_single_days_of_others_and_never_on_a_window(
    graph: AssetGraph,
) -> None:
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for key in graph.get_all_asset_keys():
        if graph.get(key).partitions_def is None:
            continue
        for parent in graph.get(key).parent_keys:
            mapping = graph.get_partition_mapping(key, parent)
            assert isinstance(mapping, TimeWindowPartitionMapping)
            assert mapping.start_offset == mapping.end_offset
            if mapping.start_offset:
                found[parent.path[-1], key.path[-1]] = mapping.start_offset, mapping.end_offset
    lag = -(STARS.horizon_days + 1)
    assert found == {
        ("snapshots", "labels"): (STARS.horizon_days, STARS.horizon_days),
        ("features", "model"): (lag, lag),
        ("labels", "model"): (lag, lag),
        ("labels", "calibration"): (-STARS.horizon_days, -STARS.horizon_days),
        ("scores", "drift"): (-STARS.horizon_days, -STARS.horizon_days),
        ("scores", "health"): (-STARS.horizon_days, -STARS.horizon_days),
    }


def _launched(
    graph: AssetGraph, stages: Sequence[str], days: Sequence[date]
) -> dict[str, set[date]]:
    """As the UI launches it: assets and a range of days, and Dagster finds out what that means."""
    with DagsterInstance.ephemeral() as instance, partition_loading_context(effective_dt=NOW):
        backfill = AssetBackfillData.from_asset_partitions(
            asset_graph=graph,
            partition_names=[str(day) for day in days],
            asset_selection=[asset_key(STARS.table(stage)) for stage in stages],
            dynamic_partitions_store=instance,
            backfill_start_timestamp=NOW.timestamp(),
            all_partitions=False,
        )
        target = backfill.target_subset
        return {
            key.path[-1]: set(
                map(date.fromisoformat, target.get_partitions_subset(key).get_partition_keys())
            )
            for key in target.asset_keys
        }


def test_a_backfill_of_30_days_launches_those_days_of_those_assets_and_trains_nothing(
    graph: AssetGraph,
) -> None:
    days = [date(2026, 6, 1) + timedelta(days=number) for number in range(30)]
    stages = ("features", "labels", "predictions")
    assert _launched(graph, stages, days) == {key: set(days) for key in stages}


def test_a_backfill_up_to_today_asks_for_no_label_that_cannot_be_known(graph: AssetGraph) -> None:
    days = [TODAY - timedelta(days=number) for number in range(30)]
    launched = _launched(graph, ("features", "labels", "predictions"), days)
    assert launched["features"] == launched["predictions"] == set(days)
    assert launched["labels"] == {day for day in days if (TODAY - day).days >= STARS.horizon_days}


def test_what_looks_ahead_exists_only_when_its_future_has_happened() -> None:
    today = daily_partitions(FIRST_DAY)
    with partition_loading_context(effective_dt=NOW):
        assert today.get_last_partition_key() == str(TODAY)
        assert daily_partitions(FIRST_DAY, 3).get_last_partition_key() == str(
            TODAY - timedelta(days=3)
        )


def test_a_dependency_on_the_same_day_needs_no_mapping() -> None:
    assert depends_on("stars.features").partition_mapping is None
    assert depends_on("stars.features").asset_key == AssetKey(["stars", "features"])
