import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.world import World, WorldSpec
from ghstars_assets_tests.support.sandbox_states import (
    DAYS,
    FIRST_DAY,
    SPEC,
    day_number,
    full_name_of,
    living,
    rows_of,
    state_at,
)

COUNTS = ("stars", "forks", "watchers", "open_issues")


def running_from(at: datetime) -> GitHubState:
    return GitHubState(SPEC, SandboxClock.running(at))


@pytest.fixture(scope="module")
def days() -> dict[date, pl.DataFrame]:
    return dict(World(SPEC).snapshots(FIRST_DAY, day_number(DAYS - 1)))


@pytest.fixture
def state() -> GitHubState:
    return state_at(day_number(30))


@pytest.fixture(scope="module")
def moves(days: dict[date, pl.DataFrame]) -> list[tuple[date, int, str, str]]:
    """Day, repository, the name it had and the one it got."""
    found = []
    for day in list(days)[1:]:
        before = days[day - timedelta(days=1)].select("repo_id", old="full_name")
        moved = (
            days[day]
            .select("repo_id", "full_name")
            .join(before, on="repo_id")
            .filter(pl.col("old") != pl.col("full_name"))
        )
        found += [(day, *row) for row in moved.select("repo_id", "old", "full_name").iter_rows()]
    assert len(found) >= 2
    return found


# ---- time ---------------------------------------------------------------------------------------


def test_at_a_days_capture_the_counts_are_those_of_the_worlds_snapshot(
    days: dict[date, pl.DataFrame],
) -> None:
    state = state_at(FIRST_DAY)
    for number in (0, 1, 40, 41, 119):
        state.travel_to(day_number(number))
        snapshot = days[day_number(number)]
        assert state.table().select(snapshot.columns).equals(snapshot)
        for row, expected in zip(rows_of(state), snapshot.iter_rows(named=True), strict=True):
            assert row | expected == row


def test_later_that_day_nothing_has_changed() -> None:
    at_capture = capture_moment(SPEC.seed, day_number(8))
    assert rows_of(state_at(at_capture)) == rows_of(state_at(at_capture + timedelta(minutes=20)))


def test_travelling_gives_the_moment_of_the_capture_and_works_backwards() -> None:
    forward = [rows_of(state_at(day_number(number))) for number in (0, 3, 90)]
    state = state_at(day_number(100))
    for number, expected in ((90, forward[2]), (3, forward[1]), (0, forward[0])):
        assert state.travel_to(day_number(number)) == capture_moment(SPEC.seed, day_number(number))
        assert state.now().date() == day_number(number)
        assert rows_of(state) == expected


def test_before_the_world_begins_its_first_day_is_shown_and_no_one_travels_there() -> None:
    early = state_at(datetime(2025, 12, 1, tzinfo=UTC))
    assert rows_of(early) == rows_of(state_at(FIRST_DAY))
    with pytest.raises(GhstarsError, match="begins on 2026-01-01; it cannot show 2025-12-31"):
        early.travel_to(date(2025, 12, 31))


def test_a_row_has_all_a_snapshot_asks_for() -> None:
    row = living(state_at(FIRST_DAY))
    assert row["full_name"] == f"{row['owner']}/{row['name']}"
    assert row["head_committed_at"] == row["pushed_at"]
    assert {type(row[name]) for name in COUNTS} == {int}
    assert isinstance(row["topics"], list)
    moments = ("created_at", "pushed_at", "updated_at", "head_committed_at")
    assert all(row[name].tzinfo is not None for name in moments)


# ---- between two captures -----------------------------------------------------------------------


def test_between_two_captures_the_counts_are_on_the_way() -> None:
    before, after = (capture_moment(SPEC.seed, day_number(number)) for number in (4, 5))
    parts = [
        {row["repo_id"]: row for row in rows_of(state_at(before + (after - before) * share))}
        for share in (0.0, 0.3, 0.7, 1.0)
    ]
    staying = set.intersection(*(set(part) for part in parts))
    assert len(staying) > 290
    moved = 0
    for repo_id in staying:
        for name in (*COUNTS, "closed_issues", "releases"):
            values = [part[repo_id][name] for part in parts]
            assert values in (sorted(values), sorted(values, reverse=True))
            moved += values[0] < values[1] < values[2] < values[3]
    assert moved > 10


