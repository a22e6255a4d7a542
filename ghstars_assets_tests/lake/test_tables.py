import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError, LogMovedError, MissingDayError
from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.lake.tables import GAP, Lake, split_by_day
from ghstars_assets_tests.support.counted_requests import count_requests

COUNTS = Table(
    "stars.counts",
    "Counts.",
    (
        Column("day", "date", "the UTC day"),
        Column("repo_id", "bigint", "the repository"),
        Column("stars", "bigint", "stargazers"),
    ),
    key=("repo_id",),
)
DAY = date(2026, 1, 31)
NEXT_DAY = date(2026, 2, 1)


def rows(day: date, *stars: int) -> pl.DataFrame:
    ids = range(1, len(stars) + 1)
    frame = pl.DataFrame({"day": [day] * len(stars), "repo_id": ids, "stars": stars})
    return COUNTS.conform(frame)


def folder_of(lake: Lake, day: date) -> Path:
    return Path(lake.store.root) / "stars" / "counts" / f"date={day}"


# ---- partitions ---------------------------------------------------------------------------------


def test_a_partition_is_a_folder_named_after_its_day(lake: Lake) -> None:
    written = lake.write("stars.counts", DAY, rows(DAY, 10, 20))
    path = folder_of(lake, DAY) / "data.parquet"
    assert pl.read_parquet(path, hive_partitioning=False).equals(rows(DAY, 10, 20))
    assert (written.rows, written.size_bytes, written.is_new) == (2, path.stat().st_size, True)


def test_a_day_that_is_written_again_is_replaced_and_newer(lake: Lake) -> None:
    """Even by equal bytes: whoever asks what is stale learns that the day was made anew."""
    lake.write("stars.counts", DAY, rows(DAY, 10))
    (before,) = lake.partitions("stars.counts")
    lake.write("stars.counts", DAY, rows(DAY, 10))
    (after,) = lake.partitions("stars.counts")
    assert after.modified > before.modified
    lake.write("stars.counts", DAY, rows(DAY, 11))
    assert lake.read("stars.counts", DAY).equals(rows(DAY, 11))


def test_a_note_that_changed_is_written(lake: Lake) -> None:
    lake.write("stars.counts", DAY, rows(DAY, 10), notes={"code_version": "1"})
    lake.write("stars.counts", DAY, rows(DAY, 10), notes={"code_version": "2"})
    (partition,) = lake.partitions("stars.counts")
    assert lake.notes(partition) == {"code_version": "2"}


def test_equal_rows_are_equal_bytes_however_their_frame_was_put_together(lake: Lake) -> None:
    many = rows(DAY, *range(5_000))
    in_pieces = pl.concat([many[:7], many[7:3_000], many[3_000:]], rechunk=False)
    path = folder_of(lake, DAY) / "data.parquet"
    lake.write("stars.counts", DAY, many)
    expected = path.read_bytes()
    assert in_pieces.n_chunks() == 3
    lake.write("stars.counts", DAY, in_pieces)
    assert path.read_bytes() == expected
    lake.write("stars.counts", DAY, COUNTS.conform(many.sample(fraction=1, shuffle=True, seed=1)))
    assert path.read_bytes() == expected


def test_an_append_only_day_keeps_its_first_rows(lake: Lake) -> None:
    assert lake.write("stars.counts", DAY, rows(DAY, 10), only_if_absent=True).is_new
    assert not lake.write("stars.counts", DAY, rows(DAY, 99), only_if_absent=True).is_new
    assert lake.read("stars.counts", DAY).equals(rows(DAY, 10))


def test_an_empty_partition_keeps_its_columns_and_says_why_it_is_empty(lake: Lake) -> None:
    lake.write("stars.counts", DAY, COUNTS.empty(), notes={GAP: "the capture was down"})
    (partition,) = lake.partitions("stars.counts")
    assert lake.notes(partition) == {GAP: "the capture was down"}
    assert lake.row_count(partition) == 0
    assert lake.read("stars.counts", DAY).schema == rows(DAY, 1).schema


