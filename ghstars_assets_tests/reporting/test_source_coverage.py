"""Which day is known from which source: what counts as missing, as thin and as held back."""

from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from ghstars_assets.lake.tables import QUARANTINED, Lake
from ghstars_assets.problems.registry import find_problem
from ghstars_assets.reporting.source_coverage import Lane, coverage_of
from ghstars_assets.reporting.source_coverage_picture import (
    _COLOURS,
    as_markdown_image,
    coverage_svg,
)
from ghstars_assets_tests.support import small_world
from ghstars_assets_tests.support.small_world import GAPS, RANKED_DAYS

DAY = date(2026, 1, 1)
SVG = "{http://www.w3.org/2000/svg}"


def lane(*counts: int | None, held_back: tuple[int, ...] = ()) -> Lane:
    """One count a day; None where nothing is stored."""
    told = {DAY + timedelta(days=n): count for n, count in enumerate(counts) if count is not None}
    return Lane("tiny.raw", told, frozenset(DAY + timedelta(days=n) for n in held_back))


def test_a_day_is_held_against_what_was_usual_before_it() -> None:
    found = lane(100, 100, 79, 100, 100)
    assert list(found.shares().values()) == [1.0, 1.0, 0.79, 1.0, 1.0]
    assert found.thin == [DAY + timedelta(days=2)]


def test_a_set_that_grows_or_is_cut_for_good_is_not_thin_for_long() -> None:
    assert lane(10, 50, 100, 1000).thin == []
    cut = lane(*[100] * 40, *[50] * 40)
    assert len(cut.thin) == 16, "until most of the last thirty days have the new size"


def test_days_between_the_first_and_the_last_that_hold_nothing_are_missing() -> None:
    found = lane(5, None, 0, 5)
    assert found.missing == [DAY + timedelta(days=1), DAY + timedelta(days=2)]
    assert (found.first, found.last) == (DAY, DAY + timedelta(days=3))


def test_every_source_has_a_lane_and_so_have_the_snapshots(world_lake: Lake) -> None:
    lanes = {found.name: found for found in coverage_of(world_lake, find_problem("stars"))}
    assert list(lanes) == [
        "stars.github",
        "stars.star_history",
        "stars.github_ranking",
        "stars.snapshots",
    ]
    gaps = {day for gap in GAPS for day in gap}
    assert set(lanes["stars.github"].missing) == gaps
    assert set(lanes["stars.snapshots"].missing) == gaps
    assert set(lanes["stars.star_history"].counts.values()) == {1}
    assert lanes["stars.github_ranking"].first == small_world.days_after_first(RANKED_DAYS.start)


def test_a_day_in_quarantine_is_told_from_a_day_without_data(world_lake: Lake) -> None:
    day = small_world.days_after_first(20)
    empty = world_lake.read("stars.snapshots", day).clear()
    world_lake.write("stars.snapshots", day, empty, notes={QUARANTINED: "half_is_missing"})
    lanes = coverage_of(world_lake, find_problem("stars"))
    assert lanes[-1].held_back == {day}
    assert day in lanes[-1].missing


def test_a_home_without_a_day_has_no_lanes(lake: Lake) -> None:
    assert coverage_of(lake, find_problem("stars")) == []


# ---- the picture --------------------------------------------------------------------------------


def widths(picture: str) -> dict[str, float]:
    """Of what is drawn within the lanes, by colour."""
    found: dict[str, float] = {}
    for rect in ET.fromstring(picture).iter(f"{SVG}rect"):
        if rect.get("stroke") is None and rect.get("x"):
            colour = str(rect.get("fill"))
            found[colour] = found.get(colour, 0) + float(str(rect.get("width")))
    return found


def test_a_lane_shows_every_kind_of_day_in_its_own_colour() -> None:
    drawn = widths(coverage_svg([lane(100, 100, 70, 20, None, 0, 100, 100, held_back=(5,))]))
    assert set(drawn) == set(_COLOURS.values())
    assert drawn[_COLOURS["full"]] == pytest.approx(4 / 8 * 810, abs=0.1)


def test_a_single_bad_day_among_thousands_can_be_seen() -> None:
    counts = [100] * 3000
    counts[1500] = 10
    assert widths(coverage_svg([lane(*counts)]))[_COLOURS["half"]] == 1.0


def test_lanes_share_one_axis_of_time() -> None:
    early, late = lane(*[5] * 10), lane(*[None] * 10, *[5] * 10)
    root = ET.fromstring(coverage_svg([early, late]))
    drawn = [rect for rect in root.iter(f"{SVG}rect") if rect.get("fill") == _COLOURS["full"]]
    left = sorted(float(str(rect.get("x"))) for rect in drawn if rect.get("stroke") is None)
    assert left[1] - left[0] == pytest.approx(810 / 2)


def test_the_picture_is_within_the_text_of_the_metadata() -> None:
    told = as_markdown_image(coverage_svg([lane(1, 2)]))
    assert told.startswith("![coverage](data:image/svg+xml;base64,")
