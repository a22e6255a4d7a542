"""`ghstars gap`: only days that no source knows are declared."""

import pytest

from ghstars_assets.calendar import utc_today
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.ghstars_command import Ghstars


def test_a_day_that_a_source_holds_is_no_gap(ghstars: Ghstars, filled_lake: Lake) -> None:
    ran = ghstars(filled_lake.settings.home, "gap", "stars", "2026-07-20", "--why", "x")
    assert ran.code == 1
    assert "holds 2026-07-20, so it is no gap" in ran.err


@pytest.mark.parametrize(
    ("day", "complaint"),
    [
        (f"{utc_today().year + 1}-01-01", "is not over for stars, whose newest day is"),
        ("2026-05-31", "stars begins on 2026-06-01 here"),
        ("1999-01-01", "stars begins on 2026-06-01 here"),
    ],
)
def test_a_day_that_never_was_is_no_gap(
    ghstars: Ghstars, filled_lake: Lake, day: str, complaint: str
) -> None:
    ran = ghstars(filled_lake.settings.home, "gap", "stars", day, "--why", "x")
    assert ran.code == 1
    assert complaint in ran.err


def test_a_range_that_ends_before_it_begins_is_a_misuse(
    ghstars: Ghstars, filled_lake: Lake
) -> None:
    days = ("2026-08-02", "2026-08-01")
    ran = ghstars(filled_lake.settings.home, "gap", "stars", *days, "--why", "x")
    assert ran.code == 2
    assert "ends before it starts" in ran.err
