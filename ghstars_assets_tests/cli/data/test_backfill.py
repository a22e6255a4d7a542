"""`ghstars backfill`: what is refused, and which days are left out."""

import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.commands_at_work import HOST_TAG, PID_TAG
from ghstars_assets.orchestration.runs import dagster_instance
from ghstars_assets_tests.support.filled_home import MODEL_DAYS, QUARANTINED_DAY, settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars, code_of


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "2026-07-20", "--to", "2026-07-10"), "ends before it starts"),
        (("--from", "2026-07-20", "--to", "2999-01-01"), "No source of stars knows 2999-01-01"),
        (("--from", "soon"), "'soon' is not a day"),
        (("--stages", "feature"), "There is no stage 'feature'; choose from discovered, github"),
    ],
)
def test_a_backfill_that_cannot_be_meant_is_refused_before_anything_runs(
    ghstars: Ghstars, filled_lake: Lake, arguments: tuple[str, ...], message: str
) -> None:
    ran = ghstars(filled_lake.settings.home, "backfill", "stars", *arguments)
    assert ran.code == code_of(ran.err)
    assert message in ran.err


def test_a_backfill_leaves_a_quarantined_day_out_unless_it_is_all_that_was_named(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    day = str(QUARANTINED_DAY)
    around = ("--from", "2026-06-20", "--to", "2026-06-28", "--stages", "features")
    alone = ("--from", day, "--to", day, "--stages", "features")
    for _ in range(2):
        assert ghstars(filled_home_copy, "backfill", "stars", *around).code == 0
    ran = ghstars(filled_home_copy, "backfill", "stars", *alone)
    assert ran.code == 1
    assert f"stars.snapshots of {day} is quarantined" in ran.err


@pytest.mark.parametrize("forced", [(), ("--force",)])
def test_days_before_the_first_version_are_left_out_and_counted_with_force_or_without(
    ghstars: Ghstars, filled_home_copy: Path, forced: tuple[str, ...]
) -> None:
    first = MODEL_DAYS[0]
    days = ("--from", str(first - timedelta(days=3)), "--to", str(first + timedelta(days=1)))
    chosen = ("--stages", "calibration,predictions")
    ran = ghstars(filled_home_copy, "backfill", "stars", *days, *chosen, *forced)
    assert ran.code == 0, ran.err
    left_out = f"3 days left out, before the first version, which serves from {first}"
    assert [left_out in line for line in ran.out.splitlines()] == [True, True]


def test_a_run_whose_command_was_killed_is_ended_by_the_next_command(
    filled_home_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would hold a place in the queue of Dagster's daemon for ever."""
    monkeypatch.setenv("GHSTARS_HOME", str(filled_home_copy))
    settings = settings_of(filled_home_copy)
    with dagster_instance(settings) as instance:
        tags = {HOST_TAG: socket.gethostname(), PID_TAG: "999999999"}
        orphan = DagsterRun("__ASSET_JOB", status=DagsterRunStatus.STARTED, tags=tags)
        mine = DagsterRun(
            "__ASSET_JOB",
            status=DagsterRunStatus.STARTED,
            tags=tags | {PID_TAG: str(os.getpid())},
        )
        for run in (orphan, mine):
            instance.add_run(run)
    with dagster_instance(settings) as instance:
        statuses = [_status_of(instance, run) for run in (orphan, mine)]
    assert statuses == [DagsterRunStatus.FAILURE, DagsterRunStatus.STARTED]


def _status_of(instance: DagsterInstance, run: DagsterRun) -> DagsterRunStatus:
    stored = instance.get_run_by_id(run.run_id)
    assert stored is not None
    return stored.status
