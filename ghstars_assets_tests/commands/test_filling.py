"""Commands that fill the lake, each recorded in the home's Dagster instance."""

import json
import os
import socket
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.runs import HOST_TAG, PID_TAG, dagster_instance
from ghstars_assets_tests.commands.conftest import Ghstars
from ghstars_assets_tests.support.filled_home import QUARANTINED_DAY, settings_of


def test_a_release_brings_a_quarantined_day_back_with_all_that_hangs_on_it(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    lake, day = Lake(settings_of(filled_home_copy)), str(QUARANTINED_DAY)
    only = DayRange(QUARANTINED_DAY, QUARANTINED_DAY)
    assert lake.days("stars.features", only) == []

    said = ghstars(lake.settings.home, "release", "stars", day, "--why", "it is no repeat")

    assert said.code == 0, said.err
    assert lake.read("stars.features", QUARANTINED_DAY).height > 100
    assert lake.days("stars.snapshots_quarantine", only) == []
    audit = lake.read_log("platform.audit")
    assert audit is not None
    row = audit.filter(audit["event"] == "release").row(0, named=True)
    assert (row["cause"], row["subject"]) == ("it is no repeat", day)


def test_what_is_not_in_quarantine_cannot_be_released(ghstars: Ghstars, filled_lake: Lake) -> None:
    said = ghstars(filled_lake.settings.home, "release", "stars", "2026-07-20", "--why", "x")
    assert said.code == 1
    assert "there is nothing to release" in said.err


def test_a_day_that_a_source_holds_is_no_gap(ghstars: Ghstars, filled_lake: Lake) -> None:
    said = ghstars(filled_lake.settings.home, "gap", "stars", "2026-07-20", "--why", "x")
    assert said.code == 1
    assert "holds 2026-07-20, so it is no gap" in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "2026-07-20", "--to", "2026-07-10"), "ends before it starts"),
        (("--from", "2026-07-20", "--to", "2999-01-01"), "No source of stars knows 2999-01-01"),
        (("--from", "soon"), "'soon' is not a day"),
        (("--stages", "feature"), "There is no stage 'feature'; choose from discovered, github"),
    ],
)
def test_a_backfill_that_cannot_be_meant_is_refused_before_anything_runs(
    ghstars: Ghstars, filled_lake: Lake, arguments: tuple[str, ...], told: str
) -> None:
    said = ghstars(filled_lake.settings.home, "backfill", "stars", *arguments)
    assert said.code == 1
    assert told in said.err


def test_a_backfill_leaves_a_quarantined_day_out_unless_it_is_all_that_was_named(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    day = str(QUARANTINED_DAY)
    around = ("--from", "2026-06-20", "--to", "2026-06-28", "--stages", "features")
    alone = ("--from", day, "--to", day, "--stages", "features")
    for _ in range(2):
        assert ghstars(filled_home_copy, "backfill", "stars", *around).code == 0
    said = ghstars(filled_home_copy, "backfill", "stars", *alone)
    assert said.code == 1
    assert f"stars.snapshots of {day} is quarantined" in said.err


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


def test_a_home_of_real_data_refuses_the_sandbox(ghstars: Ghstars, tmp_path: Path) -> None:
    mark_lake(Lake(settings_of(tmp_path / "home")), Marker("real"))
    said = ghstars(tmp_path / "home", "demo")
    assert said.code == 1
    assert "holds real data and takes no sandbox data" in said.err


def test_status_says_what_is_missing_in_its_exit_code(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    """The filled home ends in August, and its source knows every day since."""
    said = ghstars(filled_home_copy, "status", "--json")
    stages = {row["stage"]: row for row in json.loads(said.out)}
    assert said.code == 3
    assert stages["snapshots"]["state"] == "missing"
    assert stages["snapshots"]["newest"] == "2026-08-14"


def test_the_demo_goes_from_an_empty_home_to_forecasts_and_a_second_one_adds_nothing(
    ghstars: Ghstars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_SANDBOX_REPOSITORIES", "60")
    monkeypatch.setenv("GHSTARS_SANDBOX_DAYS", "90")
    home = tmp_path / "home"

    said = ghstars(home, "demo", "--days", "60")

    assert said.code == 0, said.err
    assert "How many stars will a repository gain" in said.out
    assert "The record: mean absolute error against the naive forecast" in said.out
    assert "ghstars up" in said.out
    assert "invented world" in said.out
    lake = Lake(settings_of(home))
    before = {table: lake.partitions(table) for table in lake.tables()}
    assert len(before["stars.snapshots"]) == 60
    assert len(before["stars.labels"]) == 53

    again = ghstars(home, "demo", "--days", "60")

    assert again.code == 0, again.err
    assert "up to date" in again.err
    after = {table: lake.partitions(table)[: len(before[table])] for table in before}
    assert after == before
