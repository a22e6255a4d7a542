"""What the gate holds back: rows and days in quarantine, releases, and the checks beside them."""

import polars as pl
import pytest

from ghstars_assets.lake.holes import release_days
from ghstars_assets.lake.outcomes import Status
from ghstars_assets.lake.tables import QUARANTINED, Lake
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets_tests.support.small_world import file_contents, fill_days
from ghstars_assets_tests.support.tiny_days import amounts, notes_of, on, span, statuses
from ghstars_assets_tests.support.tiny_problem import capture, raw_rows


def test_a_bad_row_goes_to_quarantine_and_the_rest_of_its_day_proceeds(
    captured: Lake, graph: SqlGraph
) -> None:
    capture(captured, on(4), 40, -400)
    outcomes = fill_days(captured, graph, "tiny.clean", span(0, 9))
    assert statuses(outcomes) == "w" * 10
    assert (outcomes[4].rows, outcomes[4].quarantined_rows) == (1, 1)
    assert amounts(captured, "tiny.clean", 4) == [(1, 40)]
    reason = "an amount below zero says nothing"
    assert captured.read("tiny.clean_quarantine", on(4)).rows() == [
        (on(4), 2, -400, "negative", reason)
    ]
    fill_days(captured, graph, "tiny.gains", span(5, 5))
    assert amounts(captured, "tiny.gains", 5) == [(1, 10), (2, 200)]


def test_rows_that_share_a_key_lie_in_quarantine_in_one_order(lake: Lake, graph: SqlGraph) -> None:
    twice = pl.concat([raw_rows(on(0), *range(60))] * 2).with_columns(amount=pl.int_range(120))
    contents: list[dict[str, bytes]] = []
    for seed in (1, 2):
        lake.write("tiny.raw", on(0), twice.sample(fraction=1, shuffle=True, seed=seed))
        fill_days(lake, graph, "tiny.clean", span(0, 0))
        contents.append(file_contents(lake, "tiny.clean_quarantine", span(0, 0)))
    assert contents[0] == contents[1]
    assert lake.read("tiny.clean_quarantine", on(0)).height == 120


@pytest.fixture
def with_a_bad_day(captured: Lake, graph: SqlGraph) -> Lake:
    """Five entities, but on day 4 only two of them."""
    for number in range(10):
        capture(captured, on(number), *(10 * number + i for i in range(2 if number == 4 else 5)))
    return captured


def test_a_bad_day_is_written_nowhere_while_the_others_of_its_batch_proceed(
    with_a_bad_day: Lake, graph: SqlGraph
) -> None:
    lake = with_a_bad_day
    reason = "half_is_missing: half of the last good day is not there"
    clean = fill_days(lake, graph, "tiny.clean", span(0, 9))
    assert statuses(clean) == "wwwwqwwwww"
    assert (clean[4].rows, clean[4].quarantined_rows, clean[4].reason) == (0, 2, reason)
    assert notes_of(lake, "tiny.clean", 4) == {QUARANTINED: reason}
    assert lake.read("tiny.clean_quarantine", on(4))["rule"].to_list() == ["half_is_missing"] * 2

    gains = fill_days(lake, graph, "tiny.gains", span(0, 9))
    assert statuses(gains) == "wwwwswwwww"
    assert gains[4].reason == f"tiny.clean of 2026-02-02 is quarantined ({reason})"
    assert lake.days("tiny.gains", span(4, 4)) == []
    assert amounts(lake, "tiny.gains", 5)[0] == (1, 20), "a later lag takes the day for a gap"

    assert statuses(fill_days(lake, graph, "tiny.next", span(0, 7))) == "wwgwswww"
    assert lake.days("tiny.next", span(4, 4)) == []


def test_what_was_made_before_its_day_went_to_quarantine_is_taken_away(
    with_a_bad_day: Lake, graph: SqlGraph
) -> None:
    lake = with_a_bad_day
    lake.write("tiny.gains", on(4), lake.read("tiny.raw", on(4)))
    fill_days(lake, graph, "tiny.clean", span(0, 9))
    assert statuses(fill_days(lake, graph, "tiny.gains", span(4, 4))) == "s"
    assert lake.days("tiny.gains") == []


