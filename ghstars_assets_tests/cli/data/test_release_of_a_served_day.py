"""`ghstars release` of a day on which a version serves makes everything after it again."""

from datetime import date
from pathlib import Path

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import QUARANTINED, Lake
from ghstars_assets_tests.support.filled_home import DAYS, settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars

DAY = date(2026, 8, 12)


def _hold_back(lake: Lake, day: date) -> None:
    """Leave the lake as a gate leaves it that held the whole day back."""
    rows = lake.read("stars.snapshots", day)
    lake.write("stars.snapshots_quarantine", day, rows)
    lake.write("stars.snapshots", day, rows.clear(), notes={QUARANTINED: "a test"})
    for stage in ("features", "champion", "calibration", "predictions"):
        lake.delete(f"stars.{stage}", day)


def test_its_forecasts_drift_and_health_are_made_again(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    lake = Lake(settings_of(filled_home_copy))
    before = lake.read("stars.predictions", DAY)
    _hold_back(lake, DAY)
    released = ghstars(filled_home_copy, "release", "stars", str(DAY), "--why", "it was right")
    assert released.code == 0, released.err
    for stage in ("champion", "calibration", "predictions", "drift", "health"):
        assert lake.days(f"stars.{stage}", DayRange(DAY, DAYS.last)) == [
            *DayRange(DAY, DAYS.last)
        ], stage
    after = lake.read("stars.predictions", DAY)
    assert after["repo_id"].to_list() == before["repo_id"].to_list()
    assert after["model_version"].to_list() == before["model_version"].to_list()
