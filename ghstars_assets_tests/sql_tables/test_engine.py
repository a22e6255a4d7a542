"""The engine: a SQL file and its header fill one day or a thousand in one pass."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.holes import declare_gaps
from ghstars_assets.lake.tables import CODE_VERSION, GAP, Lake, Written
from ghstars_assets.sql_tables import inputs
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets_tests.support.small_world import file_contents, fill_days
from ghstars_assets_tests.support.tiny_days import amounts, notes_of, on, span, statuses
from ghstars_assets_tests.support.tiny_problem import FILES, GAINS, capture, load, raw_rows

# ---- a pass -------------------------------------------------------------------------------------


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
  found: {{type: bigint, is: "the rows of the entity that it could see", role: target}}
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


def test_the_source_of_a_file_is_whatever_table_it_reads_first(tmp_path: Path) -> None:
    assert load(tmp_path, **FILES).files["tiny.gains"].driver == "tiny.clean"
    assert GAINS.count("tiny.clean:") == 1
