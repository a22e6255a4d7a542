"""A walk over a lake finds what is damaged, missing and surplus, each with what helps."""

from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.holes import declare_gaps
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.store import MARKER_KEY
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.checking import Checked, Kind, check
from ghstars_assets.learning.plan import Plan, stale_days
from ghstars_assets.orchestration.triggers.schedules import training_days
from ghstars_assets_tests.support import damages
from ghstars_assets_tests.support.damages import SEEN_AT_ONCE, Damage, partition_file
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, wired_tides

DAY = date(2026, 2, 10)
TABLES = ("tides.gauges", "tides.snapshots", "tides.features", "tides.labels")


def plan_of(lake: Lake) -> Plan:
    trains_on = partial(training_days, "0 7 * * 1")
    return Plan(lake, PROBLEM, wired_tides(), read_marker(lake), trains_on)


def checked(lake: Lake, *, is_deep: bool = False) -> Checked:
    return check(plan_of(lake), is_deep=is_deep)


def test_nothing_is_wrong_with_what_was_just_written(tides: Lake) -> None:
    found = checked(tides, is_deep=True)
    assert found.findings == ()
    horizon = PROBLEM.horizon_days
    assert (found.files, found.files_without_checksum) == (4 * len(DAYS) - horizon, 0)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", SEEN_AT_ONCE, ids=lambda damage: damage.__name__)
def test_each_kind_of_damage_to_each_kind_of_table_is_found(
    tides: Lake, damage: Damage, table: str
) -> None:
    damage(partition_file(tides, table, DAY))
    (finding,) = checked(tides).findings
    assert (finding.kind, finding.table, finding.day) == (Kind.DAMAGED, table, DAY)
    stage = table.removeprefix("tides.")
    again = f"`ghstars backfill tides --from {DAY} --to {DAY} --stages {stage} --force`"
    assert finding.remedy == ("`ghstars check tides --mend`" if stage == "gauges" else again)
    assert str(finding).startswith(f"{table} of {DAY} is damaged ({finding.why}); `ghstars ")


@pytest.mark.parametrize("damage", SEEN_AT_ONCE, ids=lambda damage: damage.__name__)
def test_a_damaged_day_is_stale(tides: Lake, damage: Damage) -> None:
    days = DayRange(DAYS.first, DAY)
    damage(partition_file(tides, "tides.features", DAY))
    (features,) = (stage for stage in plan_of(tides).stages if stage.name == "features")
    assert stale_days(tides, features, days) == [DAY]
    assert list(plan_of(tides).recent_damage(features, list(DAYS), 30)) == [DAY]


def test_what_only_the_rows_show_is_found_deeply(tides: Lake) -> None:
    damages.one_bit_flipped(partition_file(tides, "tides.labels", DAY))
    assert not checked(tides).is_damaged
    (finding,) = checked(tides, is_deep=True).findings
    assert (finding.table, finding.day) == ("tides.labels", DAY)
    assert finding.why == "its bytes are not those written"


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (damages.given_another_days_rows, "it holds rows of 2026-02-09"),
        (damages.doubled, "rows share the same station"),
        (damages.with_a_retyped_column, "its column station is Int64 and must be String"),
    ],
)
def test_rows_without_a_checksum_are_looked_at_deeply(
    tides: Lake, damage: Damage, why: str
) -> None:
    """In a home of the first release nothing else can be."""
    marker = tides.store.get(MARKER_KEY) or b""
    tides.store.put(MARKER_KEY, marker.replace(b'"has_checksums": true', b'"has_checksums": false'))
    file = partition_file(tides, "tides.gauges", DAY)
    if damage is damages.with_a_retyped_column:
        rows = pl.read_parquet(file, hive_partitioning=False)
        rows.with_columns(station=pl.int_range(pl.len())).write_parquet(file)
    else:
        damage(file)
    old = Lake(tides.settings)
    assert (checked(old).findings, checked(old).files_without_checksum) == ((), 1)
    (finding,) = checked(old, is_deep=True).findings
    assert finding.why == why


def test_folders_and_files_in_each_others_places_are_damage(tides: Lake) -> None:
    damages.a_folder_in_its_place(partition_file(tides, "tides.features", DAY))
    Path(tides.store.root, "tides/labels/date=2026-03-09").write_text("no folder")
    why = {finding.table: finding.why for finding in checked(tides).of(Kind.DAMAGED)}
    assert why == {"tides.features": "it is a folder", "tides.labels": "it is a file, not a folder"}
    assert checked(tides).of(Kind.MISSING) == []


def test_a_day_in_the_middle_is_missing_unless_it_is_a_gap(tides: Lake) -> None:
    for day in (DAY, DAYS.first):
        tides.delete("tides.features", day)
    (finding,) = checked(tides).findings
    assert (finding.kind, finding.table, finding.day) == (Kind.MISSING, "tides.features", DAY)
    assert str(finding).startswith(f"tides.features of {DAY} is missing (it was not filled)")
    declare_gaps(tides, PROBLEM.name, DayRange(DAY, DAY), "a test")
    assert checked(tides).findings == ()


def test_what_nothing_reads_is_surplus_and_no_damage(tides: Lake) -> None:
    Path(tides.store.root, "tides/features/notes.txt").write_text("mine")
    left = Path(tides.store.root, f"tides/features/date={DAY}/data.parquet#1")
    left.write_bytes(b"half")
    found = checked(tides)
    assert not found.is_damaged
    assert {finding.key: finding.why for finding in found.of(Kind.SURPLUS)} == {
        "tides/features/notes.txt": "ghstars knows no such file",
        f"tides/features/date={DAY}/data.parquet#1": "a write that was killed left it",
    }


def test_entries_of_logs_are_looked_at_and_none_may_be_missing(tides: Lake) -> None:
    for number in range(4):
        record_event(tides, problem="tides", event="e", cause="a test", subject=str(number))
    keys = [key for _, key in tides.log_entries("platform.audit")]
    tides.store.put(keys[0], b"broken")
    tides.store.delete(keys[2])
    broken, missing = checked(tides).findings
    assert (broken.kind, broken.key) == (Kind.DAMAGED, keys[0])
    assert str(broken).startswith("entry 1 of platform.audit is damaged (it is cut short")
    assert (missing.kind, missing.key) == (Kind.MISSING, keys[2])
