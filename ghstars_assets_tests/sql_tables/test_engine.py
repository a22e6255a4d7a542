from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.holes import declare_gaps, release_days
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import CODE_VERSION, GAP, QUARANTINED, Lake, Written
from ghstars_assets.sql_tables import inputs
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets_tests.support.small_world import file_contents, fill_days
from ghstars_assets_tests.support.tiny_problem import FILES, GAINS, capture, load, raw_rows

DAY = date(2026, 1, 29)
"""Three days before a month ends, so that a batch ends within the range."""


def on(number: int) -> date:
    return DAY + timedelta(days=number)


def span(first: int, last: int) -> DayRange:
    return DayRange(on(first), on(last))


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> SqlGraph:
    return load(tmp_path_factory.mktemp("tiny"), **FILES)


@pytest.fixture
def captured(lake: Lake, graph: SqlGraph) -> Lake:
    """Days 0 to 9: entity 1 has ten times the day's number and entity 2 a hundred times."""
    for number in range(10):
        capture(lake, on(number), 10 * number, 100 * number)
    return lake


def amounts(lake: Lake, table: str, number: int) -> list[tuple[int | None, ...]]:
    return lake.read(table, on(number)).drop("day").rows()


def statuses(outcomes: list[DayOutcome]) -> str:
    """One letter a day: written, gap, quarantined, skipped."""
    return "".join(outcome.status.value[0] for outcome in outcomes)


def notes_of(lake: Lake, table: str, number: int) -> dict[str, str]:
    (partition,) = lake.partitions(table, span(number, number))
    notes = lake.notes(partition)
    notes.pop(CODE_VERSION)
    return notes


# ---- a pass -------------------------------------------------------------------------------------


@pytest.fixture
def months_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two months in one batch, as where there are many rows."""
    monkeypatch.setattr(inputs, "MOST_DAYS", 1)


def test_a_range_is_filled_in_batches_of_calendar_months(
    captured: Lake, graph: SqlGraph, months_apart: None
) -> None:
    batches = list(fill(captured, graph.files["tiny.clean"], graph.tables, span(0, 9)))
    assert [batch.days for batch in batches] == [span(0, 2), span(3, 9)]
    assert captured.days("tiny.clean") == list(span(0, 9))
    assert [outcome.rows for outcome in batches[0].outcomes] == [2, 2, 2]
    fill_days(captured, graph, "tiny.gains", span(1, 4))
    assert amounts(captured, "tiny.gains", 4) == [(1, 10), (2, 100)]
    fill_days(captured, graph, "tiny.next", span(0, 7))
    assert amounts(captured, "tiny.next", 1) == [(1, 20), (2, 200)]


def test_months_with_few_rows_are_filled_in_one_batch(
    captured: Lake, graph: SqlGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    (batch,) = fill(captured, graph.files["tiny.clean"], graph.tables, span(0, 9))
    assert batch.days == span(0, 9)
    monkeypatch.setattr(inputs, "MOST_ROWS_READ", 10)
    batches = list(fill(captured, graph.files["tiny.clean"], graph.tables, span(0, 9)))
    assert [batch.days for batch in batches] == [span(0, 2), span(3, 9)]


def test_rows_lie_in_the_order_of_their_key(lake: Lake, graph: SqlGraph) -> None:
    lake.write("tiny.raw", on(0), raw_rows(on(0), *range(50)).sample(fraction=1, shuffle=True))
    fill_days(lake, graph, "tiny.clean", span(0, 0))
    assert [row[0] for row in amounts(lake, "tiny.clean", 0)] == list(range(1, 51))


def test_every_partition_says_which_code_wrote_it(captured: Lake, graph: SqlGraph) -> None:
    fill_days(captured, graph, "tiny.clean", span(0, 0))
    (partition,) = captured.partitions("tiny.clean")
    version = graph.files["tiny.clean"].code_version
    assert captured.notes(partition) == {CODE_VERSION: version}


def test_a_day_on_which_the_query_gives_nothing_is_an_empty_partition(
    lake: Lake, graph: SqlGraph
) -> None:
    for number, values in enumerate([(1, 2), (), (3, 4)]):
        capture(lake, on(number), *values)
    lake.write("tiny.clean", on(0), raw_rows(on(0)))
    no_gate = (
        FILES["clean"][: FILES["clean"].index("gate:")] + "*/\nselect day, id, amount from tiny.raw"
    )
    plain = load(Path(lake.store.root), clean=no_gate)
    assert statuses(fill_days(lake, plain, "tiny.clean", span(0, 2))) == "www"
    assert amounts(lake, "tiny.clean", 1) == []
    assert amounts(lake, "tiny.clean", 2) == [(1, 3), (2, 4)]


def test_filling_again_gives_the_same_bytes(captured: Lake, graph: SqlGraph) -> None:
    for table in ("tiny.clean", "tiny.gains"):
        fill_days(captured, graph, table, span(0, 9))
        before = file_contents(captured, table, span(0, 9))
        fill_days(captured, graph, table, span(0, 9))
        assert file_contents(captured, table, span(0, 9)) == before


def test_an_interrupted_pass_leaves_whole_days_and_is_made_good_by_another(
    captured: Lake, graph: SqlGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_days(captured, graph, "tiny.clean", span(0, 9))
    undisturbed = file_contents(captured, "tiny.clean", span(0, 9))
    for day in span(0, 9):
        captured.delete("tiny.clean", day)
    write = Lake.write
    written: list[date] = []

    def write_until_the_fifth(
        lake: Lake, table: str, day: date, *rest: pl.DataFrame, notes: dict[str, str]
    ) -> Written:
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(day)
        return write(lake, table, day, *rest, notes=notes)

    monkeypatch.setattr(Lake, "write", write_until_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        fill_days(captured, graph, "tiny.clean", span(0, 9))
    monkeypatch.undo()
    half = file_contents(captured, "tiny.clean", span(0, 9))
    assert len(half) == 5
    assert half.items() <= undisturbed.items()
    fill_days(captured, graph, "tiny.clean", span(0, 9))
    assert file_contents(captured, "tiny.clean", span(0, 9)) == undisturbed


# ---- windows ------------------------------------------------------------------------------------

PEEKS = """\
/*
description: Asks for more than its window.
key: [id]
reads:
  tiny.clean: {window}
columns:
  day: {{type: date, is: "the UTC day"}}
  id: {{type: bigint, is: "the entity"}}
  found: {{type: bigint, is: "the rows of the entity that the query could see"}}
*/
select
    day,
    id,
    (select count(*) from tiny.clean as seen where seen.id = today.id) as found
