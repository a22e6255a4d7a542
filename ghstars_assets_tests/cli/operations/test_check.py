"""`ghstars check` finds what is damaged, and every command that meets it says so in a sentence."""

import json
from datetime import date
from pathlib import Path

import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support import damages
from ghstars_assets_tests.support.damages import partition_file
from ghstars_assets_tests.support.filled_home import settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars

DAY = date(2026, 8, 5)


@pytest.fixture
def damaged_home(filled_home_copy: Path) -> Path:
    lake = Lake(settings_of(filled_home_copy))
    damages.doubled(partition_file(lake, "stars.github", DAY))
    damages.cut_short(partition_file(lake, "stars.features", DAY))
    damages.with_a_retyped_column(partition_file(lake, "stars.predictions", DAY))
    return filled_home_copy


def test_a_whole_home_is_well(ghstars: Ghstars, filled_home: Path) -> None:
    ran = ghstars(filled_home, "check", "stars", "--deep", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, [])
    assert "nothing is wrong." in ran.err


def test_each_command_says_in_a_sentence_what_is_damaged(
    ghstars: Ghstars, damaged_home: Path
) -> None:
    checked = ghstars(damaged_home, "check", "--json")
    found = {(row["kind"], row["table"], row["day"]) for row in json.loads(checked.out)}
    damaged = ("github", "features", "predictions")
    assert found == {("damaged", f"stars.{name}", str(DAY)) for name in damaged}
    assert checked.code == 1

    status = ghstars(damaged_home, "status", "--json")
    shown = {row["stage"]: row["state"] for row in json.loads(status.out)}
    assert (status.code, {shown[name] for name in damaged}) == (3, {"damaged"})

    for arguments, table in (
        (("sql", "select sum(stars) from stars.features"), "features"),
        (("export-duckdb", str(damaged_home / "stars.duckdb")), "github"),
        (("predict", "stars", "--date", str(DAY)), "predictions"),
    ):
        ran = ghstars(damaged_home, *arguments)
        (line,) = (line for line in ran.err.splitlines() if line.startswith("ghstars: "))
        assert line.startswith(f"ghstars: stars.{table} of {DAY} is damaged (")
        assert "`ghstars check --mend` makes it again" in line
        assert (ran.code, "Traceback" in ran.err) == (1, False)


def test_status_names_the_day_and_the_command_that_makes_it_again(
    ghstars: Ghstars, damaged_home: Path
) -> None:
    ran = ghstars(damaged_home, "status")
    again = f"`ghstars backfill stars --from {DAY} --to {DAY} --stages features --force`"
    assert f"stars.features of {DAY} is damaged (it is cut short, or no Parquet file); {again}" in (
        ran.out
    )
    assert f"stars.github of {DAY} is damaged" in ran.out
