from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO

import polars as pl
import pytest

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.world.conditions import conditions_of
from ghstars_assets.sandbox.world.world import SNAPSHOT_SCHEMA, World, WorldSpec

FIRST_DAY = date(2025, 9, 1)
SPEC = WorldSpec(seed=7, repositories=600, first_day=FIRST_DAY)
DAYS = 400
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)


@pytest.fixture(scope="module")
def history() -> pl.DataFrame:
    return pl.concat([frame for _, frame in World(SPEC).snapshots(FIRST_DAY, LAST_DAY)])


@pytest.fixture(scope="module")
def daily_gains(history: pl.DataFrame) -> pl.DataFrame:
    """Stars gained since the day before, for repositories present on both days."""
    return history.select(
        "day",
        "repo_id",
        "stars",
        gained=pl.col("stars") - pl.col("stars").shift(1).over("repo_id", order_by="day"),
    ).drop_nulls("gained")


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def days_after_first(days: int) -> date:
    return FIRST_DAY + timedelta(days=days)


def on(history: pl.DataFrame, day: date) -> pl.DataFrame:
    return history.filter(pl.col("day") == day)


def test_the_same_spec_gives_the_same_rows_byte_for_byte() -> None:
    one, other = (
        [
            parquet_bytes(frame)
            for _, frame in World(SPEC).snapshots(FIRST_DAY, days_after_first(40))
        ]
        for _ in range(2)
    )
    assert one == other


def test_another_seed_is_another_world() -> None:
    other = World(WorldSpec(seed=8, repositories=600, first_day=FIRST_DAY))
    assert not World(SPEC).snapshot(FIRST_DAY).equals(other.snapshot(FIRST_DAY))


def test_extending_the_world_never_changes_its_past(history: pl.DataFrame) -> None:
    world = World(SPEC)
    for _ in world.snapshots(LAST_DAY, days_after_first(DAYS + 60)):
        pass
    for day in (FIRST_DAY, days_after_first(1), days_after_first(111), LAST_DAY):
        assert parquet_bytes(world.snapshot(day)) == parquet_bytes(on(history, day))


def test_a_late_day_asked_for_alone_equals_that_day_of_a_full_pass(history: pl.DataFrame) -> None:
    assert parquet_bytes(World(SPEC).snapshot(LAST_DAY)) == parquet_bytes(on(history, LAST_DAY))


def test_two_passes_over_one_world_do_not_disturb_each_other() -> None:
    world = World(SPEC)
    ahead = world.snapshots(FIRST_DAY, days_after_first(30))
    behind = world.snapshots(FIRST_DAY, days_after_first(30))
    first_pass = [next(ahead)[1] for _ in range(20)]
    second_pass = [next(behind)[1] for _ in range(20)]
    assert all(one.equals(other) for one, other in zip(first_pass, second_pass, strict=True))


def test_going_back_over_two_years_gives_the_same_rows() -> None:
    world = World(WorldSpec(seed=3, repositories=20, first_day=FIRST_DAY))
    days = [FIRST_DAY + timedelta(days=130 * n) for n in range(6)]
    forward = [world.snapshot(day) for day in days]
    backward = [world.snapshot(day) for day in reversed(days)]
    assert all(one.equals(other) for one, other in zip(forward, reversed(backward), strict=True))


def test_each_day_has_the_promised_schema_and_is_sorted_by_a_unique_id() -> None:
    for day, frame in World(SPEC).snapshots(FIRST_DAY, days_after_first(20)):
        assert dict(frame.schema) == SNAPSHOT_SCHEMA
        assert frame["day"].unique().to_list() == [day]
        assert (frame["repo_id"].diff().drop_nulls() > 0).all()
        assert frame["full_name"].is_unique().all()
        nullable = frame.drop("language")
        assert nullable.null_count().sum_horizontal().item() == 0
        assert (frame["full_name"].str.split("/").list.get(0) == frame["owner"]).all()


def test_the_first_day_has_the_number_of_repositories_asked_for() -> None:
    # Give or take the day's own launches and deletions.
    assert abs(World(SPEC).snapshot(FIRST_DAY).height - SPEC.repositories) <= 3


def test_counts_are_never_negative_and_moments_are_in_order(history: pl.DataFrame) -> None:
    counts = history.select("stars", "forks", "watchers", "open_issues")
    assert counts.min().min_horizontal().item() >= 0
    assert history.filter(
        (pl.col("created_at") > pl.col("pushed_at"))
        | (pl.col("pushed_at") > pl.col("observed_at"))
        | (pl.col("ingested_at") - pl.col("observed_at") != timedelta(minutes=1))
    ).is_empty()


def test_a_snapshot_is_taken_late_on_its_own_utc_day(history: pl.DataFrame) -> None:
    captures = history.group_by("day").agg(
        pl.col("observed_at").min().alias("begins"), pl.col("ingested_at").max().alias("ends")
    )
    for day, begins, ends in captures.iter_rows():
        assert begins >= datetime.combine(day, time(22, 15), UTC)
        assert ends < datetime.combine(day + timedelta(days=1), time(), UTC)


def test_ids_grow_with_creation_and_never_change_it(history: pl.DataFrame) -> None:
    repositories = history.select("repo_id", "created_at").unique().sort("repo_id")
    assert repositories["repo_id"].is_unique().all()
    assert repositories["created_at"].is_sorted()


