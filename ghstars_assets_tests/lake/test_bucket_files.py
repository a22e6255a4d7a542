"""DuckDB over a bucket: as many requests as there are files, and one version of each."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.bucket_files import BucketFiles
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.store import SMALL_BYTES, Store
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.object_stores import S3Server

DAYS = DayRange(date(2026, 1, 1), date(2026, 1, 10))


@pytest.fixture
def bucket(s3_settings: Settings) -> Lake:
    return Lake(s3_settings)


def small_rows(day: date) -> pl.DataFrame:
    return pl.DataFrame({"day": [day, day], "stars": [10, 20]})


def large_rows(day: date, rows: int = 300_000) -> pl.DataFrame:
    """They do not shrink, so that a file is read in many pieces."""
    numbers = pl.Series(range(rows))
    return pl.DataFrame(
        {"day": pl.repeat(day, rows, eager=True), "x": numbers.hash(1), "y": numbers.hash(2)}
    )


def test_a_query_over_many_small_files_is_one_listing_and_one_get_a_file(
    bucket: Lake, s3_server: S3Server
) -> None:
    for day in DAYS:
        bucket.write("stars.counts", day, small_rows(day))
    lake, before = Lake(bucket.settings), Counter(s3_server.requests)
    with duck_session(lake.settings, lake.store) as connection:
        bind_parquet(connection, "stars.counts", lake.urls("stars.counts"), "")
        for _ in range(2):
            query = "select count(*), sum(stars) from stars.counts"
            assert connection.execute(query).fetchall() == [(20, 300)]
    assert s3_server.requests - before == {"LIST": 1, "GET": len(DAYS)}


def test_large_files_are_read_right_by_several_threads(bucket: Lake) -> None:
    frames = [large_rows(DAYS.first + timedelta(days=number)) for number in range(2)]
    for frame in frames:
        written = bucket.write("stars.counts", frame["day"][0], frame)
        assert written.size_bytes > SMALL_BYTES
    everything = pl.concat(frames)
    settings = bucket.settings.model_copy(update={"threads": 4})
    with duck_session(settings, bucket.store) as connection:
        bind_parquet(connection, "stars.counts", bucket.urls("stars.counts"), "")
        query = "select count(*), sum(x % 1000), sum(y % 1000) from stars.counts"
        assert connection.execute(query).fetchall() == [
            (everything.height, (everything["x"] % 1000).sum(), (everything["y"] % 1000).sum())
        ]


def test_a_file_that_is_written_again_after_it_was_listed_is_an_error_and_no_mixture(
    bucket: Lake,
) -> None:
    bucket.write("stars.counts", DAYS.first, small_rows(DAYS.first))
    reader = Lake(bucket.settings)
    with duck_session(reader.settings, reader.store) as connection:
        urls = [reader.store.url(one.key) for one in reader.partitions("stars.counts")]
        bucket.write("stars.counts", DAYS.first, pl.concat([small_rows(DAYS.first)] * 2))
        with pytest.raises(duckdb.Error, match="was written again or deleted while it was read"):
            bind_parquet(connection, "stars.counts", urls, "")
        bind_parquet(connection, "stars.counts", urls, "")
        assert connection.sql("select count(*) from stars.counts").fetchall() == [(4,)]


def test_a_file_that_is_not_there_is_named(bucket: Lake) -> None:
    with (
        duck_session(bucket.settings, bucket.store) as connection,
        pytest.raises(duckdb.Error, match=r"nothing\.parquet"),
    ):
        bind_parquet(connection, "stars.counts", [bucket.store.url("nothing.parquet")], "")


def test_files_can_be_found_by_a_glob_and_written(bucket: Lake) -> None:
    for day in DAYS:
        bucket.write("stars.counts", day, small_rows(day))
    with duck_session(bucket.settings, bucket.store) as connection:
        pattern = f"{bucket.store.root}/stars/counts/*/*.parquet"
        assert connection.sql(f"select count(*) from read_parquet('{pattern}')").fetchall() == [
            (20,)
        ]
        target = f"{bucket.store.root}/copied.parquet"
        connection.execute(f"copy (select 1 as one) to '{target}' (format parquet)")
        assert connection.sql(f"from read_parquet('{target}')").fetchall() == [(1,)]


def test_small_files_are_kept_up_to_a_limit(
    bucket: Lake, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        bucket.store.put(name, name.encode() * 10)
    monkeypatch.setattr("ghstars_assets.lake.bucket_files.KEPT_BYTES", 15)
    files = BucketFiles(bucket.store, {}, {})
    a, b = (bucket.store.file(name) for name in ("a", "b"))
    assert a
    assert b
    before = Counter(s3_server.requests)
    assert files.bytes_of(a, 2, 5) == b"aaa"
    assert files.bytes_of(a, 0, 1) == b"a"
    assert files.bytes_of(b, 0, 2) == b"bb"
    assert files.bytes_of(a, 0, 1) == b"a"
    assert s3_server.requests - before == {"GET": 3}


def test_a_service_that_lists_another_etag_than_it_answers_with_is_read_all_the_same(
    bucket: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.store.put("folder/a", b"0123456789")
    store, files = Store(bucket.settings), Store.files
    (listed,) = store.files("folder/")
    with monkeypatch.context() as patch:
        patch.setattr(
            Store,
            "files",
            lambda of, prefix: (replace(one, etag='"another"') for one in files(of, prefix)),
        )
        assert store.get_part(replace(listed, etag='"another"'), 2, 4) == b"23"
    with pytest.raises(GhstarsError, match="was written again or deleted"):
        bucket.store.get_part(replace(listed, etag='"yet another"'), 2, 4)


def test_a_file_that_is_deleted_while_it_is_read_is_an_error(bucket: Lake) -> None:
    bucket.store.put("folder/a", b"0123456789")
    (listed,) = bucket.store.files("folder/")
    bucket.store.delete("folder/a")
    with pytest.raises(GhstarsError, match="was written again or deleted"):
        bucket.store.get_part(listed, 2, 4)
