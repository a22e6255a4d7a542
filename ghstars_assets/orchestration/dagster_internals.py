"""What is used of Dagster's private modules, all of it here, checked against dagster 1.13.27.

- `execute_run_iterator`, `InMemoryJob`: a command runs assets in its own process and hears of each
  event as it happens; the public `materialize` returns when everything is over.
- tags of runs: a run over a range, and one that a sensor asked for, are told apart by them, and
  Dagster exports only some of their names.
- `SqliteEventLogStorage` and what its subclass overrides: see `event_log.py`.
- `AssetCheckExecutionRecord`, `PartitionKeyFilter`: the sensor reads the records of a check by day,
  for which there is no public call.
- `StepExecutionContext`: how often a step was tried already.
- `TimingMetadata`: a condition of our own says when it became true.
- `cron_string_iterator`: when a schedule runs, by the code that runs it.
"""

from dagster._config.config_schema import UserConfigSchema
from dagster._core.asset_graph_view.timing_metadata import TimingMetadata
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.api import execute_run_iterator
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    RUN_KEY_TAG,
    SENSOR_NAME_TAG,
)
from dagster._serdes import ConfigurableClassData
from dagster._utils.schedules import cron_string_iterator
from dagster_shared.error import SerializableErrorInfo

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "PARTITION_NAME_TAG",
    "RUN_KEY_TAG",
    "SENSOR_NAME_TAG",
    "SQLITE_BUSY_TIMEOUT_SECONDS",
    "AssetCheckExecutionRecord",
    "ConfigurableClassData",
    "EventLogEntry",
    "InMemoryJob",
    "PartitionKeyFilter",
    "SerializableErrorInfo",
    "SqliteEventLogStorage",
    "StepExecutionContext",
    "TimingMetadata",
    "UserConfigSchema",
    "cron_string_iterator",
    "execute_run_iterator",
]
