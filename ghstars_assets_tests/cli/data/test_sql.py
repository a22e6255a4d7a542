"""`ghstars sql`: queries over the lake."""

import io
import json
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.cli.data.lake_views import known_tables, named_tables
from ghstars_assets.cli.data.sql import run_queries
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.counted_requests import count_requests
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
