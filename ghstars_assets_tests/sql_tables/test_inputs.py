"""What a file may be made of: optional reads, tables that stand in for others, gaps by nature."""

from datetime import date, timedelta

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.plan import own_days
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.graph import SqlGraph, load_sql_graph
from ghstars_assets_tests.support.tiny_problem import RAW, raw_rows

DAY = date(2026, 3, 1)
OLD = Table("tiny.old", "What an archive holds.", RAW.columns, key=("id",))
WHY = "the archive has no file of this day"
MERGED = f"""\
/*
description: Both sources; the live one is trusted more.
key: [id]
reads:
  tiny.raw: 0
  tiny.old: {{days: 0, optional: "{WHY}"}}
columns:
  day: {{type: date, is: "the UTC day"}}
  id: {{type: bigint, is: "the entity"}}
  amount: {{type: bigint, is: "the measure"}}
*/
select day, id, amount from tiny.raw
union all
select day, id, amount from tiny.old anti join tiny.raw using (day, id)
"""
COMPARED = f"""\
/*
description: Where both sources count one entity.
key: [id]
reads:
  tiny.raw: {{days: 0, decides: true}}
  tiny.old: {{days: 0, optional: "{WHY}"}}
columns:
  day: {{type: date, is: "the UTC day"}}
  id: {{type: bigint, is: "the entity"}}
  apart: {{type: bigint, is: "how far the two are apart"}}
*/
select day, id, raw.amount - old.amount as apart
from tiny.raw as raw
inner join tiny.old as old using (day, id)
"""
REMEMBERED = f"""\
/*
description: What the archive held for the three days before, if anything.
key: [id]
reads:
  tiny.raw: 0
  tiny.old: {{days: -3..0, optional: "{WHY}"}}
columns:
  day: {{type: date, is: "the UTC day"}}
  id: {{type: bigint, is: "the entity"}}
  times: {{type: bigint, is: "how often"}}
*/
select raw.day, raw.id, count(old.day) as times
from tiny.raw as raw
left join tiny.old as old on raw.id = old.id and old.day between raw.day - 3 and raw.day
group by raw.day, raw.id
"""


def on(number: int) -> date:
    return DAY + timedelta(days=number)


def span(first: int, last: int) -> DayRange:
    return DayRange(on(first), on(last))


@pytest.fixture
def graph(tmp_path_factory: pytest.TempPathFactory) -> SqlGraph:
    folder = tmp_path_factory.mktemp("sql") / "sql" / "tiny"
    folder.mkdir(parents=True)
    files = {"merged": MERGED, "compared": COMPARED, "remembered": REMEMBERED}
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return load_sql_graph([folder], [RAW, OLD])


def tell(lake: Lake, table: Table, number: int, *amounts: int) -> None:
    lake.write(table.name, on(number), raw_rows(on(number), *amounts))


def made(lake: Lake, graph: SqlGraph, table: str, days: DayRange) -> str:
    """One letter a day: written, gap, skipped."""
    outcomes: list[DayOutcome] = []
    for batch in fill(lake, graph.files[table], graph.tables, days):
        outcomes += batch.outcomes
    return "".join(outcome.status.value[0] for outcome in outcomes)


def rows(lake: Lake, table: str, number: int) -> list[tuple[int, ...]]:
    return lake.read(table, on(number)).drop("day").rows()


def test_a_day_is_made_of_the_source_that_has_it(lake: Lake, graph: SqlGraph) -> None:
    tell(lake, OLD, 0, 1, 2)
    tell(lake, OLD, 1, 3, 4)
    tell(lake, RAW, 1, 5)
    tell(lake, RAW, 2, 6)
    assert made(lake, graph, "tiny.merged", span(0, 2)) == "www"
    assert rows(lake, "tiny.merged", 0) == [(1, 1), (2, 2)]
    assert rows(lake, "tiny.merged", 1) == [(1, 5), (2, 4)]
    assert rows(lake, "tiny.merged", 2) == [(1, 6)]


def test_a_day_that_an_archive_lacks_before_the_live_source_begins_is_a_gap_with_the_reason(
    lake: Lake, graph: SqlGraph
) -> None:
    tell(lake, OLD, 0, 1)
    tell(lake, OLD, 2, 1)
    tell(lake, RAW, 4, 1)
    assert made(lake, graph, "tiny.merged", span(0, 4)) == "wgwgw"
    (gap,) = lake.partitions("tiny.merged", span(1, 1))
    assert lake.notes(gap)[GAP] == WHY


def test_a_day_that_the_live_source_should_have_is_an_error_whatever_the_archive_holds(
    lake: Lake, graph: SqlGraph
) -> None:
    tell(lake, OLD, 0, 1)
    tell(lake, RAW, 1, 1)
    tell(lake, RAW, 3, 1)
    with pytest.raises(MissingDayError, match=str(on(2))):
        made(lake, graph, "tiny.merged", span(0, 3))


def test_after_an_archive_ends_and_without_a_live_source_days_are_missing_not_gaps(
    lake: Lake, graph: SqlGraph
) -> None:
    tell(lake, OLD, 0, 1)
    with pytest.raises(MissingDayError, match=str(on(1))):
        made(lake, graph, "tiny.merged", span(0, 1))


def test_an_optional_table_that_looks_back_may_lack_every_day(lake: Lake, graph: SqlGraph) -> None:
    for number in range(5):
        tell(lake, RAW, number, 1, 2)
    assert made(lake, graph, "tiny.remembered", span(0, 4)) == "wwwww"
    assert rows(lake, "tiny.remembered", 4) == [(1, 0), (2, 0)]
    tell(lake, OLD, 0, 7)
    tell(lake, OLD, 3, 7)
    made(lake, graph, "tiny.remembered", span(0, 4))
    assert rows(lake, "tiny.remembered", 3) == [(1, 2), (2, 0)]
    assert rows(lake, "tiny.remembered", 4) == [(1, 1), (2, 0)]


def test_an_optional_table_that_looks_back_stands_in_for_nothing(
    lake: Lake, graph: SqlGraph
) -> None:
    tell(lake, RAW, 0, 1)
    tell(lake, OLD, 1, 1)
    with pytest.raises(MissingDayError, match=str(on(1))):
        made(lake, graph, "tiny.remembered", span(0, 1))


def test_a_day_that_a_deciding_table_lacks_is_no_day_of_its_stage(
    lake: Lake, graph: SqlGraph
) -> None:
    for number in range(4):
        tell(lake, OLD, number, 1)
    tell(lake, RAW, 2, 5)
    file = graph.files["tiny.compared"]
    assert own_days(lake, file.reads, list(span(0, 3))) == [on(2)]
    assert made(lake, graph, "tiny.compared", span(2, 2)) == "w"
    assert rows(lake, "tiny.compared", 2) == [(1, 4)]
    with pytest.raises(MissingDayError, match=str(on(3))):
        made(lake, graph, "tiny.compared", span(3, 3))


def test_every_day_is_a_day_of_a_stage_where_no_table_decides(lake: Lake, graph: SqlGraph) -> None:
    file = graph.files["tiny.merged"]
    assert own_days(lake, file.reads, list(span(0, 3))) == list(span(0, 3))
