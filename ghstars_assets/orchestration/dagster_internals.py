"""What is used of Dagster's private modules, checked against dagster 1.13.27.

All of it is here, but for the storages that `storage.py` and `event_log.py` build on: importing
them takes a quarter of a second, and only Dagster's own processes need them.

- `execute_run_iterator`, `InMemoryJob`: a command runs assets in its own process and hears of each
  event as it happens; the public `materialize` returns when everything is over.
- tags of runs: a run over a range, and one that a sensor asked for, are known by them, and
  Dagster exports only some of their names.
- `AssetCheckExecutionRecord`, `PartitionKeyFilter`: the sensor reads the records of a check by day,
  for which there is no public call.
- `StepExecutionContext`: how often a step was tried already.
- `TimingMetadata`: a condition of our own says when it became true.
- `WorkspaceProcessContext`, `WorkspaceFileTarget`: the webserver's application is made from them,
  and Dagster's command, which makes it, leaves no place for a guard before it.
- `cron_string_iterator`: when a schedule runs, by the code that runs it.
- `ErrorSource`: whether a step failed because Ctrl-C was pressed.
- `compute_logs`: the processes that show a step's output run in sessions of their own, or Ctrl-C
  would end them with two tracebacks before the step has written its last line.
"""

import subprocess
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from dagster import DagsterInstance
from dagster._core.asset_graph_view.timing_metadata import TimingMetadata
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.execution import compute_logs
from dagster._core.execution.api import execute_run_iterator
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.execution.plan.objects import ErrorSource
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    RUN_KEY_TAG,
    SENSOR_NAME_TAG,
)
from dagster._utils.schedules import cron_string_iterator
from dagster_shared.error import SerializableErrorInfo

if TYPE_CHECKING:
    from dagster._core.workspace.context import WorkspaceProcessContext

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "PARTITION_NAME_TAG",
    "RUN_KEY_TAG",
    "SENSOR_NAME_TAG",
    "AssetCheckExecutionRecord",
    "ErrorSource",
    "InMemoryJob",
    "PartitionKeyFilter",
    "SerializableErrorInfo",
    "StepExecutionContext",
    "TimingMetadata",
    "cron_string_iterator",
    "execute_run_iterator",
    "workspace_in",
]


def workspace_in(file: Path, instance: DagsterInstance, version: str) -> "WorkspaceProcessContext":
    """What the webserver shows. Importing it takes a fifth of a second, which no command needs."""
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget

    return WorkspaceProcessContext(instance, WorkspaceFileTarget([str(file)]), version=version)


_own_session = SimpleNamespace(Popen=partial(subprocess.Popen, start_new_session=True))
compute_logs.__dict__["subprocess"] = _own_session
