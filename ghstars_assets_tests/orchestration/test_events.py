"""What Dagster is told: metadata, checks and failures, each for its own day, in batches too."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from dagster import AssetKey, DagsterEventType, DagsterInstance, ExecuteInProcessResult

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.assets.events import PREVIEW_ROWS, preview
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets_tests.support.dagster_runs import (
    Materializer,
    evaluations,
    process_with_home,
    reason_of_failure,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import SQL, fill_tides, settings_of

BATCH = DayRange(date(2026, 1, 10), date(2026, 1, 14))
BAD = date(2026, 1, 12)
OTHERS = {str(day) for day in BATCH if day != BAD}


@pytest.fixture(scope="module")
def tides_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("tides_events")
    fill_tides(Lake(settings_of(home)), DayRange(date(2026, 1, 1), date(2026, 1, 20)))
    return home


@pytest.fixture
def lake(tides_home: Path, tmp_path: Path) -> Iterator[Lake]:
    home = shutil.copytree(tides_home, tmp_path / "home")
    with process_with_home(home) as settings:
        yield Lake(settings)


@pytest.fixture
def materialize(lake: Lake) -> Iterator[Materializer]:
    with DagsterInstance.ephemeral() as instance:
        yield Materializer(build_defs(lake.settings, [PROBLEM], SQL), instance)


def _spoil_a_row(lake: Lake) -> None:
    gauges = lake.read("tides.gauges", BAD)
    sunk = pl.when(pl.col("station") == "Dover").then(-1.0).otherwise("level_cm")
    lake.write("tides.gauges", BAD, gauges.with_columns(level_cm=sunk))


def _spoil_the_day(lake: Lake) -> None:
    lake.write("tides.gauges", BAD, lake.read("tides.gauges", BAD).head(2))


def _metadata(result: ExecuteInProcessResult, table: str) -> dict[str, dict[str, object]]:
    """What the event of each day says."""
    return {
        str(event.partition): {
            name: value.value
            for name, value in event.step_materialization_data.materialization.metadata.items()
        }
        for event in result.all_events
        if event.event_type is DagsterEventType.ASSET_MATERIALIZATION
        and event.asset_key == AssetKey(table.split("."))
    }


def test_in_a_batch_each_day_has_its_own_evaluation_and_the_batch_has_one(
    materialize: Materializer,
) -> None:
    result = materialize("tides.snapshots", BATCH)
    for check in ("not_null", "unique_key", "within_range", "accepted_values", "gate"):
        expected = dict.fromkeys([*map(str, BATCH), None], True)
        assert evaluations(result, "tides.snapshots", check) == expected


def test_a_run_of_one_day_has_an_evaluation_of_that_day_too(
    lake: Lake, materialize: Materializer
) -> None:
    _spoil_the_day(lake)
    result = materialize("tides.snapshots", DayRange(BAD, BAD))
    assert evaluations(result, "tides.snapshots", "gate") == {str(BAD): False, None: False}


@pytest.mark.parametrize("spoil", [_spoil_a_row, _spoil_the_day])
def test_what_is_held_back_fails_the_gate_of_its_day_alone(
    lake: Lake, materialize: Materializer, spoil: object
) -> None:
    assert callable(spoil)
    spoil(lake)
    result = materialize("tides.snapshots", BATCH)
    assert result.success
    gate = evaluations(result, "tides.snapshots", "gate")
    assert {day for day, is_passed in gate.items() if not is_passed} == {str(BAD), None}
    # What is left of the day is sound.
    assert False not in evaluations(result, "tides.snapshots", "within_range").values()


def test_a_quarantined_day_says_so_and_what_is_made_from_the_others_goes_on(
    lake: Lake, materialize: Materializer
) -> None:
    _spoil_the_day(lake)
    told = _metadata(materialize("tides.snapshots", BATCH), "tides.snapshots")
    assert told[str(BAD)]["status"] == "quarantined"
    assert told[str(BAD)]["quarantined_rows"] == 2
    assert "half_is_missing" in str(told[str(BAD)]["reason"])
    assert told[str(BATCH.last)]["quarantined_days"] == str(BAD)

    features = materialize("tides.features", BATCH)
    assert features.success
    assert {str(day) for day in lake.days("tides.features", BATCH)} == OTHERS
    assert _metadata(features, "tides.features")[str(BAD)]["status"] == "skipped"
    assert evaluations(features, "tides.features", "not_null") == dict.fromkeys(
        [*OTHERS, None], True
    )


def test_a_quarantined_day_alone_is_a_failure_with_its_reason(
    lake: Lake, materialize: Materializer
) -> None:
    _spoil_the_day(lake)
    materialize("tides.snapshots", BATCH)
    result = materialize("tides.features", DayRange(BAD, BAD))
    assert not result.success
    assert f"tides.features {BAD} was not filled: tides.snapshots of {BAD} is quarantined" in (
        reason_of_failure(result)
    )
    assert materialize.recorded("tides.features") == set()


def test_every_day_says_how_many_rows_it_has_and_the_run_shows_some(
    materialize: Materializer,
) -> None:
    told = _metadata(materialize("tides.features", BATCH), "tides.features")
    assert list(told) == [str(day) for day in BATCH]
    for day in told.values():
        assert day["dagster/partition_row_count"] == 6
        assert day["status"] == "written"
        assert int(str(day["size_bytes"])) > 0
        assert day["run_rows"] == 30
        assert day["run_days"] == f"{BATCH.first} to {BATCH.last}"
    assert "Cuxhaven" in str(told[str(BATCH.last)]["preview"])


def test_a_missing_day_before_the_batch_fails_it_with_the_command_that_mends_it(
    lake: Lake, materialize: Materializer
) -> None:
    missing = BATCH.first - timedelta(days=3)
    lake.delete("tides.snapshots", missing)
    result = materialize("tides.features", BATCH)
    assert f"ghstars backfill tides --from {missing} --to {missing}" in reason_of_failure(result)
    assert materialize.recorded("tides.features") == set()


def test_a_day_that_was_taken_is_kept_as_it_was(lake: Lake, materialize: Materializer) -> None:
    _spoil_the_day(lake)
    told = _metadata(materialize("tides.gauges", DayRange(BAD, BAD)), "tides.gauges")
    assert told[str(BAD)]["reason"] == "taken before and kept as it was"
    assert lake.read("tides.gauges", BAD).height == 2


def test_a_preview_is_a_table_whatever_is_in_its_cells(lake: Lake) -> None:
    rows = lake.read("tides.gauges", BAD).with_columns(
        station=pl.lit("a|b\nc " + "x" * 80) + pl.col("station")
    )
    lake.write("tides.gauges", BAD, rows)
    lines = preview(lake, PROBLEM.sources[0].table, BAD).splitlines()
    assert len(lines) == 2 + PREVIEW_ROWS
    assert {line.replace("\\|", "").count("|") for line in lines} == {6}
