"""Runs of Dagster inside a test: a home of its own, a range of days, an instance in memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
)
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.settings import Settings, load_settings


@contextmanager
def process_with_home(home: Path) -> Iterator[Settings]:
    """What assets see as the settings of their process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GHSTARS_HOME", str(home))
        patch.setenv("GHSTARS_THREADS", "1")
        patch.setenv("GHSTARS_MEMORY_GB", "1")
        yield load_settings()


@dataclass(frozen=True)
class Materializer:
    """Runs assets one range at a time, as a backfill of a single run does."""

    defs: Definitions
    instance: DagsterInstance

    def __call__(
        self,
        tables: Sequence[str] | str,
        days: DayRange,
        config: Mapping[str, Any] | None = None,
    ) -> ExecuteInProcessResult:
        keys = [asset_key(table) for table in ([tables] if isinstance(tables, str) else tables)]
        job = self.defs.resolve_implicit_job_def_def_for_assets(keys)
        assert job is not None
        ops = {key.to_python_identifier(): {"config": config} for key in keys} if config else {}
        one_day = len(days) == 1
        return job.execute_in_process(
            run_config={"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=self.instance,
            asset_selection=keys,
            partition_key=str(days.first) if one_day else None,
            tags={}
            if one_day
            else {
                ASSET_PARTITION_RANGE_START_TAG: str(days.first),
                ASSET_PARTITION_RANGE_END_TAG: str(days.last),
            },
            raise_on_error=False,
        )

    def recorded(self, table: str, by: ExecuteInProcessResult | None = None) -> set[str]:
        """The days that Dagster shows as materialized, by anybody or by one run."""
        if by is None:
            return self.instance.get_materialized_partitions(asset_key(table))
        logged = self.instance.all_logs(by.run_id, DagsterEventType.ASSET_MATERIALIZATION)
        return {
            str(entry.dagster_event.partition)
            for entry in logged
            if entry.dagster_event and entry.dagster_event.asset_key == asset_key(table)
        }


def reason_of_failure(result: ExecuteInProcessResult) -> str:
    (failure,) = result.filter_events(
        lambda event: event.event_type is DagsterEventType.STEP_FAILURE
    )
    data = failure.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    while error and error.cause:
        error = error.cause
    return error.message if error else ""


def evaluations(result: ExecuteInProcessResult, table: str, check: str) -> dict[str | None, bool]:
    """Whether a check passed, by partition; None stands for the batch as a whole."""
    found: dict[str | None, bool] = {}
    for evaluation in result.get_asset_check_evaluations():
        assert isinstance(evaluation, AssetCheckEvaluation)
        if (evaluation.asset_key, evaluation.check_name) == (AssetKey(table.split(".")), check):
            assert evaluation.partition not in found
            found[evaluation.partition] = evaluation.passed
    return found
