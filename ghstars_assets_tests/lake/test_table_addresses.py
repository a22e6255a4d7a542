"""Where a table's files lie, what is a table, and what its files say of themselves."""

from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.holes import gaps_table, releases_table, warned_days
from ghstars_assets.lake.parquet import parquet_bytes
from ghstars_assets.lake.tables import WARNED, Lake

DAYS = DayRange(date(2026, 1, 1), date(2026, 1, 4))


def rows(day: date) -> pl.DataFrame:
    return pl.DataFrame({"day": [day], "stars": [10]})


def test_a_partition_lies_where_its_address_says(any_lake: Lake) -> None:
    any_lake.write("stars.counts", DAYS.first, rows(DAYS.first))
    any_lake.write("stars.counts", DAYS.first, rows(DAYS.first), part="second")
    assert any_lake.urls("stars.counts") == [
        any_lake.url("stars.counts", DAYS.first),
        any_lake.url("stars.counts", DAYS.first, "second"),
    ]


def test_what_begins_with_a_dot_or_a_line_is_no_table(any_lake: Lake) -> None:
    any_lake.write("stars.counts", DAYS.first, rows(DAYS.first))
    for folder in ("_intake/stars", ".trash/stars", "models/stars"):
        any_lake.store.put(f"{folder}/file", b"x")
    assert any_lake.tables() == ["stars.counts"]


def test_the_notes_of_several_partitions_come_in_their_order(any_lake: Lake) -> None:
    for day in DAYS:
        any_lake.write("stars.counts", day, rows(day), notes={"says": str(day)})
    listed = any_lake.partitions("stars.counts")
    assert any_lake.notes_of(listed) == [{"says": str(day)} for day in DAYS]


def test_days_that_were_warned_of_are_those_of_the_range(lake: Lake) -> None:
    for day in DAYS:
        lake.write("stars.counts", day, rows(day), notes={WARNED: "it is odd"})
    assert warned_days(lake, "stars.counts", DayRange(DAYS.first, DAYS.first)) == {DAYS.first}


def test_the_logs_of_days_say_what_they_are() -> None:
    for table in (gaps_table("stars"), releases_table("stars")):
        assert table.description.endswith(".")


def test_counts_are_packed_by_zstd_and_floats_by_lz4(tmp_path: Path) -> None:
    counts = pl.DataFrame({"a": range(1000), "b": ["x"] * 1000})
    floats = pl.DataFrame({"a": [number / 7 for number in range(1000)]})
    for frame, kind in ((counts, "ZSTD"), (floats, "LZ4_RAW")):
        file = tmp_path / f"{kind}.parquet"
        file.write_bytes(parquet_bytes(frame, {}, "a/key"))
        query = f"select distinct compression from parquet_metadata('{file}')"
        assert duckdb.execute(query).fetchall() == [(kind,)]