def test_a_push_is_shown_once_it_has_happened_and_not_before() -> None:
    noon = datetime(2026, 1, 6, 12, tzinfo=UTC)
    evening = {row["repo_id"]: row for row in rows_of(state_at(date(2026, 1, 6)))}
    eve = {row["repo_id"]: row for row in rows_of(state_at(date(2026, 1, 5)))}
    seen = set()
    for row in rows_of(state_at(noon)):
        repo_id = row["repo_id"]
        if repo_id not in eve or repo_id not in evening:
            continue
        has_happened = evening[repo_id]["pushed_at"] <= noon
        expected = evening[repo_id] if has_happened else eve[repo_id]
        for name in ("pushed_at", "head_sha", "head_committed_at"):
            assert row[name] == expected[name]
        seen.add((has_happened, eve[repo_id]["pushed_at"] == evening[repo_id]["pushed_at"]))
    assert {(False, False), (True, False), (True, True)} <= seen


def test_the_latest_release_fits_the_count_at_every_moment() -> None:
    for hour in range(0, 96, 7):
        at = datetime(2026, 1, 6, tzinfo=UTC) + timedelta(hours=hour)
        for row in rows_of(state_at(at)):
            tag = f"v{row['releases'] // 10}.{row['releases'] % 10}" if row["releases"] else None
            assert row["latest_release"] == tag
            assert row["releases"] == 0 or row["latest_release_at"] <= at


def test_nothing_is_shown_of_what_is_yet_to_come() -> None:
    at = datetime(2026, 1, 10, 3, tzinfo=UTC)
    for row in rows_of(state_at(at)):
        for name in ("created_at", "pushed_at", "updated_at", "head_committed_at"):
            assert row[name] <= at


def test_the_newly_created_appear_when_they_are_created(days: dict[date, pl.DataFrame]) -> None:
    eve_ids = days[FIRST_DAY]["repo_id"].implode()
    launched = days[day_number(60)].filter(~pl.col("repo_id").is_in(eve_ids))
    assert launched.height
    for repo_id, created_at in launched.select("repo_id", "created_at").iter_rows():
        second = timedelta(seconds=1)
        assert state_at(created_at - second).repository(repo_id) is None
        row = state_at(created_at + second).repository(repo_id)
        assert row
        assert row["stars"] <= 1


def test_the_deleted_stay_until_the_capture_that_misses_them(
    days: dict[date, pl.DataFrame],
) -> None:
    last_ids = set(days[day_number(DAYS - 1)]["repo_id"])
    repo_id = next(found for found in days[FIRST_DAY]["repo_id"] if found not in last_ids)
    last_seen = max(day for day in days if repo_id in set(days[day]["repo_id"]))
    capture_without = capture_moment(SPEC.seed, last_seen + timedelta(days=1))
    still = state_at(capture_without - timedelta(minutes=5))
    assert still.fate(repo_id) == "live"
    assert still.repository(repo_id)
    gone = state_at(capture_without)
    assert gone.fate(repo_id) == "gone"
    assert gone.repository(repo_id) is None


def test_a_running_clock_shows_the_day_going_by() -> None:
    before = capture_moment(SPEC.seed, day_number(2))

    async def watched() -> list[int]:
        state = running_from(before)
        stars = []
        for _ in range(25):
            stars.append(int(state.table()["stars"].sum()))
            await asyncio.sleep(3600)
        return stars

    stars = run_in_virtual_time(watched())
    assert stars == sorted(stars)
    assert len(set(stars)) > 20
    assert stars[0] == state_at(day_number(2)).table()["stars"].sum()


# ---- names and redirects ------------------------------------------------------------------------


def test_every_living_name_leads_to_its_repository_in_any_case(state: GitHubState) -> None:
    for row in rows_of(state):
        assert state.by_name(row["full_name"]) == (row, False)
        assert state.by_name(row["full_name"].upper()) == (row, False)
        assert state.by_node_id(row["node_id"]) == row


