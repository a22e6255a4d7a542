from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghstars_assets.sandbox.github.details import head_sha_of, node_id_of, repo_id_of, with_details
from ghstars_assets.sandbox.world.world import World, WorldSpec

FIRST_DAY = date(2026, 1, 1)
SPEC = WorldSpec(seed=7, repositories=300, first_day=FIRST_DAY)
DAYS = 120
YEAR = timedelta(days=365)
GROWING = ("closed_issues", "merged_pull_requests", "releases", "discussions", "size_kb")


def shown_days(spec: WorldSpec = SPEC, days: int = DAYS) -> Iterator[pl.DataFrame]:
    last = spec.first_day + timedelta(days=days - 1)
    for _, frame in World(spec).snapshots(spec.first_day, last):
        yield with_details(frame, spec.seed)


@pytest.fixture(scope="module")
def shown() -> pl.DataFrame:
    return pl.concat(shown_days()).sort("repo_id", "day")


def test_the_worlds_own_columns_stay_as_they_are() -> None:
    frame = World(SPEC).snapshot(FIRST_DAY)
    assert with_details(frame, SPEC.seed).select(frame.columns).equals(frame)


def test_what_only_grows_on_github_only_grows_here(shown: pl.DataFrame) -> None:
    steps = shown.select(pl.col(*GROWING, "latest_release_at").diff().over("repo_id"))
    for name in GROWING:
        assert (steps[name].drop_nulls() >= 0).all()
        assert (steps[name].drop_nulls() > 0).any()
    assert (steps["latest_release_at"].drop_nulls() >= timedelta()).all()


def test_no_count_is_negative_or_missing(shown: pl.DataFrame) -> None:
    counts = shown.select(*GROWING, "open_pull_requests")
    assert counts.null_count().sum_horizontal().item() == 0
    assert counts.min().min_horizontal().item() >= 0


def test_a_latest_release_exists_where_there_are_releases_and_lies_within_the_life(
    shown: pl.DataFrame,
) -> None:
    has_releases = shown["releases"] > 0
    assert has_releases.any()
    assert not has_releases.filter(shown["observed_at"] - shown["created_at"] > YEAR).all()
    for name in ("latest_release", "latest_release_at"):
        assert (shown[name].is_not_null() == has_releases).all()
    dated = shown.drop_nulls("latest_release_at")
    assert (dated["created_at"] <= dated["latest_release_at"]).all()
    # Made by floats: to the second.
    observed = dated["observed_at"] + timedelta(seconds=1)
    assert (dated["latest_release_at"] <= observed).all()


def test_a_new_release_has_a_new_tag_and_a_new_date(shown: pl.DataFrame) -> None:
    releases = shown.drop_nulls("latest_release").select(
        "repo_id", "releases", "latest_release", "latest_release_at"
    )
    once_each = releases.unique().height
    for name in ("releases", "latest_release", "latest_release_at"):
        assert releases.select("repo_id", name).unique().height == once_each


def test_moments_are_in_order(shown: pl.DataFrame) -> None:
    assert (shown["created_at"] <= shown["updated_at"]).all()
    assert (shown["pushed_at"] <= shown["updated_at"]).all()
    assert (shown["updated_at"] <= shown["observed_at"]).all()


def test_topics_are_few_and_in_order_and_licences_belong_to_the_repository(
    shown: pl.DataFrame,
) -> None:
    topics = shown["topics"]
    assert set(topics.list.len().unique()) == {0, 1, 2, 3, 4}
    assert (topics == topics.list.unique().list.sort()).all()
    lasting = shown.group_by("repo_id").agg(pl.col("topics", "licence", "node_id").n_unique())
    assert lasting.drop("repo_id").max().row(0) == (1, 1, 1)
    assert shown["licence"].null_count() > 0


def test_details_belong_to_the_repository_and_not_to_who_else_is_there() -> None:
    frame = World(SPEC).snapshot(FIRST_DAY)
    some = frame.gather_every(7)
    alone = with_details(some, SPEC.seed)
    among_others = with_details(frame, SPEC.seed).join(some.select("repo_id"), on="repo_id")
    assert alone.equals(among_others)


def test_the_same_seed_gives_the_same_and_another_does_not() -> None:
    frame = World(SPEC).snapshot(FIRST_DAY)
    once = with_details(frame, 7)
    assert once.equals(with_details(frame, 7))
    for name in (*GROWING, "topics", "licence"):
        assert not once[name].equals(with_details(frame, 8)[name])


def test_an_empty_world_has_the_same_columns() -> None:
    frame = World(SPEC).snapshot(FIRST_DAY)
    assert with_details(frame.clear(), 7).schema == with_details(frame, 7).schema


@given(st.integers(0, 2**48 - 1))
def test_a_node_id_leads_back_to_its_repository(repo_id: int) -> None:
    assert repo_id_of(node_id_of(repo_id)) == repo_id


@given(st.text(max_size=20) | st.text(max_size=20).map("R_kgDO{}".format))
def test_what_is_no_node_id_of_ours_leads_nowhere(text: str) -> None:
    found = repo_id_of(text)
    assert found is None or node_id_of(found) == text


@pytest.mark.parametrize("text", ["", "R_kgDO", "R_kgDOAAAA", "R_kgDO!AAAAAAB", "R_kgDOAAAAAAAB\n"])
def test_a_node_id_is_opaque_and_whole(text: str) -> None:
    assert repo_id_of(text) is None


def test_the_head_changes_with_a_push_and_only_then() -> None:
    frame = World(SPEC).snapshot(FIRST_DAY)
    pushed_at = frame["pushed_at"][0]
    sha = head_sha_of(5, pushed_at)
    assert sha == head_sha_of(5, pushed_at)
    assert len(sha) == 40
    assert int(sha, 16)
    assert sha != head_sha_of(5, pushed_at + timedelta(seconds=1))
    assert sha != head_sha_of(6, pushed_at)
