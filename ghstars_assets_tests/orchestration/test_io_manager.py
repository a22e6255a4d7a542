"""The IO manager: frames into daily partitions, and daily partitions into one lazy frame."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetIn,
    AssetsDefinition,
    BackfillPolicy,
    DagsterInstance,
    DailyPartitionsDefinition,
    Definitions,
    asset,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.io_manager import LakeIOManager
from ghstars_assets_tests.support.dagster_runs import (
    Materializer,
    process_with_home,
    reason_of_failure,
)

DAYS = DayRange(date(2026, 3, 1), date(2026, 3, 5))
PARTITIONS = DailyPartitionsDefinition(str(DAYS.first))


def _rows(*days: date) -> pl.DataFrame:
    return pl.DataFrame(
        {"day": [day for day in days for _ in range(2)], "value": range(2 * len(days))},
        schema={"day": pl.Date, "value": pl.Int64},
    )


def _asset_that_returns(given: Any) -> AssetsDefinition:
    @asset(
        key=["tiny", "numbers"],
        partitions_def=PARTITIONS,
        backfill_policy=BackfillPolicy.single_run(),
    )
    def numbers() -> Any:
        return given

    return numbers


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with process_with_home(tmp_path / "home") as settings:
        yield Lake(settings)


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as opened:
        yield opened


def _materializer(instance: DagsterInstance, *assets: AssetsDefinition) -> Materializer:
    return Materializer(Definitions(assets, resources={"io_manager": LakeIOManager()}), instance)


def _write(instance: DagsterInstance, given: Any, days: DayRange = DAYS) -> str:
    result = _materializer(instance, _asset_that_returns(given))("tiny.numbers", days)
    return "" if result.success else reason_of_failure(result)


@pytest.mark.parametrize("form", ["frame", "lazy frame", "frames one by one"])
def test_a_frame_is_split_over_its_days(lake: Lake, instance: DagsterInstance, form: str) -> None:
    rows = _rows(*DAYS)
    given = {
        "frame": rows,
        "lazy frame": rows.lazy(),
        "frames one by one": iter(rows.partition_by("day")),
    }[form]
    assert _write(instance, given) == ""
    assert lake.days("tiny.numbers") == list(DAYS)
    for number, day in enumerate(DAYS):
        assert lake.read("tiny.numbers", day)["value"].to_list() == [2 * number, 2 * number + 1]


def test_a_day_without_a_row_is_an_empty_partition_with_columns(
    lake: Lake, instance: DagsterInstance
) -> None:
    assert _write(instance, _rows(DAYS.first)) == ""
    assert lake.days("tiny.numbers") == list(DAYS)
    last = lake.read("tiny.numbers", DAYS.last)
    assert last.is_empty()
    assert last.schema == _rows().schema


def test_not_one_frame_is_an_error_and_leaves_nothing_green(
    lake: Lake, instance: DagsterInstance
) -> None:
    assert "tiny.numbers returned not one frame" in _write(instance, iter(()))
    assert lake.days("tiny.numbers") == []


def test_rows_of_a_day_that_was_not_asked_for_are_refused(
    lake: Lake, instance: DagsterInstance
) -> None:
    asked = DayRange(DAYS.first, DAYS.first + timedelta(days=1))
    reason = _write(instance, _rows(DAYS.last), asked)
    assert f"returned rows of {DAYS.last}, which this run was not asked for" in reason
    assert lake.days("tiny.numbers") == []


def test_a_day_in_two_pieces_is_refused(lake: Lake, instance: DagsterInstance) -> None:
    twice = iter([_rows(DAYS.first), _rows(DAYS.first)])
    assert "came in two pieces" in _write(instance, twice)


def _read(instance: DagsterInstance, days: DayRange) -> tuple[str, list[pl.LazyFrame]]:
    """Fill `tiny.totals` from `tiny.numbers`; returns what went wrong, and what it was given."""
    seen: list[pl.LazyFrame] = []

    @asset(
        key=["tiny", "totals"],
        ins={"numbers": AssetIn(["tiny", "numbers"])},
        partitions_def=PARTITIONS,
        backfill_policy=BackfillPolicy.single_run(),
    )
    def totals(numbers: pl.LazyFrame) -> pl.LazyFrame:
        seen.append(numbers)
        return numbers.group_by("day").agg(total=pl.col("value").sum())

    materialize = _materializer(instance, _asset_that_returns(None), totals)
    result = materialize("tiny.totals", days)
    return ("" if result.success else reason_of_failure(result)), seen


@pytest.mark.parametrize("days", [DAYS, DayRange(DAYS.last, DAYS.last)], ids=["many", "one"])
def test_the_days_asked_for_come_as_one_lazy_frame(
    lake: Lake, instance: DagsterInstance, days: DayRange
) -> None:
    assert _write(instance, _rows(*DAYS)) == ""
    reason, (given,) = _read(instance, days)
    assert reason == ""
    assert isinstance(given, pl.LazyFrame)
    assert given.collect()["day"].unique().sort().to_list() == list(days)
    assert lake.read("tiny.totals", DAYS.last)["total"].to_list() == [8 + 9]


def test_a_day_that_is_missing_is_named_with_the_command_that_fills_it(
    lake: Lake, instance: DagsterInstance
) -> None:
    assert _write(instance, _rows(*DAYS)) == ""
    missing = DAYS.first + timedelta(days=2)
    lake.delete("tiny.numbers", missing)
    reason, seen = _read(instance, DAYS)
    assert f"tiny.numbers has no {missing}" in reason
    assert f"ghstars backfill tiny --from {missing} --to {missing}" in reason
    assert seen == []
    assert lake.days("tiny.totals") == []
