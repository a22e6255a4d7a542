"""`ghstars sql`: queries over the lake."""

import io
import json
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.lake.tables import Lake
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
