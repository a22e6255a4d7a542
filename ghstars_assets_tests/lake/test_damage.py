"""A partition that is not what was written is named by whoever reads it, and never used."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import DamagedFileError, MissingDayError
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.holes import Holes, holes_in
from ghstars_assets.lake.integrity import raise_damage_among, why_partition_is_damaged
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.store import GETS_AT_ONCE, MARKER_KEY
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support import damages
from ghstars_assets_tests.support.counted_requests import count_footers
from ghstars_assets_tests.support.damages import SEEN_AT_ONCE, Damage, partition_file
from ghstars_assets_tests.support.object_stores import S3Server

TABLE = "stars.counts"
DAYS = DayRange(date(2026, 1, 1), date(2026, 1, 5))
DAY = date(2026, 1, 3)
ONE = DayRange(DAY, DAY)

Read = Callable[[Lake], object]


def rows_of(day: date) -> pl.DataFrame:
    return pl.DataFrame({"day": [day] * 40, "repo_id": range(40), "stars": range(100, 140)})


def fill(lake: Lake) -> Lake:
    mark_lake(lake, Marker("sandbox", DAYS.first))
    for day in DAYS:
        lake.write(TABLE, day, rows_of(day), notes={"why": str(day)})
    return lake


@pytest.fixture
def counts(lake: Lake) -> Lake:
    return fill(lake)


def query(lake: Lake) -> object:
    with duck_session(lake.settings, lake.store) as connection:
        bind_parquet(connection, TABLE, lake.urls(TABLE), "")
        return connection.sql(f"select sum(stars) from {TABLE}").fetchall()


READS: dict[str, Read] = {
    "a day": lambda lake: lake.read(TABLE, DAY),
    "a range": lambda lake: lake.scan(TABLE, DAYS).collect(),
    "day by day": lambda lake: list(lake.read_days(TABLE, DAYS)),
    "notes": lambda lake: lake.notes(lake.partitions(TABLE, ONE)[0]),
    "rows counted": lambda lake: lake.row_count(lake.partitions(TABLE, ONE)[0]),
    "a query": query,
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("damage", SEEN_AT_ONCE, ids=lambda damage: damage.__name__)
def test_whoever_reads_a_damaged_day_hears_its_table_its_day_and_the_remedy(
    counts: Lake, damage: Damage, read: Read
) -> None:
    damage(partition_file(counts, TABLE, DAY))
    with pytest.raises(DamagedFileError) as raised:
        read(counts)
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"{TABLE} of {DAY} is damaged (")
    assert "`ghstars check --mend` makes it again" in line
    assert list(counts.damage(TABLE)) == [DAY]


@pytest.mark.parametrize("damage", SEEN_AT_ONCE, ids=lambda damage: damage.__name__)
def test_a_damaged_day_is_no_hole_and_its_neighbours_are_read(counts: Lake, damage: Damage) -> None:
    gap = DAYS.last
    counts.write(TABLE, gap, rows_of(gap).clear(), notes={GAP: "nobody knows"})
    damage(partition_file(counts, TABLE, DAY))
    holes = Holes.of(counts, TABLE, DAYS)
    assert (list(holes.by_day), list(holes.damage)) == ([gap], [DAY])
    assert list(holes_in(counts, TABLE, DAYS)) == [gap]
    assert counts.read(TABLE, DAYS.first).height == 40


def test_writing_it_again_mends_it(counts: Lake) -> None:
    damages.emptied(partition_file(counts, TABLE, DAY))
    counts.write(TABLE, DAY, rows_of(DAY))
    assert counts.damage(TABLE) == {}
    assert counts.read(TABLE, DAY).equals(rows_of(DAY))


def test_what_only_the_rows_show_is_found_by_the_deep_look(counts: Lake) -> None:
    damages.one_bit_flipped(partition_file(counts, TABLE, DAY))
    partitions = counts.partitions(TABLE)
    assert counts.damage(TABLE) == {}
    assert [bool(why_partition_is_damaged(counts, one)) for one in partitions] == [
        day == DAY for day in DAYS
    ]
    with pytest.raises(DamagedFileError, match="`ghstars check --deep --mend`"):
        raise_damage_among(counts, partitions)


def test_a_home_of_the_first_release_has_no_checksums_and_is_read(lake: Lake) -> None:
    """Its marker does not say that every file has one."""
    lake.store.put(MARKER_KEY, b'{"kind": "sandbox", "first_day": null, "world": null}')
    for day in DAYS:
        file = Path(lake.store.root, f"stars/counts/date={day}/data.parquet")
        file.parent.mkdir(parents=True)
        rows_of(day).write_parquet(file)
    assert lake.scan(TABLE, DAYS).collect().height == 200
    damages.cut_short(partition_file(lake, TABLE, DAY))
    damages.given_another_days_rows(partition_file(lake, TABLE, DAYS.last))
    assert list(lake.damage(TABLE)) == [DAY]
    found = {one.day: why_partition_is_damaged(lake, one) for one in lake.partitions(TABLE)}
    assert found[DAYS.last] == "it holds rows of 2026-01-04"


def test_a_folder_in_the_place_of_a_file_is_named_by_whoever_writes(counts: Lake) -> None:
    damages.a_folder_in_its_place(partition_file(counts, TABLE, DAY))
    with pytest.raises(MissingDayError):
        counts.scan(TABLE, ONE)
    for only_if_absent in (False, True):
        with pytest.raises(DamagedFileError, match=r"data\.parquet is a folder, where .* a file"):
            counts.write(TABLE, DAY, rows_of(DAY), only_if_absent=only_if_absent)


def test_a_file_in_the_place_of_a_folder_is_named_by_whoever_writes(counts: Lake) -> None:
    Path(counts.store.root, "stars/counts/date=2026-01-06").write_text("no folder")
    with pytest.raises(DamagedFileError, match=r"date=2026-01-06 is a file, where .* a folder"):
        counts.write(TABLE, date(2026, 1, 6), rows_of(date(2026, 1, 6)))


def test_what_nobody_may_read_is_named(counts: Lake) -> None:
    file = partition_file(counts, TABLE, DAY)
    file.chmod(0)
    try:
        file.read_bytes()
        pytest.skip("this user may read everything")
    except PermissionError:
        assert counts.damage(TABLE) == {DAY: "this user may not read it"}


def test_what_is_set_aside_is_kept_beside_what_was_before(counts: Lake) -> None:
    key = f"stars/counts/date={DAY}/data.parquet"
    first, second = rows_of(DAY), rows_of(DAY).head(3)
    counts.write(TABLE, DAY, first)
    places = [counts.store.set_aside(key)]
    counts.write(TABLE, DAY, second)
    places.append(counts.store.set_aside(key))
    assert places == [f"_damaged/{key}", f"_damaged/{key}.2"]
    assert counts.days(TABLE, ONE) == []
    assert all(counts.store.get(place) for place in places)
    assert counts.tables() == [TABLE]


# ---- on a bucket ----------------------------------------------------------------------------


@pytest.fixture
def bucket(s3_settings: Settings) -> Lake:
    return fill(Lake(s3_settings))


def damage_on(bucket: Lake, change: Callable[[bytes], bytes]) -> None:
    key = bucket.partitions(TABLE, ONE)[0].key
    bucket.store.put(key, change(bucket.store.get(key) or b""))


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("change", [lambda whole: whole[:90], lambda _whole: b""], ids=["cut", "0"])
def test_the_same_on_a_bucket(bucket: Lake, change: Callable[[bytes], bytes], read: Read) -> None:
    damage_on(bucket, change)
    with pytest.raises(DamagedFileError, match=f"{TABLE} of {DAY} is damaged"):
        read(Lake(bucket.settings))


def test_a_days_bytes_are_compared_when_they_are_fetched_anyway(bucket: Lake) -> None:
    damage_on(bucket, lambda whole: whole[:12] + bytes([whole[12] ^ 4]) + whole[13:])
    with pytest.raises(DamagedFileError, match="its bytes are not those written"):
        Lake(bucket.settings).read(TABLE, DAY)


def test_what_is_set_aside_of_a_bucket(bucket: Lake) -> None:
    key = bucket.partitions(TABLE, ONE)[0].key
    assert bucket.store.set_aside(key) == f"_damaged/{key}"
    bucket.write(TABLE, DAY, rows_of(DAY))
    assert bucket.store.set_aside(key) == f"_damaged/{key}.2"
    assert bucket.days(TABLE, ONE) == []


def test_a_footer_is_one_request_and_is_read_once(
    bucket: Lake, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Lake(bucket.settings)
    footers = count_footers(monkeypatch)
    s3_server.requests.clear()
    assert reader.damage(TABLE) == {}
    assert reader.damage(TABLE) == {}
    assert (len(footers), dict(s3_server.requests)) == (5, {"LIST": 2, "GET": 5})


def test_a_query_asks_no_more_of_a_bucket_because_its_files_are_looked_at(
    bucket: Lake, s3_server: S3Server
) -> None:
    reader = Lake(bucket.settings)
    s3_server.requests.clear()
    assert query(reader) == [(5 * sum(range(100, 140)),)]
    assert dict(s3_server.requests) == {"LIST": 1, "GET": 5}


def test_the_marker_of_an_older_home_is_read_once(bucket: Lake, s3_server: S3Server) -> None:
    bucket.store.put(MARKER_KEY, b'{"kind": "sandbox", "first_day": null, "world": null}')
    buffer = io.BytesIO()
    rows_of(DAY).write_parquet(buffer)
    for partition in bucket.partitions(TABLE):
        bucket.store.put(partition.key, buffer.getvalue())
    reader = Lake(bucket.settings)
    s3_server.requests.clear()
    assert reader.damage(TABLE) == {}
    assert s3_server.requests["GET"] <= len(DAYS) + GETS_AT_ONCE
    s3_server.requests.clear()
    assert reader.damage(TABLE) == {}
    assert dict(s3_server.requests) == {"LIST": 1}
