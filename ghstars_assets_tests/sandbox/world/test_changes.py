"""A world that changes on a day: the same until then, another from then on."""

from datetime import date, timedelta

import httpx
import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.http.child import running_sandbox
from ghstars_assets.sandbox.world.world import World, WorldSpec

FIRST_DAY = date(2025, 1, 1)
CHANGE_ON = date(2025, 2, 10)
LAST_DAY = CHANGE_ON + timedelta(days=42)
SEED, REPOSITORIES = 7, 300

Days = dict[date, pl.DataFrame]


def shown(change_on: date | None) -> Days:
    world = World(WorldSpec(SEED, REPOSITORIES, FIRST_DAY, change_on))
    return dict(world.snapshots(FIRST_DAY, LAST_DAY))


@pytest.fixture(scope="module")
def changed() -> Days:
    return shown(CHANGE_ON)


@pytest.fixture(scope="module")
def unchanged() -> Days:
    return shown(None)


def gained(days: Days, measure: str, span: DayRange) -> pl.DataFrame:
    """By repository that was there on both ends."""
    before, after = days[span.first], days[span.last]
    return before.select("repo_id", "language", before=measure).join(
        after.select("repo_id", after=measure), on="repo_id"
    )


def test_until_the_day_it_is_the_world_that_never_changes(changed: Days, unchanged: Days) -> None:
    before = DayRange(FIRST_DAY, CHANGE_ON - timedelta(days=1))
    assert all(changed[day].equals(unchanged[day]) for day in before)
    assert not changed[CHANGE_ON].equals(unchanged[CHANGE_ON])


def test_a_day_after_the_change_asked_for_alone_equals_that_day_of_a_full_pass(
    changed: Days,
) -> None:
    world = World(WorldSpec(SEED, REPOSITORIES, FIRST_DAY, CHANGE_ON))
    assert world.snapshot(LAST_DAY).equals(changed[LAST_DAY])


def test_the_purge_takes_a_visible_share_of_most_repositories_in_a_day(
    changed: Days, unchanged: Days
) -> None:
    eve = CHANGE_ON - timedelta(days=1)
    lost = (pl.col("after") < pl.col("before")).mean()
    shares = {
        name: gained(days, "stars", DayRange(eve, CHANGE_ON)).select(lost).item()
        for name, days in (("changed", changed), ("unchanged", unchanged))
    }
    # The gate warns of a day on which a sixth of them lose stars.
    assert shares["changed"] > 0.4
    assert shares["unchanged"] < 1 / 6
    worst = gained(changed, "stars", DayRange(eve, CHANGE_ON)).select(
        (1 - pl.col("after") / pl.col("before")).max()
    )
    assert 0.01 < worst.item() < 0.03


def test_the_boom_lifts_the_many_several_fold_and_lets_them_grow_on(
    changed: Days, unchanged: Days
) -> None:
    weeks = [DayRange(LAST_DAY - timedelta(7 * n + 7), LAST_DAY - timedelta(7 * n)) for n in (0, 1)]
    gain = (pl.col("after") - pl.col("before")).median()
    last, week_before = (gained(changed, "stars", week).select(gain).item() for week in weeks)
    assert last > 1.2 * week_before
    assert last > 3 * gained(unchanged, "stars", weeks[0]).select(gain).item()


def test_the_boom_reaches_python_first(changed: Days, unchanged: Days) -> None:
    week = DayRange(CHANGE_ON, CHANGE_ON + timedelta(days=7))

    def share_with_many_more_forks(*, is_python: bool) -> float:
        both = gained(changed, "forks", week).join(gained(unchanged, "forks", week), on="repo_id")
        there = both.filter((pl.col("language") == "Python") == is_python)
        more = (pl.col("after") - pl.col("before")) > 2 + 2 * (
            pl.col("after_right") - pl.col("before_right")
        )
        return there.select(more.mean()).item()

    assert share_with_many_more_forks(is_python=True) > 3 * share_with_many_more_forks(
        is_python=False
    )


def test_a_world_cannot_change_before_it_begins() -> None:
    with pytest.raises(GhstarsError, match=r"cannot change on 2025-01-01, .* later day"):
        WorldSpec(SEED, REPOSITORIES, FIRST_DAY, FIRST_DAY)


def test_the_sandbox_of_a_changing_world_shows_that_world() -> None:
    spec = WorldSpec(SEED, 40, FIRST_DAY, CHANGE_ON)
    shown = {
        change_on: World(WorldSpec(SEED, 40, FIRST_DAY, change_on)).snapshot(CHANGE_ON)
        for change_on in (CHANGE_ON, None)
    }
    purged = shown[CHANGE_ON].join(shown[None], on="repo_id", suffix="_unchanged")
    repo_id, stars = purged.filter(pl.col("stars") < pl.col("stars_unchanged")).row(0)[1:4:2]
    with running_sandbox(spec) as sandbox, httpx.Client(trust_env=False) as client:
        sandbox.travel_to(CHANGE_ON)
        found = client.get(
            f"{sandbox.url}/repositories/{repo_id}",
            headers={"Authorization": f"Bearer {sandbox.token}"},
        )
        assert found.json()["stargazers_count"] == stars
