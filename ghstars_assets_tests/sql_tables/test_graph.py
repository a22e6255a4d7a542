from pathlib import Path

import pytest

from ghstars_assets.errors import SqlAssetError
from ghstars_assets.sql_tables.graph import require_no_foresight
from ghstars_assets_tests.support.tiny_problem import CLEAN, FILES, GAINS, NEXT, load


def refusal(folder: Path, **files: str) -> str:
    with pytest.raises(SqlAssetError) as caught:
        load(folder, **FILES | files)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_files_come_in_an_order_in_which_each_is_after_what_it_reads(tmp_path: Path) -> None:
    first = GAINS.replace("tiny.clean", "tiny.raw")
    later = GAINS.replace("tiny.clean", "tiny.zebra").replace("amount", "gained")
    graph = load(tmp_path, aardvark=later, zebra=first)
    assert list(graph.files) == ["tiny.zebra", "tiny.aardvark"]


def test_a_gate_brings_a_quarantine_that_others_may_read(tmp_path: Path) -> None:
    graph = load(tmp_path, **FILES)
    assert set(graph.tables) == {
        "tiny.raw", "tiny.clean", "tiny.clean_quarantine", "tiny.gains", "tiny.next",
    }  # fmt: skip
    names = graph.tables["tiny.clean_quarantine"].column_names
    assert names == ["day", "id", "amount", "rule", "reason"]


def test_a_header_that_reads_a_table_nobody_makes(tmp_path: Path) -> None:
    message = refusal(tmp_path, gains=GAINS.replace("tiny.clean", "tiny.cleam"))
    assert message.startswith("sql/tiny/gains.sql:5 reads tiny.cleam, which no file under sql/")


@pytest.mark.parametrize("window", ["-2..1", "1"])
def test_a_window_that_looks_ahead_where_there_is_no_target(tmp_path: Path, window: str) -> None:
    message = refusal(tmp_path, gains=GAINS.replace("tiny.clean: -2..0", f"tiny.clean: {window}"))
    assert message == (
        "sql/tiny/gains.sql:5 reads tiny.clean 1 days ahead, which only labels may; let its window "
        "end at 0."
    )


def test_what_reads_labels_knows_of_days_to_come_until_their_outcomes_are_known(
    tmp_path: Path,
) -> None:
    """Two days ahead: the outcome of the day before yesterday is known today."""
    habits = GAINS.replace("tiny.clean", "tiny.next").replace("amount", "gained_next_2d")
    early = load(tmp_path / "early", clean=CLEAN, next=NEXT, habits=habits)
    assert early.tables["tiny.habits"].days_ahead == early.tables["tiny.next"].days_ahead == 2
    with pytest.raises(SqlAssetError) as refused:
        require_no_foresight(early.files["tiny.habits"], early.tables)
    assert str(refused.value) == (
        "sql/tiny/habits.sql:5 reads tiny.next, whose rows know of 2 days after theirs; let its "
        "window end at -2."
    )
    late = habits.replace("tiny.next: -2..0", "tiny.next: -4..-2")
    known = load(tmp_path / "known", clean=CLEAN, next=NEXT, habits=late)
    require_no_foresight(known.files["tiny.habits"], known.tables)
    assert known.tables["tiny.habits"].days_ahead == 0


def test_a_query_that_reads_a_table_its_header_does_not_list(tmp_path: Path) -> None:
    message = refusal(
        tmp_path, gains=GAINS.replace("tiny.clean as two_before", "tiny.raw as two_before")
    )
    assert message.startswith(
        "sql/tiny/gains.sql:17 reads tiny.raw, which the header does not list"
    )


def test_a_header_that_reads_a_table_its_query_does_not(tmp_path: Path) -> None:
    both = GAINS.replace("  tiny.clean: -2..0\n", "  tiny.clean: -2..0\n  tiny.raw: 0\n")
    message = refusal(tmp_path, gains=both)
    assert message.startswith("sql/tiny/gains.sql:6 says it reads tiny.raw, but the query does not")


@pytest.mark.parametrize(
    "backdoor",
    [
        "read_parquet('lake/tiny/clean/*/data.parquet')",
        "'lake/tiny/clean/data.parquet'",
        "glob('*')",
        "read_csv('file.csv')",
        "query_table('tiny.clean')",
        "query('select 1')",
        "clean",
    ],
)
def test_a_query_that_finds_its_rows_in_another_way_than_by_a_listed_name(
    tmp_path: Path, backdoor: str
) -> None:
    message = refusal(
        tmp_path, gains=GAINS.replace("tiny.clean as two_before", f"{backdoor} as two_before")
    )
    assert message.startswith("sql/tiny/gains.sql:17 reads ")
    assert "which is no table of the lake" in message


def test_named_steps_and_series_are_no_tables(tmp_path: Path) -> None:
    query = (
        "with today as (select day, id, amount from tiny.clean),\n"
        "days as (select unnest(generate_series(1, 2)) as n)\n"
        "select today.day, today.id, min(today.amount + days.n + other.i) as gained\n"
        "from today, days, range(3) as other(i), unnest([1, 2]) as one(x)\n"
        "group by all\n"
    )
    header = GAINS[: GAINS.index("select\n")]
    assert "tiny.gains" in load(tmp_path, clean=CLEAN, gains=header + query).files


