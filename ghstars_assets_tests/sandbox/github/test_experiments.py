"""What is done to the invented GitHub by hand: renames, deletions, blocks, new repositories."""

from typing import Any

import pytest

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets_tests.support.sandbox_states import (
    DAYS,
    FIRST_DAY,
    day_number,
    full_name_of,
    living,
    rows_of,
    state_at,
)


@pytest.fixture
def state() -> GitHubState:
    return state_at(day_number(30))


def test_a_renamed_repository_is_found_by_its_new_name_and_redirected_from_the_old(
    state: GitHubState,
) -> None:
    row = living(state)
    state.happen({"rename": row["repo_id"], "to": "elsewhere/other"})
    renamed = state.repository(row["repo_id"])
    assert renamed
    assert renamed == row | {"full_name": "elsewhere/other", "owner": "elsewhere", "name": "other"}
    assert state.by_name("Elsewhere/Other") == (renamed, False)
    assert state.by_name(row["full_name"]) == (renamed, True)
    assert state.by_node_id(row["node_id"]) == renamed
    assert "elsewhere/other" in set(state.table()["full_name"])
    assert state.table()["repo_id"].is_unique().all()


def test_a_rename_lasts_when_the_clock_moves_on(state: GitHubState) -> None:
    row = living(state)
    state.happen({"rename": row["repo_id"], "to": "elsewhere/other"})
    state.travel_to(day_number(31))
    assert full_name_of(state, row["repo_id"]) == "elsewhere/other"
    assert state.by_name(row["full_name"])[1]


def test_a_repository_renamed_twice_and_back_is_found_by_all_its_names(state: GitHubState) -> None:
    row = living(state)
    for to in ("a/b", "c/d", row["full_name"]):
        state.happen({"rename": row["repo_id"], "to": to})
    assert state.by_name(row["full_name"]) == (row, False)
    assert state.by_name("a/b") == (row, True)
    assert state.by_name("c/d") == (row, True)


def test_a_rename_may_change_no_more_than_capitals(state: GitHubState) -> None:
    row = living(state)
    shouted = row["full_name"].upper()
    state.happen({"rename": row["repo_id"], "to": shouted})
    found, is_redirect = state.by_name(row["full_name"])
    assert found
    assert (found["full_name"], is_redirect) == (shouted, False)


def test_a_freed_name_that_another_takes_means_the_other(state: GitHubState) -> None:
    one, two = living(state, 0), living(state, 1)
    state.happen({"rename": one["repo_id"], "to": "moved/away"})
    state.happen({"rename": two["repo_id"], "to": one["full_name"]})
    found, is_redirect = state.by_name(one["full_name"])
    assert found
    assert (found["repo_id"], is_redirect) == (two["repo_id"], False)

    made = state.happen({"create": two["full_name"], "stars": 3})
    assert state.by_name(two["full_name"]) == (made, False)
    assert made["repo_id"] not in (one["repo_id"], two["repo_id"])


def test_a_deleted_repositorys_name_can_be_taken_by_a_new_one(state: GitHubState) -> None:
    row = living(state)
    state.happen({"delete": row["repo_id"]})
    assert state.by_name(row["full_name"]) == (None, False)
    made = state.happen({"create": row["full_name"], "stars": 12})
    assert state.by_name(row["full_name"]) == (made, False)
    assert made["repo_id"] > row["repo_id"]
    assert (made["stars"], made["forks"], made["latest_release"]) == (12, 0, None)
    assert made["created_at"] == state.now()
    assert state.by_node_id(made["node_id"]) == made
    assert state.repository(row["repo_id"]) is None


@pytest.mark.parametrize(
    ("verb", "fate"),
    [("delete", "gone"), ("private", "gone"), ("block", "blocked"), ("forbid", "forbidden")],
)
def test_what_befalls_a_repository_hides_it_from_search_until_it_is_restored(
    state: GitHubState, verb: str, fate: str
) -> None:
    row, others = living(state), state.table().height - 1
    repo_id = row["repo_id"]
    assert state.happen({verb: repo_id}) == {"repo_id": repo_id, "fate": fate}
    assert state.fate(repo_id) == fate
    assert (state.repository(repo_id) is None) == (fate == "gone")
    assert state.table().height == others
    state.happen({"restore": repo_id})
    assert state.fate(repo_id) == "live"
    assert state.repository(repo_id) == row
    assert state.table().height == others + 1


def test_a_blocked_repository_that_the_world_deletes_is_gone() -> None:
    first, last = (rows_of(state_at(day)) for day in (FIRST_DAY, day_number(DAYS - 1)))
    last_ids = {row["repo_id"] for row in last}
    repo_id = next(row["repo_id"] for row in first if row["repo_id"] not in last_ids)
    for verb in ("block", "restore"):
        state = state_at(FIRST_DAY)
        state.happen({verb: repo_id})
        state.travel_to(day_number(DAYS - 1))
        assert state.fate(repo_id) == "gone"
        assert state.repository(repo_id) is None


def test_the_table_is_what_search_may_show_with_the_experiments_in_it(state: GitHubState) -> None:
    rows = rows_of(state)
    schema = state.table().schema
    state.happen({"delete": rows[0]["repo_id"]})
    state.happen({"rename": rows[1]["repo_id"], "to": "a/b"})
    made = state.happen({"create": "c/d", "stars": 5})
    state.happen({"rename": made["repo_id"], "to": "e/f"})
    table = state.table()
    assert table.schema == schema
    assert table.height == len(rows)
    assert {"a/b", "e/f"} <= set(table["full_name"])
    assert not {"c/d", rows[0]["full_name"], rows[1]["full_name"]} & set(table["full_name"])


@pytest.mark.parametrize(
    "event", [{}, {"explode": 1}, {"rename": 5}, {"rename": 1, "to": "a/b"}, {"delete": 1}]
)
def test_an_event_that_cannot_be_is_refused(state: GitHubState, event: dict[str, Any]) -> None:
    with pytest.raises(GhstarsError):
        state.happen(event)


@pytest.mark.parametrize("name", ["", "bare", "a/b/c", "/b", "a/"])
def test_a_name_that_is_no_owner_and_name_is_refused(state: GitHubState, name: str) -> None:
    for event in ({"create": name}, {"rename": living(state)["repo_id"], "to": name}):
        with pytest.raises(GhstarsError, match="owner/name"):
            state.happen(event)


def test_a_name_that_a_living_repository_has_cannot_be_taken(state: GitHubState) -> None:
    one, two = living(state, 0), living(state, 1)
    for event in ({"create": two["full_name"]}, {"rename": one["repo_id"], "to": two["full_name"]}):
        with pytest.raises(GhstarsError, match="has that name"):
            state.happen(event)
