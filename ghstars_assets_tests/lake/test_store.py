from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import LogMovedError, SettingsError
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.store import Store
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings

DAYS = DayRange(date(2026, 1, 30), date(2026, 2, 2))


def rows(day: date) -> pl.DataFrame:
    return pl.DataFrame({"day": [day, day], "repo_id": [1, 2], "stars": [10, 20]})


# ---- what holds on every kind of root ----------------------------------------------------------


def test_what_is_put_is_got_listed_and_deleted(any_lake: Lake) -> None:
    store = any_lake.store
    assert store.get("a/b.txt") is None
    assert store.size_bytes("a/b.txt") is None
    assert store.put("a/b.txt", b"content")
    assert store.put("a/c/d.txt", b"more")
    assert store.get("a/b.txt") == b"content"
    assert {(file.key, file.size_bytes) for file in store.files("a/")} == {
        ("a/b.txt", 7),
        ("a/c/d.txt", 4),
    }
    assert [file.key for file in store.files("a/", after="a/b.txt")] == ["a/c/d.txt"]
    assert (store.folders(), store.folders("a")) == (["a"], ["c"])
    store.delete("a/b.txt")
    store.delete("a/b.txt")
    assert store.get("a/b.txt") is None


def test_only_the_first_write_counts_where_that_is_asked(any_lake: Lake) -> None:
    store = any_lake.store
    assert store.put("mark", b"first", only_if_absent=True)
    assert not store.put("mark", b"second", only_if_absent=True)
    assert store.get("mark") == b"first"
    assert store.put("mark", b"third")
    assert store.get("mark") == b"third"


def test_duckdb_reads_exactly_the_partitions_it_is_given(any_lake: Lake) -> None:
    for day in DAYS:
        any_lake.write("stars.counts", day, rows(day))
    allowed = DayRange(date(2026, 1, 31), date(2026, 2, 1))
    with duck_session(any_lake.settings, any_lake.store) as connection:
        bind_parquet(connection, "stars.counts", any_lake.urls("stars.counts", allowed), "")
        query = "select min(day), max(day), count(*), sum(stars) from stars.counts"
        assert connection.execute(query).fetchall() == [(allowed.first, allowed.last, 4, 60)]


def test_polars_scans_many_partitions_as_one_frame(any_lake: Lake) -> None:
    for day in DAYS:
        any_lake.write("stars.counts", day, rows(day), notes={"why": str(day)})
    scanned = any_lake.scan("stars.counts").collect().sort("day", "repo_id")
    assert scanned.equals(pl.concat([rows(day) for day in DAYS]))
    assert any_lake.read("stars.counts", DAYS.first).equals(rows(DAYS.first))
    assert any_lake.days("stars.counts") == list(DAYS)
    assert any_lake.days("stars.counts", DayRange(DAYS.first, DAYS.first)) == [DAYS.first]
    newest = any_lake.partitions("stars.counts")[-1]
    assert any_lake.notes(newest) == {"why": str(DAYS.last)}
    assert any_lake.row_count(newest) == 2
    assert any_lake.tables() == ["stars.counts"]


def test_a_log_is_appended_to_by_comparison(any_lake: Lake) -> None:
    entry = pl.DataFrame({"what": ["deploy"]})
    assert any_lake.append("stars.decisions", entry, after=0) == 1
    with pytest.raises(LogMovedError):
        any_lake.append("stars.decisions", entry, after=0)
    assert any_lake.append("stars.decisions", entry) == 2
    log = any_lake.read_log("stars.decisions")
    assert log is not None
    assert log["what"].to_list() == ["deploy", "deploy"]


def test_a_writable_lake_passes_the_probe_and_keeps_nothing_of_it(any_lake: Lake) -> None:
    any_lake.store.check_writable()
    assert list(any_lake.store.files("")) == []


# ---- roots --------------------------------------------------------------------------------------


def test_a_folder_is_made_when_it_is_not_there(tmp_path: Path) -> None:
    root = tmp_path / "not" / "yet"
    Store(Settings(lake=f"file://{root}")).put("key", b"content")
    assert (root / "key").read_bytes() == b"content"
    assert Store(Settings(lake=f"{root}/")).get("key") == b"content"


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    lake = Lake(Settings(home=tmp_path / "home", threads=1, lake=str(tmp_path / "a [b]* c'd é")))
    day = DAYS.first
    lake.write("stars.counts", day, rows(day))
    assert lake.read("stars.counts", day).equals(rows(day))
    assert lake.row_count(lake.partitions("stars.counts")[0]) == 2
    assert lake.notes(lake.partitions("stars.counts")[0]) == {}
    with duck_session(lake.settings, lake.store) as connection:
        bind_parquet(connection, "stars.counts", lake.urls("stars.counts"), "")
        assert connection.execute("select count(*) from stars.counts").fetchall() == [(2,)]


def test_a_bucket_that_is_not_there_is_one_sentence_without_credentials(
    s3_settings: Settings,
) -> None:
    lost = s3_settings.model_copy(update={"lake": "s3://no-such-bucket"})
    with pytest.raises(SettingsError) as caught:
        Store(lost).check_writable()
    message = str(caught.value)
    assert message.startswith("The lake at s3://no-such-bucket cannot be written")
    assert "test" not in message
    assert "\n" not in message


def test_a_lake_says_where_it_is_but_not_how_it_gets_in(s3_settings: Settings) -> None:
    store = Store(s3_settings.model_copy(update={"s3_secret_access_key": SecretStr("hidden")}))
    assert s3_settings.lake in repr(store)
    assert "hidden" not in repr(store)