def test_a_column_that_the_header_does_not_document(tmp_path: Path) -> None:
    more = GAINS.replace("    today.id,\n", "    today.id,\n    today.amount as today,\n")
    message = refusal(tmp_path, gains=more)
    assert message.startswith(
        "sql/tiny/gains.sql:14 gives the column 'today', which the header does"
    )


def test_a_column_that_the_query_does_not_give(tmp_path: Path) -> None:
    more = GAINS.replace("  gained:", '  lost: {type: bigint, is: "what went"}\n  gained:')
    message = refusal(tmp_path, gains=more)
    assert message == "sql/tiny/gains.sql:9 documents 'lost', which the query does not give."


def test_a_column_of_another_type_than_the_query_gives(tmp_path: Path) -> None:
    message = refusal(
        tmp_path, gains=GAINS.replace("gained: {type: bigint", "gained: {type: double")
    )
    assert message == "sql/tiny/gains.sql:9 says 'gained' is double, but the query gives bigint."


def test_a_column_of_a_type_that_does_not_exist(tmp_path: Path) -> None:
    message = refusal(
        tmp_path, gains=GAINS.replace("gained: {type: bigint", "gained: {type: number")
    )
    assert message.startswith("sql/tiny/gains.sql:9 gives 'gained' the type 'number', which DuckDB")


def test_columns_in_another_order_than_the_query_gives_them(tmp_path: Path) -> None:
    swapped = GAINS.replace("    today.day,\n    today.id,\n", "    today.id,\n    today.day,\n")
    message = refusal(tmp_path, gains=swapped)
    assert message.startswith("sql/tiny/gains.sql:6 lists the columns in another order")


def test_a_query_that_asks_for_a_column_its_table_lacks(tmp_path: Path) -> None:
    message = refusal(tmp_path, next=NEXT.replace("outcome.amount", "outcome.amonut"))
    assert message.startswith("sql/tiny/next.sql:14 does not bind: Binder Error:")
    assert "amonut" in message


def test_a_query_that_is_none(tmp_path: Path) -> None:
    message = refusal(tmp_path, next=NEXT.replace("inner join", "inner jion tiny"))
    assert message.startswith("sql/tiny/next.sql:16 is not a query: ")
    message = refusal(tmp_path, next=NEXT[: NEXT.index("select\n")] + "drop table tiny.clean\n")
    assert message.startswith("sql/tiny/next.sql:11 is not a select")


def test_tables_that_read_each_other_in_a_circle(tmp_path: Path) -> None:
    forth = NEXT.replace("tiny.clean", "tiny.forth").replace(".amount", ".gained_next_2d")
    back = forth.replace("tiny.forth", "tiny.next")
    message = refusal(tmp_path, next=forth, forth=back)
    assert message in (
        "sql/tiny/next.sql:5 closes a circle: tiny.next needs tiny.forth needs tiny.next.",
        "sql/tiny/forth.sql:5 closes a circle: tiny.forth needs tiny.next needs tiny.forth.",
    )


def test_a_table_that_is_made_twice(tmp_path: Path) -> None:
    message = refusal(tmp_path, raw=NEXT)
    assert message.startswith("sql/tiny/raw.sql:1 makes tiny.raw, which is made elsewhere too")


@pytest.mark.parametrize(
    ("was", "now", "line", "complaint"),
    [
        ("candidate where amount", "candidate where amonut", 17, "does not bind: Binder Error"),
        ("select id from candidate where", "select day from candidate where", 17, "must select id"),
        ("from candidate group", "from this group", 25, "does not bind: Catalog Error"),
        ("from previous)", "from tiny.raw)", 29, "does not bind: Catalog Error"),
    ],
)
def test_a_rule_of_the_gate_that_could_not_run(
    tmp_path: Path, was: str, now: str, line: int, complaint: str
) -> None:
    message = refusal(tmp_path, clean=CLEAN.replace(was, now))
    assert message.startswith(f"sql/tiny/clean.sql:{line} {complaint}")


@pytest.mark.parametrize(
    ("fails", "complaint"),
    [
        ("select day from this where amonut < 0", "does not bind: Binder Error"),
        ("select id from this", "must select day"),
        ("select day from previous", "does not bind: Catalog Error"),
    ],
)
def test_an_assertion_that_could_not_run(tmp_path: Path, fails: str, complaint: str) -> None:
    check = f'  sane:\n    is: "no odd one"\n    fails: {fails}\ngate:'
    message = refusal(tmp_path, clean=CLEAN.replace("gate:", check))
    assert message.startswith(f"sql/tiny/clean.sql:14 {complaint}")


def test_the_projects_own_files_hold_together(stars_graph: object) -> None:
    """Loading is the test; see conftest."""
    assert stars_graph


def test_a_table_comes_after_what_it_follows_without_reading_it(tmp_path: Path) -> None:
    header = "follows:\n  tiny.next: the one must be over before the other begins\ncolumns:"
    graph = load(tmp_path, **FILES | {"gains": GAINS.replace("columns:", header)})
    assert list(graph.files).index("tiny.next") < list(graph.files).index("tiny.gains")
    message = refusal(tmp_path, gains=GAINS.replace("columns:", header.replace("next", "nxt")))
    assert message.startswith("sql/tiny/gains.sql:7 follows tiny.nxt, which nothing makes")
