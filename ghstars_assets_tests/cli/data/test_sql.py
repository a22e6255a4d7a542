"""`ghstars sql`: queries over the lake."""

import io
import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import utc_now
from ghstars_assets.cli.data.lake_views import known_tables, named_tables
from ghstars_assets.cli.data.sql import run_queries
from ghstars_assets.cli.data.sql_prompt import completions, words_of
from ghstars_assets.cli.data.sql_results import results_of
from ghstars_assets.lake.duck import scratch_session
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import PROJECT_ROOT, SQL_ROOT
from ghstars_assets.sources.github.tables import rules_log, tables_of
from ghstars_assets.sources.github.tracking.tracking_rules import parse_tracking_rule, record
from ghstars_assets.sources.github_ranking.identity import Rename
from ghstars_assets.sources.github_ranking.names import NameAnswer, keep_answers, keep_renames
from ghstars_assets.sources.github_ranking.tables import ranking_logs, ranking_tables
from ghstars_assets_tests.support.counted_requests import count_requests
from ghstars_assets_tests.support.filled_home import settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars

COUNT = "select count(distinct day) as days from stars.snapshots"


def test_a_query_shows_its_result_alone_on_stdout(ghstars: Ghstars, filled_lake: Lake) -> None:
    ran = ghstars(filled_lake.settings.home, "sql", COUNT)
    assert (ran.code, ran.err) == (0, "")
    assert "days" in ran.out
    assert "73" in ran.out  # 75 days without the gap and the one in quarantine


@pytest.mark.parametrize("order", [("--csv", COUNT), (COUNT, "--csv")])
def test_flags_stand_before_or_after_the_query(
    ghstars: Ghstars, filled_lake: Lake, order: tuple[str, str]
) -> None:
    assert ghstars(filled_lake.settings.home, "sql", *order).out == "days\n73\n"


def test_csv_and_json_hold_every_column_of_a_nested_row(
    ghstars: Ghstars, filled_lake: Lake
) -> None:
    query = "select repo_id, drivers from stars.predictions order by day, repo_id limit 1"
    as_csv = pl.read_csv(io.StringIO(ghstars(filled_lake.settings.home, "sql", "--csv", query).out))
    (as_json,) = json.loads(ghstars(filled_lake.settings.home, "sql", "--json", query).out)
    assert json.loads(as_csv["drivers"][0]) == as_json["drivers"]
    assert set(as_json["drivers"][0]) == {"feature", "effect"}


def test_a_file_of_sql_is_run_and_one_that_is_not_there_is_named(
    ghstars: Ghstars, filled_lake: Lake, tmp_path: Path
) -> None:
    file = tmp_path / "count.sql"
    file.write_text(f"-- how many days\n{COUNT};\n")
    assert ghstars(filled_lake.settings.home, "sql", "-f", str(file), "--csv").out == "days\n73\n"
    ran = ghstars(filled_lake.settings.home, "sql", "-f", str(tmp_path / "none.sql"))
    assert ran.code == 1
    assert "none.sql cannot be read" in ran.err


def test_a_query_may_come_through_a_pipe(
    ghstars: Ghstars, filled_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(COUNT))
    assert ghstars(filled_lake.settings.home, "sql", "--csv").out == "days\n73\n"


def test_a_wrong_query_is_an_error_without_a_traceback(ghstars: Ghstars, filled_lake: Lake) -> None:
    ran = ghstars(filled_lake.settings.home, "sql", "select nope from stars.snapshots")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("ghstars: Binder Error")
    assert "Traceback" not in ran.err


def test_tables_that_hold_nothing_yet_are_empty_and_not_unknown(
    ghstars: Ghstars, tmp_path: Path
) -> None:
    query = "select count(*) as rows from stars.predictions"
    assert ghstars(tmp_path / "new", "sql", "--csv", query).out == "rows\n0\n"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (COUNT, ["stars.snapshots"]),
        ("with known as (select day from stars.labels) select * from known", ["stars.labels"]),
        ("from stars.gaps; select 1", ["stars.gaps"]),
        (
            'select * from "stars"."gaps" join memory.stars.labels using (day)',
            ["stars.gaps", "stars.labels"],
        ),
        ("select 1", []),
    ],
)
def test_only_the_tables_that_a_query_names_are_bound(query: str, expected: list[str]) -> None:
    assert sorted(table.name for table in named_tables(query, known_tables())) == expected


@pytest.mark.parametrize(
    "query",
    [
        "show tables",
        "use stars; select * from snapshots",
        "select * from information_schema.tables",
        "select * from duckdb_views()",
        "from query_table('stars.gaps')",
        "describe stars.gaps",
        "select from where",
        "select * from snapshots",
    ],
)
def test_a_query_that_may_mean_any_table_has_all_of_them(query: str) -> None:
    tables = known_tables()
    assert named_tables(query, tables) == tables


def test_a_query_lists_the_folders_of_its_tables_and_no_others(filled_lake: Lake) -> None:
    lake = Lake(filled_lake.settings)
    counted = count_requests(lake)
    run_queries(lake, COUNT, "csv")
    assert [key for kind, key in counted.requests if kind == "list"] == ["stars/snapshots/"]


