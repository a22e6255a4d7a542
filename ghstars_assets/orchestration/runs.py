"""Dagster runs started by the command: in this process, recorded in the home's instance."""

import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster import (
    BetaWarning,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    PreviewWarning,
    RunsFilter,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.failures.bug_reports import report_traceback
from ghstars_assets.home.layout import prepare_home
from ghstars_assets.interrupts import is_interrupted
from ghstars_assets.orchestration.assets.events import LAKE_SECONDS
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.commands_at_work import (
    COMMAND_TAG,
    PID_TAG,
    orphaned_runs,
    tags_of_process,
)
from ghstars_assets.orchestration.dagster_internals import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    ErrorSource,
    InMemoryJob,
    SerializableErrorInfo,
    execute_run_iterator,
)
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.settings import Settings, export_home

RECENT_RUNS = 200


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


class RunFailedError(GhstarsError):
    """A run failed; the message is the reason that the failing step gave."""


@dataclass(frozen=True)
class RunReport:
    run_id: str
    days_done: int
    lake_seconds: float
    """Spent on the days themselves."""
    dagster_seconds: float
    """Spent on recording them, and on the run around them."""


class Runner:
    """Runs assets over a range of days."""

    def __init__(
        self,
        settings: Settings,
        instance: DagsterInstance,
        say: Callable[[str], None] = _to_stderr,
        defs: Definitions | None = None,
    ) -> None:
        """`defs` are those of this home and all problems, unless others are given."""
        self.settings = settings
        self.instance = instance
        self.say = say
        self.repository = (defs or build_defs(settings)).get_repository_def()

    def run(
        self,
        table: str,
        days: DayRange,
        on_day: Callable[[date], None],
        config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> RunReport:
        """Materialize a range of days in one run; `on_day` hears of each as it is recorded."""
        configs = {table: config} if config else {}
        return self.run_together([table], days, on_day, configs, tags)

    def run_together(
        self,
        tables: Sequence[str],
        days: DayRange,
        on_day: Callable[[date], None],
        configs: Mapping[str, Mapping[str, Any]] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> RunReport:
        """The same for several tables at once, each after those it is made from; `configs` are by
        table."""
        started = time.perf_counter()
        keys = [asset_key(table) for table in tables]
        job = self.repository.get_implicit_job_def_for_assets(keys)
        if job is None:
            raise GhstarsError(f"No asset makes {', '.join(tables)}.")
        tags = {
            COMMAND_TAG: "backfill",
            **tags_of_process(),
            **(tags or {}),
        }
        if len(days) == 1:
            tags |= {PARTITION_NAME_TAG: str(days.first)}
        else:
            tags |= {
                ASSET_PARTITION_RANGE_START_TAG: str(days.first),
                ASSET_PARTITION_RANGE_END_TAG: str(days.last),
            }
        subset = job.get_subset(asset_selection=set(keys))
        run = self.instance.create_run_for_job(
            job_def=subset,
            run_config={
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                "ops": {
                    asset_key(table).to_python_identifier(): {"config": config}
                    for table, config in (configs or {}).items()
                },
            },
            tags=tags,
            asset_selection=frozenset(keys),
        )
        done, lake_seconds, failure, is_canceled = 0, 0.0, "", False
        for event in execute_run_iterator(InMemoryJob(subset), run, self.instance):
            if not is_canceled and _is_interrupted(event):
                # Dagster asks how the run stands before it says how it ended: not as a failure,
                # which would stay until the same days are made again.
                is_canceled = True
                self.instance.report_run_canceling(run)
                if event.event_type is not DagsterEventType.STEP_FAILURE:
                    # An event loop of asyncio may have swallowed what Dagster raised in it. Here
                    # Dagster keeps the signal, and raises when the step goes on.
                    signal.raise_signal(signal.SIGINT)
            if event.event_type is DagsterEventType.ASSET_MATERIALIZATION and event.partition:
                done += 1
                lake_seconds = _lake_seconds(event)
                on_day(date.fromisoformat(event.partition))
            elif event.event_type is DagsterEventType.STEP_UP_FOR_RETRY:
                self.say(_describe_wait(", ".join(tables), event))
            elif event.event_type is DagsterEventType.STEP_FAILURE and not is_canceled:
                failure = _reason(event) or self._bug(run, event)
            elif event.event_type is DagsterEventType.RUN_FAILURE and not failure:
                failure = event.message or "the run failed"
        if is_canceled or is_interrupted():
            raise KeyboardInterrupt
        if failure:
            raise RunFailedError(failure)
        seconds = time.perf_counter() - started
        return RunReport(run.run_id, done, lake_seconds, max(0.0, seconds - lake_seconds))

    def _bug(self, run: DagsterRun, event: DagsterEvent) -> str:
        """The step failed for a reason that nobody foresaw: its traceback is written down."""
        error = event.step_failure_data.error
        while error and error.cause:
            error = error.cause
        if error is None:
            return "the step failed"
        step = f"run {run.run_id}, step {event.step_key}"
        name = error.message.strip().splitlines()[0] if error.message.strip() else step
        return report_traceback(name, error.to_string(), self.settings, [step])


class Recorded:
    """What Dagster's records say of a table's days."""

    def __init__(self, instance: DagsterInstance) -> None:
        self.instance = instance

    def materialized_days(self, table: str) -> set[date]:
        keys = self.instance.get_materialized_partitions(asset_key(table))
        return {date.fromisoformat(key) for key in keys}

    def failed_days(self, table: str) -> set[date]:
        """Days whose latest run failed, among the recent runs of a single day."""
        key = asset_key(table)
        ended = RunsFilter(statuses=[DagsterRunStatus.FAILURE, DagsterRunStatus.SUCCESS])
        latest: dict[str, DagsterRunStatus] = {}
        for run in self.instance.get_runs(filters=ended, limit=RECENT_RUNS):
            day = run.tags.get(PARTITION_NAME_TAG)
            if day and run.asset_selection and key in run.asset_selection:
                latest.setdefault(day, run.status)
        return {
            date.fromisoformat(day)
            for day, status in latest.items()
            if status is DagsterRunStatus.FAILURE
        }


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[DagsterInstance]:
    """The instance in the home."""
    prepare_home(settings)
    export_home(settings)
    warnings.simplefilter("ignore", BetaWarning)
    warnings.simplefilter("ignore", PreviewWarning)
    with DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        end_orphaned_runs(instance)
        yield instance


def end_orphaned_runs(instance: DagsterInstance) -> None:
    """Report runs failed whose command was killed on this machine. Dagster cannot see that they
    are dead, and each would hold a place in its queue for ever."""
    for run in orphaned_runs(instance):
        pid = run.tags[PID_TAG]
        instance.report_run_failed(run, f"The command that ran this (process {pid}) is gone.")


def _is_interrupted(event: DagsterEvent) -> bool:
    """Whether Ctrl-C ended the step, or came while Dagster held it back."""
    if event.event_type is DagsterEventType.STEP_FAILURE:
        return event.step_failure_data.error_source is ErrorSource.INTERRUPT or is_interrupted()
    return is_interrupted()


def _lake_seconds(event: DagsterEvent) -> float:
    metadata = event.step_materialization_data.materialization.metadata.get(LAKE_SECONDS)
    value = metadata.value if metadata else 0.0
    return float(value) if isinstance(value, int | float) else 0.0


def _reason(event: DagsterEvent) -> str:
    """The sentence that the failing code wrote, not Dagster's frame around it; empty where it is no
    sentence of ours but a bug."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    return "" if data.error else event.message or "the step failed"


def _describe_wait(table: str, event: DagsterEvent) -> str:
    """A command that stands still says why, and for how long."""
    data = event.step_retry_data
    return f"{table} waits {data.seconds_to_wait or 0:.0f} s and tries again: " + (
        _innermost(data.error) or "the step failed"
    )


def _innermost(error: SerializableErrorInfo | None) -> str:
    """What the failing code wrote, without the name of the error's class."""
    while error and error.cause:
        error = error.cause
    if error is None:
        return ""
    _, _, message = error.message.partition(": ")
    return (message or error.message).strip()