def test_a_release_brings_a_day_back(with_a_bad_day: Lake, graph: SqlGraph) -> None:
    lake = with_a_bad_day
    for table, last in (("tiny.clean", 9), ("tiny.gains", 9), ("tiny.next", 7)):
        fill_days(lake, graph, table, span(0, last))
    release_days(lake, "tiny", span(4, 4), "three of them really ended")
    assert statuses(fill_days(lake, graph, "tiny.clean", span(4, 4))) == "w"
    assert amounts(lake, "tiny.clean", 4) == [(1, 40), (2, 41)]
    assert lake.days("tiny.clean_quarantine") == []
    assert statuses(fill_days(lake, graph, "tiny.gains", span(4, 5))) == "ww"
    assert amounts(lake, "tiny.gains", 5)[0] == (1, 10)
    assert statuses(fill_days(lake, graph, "tiny.next", span(2, 4))) == "www"
    assert len(amounts(lake, "tiny.next", 2)) == 2


def test_the_gate_knows_the_last_good_day_before_a_batch(
    with_a_bad_day: Lake, graph: SqlGraph
) -> None:
    lake = with_a_bad_day
    fill_days(lake, graph, "tiny.clean", span(0, 3))
    assert statuses(fill_days(lake, graph, "tiny.clean", span(4, 4))) == "q"
    assert statuses(fill_days(lake, graph, "tiny.clean", span(5, 5))) == "w"


def test_a_bad_row_that_stays_is_judged_against_the_last_good_one(
    captured: Lake, graph: SqlGraph
) -> None:
    for number in (4, 5, 6):
        capture(captured, on(number), 10 * number, 1_000_000)
    fill_days(captured, graph, "tiny.clean", span(0, 9))
    for number in (4, 5, 6):
        assert amounts(captured, "tiny.clean", number) == [(1, 10 * number)]
    assert amounts(captured, "tiny.clean", 7) == [(1, 70), (2, 700)]


def test_the_verdict_on_a_day_does_not_hang_on_what_was_filled_first(
    captured: Lake, graph: SqlGraph
) -> None:
    capture(captured, on(4), 40, 1_000_000)
    fill_days(captured, graph, "tiny.clean", span(4, 4))
    assert amounts(captured, "tiny.clean", 4) == [(1, 40)]
    assert captured.days("tiny.clean") == [on(4)]


def test_the_gate_forgets_a_good_day_that_lies_too_far_back(lake: Lake, graph: SqlGraph) -> None:
    """It looks back three days: a lasting loss is bad for three days and then the new normal."""
    for number in range(6):
        capture(lake, on(number), *range(5 if number == 0 else 2))
    assert statuses(fill_days(lake, graph, "tiny.clean", span(0, 5))) == "wqqqww"


# ---- checks -------------------------------------------------------------------------------------


def test_every_written_day_of_a_batch_has_its_own_checks(
    with_a_bad_day: Lake, graph: SqlGraph, months_apart: None
) -> None:
    lake = with_a_bad_day
    capture(lake, on(6), 60, 61, 62, 63, -1)
    (_, batch) = fill(lake, graph.files["tiny.clean"], graph.tables, span(0, 9))
    found = {(check.name, check.day): check for check in batch.checks}
    gated = [found["gate", day] for day in batch.days]
    assert [check.is_passed for check in gated] == [True, False, True, False, True, True, True]
    assert [check.is_warning for check in gated if not check.is_passed] == [False, True]
    steady = [day for name, day in found if name == "row_count_is_steady"]
    assert steady == [day for day in span(3, 9) if day != on(4)]
    assert found["row_count_is_steady", on(5)].description == "5 rows, +0.0% on 2026-02-01"
    assert found["row_count_is_steady", on(3)].description == "5 rows, +0.0% on 2026-01-31"
    assert all(found["not_null", day].is_passed for day in steady)


def test_a_day_that_is_skipped_or_a_gap_has_no_checks(
    with_a_bad_day: Lake, graph: SqlGraph
) -> None:
    fill_days(with_a_bad_day, graph, "tiny.clean", span(0, 9))
    (batch,) = fill(with_a_bad_day, graph.files["tiny.gains"], graph.tables, span(4, 4))
    assert [outcome.status for outcome in batch.outcomes] == [Status.SKIPPED]
    assert batch.checks == []
