"""The automation daemon inside a test: it ticks when it is told, and runs go as the test says."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from dagster import (
    AssetMaterialization,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    evaluate_automation_conditions,
)
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor
from dagster._core.events import AssetMaterializationPlannedData, StepMaterializationData

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.dagster_runs import process_with_home
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, SQL

HORIZON = timedelta(days=PROBLEM.horizon_days)
ONE_DAY = timedelta(days=1)
FILLED = DayRange(DAYS.first, date(2026, 1, 12))
"""Every stage holds these days when the story begins, in the morning of the day after."""
NEW = FILLED.last + ONE_DAY
MORNING = datetime(2026, 1, 14, 6, tzinfo=UTC)
NOTHING_SAID = {
    "model_version": 1, "reason": "the first", "figures": "{}", "actor": "champion",
}  # fmt: skip
BEFORE_THE_OUTCOME = ("snapshots", "features", "champion")
"""What is made of a day before its own outcome of an earlier day is known."""
AFTER_THE_OUTCOME = ("calibration", "predictions", "drift", "health")
OF_A_DAY = (*BEFORE_THE_OUTCOME, *AFTER_THE_OUTCOME)
OF_AN_OUTCOME = ("labels", "scores")
JOB = "__ASSET_JOB"


@dataclass
class Daemon:
    """Asks every half minute what is to be run; whether it runs, and how it ends, the test says."""

    defs: Definitions
    instance: DagsterInstance
    now: datetime = MORNING
    cursor: AssetDaemonCursor | None = None

    def tick(self) -> dict[str, set[date]]:
        """The days asked for, by stage."""
        self.now += timedelta(seconds=30)
        result = evaluate_automation_conditions(
            self.defs, self.instance, cursor=self.cursor, evaluation_time=self.now
        )
        self.cursor = result.cursor
        keys = [found.key for found in result.results if found.key.path[0] == PROBLEM.name]
        asked = {key.path[-1]: result.get_requested_partitions(key) for key in keys}
        return {
            stage: {date.fromisoformat(str(day)) for day in days}
            for stage, days in asked.items()
            if days
        }

    def fill(self, stage: str, *days: date) -> None:
        """The days are there, whoever made them."""
        for day in days:
            key = asset_key(PROBLEM.table(stage))
            self.instance.report_runless_asset_event(AssetMaterialization(key, partition=str(day)))

    def begin_run(
        self, stages: Mapping[str, Sequence[date]], tags: Mapping[str, str] | None = None
    ) -> DagsterRun:
        """A run is under way that will make these days."""
        keys = {stage: asset_key(PROBLEM.table(stage)) for stage in stages}
        run = self.instance.add_run(
            DagsterRun(
                JOB,
                status=DagsterRunStatus.STARTED,
                tags=dict(tags or {}),
                asset_selection=frozenset(keys.values()),
            )
        )
        for stage, days in stages.items():
            for day in days:
                planned = AssetMaterializationPlannedData(keys[stage], partition=str(day))
                event = DagsterEvent.build_asset_materialization_planned_event(JOB, stage, planned)
                self.instance.report_dagster_event(event, run.run_id, logging.INFO)
        return run

    def record(self, run: DagsterRun, stage: str, days: Sequence[date]) -> None:
        """The run has made these days of a stage."""
        for day in days:
            made = AssetMaterialization(asset_key(PROBLEM.table(stage)), partition=str(day))
            event = DagsterEvent(
                DagsterEventType.ASSET_MATERIALIZATION.value,
                JOB,
                step_key=stage,
                event_specific_data=StepMaterializationData(made),
            )
            self.instance.report_dagster_event(event, run.run_id, logging.INFO)

    def end(self, run: DagsterRun, how: DagsterEventType = DagsterEventType.RUN_SUCCESS) -> None:
        event = DagsterEvent(how.value, JOB)
        self.instance.report_dagster_event(event, run.run_id, logging.INFO)


def serve_from(settings: Settings, first: date) -> None:
    """A model was trained as of that day, and deployed."""
    lake, tables = Lake(settings), loop_tables(PROBLEM)
    lake.write(PROBLEM.table("model"), first, tables["model"].empty())
    decided = {"decision": "deploy", "effective_from": first, "decided_at": MORNING}
    log = tables["decisions"].conform(pl.DataFrame([{**NOTHING_SAID, **decided}]))
    lake.append(PROBLEM.table("decisions"), log)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with process_with_home(tmp_path / "home") as found:
        mark_lake(Lake(found), Marker("sandbox", DAYS.first))
        yield found


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def daemon(settings: Settings, instance: DagsterInstance) -> Daemon:
    """Of a home in which all that can be there is there."""
    serve_from(settings, FILLED.first)
    found = Daemon(build_defs(settings, [PROBLEM], SQL), instance)
    for stage in ("gauges", *OF_A_DAY):
        found.fill(stage, *FILLED)
    for stage in OF_AN_OUTCOME:
        found.fill(stage, *DayRange(FILLED.first, FILLED.last - HORIZON))
    assert found.tick() == {}
    return found