from tiny.clean as today
"""


@pytest.mark.parametrize(
    ("window", "visible"), [("0", 1), ("-2..0", 3), ("0..2", 3), ("-3..1", 5), ("-9..0", 6)]
)
def test_a_query_that_asks_for_more_than_its_window_gets_nothing_of_it(
    captured: Lake, tmp_path: Path, window: str, visible: int
) -> None:
    graph = load(tmp_path, **FILES | {"peeks": PEEKS.format(window=window)})
    fill_days(captured, graph, "tiny.clean", span(0, 9))
    fill_days(captured, graph, "tiny.peeks", span(5, 5))
    assert amounts(captured, "tiny.peeks", 5) == [(1, visible), (2, visible)]


def test_a_batch_sees_the_windows_of_its_days_and_no_day_more(
    captured: Lake, tmp_path: Path
) -> None:
    """Which is why every file under sql/ must give a day the same row in any batch."""
    graph = load(tmp_path, **FILES | {"peeks": PEEKS.format(window="-1..0")})
    fill_days(captured, graph, "tiny.clean", span(0, 9))
    fill_days(captured, graph, "tiny.peeks", span(4, 6))
    assert amounts(captured, "tiny.peeks", 5) == [(1, 4), (2, 4)]


def test_rows_of_other_days_than_those_asked_for_are_not_written(
    captured: Lake, graph: SqlGraph
) -> None:
    fill_days(captured, graph, "tiny.clean", span(0, 9))
    fill_days(captured, graph, "tiny.gains", span(4, 5))
    assert captured.days("tiny.gains") == list(span(4, 5))
    assert captured.read("tiny.gains", on(5))["day"].unique().to_list() == [on(5)]


# ---- holes --------------------------------------------------------------------------------------


def test_a_day_that_is_missing_is_an_error_with_the_day_and_the_commands(
    captured: Lake, graph: SqlGraph
) -> None:
    captured.delete("tiny.raw", on(4))
    with pytest.raises(MissingDayError) as caught:
        fill_days(captured, graph, "tiny.clean", span(3, 6))
    message = str(caught.value)
    assert message.startswith("tiny.raw has no 2026-02-02, which tiny.clean needs")
    assert "`ghstars backfill tiny --from 2026-02-02 --to 2026-02-02`" in message
    assert "`ghstars gap tiny 2026-02-02" in message
    assert captured.days("tiny.clean") == []


def test_a_day_that_is_missing_within_the_window_is_an_error_too(
    captured: Lake, graph: SqlGraph
) -> None:
    fill_days(captured, graph, "tiny.clean", span(0, 9))
    captured.delete("tiny.clean", on(5))
    with pytest.raises(MissingDayError, match=r"tiny.clean has no 2026-02-03"):
        fill_days(captured, graph, "tiny.gains", span(6, 7))
    with pytest.raises(MissingDayError, match=r"tiny.clean has no 2026-02-03"):
        fill_days(captured, graph, "tiny.next", span(4, 4))
    assert statuses(fill_days(captured, graph, "tiny.gains", span(8, 9))) == "ww"


def test_a_window_that_is_missing_at_its_far_end_is_not_taken_for_the_beginning(
    captured: Lake, graph: SqlGraph
) -> None:
    fill_days(captured, graph, "tiny.clean", span(0, 9))
    captured.delete("tiny.clean", on(4))
    with pytest.raises(MissingDayError, match=r"tiny.clean has no 2026-02-02"):
        fill_days(captured, graph, "tiny.gains", span(6, 6))


def test_before_a_table_begins_nothing_is_missing(captured: Lake, graph: SqlGraph) -> None:
    fill_days(captured, graph, "tiny.clean", span(0, 9))
    fill_days(captured, graph, "tiny.gains", span(0, 1))
    assert amounts(captured, "tiny.gains", 0) == [(1, None), (2, None)]
    assert amounts(captured, "tiny.gains", 1) == [(1, 10), (2, 100)]


def test_a_declared_gap_is_an_empty_partition_that_says_so_wherever_it_matters(
    captured: Lake, graph: SqlGraph
) -> None:
    captured.delete("tiny.raw", on(4))
    declare_gaps(captured, "tiny", span(4, 4), "the capture was down")
    clean = fill_days(captured, graph, "tiny.clean", span(0, 9))
    assert statuses(clean) == "wwwwgwwwww"
    assert clean[4].reason == "the capture was down"
    assert amounts(captured, "tiny.clean", 4) == []
    assert notes_of(captured, "tiny.clean", 4) == {GAP: "the capture was down"}

    assert statuses(fill_days(captured, graph, "tiny.gains", span(0, 9))) == "wwwwgwwwww"
    assert notes_of(captured, "tiny.gains", 4) == {GAP: "the capture was down"}
    assert amounts(captured, "tiny.gains", 5) == [(1, 20), (2, 200)]

    assert statuses(fill_days(captured, graph, "tiny.next", span(0, 7))) == "wwgwgwww"
    assert notes_of(captured, "tiny.next", 2) == {
        GAP: "tiny.clean of 2026-02-02 is a hole (the capture was down)"
    }
    assert amounts(captured, "tiny.next", 3) == [(1, 20), (2, 200)]


def test_a_gap_that_was_filled_in_since_is_none(captured: Lake, graph: SqlGraph) -> None:
    declare_gaps(captured, "tiny", span(4, 4), "the capture was down")
    assert statuses(fill_days(captured, graph, "tiny.clean", span(3, 5))) == "www"
    assert amounts(captured, "tiny.clean", 4) == [(1, 40), (2, 400)]


# ---- quarantine ---------------------------------------------------------------------------------


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


def test_the_source_of_a_file_is_whatever_table_it_reads_first(tmp_path: Path) -> None:
    assert load(tmp_path, **FILES).files["tiny.gains"].driver == "tiny.clean"
    assert GAINS.count("tiny.clean:") == 1
