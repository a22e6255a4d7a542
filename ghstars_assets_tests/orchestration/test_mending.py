"""What is damaged is set aside; what can be made again is, and what cannot be is a known gap."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from dagster import DagsterInstance

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.operations.status import status_of
from ghstars_assets.errors import DamagedFileError
from ghstars_assets.lake.audit import AUDIT, record_event
from ghstars_assets.lake.holes import declared_gaps
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.checking import check
from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.backfill import backfill, plan_of
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.mending import mend
from ghstars_assets.orchestration.retries import CAUSE_TAG
from ghstars_assets.orchestration.runs import Recorded, RunFailedError, Runner
from ghstars_assets_tests.support import damages
from ghstars_assets_tests.support.dagster_runs import process_with_home
from ghstars_assets_tests.support.damages import partition_file
from ghstars_assets_tests.support.tides.gauges import GAUGES
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import SQL, copied

DAY = date(2026, 2, 20)
ONE = DayRange(DAY, DAY)
FORGETFUL = replace(PROBLEM, sources=(replace(GAUGES, known_days=lambda _lake, _marker, _now: []),))


@pytest.fixture
def lake(tides_home: Path, tmp_path: Path) -> Iterator[Lake]:
    with process_with_home(copied(tides_home, tmp_path / "home")) as settings:
        yield Lake(settings)


@contextmanager
def runner_of(lake: Lake, problem: Problem = PROBLEM) -> Iterator[Runner]:
    with DagsterInstance.ephemeral() as instance:
        defs = build_defs(lake.settings, [problem], SQL)
        yield Runner(lake.settings, instance, lambda _line: None, defs)


def mended(lake: Lake, problem: Problem = PROBLEM) -> list[str]:
    plan = plan_of(lake.settings, problem, SQL)
    with runner_of(lake, problem) as runner:
        return list(mend(plan, runner, check(plan, is_deep=True)))


def is_whole(lake: Lake) -> bool:
    return not check(plan_of(lake.settings, PROBLEM, SQL), is_deep=True).findings


@pytest.mark.parametrize("stage", ["gauges", "features"])
@pytest.mark.parametrize(
    "damage", [damages.doubled, damages.a_folder_in_its_place, damages.one_bit_flipped]
)
def test_what_can_be_made_again_has_the_same_rows(
    lake: Lake, damage: damages.Damage, stage: str
) -> None:
    before = lake.read(f"tides.{stage}", DAY)
    damage(partition_file(lake, f"tides.{stage}", DAY))
    moved, made = mended(lake)
    assert moved.startswith(f"tides.{stage} of {DAY}: set aside as _damaged/tides/{stage}/date=")
    assert made.startswith(f"tides.{stage} of {DAY}: ")
    assert is_whole(lake)
    assert lake.read(f"tides.{stage}", DAY).equals(before)


def test_what_is_set_aside_stands_in_the_audit_log(lake: Lake) -> None:
    damages.emptied(partition_file(lake, "tides.labels", DAY))
    mended(lake)
    log = lake.read_log(AUDIT.name)
    assert log is not None
    event = log.row(0, named=True)
    assert (event["event"], event["subject"]) == ("set aside", f"tides.labels of {DAY}")
    assert event["cause"] == "it is empty"
    assert lake.store.get(event["detail"]) == b""


def test_a_day_that_no_source_knows_any_more_becomes_a_gap(lake: Lake) -> None:
    """And what was made of it before it was damaged stays."""
    snapshots = lake.read("tides.snapshots", DAY)
    damages.cut_short(partition_file(lake, "tides.gauges", DAY))
    lines = mended(lake, FORGETFUL)
    assert lines[-1] == f"tides.gauges of {DAY}: declared a gap, for nobody knows the day any more"
    assert declared_gaps(lake, "tides")[DAY].startswith("the file of tides.gauges was damaged")
    assert lake.read("tides.snapshots", DAY).equals(snapshots)
    assert is_whole(lake)


def test_an_entry_of_a_log_is_set_aside_and_its_number_is_not_used_again(lake: Lake) -> None:
    for number in range(3):
        record_event(lake, problem="tides", event="e", cause="a test", subject=str(number))
    key = lake.log_entries(AUDIT.name)[-1][1]
    lake.store.put(key, b"broken")
    with pytest.raises(DamagedFileError, match=r"entry 3 of platform\.audit is damaged"):
        lake.read_log(AUDIT.name)
    (line,) = mended(lake)
    assert line == f"entry 3 of platform.audit: set aside as _damaged/{key}"
    log = lake.read_log(AUDIT.name)
    assert log is not None
    assert log["subject"].to_list() == ["0", "1", "entry 3 of platform.audit"]
    assert [number for number, _ in lake.log_entries(AUDIT.name)] == [1, 2, 3, 4]


def test_a_plain_backfill_fills_a_damaged_day_and_status_shows_it_until_then(lake: Lake) -> None:
    damages.given_another_days_rows(partition_file(lake, "tides.features", DAY))
    plan = plan_of(lake.settings, PROBLEM, SQL)
    with runner_of(lake) as runner:
        recorded = Recorded(runner.instance)
        before = {one.stage: one for one in status_of(plan, recorded)}["features"]
        list(backfill(plan, runner, ONE, ["features"]))
        after = {one.stage: one for one in status_of(plan, recorded)}["features"]
    assert (before.state, before.damaged) == ("damaged", 1)
    assert (after.damaged, is_whole(lake)) == (0, True)


def test_an_asset_of_which_an_input_is_damaged_fails_for_bad_data(lake: Lake) -> None:
    damages.doubled(partition_file(lake, "tides.gauges", DAY))
    with runner_of(lake) as runner:
        with pytest.raises(RunFailedError, match=f"tides.gauges of {DAY} is damaged"):
            runner.run("tides.snapshots", ONE, lambda _day: None)
        (run,) = runner.instance.get_runs()
        assert run.tags[CAUSE_TAG] == "bad data"


def test_the_weekly_check_fails_by_the_names_of_what_is_damaged(lake: Lake) -> None:
    defs = build_defs(lake.settings, [PROBLEM], SQL)
    look = partial(defs.resolve_job_def("check_tides").execute_in_process, raise_on_error=False)
    assert look().success
    damages.one_bit_flipped(partition_file(lake, "tides.labels", DAY))
    failed = look()
    assert not failed.success
    (event,) = failed.filter_events(lambda event: event.is_step_failure)
    described = event.step_failure_data.user_failure_data
    assert described is not None
    assert f"tides.labels of {DAY} is damaged (its bytes are not those written)" in str(
        described.description
    )
    assert "`ghstars check tides --deep --mend`" in str(described.description)
