from collections.abc import Iterator
from datetime import date

import duckdb
import polars as pl
import pytest

from ghstars_assets.lake.duck import scratch_session
from ghstars_assets.sql_tables.gate import GateResult, check_day, quarantine_table
from ghstars_assets.sql_tables.header import Gate, GateRule
from ghstars_assets_tests.support.tiny_problem import RAW, raw_rows

DAY, NEXT_DAY = date(2026, 1, 1), date(2026, 1, 2)
GATE = Gate(
    rows={
        "negative": GateRule(select="select id from candidate where amount < 0", because="no"),
        "jump": GateRule(
            select="select id from candidate join previous using (id) "
            "where candidate.amount > 5 * previous.amount",
            because="too far",
        ),
    },
    days={
        "half_is_missing": GateRule(
            select="select 1 where (select count(*) from candidate) * 2 "
            "< (select count(*) from previous)",
            because="cut short",
        )
    },
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with scratch_session() as connection:
        yield connection


def pass_gate(
    connection: duckdb.DuckDBPyConnection,
    candidate: pl.DataFrame,
    previous: pl.DataFrame | None = None,
) -> GateResult:
    before = RAW.empty() if previous is None else previous
    return check_day(connection, GATE, RAW, candidate, before)


def held_back(result: GateResult) -> list[tuple[int, str, str]]:
    """(entity, rule, reason)"""
    return result.quarantined.select("id", "rule", "reason").rows()


def test_a_good_day_passes_as_it_is(connection: duckdb.DuckDBPyConnection) -> None:
    day = raw_rows(DAY, 1, 2, 3)
    result = pass_gate(connection, day)
    assert result.accepted.equals(day)
    assert result.quarantined.is_empty()
    assert result.day_reason == ""


def test_a_bad_row_is_held_back_with_its_rule_and_reason(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    result = pass_gate(connection, raw_rows(DAY, 1, -2, 3))
    assert result.accepted["id"].to_list() == [1, 3]
    assert held_back(result) == [(2, "negative", "no")]


def test_a_row_is_judged_against_the_last_accepted_day(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    result = pass_gate(connection, raw_rows(NEXT_DAY, 10, 60), raw_rows(DAY, 10, 10))
    assert held_back(result) == [(2, "jump", "too far")]


def test_a_row_that_breaks_two_rules_is_held_back_once(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    result = pass_gate(connection, raw_rows(NEXT_DAY, -1), raw_rows(DAY, -5))
    assert held_back(result) == [(1, "negative", "no")]


def test_a_key_that_is_null_can_be_held_back(connection: duckdb.DuckDBPyConnection) -> None:
    nameless = raw_rows(DAY, 1, -1).with_columns(id=pl.Series([1, None], dtype=pl.Int64))
    result = pass_gate(connection, nameless)
    assert result.accepted["id"].to_list() == [1]
    assert result.quarantined["id"].to_list() == [None]


def test_a_bad_day_is_held_back_whole_and_its_bad_rows_keep_their_own_reason(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    result = pass_gate(connection, raw_rows(NEXT_DAY, 1, -1), raw_rows(DAY, *[1] * 5))
    assert result.day_reason == "half_is_missing: cut short"
    assert result.accepted.is_empty()
    assert sorted(held_back(result)) == [
        (1, "half_is_missing", "cut short"),
        (2, "negative", "no"),
    ]


def test_a_day_is_judged_without_its_bad_rows(connection: duckdb.DuckDBPyConnection) -> None:
    candidate = raw_rows(NEXT_DAY, 1, 1, -1, -1, -1)
    assert pass_gate(connection, candidate, raw_rows(DAY, *[1] * 5)).day_reason
    assert not pass_gate(connection, candidate, raw_rows(DAY, *[1] * 4)).day_reason


def test_without_a_previous_day_there_is_nothing_to_fall_short_of(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert pass_gate(connection, raw_rows(DAY, 1)).accepted.height == 1


def test_a_quarantine_has_the_tables_columns_and_why() -> None:
    table = quarantine_table(RAW)
    assert table.name == "tiny.raw_quarantine"
    assert table.column_names == [*RAW.column_names, "rule", "reason"]
    assert table.key == RAW.key


def test_a_warning_is_reported_and_holds_nothing_back(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    warns = Gate(
        warnings={
            "many_lost": GateRule(
                select="select 1 from candidate join previous using (id) "
                "having count_if(candidate.amount < previous.amount) > 1",
                because="two or more lost something",
            )
        }
    )
    before, day = raw_rows(DAY, 10, 10, 10), raw_rows(NEXT_DAY, 9, 9, 10)
    result = check_day(connection, warns, RAW, day, before)
    assert result.warnings == ("many_lost: two or more lost something",)
    assert result.accepted.equals(day)
    assert result.quarantined.is_empty()
    assert check_day(connection, warns, RAW, before, before).warnings == ()