def test_a_renamed_repository_keeps_its_id_and_no_name_is_used_twice(
    history: pl.DataFrame,
) -> None:
    names = history.select("repo_id", "full_name", "owner").unique()
    renamed = names.group_by("repo_id").len().filter(pl.col("len") > 1)
    assert renamed.height >= 3
    assert names["full_name"].is_unique().all()
    owners = names.select("repo_id", "owner").unique().group_by("repo_id").len()
    assert owners["len"].max() == 2  # at least one was transferred


def test_a_deleted_repository_never_comes_back(history: pl.DataFrame) -> None:
    lives = history.group_by("repo_id").agg(
        pl.len(), pl.col("day").min().alias("first"), pl.col("day").max().alias("last")
    )
    assert lives.filter(pl.col("last") < LAST_DAY).height >= 3
    assert (lives["len"] == (lives["last"] - lives["first"]).dt.total_days() + 1).all()


def test_launched_repositories_appear_young_and_hot(
    history: pl.DataFrame, daily_gains: pl.DataFrame
) -> None:
    launches = history.group_by("repo_id").agg(
        pl.col("day").min(), pl.col("created_at").first().dt.date().alias("created_on")
    )
    launched = launches.filter(pl.col("day") > FIRST_DAY)
    assert launched.height >= 30
    assert (launched["day"] == launched["created_on"]).all()
    days_alive = pl.col("day") - pl.col("day_right")
    gains = daily_gains.join(launched, on="repo_id")
    early = gains.filter(days_alive <= timedelta(days=3))["gained"].sum()
    later = gains.filter((days_alive > timedelta(days=40)) & (days_alive <= timedelta(days=43)))[
        "gained"
    ].sum()
    assert early > 3 * later


def test_on_a_purge_day_many_repositories_lose_stars(daily_gains: pl.DataFrame) -> None:
    losers = (
        daily_gains.group_by("day")
        .agg((-pl.col("gained") > 0.001 * pl.col("stars").clip(1000)).mean().alias("share"))
        .sort("day")
    )
    seen = losers.filter(pl.col("share") > 0.1)["day"].to_list()
    declared = [
        day
        for day in (days_after_first(n) for n in range(1, DAYS))
        if conditions_of(SPEC.seed, day).is_purge
    ]
    assert seen == declared
    assert 3 <= len(seen) <= 7


def test_weekdays_are_busier_than_weekends(daily_gains: pl.DataFrame) -> None:
    by_kind = dict(
        daily_gains.with_columns(is_weekend=pl.col("day").dt.weekday() >= 6)
        .group_by("is_weekend")
        # Capped, so that one burst does not decide.
        .agg(pl.col("gained").clip(0, 50).mean())
        .iter_rows()
    )
    assert 1.1 < by_kind[False] / by_kind[True] < 1.6


def test_repositories_without_pushes_hardly_grow(
    history: pl.DataFrame, daily_gains: pl.DataFrame
) -> None:
    silent = (
        on(history, LAST_DAY)
        .filter(pl.col("pushed_at") < datetime.combine(FIRST_DAY, time(), UTC))
        .select("repo_id")
    )
    assert silent.height > SPEC.repositories // 10
    means = daily_gains.group_by("repo_id").agg(pl.col("gained").mean())
    quiet, lively = (
        means.join(silent, on="repo_id", how=how).select(pl.col("gained").median()).item()
        for how in ("semi", "anti")
    )
    assert quiet < 0.3 * lively


def test_gains_are_heavy_tailed(daily_gains: pl.DataFrame) -> None:
    gained = daily_gains["gained"].clip(0).sort(descending=True)
    top_percent = gained.head(gained.len() // 100)
    assert int(top_percent.sum()) / int(gained.sum()) > 0.25


def test_a_range_that_ends_before_it_begins_is_empty() -> None:
    assert list(World(SPEC).snapshots(days_after_first(5), days_after_first(4))) == []


def test_a_day_before_the_world_began_is_refused_at_once() -> None:
    eve = FIRST_DAY - timedelta(days=1)
    with pytest.raises(GhstarsError, match="knows nothing of 2025-08-31"):
        World(SPEC).snapshots(eve, LAST_DAY)
    with pytest.raises(GhstarsError, match="begins on 2025-09-01"):
        World(SPEC).snapshot(eve)


@pytest.mark.parametrize(
    ("seed", "repositories", "first_day", "message"),
    [
        (-1, 10, FIRST_DAY, "negative"),
        (1, 0, FIRST_DAY, "at least 1"),
        (1, 10, date(2007, 1, 1), "choose a first day"),
    ],
)
def test_an_impossible_spec_is_refused(
    seed: int, repositories: int, first_day: date, message: str
) -> None:
    with pytest.raises(GhstarsError, match=message):
        WorldSpec(seed, repositories, first_day)


def test_a_world_of_one_repository_survives_its_deletion() -> None:
    world = World(WorldSpec(seed=1, repositories=1, first_day=FIRST_DAY))
    # Long enough for it to have died, and for the frame to have been empty at times.
    heights = {frame.height for _, frame in world.snapshots(FIRST_DAY, days_after_first(100))}
    assert heights <= {0, 1, 2}
