"""Stages: their order, the days they can have, and which of those are out of date."""

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.tables import CODE_VERSION, QUARANTINED, Lake
from ghstars_assets.learning.plan import stale_days
from ghstars_assets.learning.stage import Stage
from ghstars_assets.learning.stages import chosen_stages, stages_of
from ghstars_assets.learning.wiring import wire
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, SQL, fill_table, rewrite, wired_tides

SOME_DAYS = DayRange(date(2026, 1, 20), date(2026, 2, 10))
DAY = date(2026, 2, 1)
LOOP = ["model", "champion", "calibration", "predictions", "scores", "drift", "health"]


def _stages(marker: Marker | None = None) -> list[Stage]:
    return stages_of(PROBLEM, wired_tides(), marker)


def _stage(name: str) -> Stage:
    (stage,) = chosen_stages(_stages(), [name])
    return stage


def test_every_stage_comes_after_what_it_is_made_from() -> None:
    names = [stage.name for stage in _stages()]
    assert names[:2] == ["gauges", "snapshots"]
    assert set(names[2:4]) == {"features", "labels"}
    assert names[4:] == LOOP


def test_a_file_that_reads_forecasts_comes_after_the_loop(tmp_path: Path) -> None:
    for file in (SQL / "tides").glob("*.sql"):
        (tmp_path / "tides").mkdir(exist_ok=True)
        (tmp_path / "tides" / file.name).write_text(file.read_text())
    misses = """/*
description: The largest misses.
key: [station]
reads:
  tides.scores: 0
columns:
  day:     {type: date, is: "the UTC day"}
  station: {type: varchar, is: "where the gauge stands"}
*/
select day, station from tides.scores
"""
    (tmp_path / "tides" / "big_misses.sql").write_text(misses)
    names = [stage.name for stage in stages_of(PROBLEM, wire([PROBLEM], tmp_path), None)]
    assert names[-len(LOOP) - 1 :] == [*LOOP, "big_misses"]


def test_a_lake_of_real_data_has_no_stage_for_invented_sources() -> None:
    assert _stages(Marker("sandbox"))[0].name == "gauges"
    assert _stages(Marker("real"))[0].name == "snapshots"


def test_chosen_stages_keep_their_own_order() -> None:
    chosen = chosen_stages(_stages(), ["scores", "features"])
    assert [stage.name for stage in chosen] == ["features", "scores"]


def test_a_stage_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(GhstarsError, match="no stage 'feature'; choose from gauges, snapshots"):
        chosen_stages(_stages(), ["feature"])


def test_only_labels_and_what_is_made_of_them_look_ahead() -> None:
    ahead = {stage.name: stage.looks_ahead_days for stage in _stages() if stage.looks_ahead_days}
    assert ahead == dict.fromkeys(("labels", "scores"), PROBLEM.horizon_days)


def _touch(lake: Lake, table: str, day: date, seconds_later: float = 60) -> None:
    for partition in lake.partitions(table, DayRange(day, day)):
        file = Path(lake.store.url(partition.key))
        later = file.stat().st_mtime + seconds_later
        os.utime(file, (later, later))


def test_what_was_filled_in_order_is_up_to_date(tides: Lake) -> None:
    for name in ("gauges", "snapshots", "features", "labels"):
        assert stale_days(tides, _stage(name), SOME_DAYS) == []


def test_a_day_that_is_missing_is_out_of_date(tides: Lake) -> None:
    tides.delete("tides.features", DAY)
    assert stale_days(tides, _stage("features"), SOME_DAYS) == [DAY]
    assert stale_days(tides, _stage("champion"), SOME_DAYS) == list(SOME_DAYS)


def test_a_day_is_out_of_date_when_anything_within_its_window_is_newer(tides: Lake) -> None:
    _touch(tides, "tides.snapshots", DAY)
    week_after = list(DayRange(DAY, DAY + timedelta(days=7)))
    assert stale_days(tides, _stage("features"), SOME_DAYS) == week_after
    three_days_before = list(DayRange(DAY - timedelta(days=3), DAY))
    assert stale_days(tides, _stage("labels"), SOME_DAYS) == three_days_before


def test_news_from_before_the_range_counts_too(tides: Lake) -> None:
    _touch(tides, "tides.snapshots", SOME_DAYS.first - timedelta(days=7))
    assert stale_days(tides, _stage("features"), SOME_DAYS) == [SOME_DAYS.first]


def test_a_day_that_other_code_wrote_is_out_of_date(tides: Lake) -> None:
    # Written anew without the note of its code.
    rewrite(tides, "features", [DAY])
    assert stale_days(tides, _stage("features"), SOME_DAYS) == [DAY]


def test_a_day_of_an_earlier_text_with_the_same_rows_is_up_to_date(tides: Lake) -> None:
    rewritten = replace(_stage("features"), code_version="of another text")
    assert stale_days(tides, rewritten, SOME_DAYS) == list(SOME_DAYS)
    earlier = (_stage("features").code_version,)
    assert stale_days(tides, replace(rewritten, same_rows_as=earlier), SOME_DAYS) == []


def test_a_day_that_an_earlier_gate_held_back_is_looked_at_again(tides: Lake) -> None:
    snapshots = _stage("snapshots")
    rewritten = replace(
        snapshots, code_version="of another text", same_rows_as=(snapshots.code_version,)
    )
    rows = tides.read(snapshots.table.name, DAY).clear()
    notes = {QUARANTINED: "a rule of then", CODE_VERSION: snapshots.code_version}
    tides.write(snapshots.table.name, DAY, rows, notes=notes)
    assert stale_days(tides, rewritten, SOME_DAYS) == [DAY]
    assert stale_days(tides, snapshots, SOME_DAYS) == []


def test_what_is_filled_again_makes_what_comes_after_it_out_of_date_until_that_is_filled_too(
    tides: Lake,
) -> None:
    fill_table(tides, "snapshots", SOME_DAYS)
    assert stale_days(tides, _stage("features"), SOME_DAYS) == list(SOME_DAYS)
    fill_table(tides, "features", SOME_DAYS)
    assert stale_days(tides, _stage("features"), SOME_DAYS) == []


def test_days_nobody_filled_are_all_out_of_date(lake: Lake) -> None:
    for stage in _stages():
        assert stale_days(lake, stage, DAYS) == list(DAYS)