def test_an_unknown_name_or_id_leads_nowhere(state: GitHubState) -> None:
    assert state.by_name("nobody/nothing") == (None, False)
    assert state.by_name("") == (None, False)
    assert state.by_node_id("R_kgDOAAAAAAAB") is None
    assert state.by_node_id("") is None
    assert state.repository(1) is None


def test_old_names_redirect_from_the_day_of_the_move_on(
    moves: list[tuple[date, int, str, str]],
) -> None:
    state = state_at(day_number(DAYS - 1))
    for day, repo_id, old, new in moves:
        state.travel_to(day - timedelta(days=1))
        assert full_name_of(state, repo_id) == old
        assert state.by_name(old) == (state.repository(repo_id), False)
        assert state.by_name(new) == (None, False)
        state.travel_to(day)
        assert full_name_of(state, repo_id) == new
        assert state.by_name(old) == (state.repository(repo_id), True)


def test_a_state_that_begins_late_knows_the_moves_of_all_earlier_days(
    moves: list[tuple[date, int, str, str]],
) -> None:
    state = state_at(day_number(DAYS - 1))
    for _day, repo_id, old, _new in moves:
        assert state.by_name(old) == (state.repository(repo_id), True)


# ---- the star history ---------------------------------------------------------------------------


def test_the_star_history_is_the_difference_of_the_days_that_are_known(
    days: dict[date, pl.DataFrame],
) -> None:
    state = state_at(day_number(20))
    stars = {day: dict(frame.select("repo_id", "stars").iter_rows()) for day, frame in days.items()}
    for row in rows_of(state):
        repo_id = row["repo_id"]
        shown = state.daily_stars(repo_id, 10)
        assert shown[0][0] == day_number(20)
        for day, gained in shown:
            before = day - timedelta(days=1)
            if repo_id in stars[before]:
                assert gained == max(0, stars[day][repo_id] - stars[before][repo_id])


def whole_history(state: GitHubState, row: dict[str, Any]) -> list[tuple[date, int]]:
    return state.daily_stars(row["repo_id"], 100_000)


@pytest.mark.parametrize("number", [0, 1, 20, 119, 330])
def test_a_history_goes_back_to_the_creation_and_adds_up_to_the_stars(number: int) -> None:
    state = state_at(day_number(number), WorldSpec(7, 40, FIRST_DAY))
    for row in rows_of(state):
        shown = whole_history(state, row)
        assert [day for day, _ in shown] == [
            day_number(number) - timedelta(days=back) for back in range(len(shown))
        ]
        assert shown[-1][0] == row["created_at"].date()
        assert all(gained >= 0 for _, gained in shown)
        # Stars taken back are not in it: it may have more than are left, never fewer.
        total = sum(gained for _, gained in shown)
        assert row["stars"] <= total <= row["stars"] * 1.1 + 20


def test_a_days_history_is_the_same_whatever_day_was_looked_at_before() -> None:
    spec = WorldSpec(7, 20, FIRST_DAY)
    day = day_number(40)
    fresh, travelled = state_at(day, spec), state_at(day_number(330), spec)
    travelled.table()
    travelled.travel_to(day)
    for row in rows_of(fresh):
        assert whole_history(travelled, row) == whole_history(fresh, row)
    travelled.travel_to(day_number(330))
    again = state_at(day_number(330), spec)
    for row in rows_of(again):
        assert whole_history(travelled, row) == whole_history(again, row)


def test_what_is_not_there_has_no_history(state: GitHubState) -> None:
    assert state.daily_stars(1, 10) == []


def test_a_repository_made_by_hand_has_its_stars_from_its_first_day(state: GitHubState) -> None:
    made = state.happen({"create": "new/one", "stars": 50})
    state.travel_to(day_number(33))
    assert [gained for _, gained in state.daily_stars(made["repo_id"], 10)] == [0, 0, 0, 50]


def all_states() -> Iterator[GitHubState]:
    yield state_at(FIRST_DAY)
    yield state_at(datetime(2026, 1, 4, 5, tzinfo=UTC))


def test_two_states_of_one_world_show_the_same() -> None:
    for one, other in zip(all_states(), all_states(), strict=True):
        assert rows_of(one) == rows_of(other)
