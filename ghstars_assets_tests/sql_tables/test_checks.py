from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from ghstars_assets.lake.duck import scratch_session
from ghstars_assets.sql_tables.checks import DayCheck, check_descriptions, evaluate_checks
from ghstars_assets.sql_tables.header import SqlFile, read_sql_file

DAY = date(2026, 1, 1)
DAYS = [DAY + timedelta(days=n) for n in range(3)]
CHECKED = """\
/*
description: A table with every check there is.
key: [id, kind]
reads:
  tiny.raw: 0
columns:
  day: {type: date, is: "the UTC day", not_null: true}
  id: {type: bigint, is: "the entity", not_null: true, min: 1}
  kind: {type: varchar, is: "its kind", one_of: ["a", "it's"]}
  share: {type: double, is: "of the whole", min: 0, max: 1}
checks:
  row_count_is_steady: {is: "about as many rows as the day before", max_drop: 0.5, max_rise: 1.0}
  thirteen: {is: "nothing is thirteen", fails: "select day from this where id = 13"}
*/
select day, id, kind, share from tiny.raw
"""


@pytest.fixture
def file(tmp_path: Path) -> SqlFile:
    path = tmp_path / "sql" / "tiny" / "checked.sql"
    path.parent.mkdir(parents=True)
    path.write_text(CHECKED)
    return read_sql_file(path)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with scratch_session() as connection:
        yield connection


Row = tuple[date | None, int | None, str | None, float | None]


def evaluate(
    connection: duckdb.DuckDBPyConnection,
    file: SqlFile,
    rows: list[Row],
    before: tuple[date, str] | None = None,
) -> dict[tuple[str, date], DayCheck]:
    connection.register("this", pl.DataFrame(rows, file.table.empty().schema, orient="row"))
    found = list(evaluate_checks(connection, file, DAYS, before))
    checks = {(check.name, check.day): check for check in found}
    assert len(checks) == len(found), "each check speaks once of each day"
    return checks


def good_rows() -> list[Row]:
    return [(day, number, "a", 0.5) for day in DAYS for number in (1, 2)]


def failed(checks: dict[tuple[str, date], DayCheck]) -> dict[tuple[str, date], str]:
    return {place: check.description for place, check in checks.items() if not check.is_passed}


def test_every_check_speaks_of_every_day(
    connection: duckdb.DuckDBPyConnection, file: SqlFile
) -> None:
    checks = evaluate(connection, file, good_rows())
    names = set(check_descriptions(file))
    assert names == {
        "not_null", "within_range", "accepted_values", "unique_key", "row_count_is_steady",
        "thirteen",
    }  # fmt: skip
    assert set(checks) == {(name, day) for name in names for day in DAYS}
    assert failed(checks) == {}


@pytest.mark.parametrize(
    ("row", "check", "description"),
    [
        ((DAYS[1], None, "a", 0.5), "not_null", "offends: id in 1 rows"),
        ((DAYS[1], 0, "a", 0.5), "within_range", "offends: id in 1 rows"),
        ((DAYS[1], 3, "a", 1.5), "within_range", "offends: share in 1 rows"),
        ((DAYS[1], 3, "b", 0.5), "accepted_values", "offends: kind in 1 rows"),
        ((DAYS[1], 2, "a", 0.7), "unique_key", "offends: id, kind in 1 rows"),
        ((DAYS[1], 13, "a", 0.5), "thirteen", "1 rows break it: nothing is thirteen"),
    ],
)
def test_an_offence_fails_its_own_check_on_its_own_day(
    connection: duckdb.DuckDBPyConnection, file: SqlFile, row: Row, check: str, description: str
) -> None:
    checks = evaluate(connection, file, [*good_rows(), row])
    assert failed(checks) == {(check, DAYS[1]): description}


def test_what_is_null_is_neither_out_of_range_nor_unaccepted(
    connection: duckdb.DuckDBPyConnection, file: SqlFile
) -> None:
    assert failed(evaluate(connection, file, [*good_rows(), (DAYS[1], 3, None, None)])) == {}


def test_every_offence_of_a_day_is_counted(
    connection: duckdb.DuckDBPyConnection, file: SqlFile
) -> None:
    rows: list[Row] = [(DAY, -1, "a", 2.0), (DAY, -2, "a", 0.5)]
    check = evaluate(connection, file, rows)["within_range", DAY]
    assert check.figures == {"id": 2, "share": 1}
    assert check.description == "offends: id in 2 rows, share in 1 rows"


@pytest.mark.parametrize(
    ("counts", "steady"),
    [
        ((4, 4, 4), (True, True, True)),
        ((4, 2, 4), (True, True, True)),
        ((4, 1, 2), (True, False, True)),
        ((4, 8, 17), (True, True, False)),
        ((4, 0, 4), (True, True, True)),
    ],
)
def test_the_row_count_is_compared_with_the_last_day_with_rows(
    connection: duckdb.DuckDBPyConnection,
    file: SqlFile,
    counts: tuple[int, ...],
    steady: tuple[bool, ...],
) -> None:
    rows: list[Row] = [
        (day, number + 20, "a", 0.5)
        for day, count in zip(DAYS, counts, strict=True)
        for number in range(count)
    ]
    checks = evaluate(connection, file, rows)
    assert tuple(checks["row_count_is_steady", day].is_passed for day in DAYS) == steady


def test_the_first_day_of_a_batch_is_compared_with_the_day_before_it(
    connection: duckdb.DuckDBPyConnection, file: SqlFile
) -> None:
    yesterday, long_ago = DAY - timedelta(days=1), DAY - timedelta(days=40)
    place = ("row_count_is_steady", DAY)

    def rows(number: int, day: date) -> tuple[date, str]:
        return day, f"select date '{day}' as day from range({number})"

    assert evaluate(connection, file, good_rows(), rows(3, yesterday))[place].is_passed
    too_few = evaluate(connection, file, good_rows(), rows(5, yesterday))[place]
    assert not too_few.is_passed
    assert too_few.description == "2 rows, -60.0% on 2025-12-31"
    assert evaluate(connection, file, good_rows(), rows(5, long_ago))[place].is_passed


def test_each_group_is_compared_with_itself_where_the_check_names_one(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Two of five of a kind are missing, though a rise of the other kind hides it in the sum."""
    path = tmp_path / "sql" / "tiny" / "grouped.sql"
    path.parent.mkdir(parents=True)
    path.write_text(
        CHECKED.replace("max_drop: 0.5, max_rise: 1.0", "max_drop: 0.3, max_rise: 9, by: kind")
    )
    by_day = {DAYS[0]: (5, 5), DAYS[1]: (3, 7), DAYS[2]: (3, 0)}
    rows: list[Row] = [
        (day, number + 20 + 100 * place, kind, 0.5)
        for day, counts in by_day.items()
        for place, (kind, count) in enumerate(zip(("a", "it's"), counts, strict=True))
        for number in range(count)
    ]
    checks = evaluate(connection, read_sql_file(path), rows)
    steady = [checks["row_count_is_steady", day] for day in DAYS]
    assert [check.is_passed for check in steady][:2] == [True, False]
    assert "-40.0%" in steady[1].description


def test_descriptions_say_what_each_check_holds(file: SqlFile) -> None:
    descriptions = check_descriptions(file)
    assert descriptions["not_null"] == "day, id is never null"
    assert descriptions["unique_key"] == "id, kind is unique within a day"
    assert descriptions["thirteen"] == "nothing is thirteen"