def test_empty_and_filled_days_are_scanned_together(lake: Lake) -> None:
    lake.write("stars.counts", DAY, COUNTS.empty())
    lake.write("stars.counts", NEXT_DAY, rows(NEXT_DAY, 10))
    assert lake.scan("stars.counts").collect().equals(rows(NEXT_DAY, 10))


def test_a_day_may_lie_in_several_parts(lake: Lake) -> None:
    for part, stars in (("part-0", 10), ("part-1", 20)):
        lake.write("stars.counts", DAY, rows(DAY, stars), part=part)
    assert [partition.part for partition in lake.partitions("stars.counts")] == ["part-0", "part-1"]
    assert lake.days("stars.counts") == [DAY]
    assert lake.read("stars.counts", DAY)["stars"].to_list() == [10, 20]
    lake.delete("stars.counts", DAY)
    assert lake.days("stars.counts") == []


def test_a_column_that_older_days_lack_is_null_there(lake: Lake) -> None:
    lake.write("stars.counts", NEXT_DAY, rows(NEXT_DAY, 10))
    lake.write("stars.counts", DAY, rows(DAY, 10))
    grown = rows(DAY, 10).with_columns(forks=pl.lit(3))
    lake.write("stars.counts", DAY, grown)
    scanned = lake.scan("stars.counts").collect().sort("day")
    assert scanned["forks"].to_list() == [3, None]


def test_the_days_of_a_range_are_read_with_one_listing(lake: Lake) -> None:
    days = DayRange(DAY, DAY + timedelta(days=3))
    for number, day in enumerate(days):
        if day != NEXT_DAY:
            lake.write("stars.counts", day, rows(day, number), part="part-0")
            lake.write("stars.counts", day, rows(day, 10 * number), part="part-1")
    counted = count_requests(lake)
    read = {day: frame["stars"].to_list() for day, frame in lake.read_days("stars.counts", days)}
    assert read == {day: [n, 10 * n] for n, day in enumerate(days) if day != NEXT_DAY}
    assert counted.counted("list") == 1


def test_reading_a_day_that_is_not_there_names_it_and_the_command_that_fills_it(
    lake: Lake,
) -> None:
    lake.write("stars.counts", NEXT_DAY, rows(NEXT_DAY, 10))
    complaint = r"stars.counts holds nothing for 2026-01-31"
    with pytest.raises(MissingDayError, match=complaint) as caught:
        lake.read("stars.counts", DAY)
    assert "`ghstars backfill stars`" in str(caught.value)


def test_a_table_whose_name_begins_like_anothers_is_another_table(lake: Lake) -> None:
    lake.write("stars.counts_quarantine", DAY, rows(DAY, 10))
    assert lake.partitions("stars.counts") == []
    lake.write("stars.counts", DAY, rows(DAY, 10))
    assert len(lake.partitions("stars.counts")) == 1
    assert lake.tables() == ["stars.counts", "stars.counts_quarantine"]


def test_a_write_that_died_before_its_rename_left_no_partition(lake: Lake) -> None:
    lake.write("stars.counts", NEXT_DAY, rows(NEXT_DAY, 10))
    folder = folder_of(lake, DAY)
    folder.mkdir()
    half_written = (folder_of(lake, NEXT_DAY) / "data.parquet").read_bytes()[:100]
    (folder / "data.parquet#1").write_bytes(half_written)
    assert lake.days("stars.counts") == [NEXT_DAY]
    assert lake.scan("stars.counts").collect().equals(rows(NEXT_DAY, 10))
    assert lake.write("stars.counts", DAY, rows(DAY, 5)).is_new
    assert lake.read("stars.counts", DAY).equals(rows(DAY, 5))
    assert lake.days("stars.counts") == [DAY, NEXT_DAY]


