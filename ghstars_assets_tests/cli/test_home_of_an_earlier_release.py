"""A home that release 0.1.0 filled is read, and goes on.

The archive holds the home of an invented world of 60 repositories, made by that release: sources,
snapshots with a gap, a quarantined day and a quarantined row, features, labels, three models with
their decisions, and calibrated forecasts with their scores.
"""

import json
import tarfile
from datetime import date
from pathlib import Path

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.ghstars_command import Ghstars

ARCHIVE = Path(__file__).parents[1] / "support" / "data" / "home-of-0.1.0.tar.xz"
LAST = date(2026, 8, 14)
WEEK = DayRange(date(2026, 8, 8), LAST)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path / "home", filter="data")
    return tmp_path / "home"


def _lake(home: Path) -> Lake:
    return Lake(Settings(home=home, threads=1, memory_gb=1))


def test_its_forecasts_are_shown_and_explained(ghstars: Ghstars, home: Path) -> None:
    shown = ghstars(home, "predict", "stars", "--date", str(LAST), "--json")
    assert shown.code == 0, shown.err
    rows = json.loads(shown.out)
    assert len(rows) == _lake(home).read("stars.predictions", LAST).height
    explained = ghstars(home, "explain", "stars", rows[0]["full_name"])
    assert explained.code == 0, explained.err
    query = "select count(*) as days from stars.calibration where level = 0"
    assert ghstars(home, "sql", "--json", query).code == 0


def test_its_days_are_filled_on_without_training_anew(ghstars: Ghstars, home: Path) -> None:
    lake = _lake(home)
    models = {day: lake.read("stars.model", day) for day in lake.days("stars.model")}
    before = {day: lake.read("stars.predictions", day) for day in WEEK}
    filled = ghstars(
        home, "backfill", "stars", "--from", str(WEEK.first), "--to", str(WEEK.last),
        "--stages", "model,champion,calibration,predictions,scores,drift,health",
    )  # fmt: skip
    assert filled.code == 0, filled.err
    for day, rows in models.items():
        assert lake.read("stars.model", day).equals(rows), day
    for day, rows in before.items():
        assert lake.read("stars.predictions", day).equals(rows), day
    # The drift and the health of these days are new: that release had filled none.
    assert lake.days("stars.health", WEEK) == list(WEEK)
    calibration = lake.read("stars.calibration", WEEK.last)
    assert {"is_sparse", "upper_bound"} <= set(calibration.columns)


def test_a_version_of_it_is_promoted_and_rolled_back(ghstars: Ghstars, home: Path) -> None:
    serving = int(_lake(home).read("stars.champion", LAST)["model_version"][0])
    other = next(version for version in (1, 2, 3) if version != serving)
    promoted = ghstars(home, "promote", "stars", str(other), "--why", "a test")
    assert promoted.code == 0, promoted.err
    back = ghstars(home, "rollback", "stars", "--why", "a test")
    assert back.code == 0, back.err
    log = _lake(home).read_log("stars.decisions")
    assert log is not None
    assert log["decision"].tail(2).to_list() == ["promote", "rollback"]
    assert log["model_version"].tail(2).to_list() == [other, serving]
