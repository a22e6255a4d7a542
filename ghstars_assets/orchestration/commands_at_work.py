"""Runs that a command started at a prompt, and whether one of them is at work.

A command's process is its runs' worker, so Dagster cannot see that it was killed; each run carries
where it runs, and who reads of it looks.
"""

import os
import socket
from datetime import timedelta

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from ghstars_assets.calendar import utc_now
from ghstars_assets.home.layout import is_alive

COMMAND_TAG = "ghstars/command"
"""Tag of a run that somebody waits for at a prompt."""
COMMANDS = ("backfill", "retrain", "demo")
"""Its values."""
HOST_TAG, PID_TAG = "ghstars/host", "ghstars/pid"
UNDER_WAY = (
    DagsterRunStatus.STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.NOT_STARTED,
)
BETWEEN_TWO_RUNS = timedelta(seconds=20)
"""A command fills one table after another, and plans each in this time."""


def tags_of_process() -> dict[str, str]:
    return {HOST_TAG: socket.gethostname(), PID_TAG: str(os.getpid())}


def orphaned_runs(instance: DagsterInstance) -> list[DagsterRun]:
    """Runs under way whose command was killed on this machine."""
    here = RunsFilter(statuses=list(UNDER_WAY), tags={HOST_TAG: socket.gethostname()})
    return [run for run in instance.get_runs(filters=here) if _is_orphaned(run)]


def is_at_work(instance: DagsterInstance, problem: str) -> bool:
    """Whether a command fills tables of a problem now, or did a moment ago and may go on."""
    tags = {COMMAND_TAG: list(COMMANDS)}
    lately = RunsFilter(tags=tags, updated_after=utc_now() - BETWEEN_TWO_RUNS)
    under_way = RunsFilter(tags=tags, statuses=list(UNDER_WAY))
    runs = [*instance.get_runs(filters=lately), *instance.get_runs(filters=under_way)]
    return any(_fills(run, problem) and not _is_orphaned(run) for run in runs)


def _fills(run: DagsterRun, problem: str) -> bool:
    return any(key.path[0] == problem for key in run.asset_selection or ())


def _is_orphaned(run: DagsterRun) -> bool:
    pid = run.tags.get(PID_TAG, "")
    is_here = run.tags.get(HOST_TAG) == socket.gethostname()
    return run.status in UNDER_WAY and is_here and pid.isdecimal() and not is_alive(int(pid))
