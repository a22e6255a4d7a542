"""`ghstars release`: a day leaves quarantine, and what hangs on it is made again."""

from pathlib import Path

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.filled_home import QUARANTINED_DAY, settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars


def test_a_release_brings_a_quarantined_day_back_with_all_that_hangs_on_it(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    lake, day = Lake(settings_of(filled_home_copy)), str(QUARANTINED_DAY)
    only = DayRange(QUARANTINED_DAY, QUARANTINED_DAY)
    assert lake.days("stars.features", only) == []

    ran = ghstars(lake.settings.home, "release", "stars", day, "--why", "it is no repeat")

    assert ran.code == 0, ran.err
    assert lake.read("stars.features", QUARANTINED_DAY).height > 100
    assert lake.days("stars.snapshots_quarantine", only) == []
    audit = lake.read_log("platform.audit")
    assert audit is not None
    row = audit.filter(audit["event"] == "release").row(0, named=True)
    assert (row["cause"], row["subject"]) == ("it is no repeat", day)


def test_what_is_not_in_quarantine_cannot_be_released(ghstars: Ghstars, filled_lake: Lake) -> None:
    ran = ghstars(filled_lake.settings.home, "release", "stars", "2026-07-20", "--why", "x")
    assert ran.code == 1
    assert "there is nothing to release" in ran.err
