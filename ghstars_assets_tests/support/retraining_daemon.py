"""A daemon that ticks the retraining sensor when a test says so."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RepositoryDefinition,
    RunRequest,
    SensorDefinition,
    build_sensor_context,
    job,
    op,
)
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.utils import make_new_run_id

from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.stage_checks import NO_RETRAINING_DUE
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.orchestration.triggers.retraining_sensor import build_retraining_sensor
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import AS_OF

TODAY = AS_OF
ONE_DAY = timedelta(days=1)
COOLDOWN = timedelta(days=PROBLEM.gates.cooldown_days.value)
MOST_ATTEMPTS = int(PROBLEM.gates.most_attempts.value)
HEALTH = AssetKey(["tides", "health"])


@dataclass
class Daemon:
    """Ticks when the test says so; whether what it asks for is run, and how that ends, too."""

    repository: RepositoryDefinition
    instance: DagsterInstance
    lake: Lake
    today: date = TODAY
    cursor: str | None = None
    said: set[date] = field(default_factory=set)

    @property
    def sensor(self) -> SensorDefinition:
        return build_retraining_sensor(PROBLEM, lambda: self.today)

    def tick(self) -> list[RunRequest]:
        context = build_sensor_context(
            self.instance,
            self.cursor,
            repository_def=self.repository,
            sensor_name=self.sensor.name,
            resources={"lake": self.lake},
        )
        result = self.sensor.evaluate_tick(context)
        self.cursor = result.cursor
        return list(result.run_requests or ())

    def asked(self) -> list[str]:
        """The evaluations that a tick asks for a retraining for."""
        return [request.tags["ghstars/evaluation"] for request in self.tick()]

    def say(self, day: date, decision: str) -> None:
        """Health of a day, as its run leaves it: the row, and the evaluation beside it."""
        table = loop_tables(PROBLEM)["health"]
        row = pl.DataFrame({"day": [day], "decision": [decision]})
        missing = [name for name in table.column_names if name not in row.columns]
        filled = row.with_columns(pl.lit(None).alias(name) for name in missing)
        self.lake.write(table.name, day, table.conform(filled))
        told = AssetCheckEvaluation(
            asset_key=HEALTH,
            check_name=NO_RETRAINING_DUE.name,
            passed=decision in ("wait", "healthy"),
            metadata={"day": str(day), "decision": decision, "reason": f"a test of {decision}"},
            partition=str(day),
        )
        if day not in self.said:
            self.instance.report_runless_asset_event(told)
            self.said.add(day)
            return

        # Reported without a run a day can be evaluated only once.
        @op(out={})
        def evaluate() -> Iterator[AssetCheckEvaluation]:
            yield told

        @job
        def run_of_health() -> None:
            evaluate()

        assert run_of_health.execute_in_process(instance=self.instance).success

    def launch(self, request: RunRequest, status: DagsterRunStatus) -> None:
        """A run that ended like this, or that goes on."""
        self.instance.add_run(
            DagsterRun(
                job_name="train",
                run_id=make_new_run_id(),
                status=status,
                tags={**request.tags, PARTITION_NAME_TAG: str(request.partition_key)},
            )
        )

    def trained(self, request: RunRequest, version: int = 2) -> None:
        """The run succeeded: a version carries the evaluation."""
        self.launch(request, DagsterRunStatus.SUCCESS)
        table = loop_tables(PROBLEM)["model"]
        day = date.fromisoformat(str(request.partition_key))
        row = pl.DataFrame(
            {
                "day": [day],
                "model_version": [version],
                "evaluation": [request.tags["ghstars/evaluation"]],
                "cause": ["a test"],
            }
        )
        missing = [name for name in table.column_names if name not in row.columns]
        filled = row.with_columns(pl.lit(None).alias(name) for name in missing)
        self.lake.write(table.name, day, table.conform(filled), part=f"candidate-{version}")

    def audit(self) -> list[tuple[str, str]]:
        log = self.lake.read_log(AUDIT.name)
        return [] if log is None else log.select("event", "subject").rows()
