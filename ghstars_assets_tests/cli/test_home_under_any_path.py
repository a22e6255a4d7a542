"""A home works wherever it lies, or is refused at once."""

import json
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from ghstars_assets_tests.support.ghstars_command import Ghstars

COUNT = "select count(*) as rows from stars.predictions where day = '2026-08-14'"


@pytest.mark.parametrize(
    "name", ["100%", "50%41 off", "what?", "all*", "{a,b} (1)", 'it\'s "ü" 🦉 #1;&']
)
def test_a_home_works_under_any_path(
    ghstars: Ghstars, filled_home: Path, tmp_path: Path, name: str
) -> None:
    home, export = tmp_path / name / "home", tmp_path / "lake.duckdb"
    # A write replaces a file and never changes it.
    shutil.copytree(filled_home / "lake", home / "lake", copy_function=os.link)

    day = ("--from", "2026-08-14", "--to", "2026-08-14")
    filled = ghstars(home, "backfill", "stars", *day, "--stages", "features,predictions", "--force")
    assert filled.code == 0, filled.err
    assert "features         1 days filled" in filled.out
    shown = ghstars(home, "status", "--json")
    assert shown.code == 3, shown.err
    assert {row["newest"] for row in json.loads(shown.out) if row["stage"] == "features"} == {
        "2026-08-14"
    }
    asked = ghstars(home, "sql", "--json", COUNT)
    assert asked.code == 0, asked.err
    assert ghstars(home, "export-duckdb", str(export)).code == 0
    with duckdb.connect(str(export), read_only=True) as connection:
        assert connection.sql(COUNT).fetchall() == [(json.loads(asked.out)[0]["rows"],)]
    assert {path.name for path in tmp_path.iterdir()} == {name, export.name}


def test_a_pattern_in_a_path_reads_no_home_beside_it(
    ghstars: Ghstars, filled_home: Path, tmp_path: Path
) -> None:
    for name in ("all*", "allies"):
        shutil.copytree(filled_home / "lake", tmp_path / name / "lake", copy_function=os.link)
    rows = [
        json.loads(ghstars(home, "sql", "--json", COUNT).out)[0]["rows"]
        for home in (filled_home, tmp_path / "all*")
    ]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(("name", "sign"), [("[ab]", "`[`"), ("a\\b", "`\\`")])
def test_a_path_that_cannot_be_used_is_refused_before_anything_is_made(
    ghstars: Ghstars, tmp_path: Path, name: str, sign: str
) -> None:
    for command in ("status", "sql", "doctor"):
        ran = ghstars(tmp_path / name, command)
        assert ran.code == 1
        assert f"reads a {sign} in its path" in ran.err
    assert list(tmp_path.iterdir()) == []
