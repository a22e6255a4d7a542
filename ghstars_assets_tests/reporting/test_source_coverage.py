"""Which day is known from which source: what counts as missing, as sparse and as quarantined."""

from datetime import timedelta

from ghstars_assets.lake.tables import QUARANTINED, Lake
from ghstars_assets.problems.registry import find_problem
from ghstars_assets.reporting.source_coverage import DayState, source_coverage
from ghstars_assets_tests.reporting.lanes import DAY, lane
from ghstars_assets_tests.support import small_world
from ghstars_assets_tests.support.small_world import GAPS, RANKED_DAYS


def test_a_day_is_compared_with_what_was_usual_before_it() -> None:
    found = lane(100, 100, 79, 100, 100)
    assert list(found.shares().values()) == [1.0, 1.0, 0.79, 1.0, 1.0]
    assert found.sparse == [DAY + timedelta(days=2)]


def test_a_set_that_grows_or_is_cut_for_good_is_not_sparse_for_long() -> None:
    assert lane(10, 50, 100, 1000).sparse == []
    cut = lane(*[100] * 40, *[50] * 40)
    assert len(cut.sparse) == 16, "until most of the last thirty days have the new size"


def test_days_between_the_first_and_the_last_that_hold_nothing_are_missing() -> None:
    found = lane(5, None, 0, 5)
    assert found.missing == [DAY + timedelta(days=1), DAY + timedelta(days=2)]
    assert (found.first, found.last) == (DAY, DAY + timedelta(days=3))


def test_every_day_from_the_first_to_the_last_is_in_one_state() -> None:
    found = lane(100, 100, 100, 79, 50, 49, None, 0, 5, quarantined=(8,))
    assert list(found.states().values()) == [
        *(DayState.FULL, DayState.FULL, DayState.FULL),
        *(DayState.SHORT, DayState.SHORT, DayState.HALF),
        *(DayState.MISSING, DayState.MISSING, DayState.QUARANTINED),
    ]


def test_every_source_has_a_lane_and_so_have_the_snapshots(world_lake: Lake) -> None:
    lanes = {found.name: found for found in source_coverage(world_lake, find_problem("stars"))}
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


def test_a_day_in_quarantine_is_distinguished_from_a_day_without_data(world_lake: Lake) -> None:
    day = small_world.days_after_first(20)
    empty = world_lake.read("stars.snapshots", day).clear()
    world_lake.write("stars.snapshots", day, empty, notes={QUARANTINED: "half_is_missing"})
    lanes = source_coverage(world_lake, find_problem("stars"))
    assert lanes[-1].quarantined == {day}
    assert day in lanes[-1].missing


def test_a_home_without_a_day_has_no_lanes(lake: Lake) -> None:
    assert source_coverage(lake, find_problem("stars")) == []
