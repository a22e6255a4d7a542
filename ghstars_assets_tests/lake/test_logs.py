import threading

import polars as pl
import pytest

from ghstars_assets.errors import LogMovedError
from ghstars_assets.lake import logs
from ghstars_assets.lake.logs import COMPACTED_FROM, Log
from ghstars_assets.lake.parquet import parquet_bytes
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.counted_requests import count_requests

LOG = "stars.decisions"
FOLDER = "stars/decisions"


def entry(number: int) -> pl.DataFrame:
    return pl.DataFrame({"what": [f"event {number}"]})


def put_entries(lake: Lake, first: int, last: int) -> None:
    """A log as releases before this one left it: entries alone."""
    for number in range(first, last + 1):
        key = f"{FOLDER}/entry-{number:06d}.parquet"
        lake.store.put(key, parquet_bytes(entry(number), {}, key))


def compacted_files(lake: Lake) -> list[str]:
    names = (file.key.rsplit("/", 1)[1] for file in lake.store.files(f"{FOLDER}/"))
    return sorted(name for name in names if name.startswith("compacted-"))


def texts(lake: Lake) -> list[str]:
    log = lake.read_log(LOG)
    assert log is not None
    return log["what"].to_list()


def events(last: int) -> list[str]:
    return [f"event {number}" for number in range(1, last + 1)]


def test_a_long_log_is_read_with_one_listing_and_few_gets(lake: Lake) -> None:
    for number in range(1, 301):
        lake.append(LOG, entry(number))
    counted = count_requests(lake)
    assert texts(lake) == events(300)
    assert counted.counted("list") == 1
    assert counted.counted("get") <= COMPACTED_FROM + 1


def test_a_log_without_compacted_files_is_read_as_before_and_compacted_by_the_next_append(
    lake: Lake,
) -> None:
    put_entries(lake, 1, 100)
    assert texts(lake) == events(100)
    assert compacted_files(lake) == []
    assert lake.append(LOG, entry(101)) == 101
    assert compacted_files(lake) == ["compacted-000100.parquet"]
    counted = count_requests(lake)
    assert texts(lake) == events(101)
    assert counted.counted("get") == 2


def test_entries_stay_when_they_are_compacted_and_keep_their_numbers(lake: Lake) -> None:
    for number in range(1, COMPACTED_FROM + 4):
        assert lake.append(LOG, entry(number)) == number
    assert compacted_files(lake) == [f"compacted-{COMPACTED_FROM:06d}.parquet"]
    numbers = [number for number, _ in lake.log_entries(LOG)]
    assert numbers == list(range(1, COMPACTED_FROM + 4))
    with pytest.raises(LogMovedError):
        lake.append(LOG, entry(0), after=COMPACTED_FROM)
    assert lake.append(LOG, entry(0), after=COMPACTED_FROM + 3) == COMPACTED_FROM + 4


def test_writers_at_once_lose_nothing_while_a_log_is_compacted(any_lake: Lake) -> None:
    put_entries(any_lake, 1, COMPACTED_FROM - 2)
    start = threading.Barrier(3)

    def append(name: str) -> None:
        start.wait()
        for number in range(4):
            any_lake.append(LOG, pl.DataFrame({"what": [f"{name}{number}"]}))

    threads = [threading.Thread(target=append, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = texts(any_lake)
    assert found[: COMPACTED_FROM - 2] == events(COMPACTED_FROM - 2)
    later = found[COMPACTED_FROM - 2 :]
    assert sorted(later) == sorted(f"{name}{number}" for name in "abc" for number in range(4))
    for name in "abc":
        assert [text for text in later if text[0] == name] == [f"{name}{n}" for n in range(4)]
    assert compacted_files(any_lake)


def test_a_column_that_came_later_is_null_in_compacted_entries(lake: Lake) -> None:
    put_entries(lake, 1, COMPACTED_FROM)
    lake.append(LOG, entry(COMPACTED_FROM + 1).with_columns(actor=pl.lit("a user")))
    log = lake.read_log(LOG)
    assert log is not None
    assert log["actor"].to_list() == [None] * COMPACTED_FROM + ["a user"]


def test_a_log_with_a_missing_entry_is_not_compacted(lake: Lake) -> None:
    """It would make permanent what somebody removed by hand and may put back."""
    put_entries(lake, 1, COMPACTED_FROM + 5)
    lake.store.delete(f"{FOLDER}/entry-000003.parquet")
    assert lake.append(LOG, entry(COMPACTED_FROM + 6)) == COMPACTED_FROM + 6
    assert compacted_files(lake) == []
    assert "event 3" not in texts(lake)
    assert len(texts(lake)) == COMPACTED_FROM + 5


def test_a_compaction_that_fails_appends_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_entries(lake, 1, COMPACTED_FROM)

    def fail(*_given: object) -> None:
        raise OSError("the bucket is away")

    with monkeypatch.context() as patch:
        patch.setattr(Log, "_compact", fail)
        with pytest.raises(OSError, match="is away"):
            lake.append(LOG, entry(COMPACTED_FROM + 1))
    assert texts(lake) == events(COMPACTED_FROM)
    assert lake.append(LOG, entry(COMPACTED_FROM + 1)) == COMPACTED_FROM + 1


def test_a_log_of_more_files_than_one_request_lists_is_read_whole(
    any_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a compacted file, a bucket lists only what came after it."""
    monkeypatch.setattr(logs, "LISTED_AT_ONCE", 50)
    put_entries(any_lake, 1, 90)
    assert texts(any_lake) == events(90)
    any_lake.append(LOG, entry(91))
    assert texts(any_lake) == events(91)
    assert any_lake.log(LOG).listing().last == 91