# ---- what a value looks like, without a lake ----------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("interval 3 days", "3 days"),
        ("[interval 1 month]", "[1 month]"),
        ("sum(range)", "45"),
        ("170141183460469231731687303715884105727::hugeint", str(2**127 - 1)),
        ("340282366920938463463374607431768211455::uhugeint", str(2**128 - 1)),
        ("'\\xAA'::blob", "\\xAA"),
        ("'101'::bit", "101"),
        ("union_value(a := 1)", "1"),
        ("123.450::decimal(10, 3)", "123.450"),
        ("0.00012345::double", "0.00012345"),
        ("timestamp_ns '2026-01-01 00:00:00'", "2026-01-01 00:00:00"),
        ("'infinity'::date", "infinity"),
        ("date '0044-03-15 (BC)'", "0044-03-15 (BC)"),
        ("[1, null]", "[1, null]"),
        ("{'a': date '2026-01-02'}", "{a: 2026-01-02}"),
        ("'[red]x[/red] :x:'", "[red]x[/red] :x:"),
        ("'list[int]'", "list[int]"),
        ("'[/x]'", "[/x]"),
    ],
)
def test_every_type_is_shown_whole(ghstars: Ghstars, home: Path, value: str, shown: str) -> None:
    query = f"select {value} as x from range(10)" + ("" if "sum(" in value else " limit 1")
    ran = ghstars(home, "sql", query)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.split("\n")[2].strip() == shown
    for form in ("--csv", "--json"):
        assert ghstars(home, "sql", form, query).code == 0


def test_nan_is_null_in_json(ghstars: Ghstars, home: Path) -> None:
    query = "select 'nan'::double as a, [1.5, 'inf'::double] as b"
    out = ghstars(home, "sql", "--json", query).out
    assert json.loads(out, parse_constant=pytest.fail) == [{"a": None, "b": [1.5, None]}]


def test_each_of_several_statements_is_shown_and_a_file_holds_the_last(
    ghstars: Ghstars, home: Path
) -> None:
    text = "create temp table t as select 7 as seven; set threads = 1; from t; select 8 as eight"
    shown = ghstars(home, "sql", text)
    assert [line for line in shown.out.split() if not line.startswith("─")] == [
        *("seven", "7", "eight", "8")
    ]
    as_csv = ghstars(home, "sql", "--csv", text)
    assert as_csv.out == "eight\n8\n"
    assert "2 statements gave rows; --csv writes those of the last." in as_csv.err


def test_columns_of_one_name_are_both_shown(ghstars: Ghstars, home: Path) -> None:
    query = "select 1 as a, interval 2 days as a"
    assert ghstars(home, "sql", "--csv", query).out == "a,a_1\n1,2 days\n"


def test_show_tables_says_what_each_holds(ghstars: Ghstars, home: Path) -> None:
    rows = json.loads(ghstars(home, "sql", "--json", "SHOW TABLES;").out)
    held = {row["name"]: row["description"] for row in rows}
    assert held["stars.gaps"] == "Days that no source knows, each with its reason."
    assert held.keys() == {table.name for table in known_tables()}


def test_of_a_long_result_the_first_rows_are_fetched_and_the_rest_counted() -> None:
    with scratch_session() as connection:
        (result,) = results_of(connection, "select range as n from range(25_000)", most=3)
        (whole,) = results_of(connection, "select range as n from range(25_000)")
        (nothing,) = results_of(connection, "select 1 as n where false", most=3)
    assert result.frame["n"].to_list() == [0, 1, 2]
    assert result.rows_left_out == 24_997
    assert (whole.frame.height, whole.rows_left_out) == (25_000, 0)
    assert (nothing.frame.columns, nothing.rows_left_out) == (["n"], 0)


def test_a_plan_is_shown_as_duckdb_draws_it(ghstars: Ghstars, home: Path) -> None:
    assert ghstars(home, "sql", "explain select 1").out.startswith("╭")


# ---- the prompt ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("stars.snapshots_", ["stars.snapshots_quarantine"]),
        ("stars_gained_7", ["stars_gained_7d"]),
        ("SELE", ["SELECT"]),
        ("quantile_con", ["quantile_cont"]),
        ("", []),
    ],
)
def test_names_and_duckdbs_own_words_are_completed(typed: str, found: list[str]) -> None:
    with scratch_session() as connection:
        words = words_of(connection, known_tables())
    assert completions(typed, words) == found


# ---- what documents and examples name -----------------------------------------------------------

SCHEMAS = {table.name.partition(".")[0] for table in known_tables()}
NAMED = re.compile(rf"\b(?:{'|'.join(SCHEMAS)})\.(?!sql\b|py\b)[a-z_]+\b(?!\.[a-z])")
TEXTS = [*(PROJECT_ROOT / "docs").glob("*.md"), *SQL_ROOT.glob("*/explore/*.sql")]
TABLES_NAMED = sorted({name for text in TEXTS for name in NAMED.findall(text.read_text("utf-8"))})


def test_every_table_that_is_named_can_be_queried(ghstars: Ghstars, home: Path) -> None:
    assert {"stars.imports", "stars.archive_meanings"} < set(TABLES_NAMED)
    ran = ghstars(home, "sql", "; ".join(f"from {name}" for name in TABLES_NAMED))
    assert (ran.code, ran.err) == (0, "")


def test_logs_are_queried_with_the_columns_that_are_written(tmp_path: Path) -> None:
    """Of the logs that their writers append without a declared table."""
    lake = Lake(settings_of(tmp_path))
    tables = ranking_tables("stars")
    keep_renames(lake, tables, [Rename(date(2026, 1, 2), "a/b", "a/c")])
    keep_answers(lake, tables, [NameAnswer("A/b", 7, None, "a/c")])
    rule = parse_tracking_rule("owner", "duckdb")
    record(lake, tables_of("stars"), "track", [(rule, None)], "mine", utc_now())
    declared = {table.name: table for table in (*ranking_logs("stars"), rules_log("stars"))}
    for name in (tables.renames, tables.meanings, "stars.wishes"):
        stored = lake.read_log(name)
        assert stored is not None
        assert stored.schema == declared[name].empty().schema
