"""Backfills that are killed, and backfills that run side by side, leave the lake that a quiet one
leaves."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from bench_support.equal_lakes import differences
from bench_support.killed_backfill import kill_after, start_backfill
from bench_support.processes import end_of
from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.runs import Recorded, dagster_instance
from ghstars_assets_tests.support.filled_home import DAYS, begin_world, settings_of

LAST_DAY = date(2026, 7, 20)
"""The first day on which a forecast can be scored; two models are made by then."""
WANTED = DayRange(DAYS.first, LAST_DAY)
SQL_STAGES = ("discovered", "github", "repositories", "snapshots", "features", "labels")
LOOP_STAGES = ("model", "champion", "calibration", "predictions", "scores")
KILLS = 3
MOST_STEPS = 300
"""A backfill of these days takes some 1,300 steps, so three kills of up to 300 always come true."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose world has begun and in which nothing ran yet."""
    begin_world(Lake(settings_of(tmp_path)))
    return tmp_path


@contextmanager
def records_of(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    # Opening an instance sets these two for the process; the patch takes them back.
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("GHSTARS_HOME", "")
    with dagster_instance(settings_of(home)) as instance:
        yield Recorded(instance)


def assert_dagster_knows_all_of(
    home: Path, days: DayRange, stages: Iterable[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(settings_of(home))
    with records_of(home, monkeypatch) as recorded:
        for stage in stages:
            stored = set(lake.days(f"stars.{stage}", days))
            assert stored, stage
            assert stored <= recorded.materialized_days(f"stars.{stage}"), stage


def test_a_backfill_that_is_killed_three_times_ends_as_if_nothing_had_happened(
    home: Path, filled_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = random.Random(20261121)
    for _ in range(KILLS):
        backfill = start_backfill(home, WANTED)
        assert kill_after(backfill, home, moments.randint(1, MOST_STEPS))
    ended = end_of(start_backfill(home, WANTED), timeout_seconds=300)
    assert ended.code == 0, ended.output
    assert list(differences(filled_lake, Lake(settings_of(home)), WANTED)) == []
    assert_dagster_knows_all_of(home, WANTED, (*SQL_STAGES, *LOOP_STAGES), monkeypatch)


def test_four_backfills_of_overlapping_ranges_at_once_do_not_disturb_each_other(
    home: Path, filled_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stages of SQL alone, for the sake of time; `bench/kills.py` does it with all of them."""
    lasts = [date(2026, 6, day) for day in (16, 26, 21, 26)]
    running = [
        start_backfill(home, DayRange(DAYS.first, last), "--stages", ",".join(SQL_STAGES))
        for last in lasts
    ]
    for ended in [end_of(backfill, timeout_seconds=300) for backfill in running]:
        assert ended.code == 0, ended.output
        assert "locked" not in ended.output
        assert "rror" not in ended.output
    wanted = DayRange(DAYS.first, max(lasts))
    found = Lake(settings_of(home))
    assert list(differences(filled_lake, found, wanted, SQL_STAGES)) == []
    assert_dagster_knows_all_of(home, wanted, SQL_STAGES, monkeypatch)
