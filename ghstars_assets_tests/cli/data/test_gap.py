"""`ghstars gap`: only days that no source knows are declared."""

from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.ghstars_command import Ghstars


def test_a_day_that_a_source_holds_is_no_gap(ghstars: Ghstars, filled_lake: Lake) -> None:
    ran = ghstars(filled_lake.settings.home, "gap", "stars", "2026-07-20", "--why", "x")
    assert ran.code == 1
    assert "holds 2026-07-20, so it is no gap" in ran.err
