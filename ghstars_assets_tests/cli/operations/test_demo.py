"""`ghstars demo`: the whole loop, from an empty home."""

from pathlib import Path

import pytest

from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.filled_home import settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars


def test_a_home_of_real_data_refuses_the_sandbox(ghstars: Ghstars, tmp_path: Path) -> None:
    mark_lake(Lake(settings_of(tmp_path / "home")), Marker("real"))
    ran = ghstars(tmp_path / "home", "demo")
    assert ran.code == 1
    assert "holds real data and takes no sandbox data" in ran.err


def test_the_demo_goes_from_an_empty_home_to_forecasts_and_a_second_one_adds_nothing(
    ghstars: Ghstars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_SANDBOX_REPOSITORIES", "60")
    monkeypatch.setenv("GHSTARS_SANDBOX_DAYS", "90")
    home = tmp_path / "home"

    ran = ghstars(home, "demo", "--days", "60")

    assert ran.code == 0, ran.err
    assert "How many stars will a repository gain" in ran.out
    assert "The record: mean absolute error against the naive forecast" in ran.out
    assert "ghstars up" in ran.out
    assert "invented world" in ran.out
    assert "How to read this: typical is" in ran.out
    (trained,) = (line for line in ran.err.splitlines() if line.startswith("stars model"))
    work = float(trained.split("filled; ")[1].split(" s of work")[0])
    assert work > 0
    lake = Lake(settings_of(home))
    before = {table: lake.partitions(table) for table in lake.tables()}
    assert len(before["stars.snapshots"]) == 60
    assert len(before["stars.labels"]) == 53

    again = ghstars(home, "demo", "--days", "60")

    assert again.code == 0, again.err
    assert "up to date" in again.err
    after = {table: lake.partitions(table)[: len(before[table])] for table in before}
    assert after == before