def test_a_reader_sees_the_old_partition_or_the_new_and_nothing_between(lake: Lake) -> None:
    """Two thousand rows of one number each: a mixture would show at once."""
    versions = [rows(DAY, *[number] * 2_000) for number in range(40)]
    lake.write("stars.counts", DAY, versions[0])
    is_over = threading.Event()

    def read() -> set[tuple[int, int]]:
        seen: set[tuple[int, int]] = set()
        while not is_over.is_set() or not seen:
            stars = lake.read("stars.counts", DAY)["stars"]
            seen.add((stars.len(), stars.n_unique()))
        return seen

    with ThreadPoolExecutor(1) as reader:
        read_all_along = reader.submit(read)
        for version in versions:
            lake.write("stars.counts", DAY, version)
        is_over.set()
        assert read_all_along.result() == {(2_000, 1)}


# ---- frames of many days ------------------------------------------------------------------------


def test_a_frame_is_cut_at_its_days_and_a_day_without_rows_is_empty() -> None:
    both = pl.concat([rows(DAY, 10), rows(NEXT_DAY, 20, 30)])
    third = date(2026, 2, 2)
    parts = split_by_day(both, iter([DAY, NEXT_DAY, third]))
    assert parts[DAY].equals(rows(DAY, 10))
    assert parts[NEXT_DAY].equals(rows(NEXT_DAY, 20, 30))
    assert parts[third].equals(COUNTS.empty())


def test_rows_of_a_day_that_nobody_asked_for_are_refused() -> None:
    both = pl.concat([rows(DAY, 10), rows(NEXT_DAY, 20)])
    with pytest.raises(GhstarsError, match="not asked for: 2026-02-01"):
        split_by_day(both, [DAY])


def test_rows_are_brought_into_the_declared_columns_types_and_order() -> None:
    given = pl.DataFrame(
        {"stars": [2, 1], "more": ["x", "y"], "repo_id": [9, 3], "day": [DAY, DAY]},
        schema_overrides={"stars": pl.Int32},
    )
    conformed = COUNTS.conform(given)
    assert conformed.schema == COUNTS.empty().schema
    assert conformed.rows() == [(DAY, 3, 1), (DAY, 9, 2)]
    with pytest.raises(GhstarsError, match=r"Rows for stars.counts lack the columns stars"):
        COUNTS.conform(given.drop("stars"))


def test_a_table_names_the_one_column_of_a_role_or_complains() -> None:
    scored = Table("t.x", "X.", (Column("a", "double", "a", role="base"),))
    assert scored.the_column("base") == "a"
    assert scored.with_role("feature") == []
    with pytest.raises(GhstarsError, match=r"t.x needs exactly one column with `role: target`"):
        scored.the_column("target")


# ---- logs ---------------------------------------------------------------------------------------


def entry(text: str) -> pl.DataFrame:
    return pl.DataFrame({"what": [text]})


def test_a_log_is_read_in_the_order_it_was_written(lake: Lake) -> None:
    assert lake.read_log("stars.decisions") is None
    for number in range(12):
        assert lake.append("stars.decisions", entry(str(number))) == number + 1
    log = lake.read_log("stars.decisions")
    assert log is not None
    assert log["what"].to_list() == [str(number) for number in range(12)]


def test_two_appends_at_once_both_arrive(lake: Lake) -> None:
    start = threading.Barrier(4)

    def append(name: str) -> None:
        start.wait()
        for number in range(5):
            lake.append("stars.decisions", entry(f"{name}{number}"))

    threads = [threading.Thread(target=append, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = lake.read_log("stars.decisions")
    assert log is not None
    arrived = log["what"].to_list()
    assert sorted(arrived) == sorted(f"{name}{number}" for name in "abcd" for number in range(5))
    assert [text for text in arrived if text[0] == "a"] == [f"a{number}" for number in range(5)]


def test_of_two_decisions_on_the_same_log_one_wins_and_the_other_gets_an_error(lake: Lake) -> None:
    start = threading.Barrier(2)
    ended: list[str] = []

    def decide(name: str) -> None:
        start.wait()
        try:
            lake.append("stars.decisions", entry(name), after=0)
            ended.append("won")
        except LogMovedError:
            ended.append("lost")

    threads = [threading.Thread(target=decide, args=(name,)) for name in ("deploy", "rollback")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["lost", "won"]
    log = lake.read_log("stars.decisions")
    assert log is not None
    assert log.height == 1
