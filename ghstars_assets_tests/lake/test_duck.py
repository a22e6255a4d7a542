import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from ghstars_assets.lake.duck import (
    bind_parquet,
    duck_session,
    frames_by_day,
    quoted,
    scratch_session,
)
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings

DAY = date(2026, 1, 31)
EMPTY = "select null::date as day, null::bigint as stars where false"


@pytest.fixture
def connection(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with duck_session(settings) as connection:
        yield connection


def setting(connection: duckdb.DuckDBPyConnection, name: str) -> object:
    row = connection.execute(f"select current_setting('{name}')").fetchone()
    assert row is not None
    return row[0]


def test_a_session_has_its_memory_threads_and_spill_folder_set(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, threads=3, memory_gb=0.5)
    with duck_session(settings) as connection:
        assert setting(connection, "memory_limit") == "476.8 MiB"
        assert setting(connection, "threads") == 3
        assert Path(str(setting(connection, "temp_directory"))).parent == tmp_path / "spill"
        assert setting(connection, "TimeZone") == "UTC"


def test_a_query_larger_than_memory_spills_below_the_home_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path, threads=1, memory_gb=0.11)
    spilled: list[int] = []
    with duck_session(settings) as connection:
        query = "select range as a, hash(range) as b, hash(b) as c from range(6000000) order by b"
        reader = connection.sql(query).to_arrow_reader(100_000)
        reader.read_next_batch()
        spilled.extend(path.stat().st_size for path in settings.spill_path.rglob("*.tmp"))
        del reader
    assert sum(spilled) > 10_000_000
    assert list(settings.spill_path.iterdir()) == []


def test_a_session_closes_after_an_error(settings: Settings) -> None:
    with pytest.raises(duckdb.Error), duck_session(settings) as connection:
        connection.execute("select nonsense")
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("select 1")


@pytest.mark.parametrize("session", ["duck_session", "scratch_session"])
def test_a_name_in_a_query_never_means_a_python_variable(session: str, settings: Settings) -> None:
    stray = pl.DataFrame({"a": [1]})
    opened = scratch_session() if session == "scratch_session" else duck_session(settings)
    with opened as connection, pytest.raises(duckdb.CatalogException, match="stray"):
        connection.execute("select * from stray")
    assert stray.height == 1


def test_a_table_without_files_is_empty_but_typed(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    bind_parquet(connection, "stars.counts", [], EMPTY)
    found = connection.sql("select day, stars from stars.counts").pl()
    assert found.schema == {"day": pl.Date, "stars": pl.Int64}
    assert found.is_empty()


def test_a_name_may_be_bound_anew(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    for day in (DAY, DAY + timedelta(days=1)):
        lake.write("stars.counts", day, pl.DataFrame({"day": [day], "stars": [1]}))
    urls = lake.urls("stars.counts")
    for given, expected in ((urls[:1], 1), (urls, 2), ([], 0)):
        bind_parquet(connection, "stars.counts", given, EMPTY)
        found = connection.execute("select count(*) from stars.counts").fetchone()
        assert found == (expected,)


def test_a_folder_named_like_a_partition_adds_no_column(
    connection: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    lake.write("stars.counts", DAY, pl.DataFrame({"stars": [1]}))
    bind_parquet(connection, "stars.counts", lake.urls("stars.counts"), EMPTY)
    assert connection.sql("from stars.counts").columns == ["stars"]


@pytest.mark.parametrize("rows_per_batch", [100, 2_048, 10_000, 1_000_000])
def test_days_come_one_at_a_time_and_whole_however_the_batches_fall(
    connection: duckdb.DuckDBPyConnection, rows_per_batch: int
) -> None:
    query = (
        "select (date '2026-01-31' + (range // 3000)::integer)::date as day, range as n "
        "from range(7500) order by day, n"
    )
    found = list(frames_by_day(connection, query, rows_per_batch))
    assert [(day, frame.height) for day, frame in found] == [
        (DAY, 3_000),
        (DAY + timedelta(days=1), 3_000),
        (DAY + timedelta(days=2), 1_500),
    ]
    assert pl.concat([frame for _, frame in found])["n"].to_list() == list(range(7_500))


def test_a_query_without_rows_has_no_days(connection: duckdb.DuckDBPyConnection) -> None:
    assert list(frames_by_day(connection, EMPTY)) == []


def test_a_quoted_text_is_one_literal(connection: duckdb.DuckDBPyConnection) -> None:
    text = "it's; drop -- \\ \""
    assert connection.execute(f"select {quoted(text)}").fetchone() == (text,)


def test_slog_is_part_of_every_session_and_is_its_formula_to_the_bit(settings: Settings) -> None:
    numbers = "(select unnest([-1e9, -3, -0.5, 0.0, 0.1, 7, 12345.678, null]) as x)"
    query = f"select slog(x) is not distinct from sign(x) * ln(1 + abs(x)), slog(x) from {numbers}"
    with scratch_session() as scratch, duck_session(settings) as session:
        for connection in (scratch, session, session.cursor()):
            found = connection.execute(query).fetchall()
            assert all(is_same for is_same, _ in found)
            assert found[5][1] == pytest.approx(math.log(8))
