"""Who is tracked, and what became of each: folded from what GitHub answered, never guessed."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.tables import STATUSES, tables_of
from ghstars_assets.sources.github.tracking.registry import (
    fold,
    registry_as_of,
    take_repositories_days,
)

TABLES = tables_of("stars")
FIRST = date(2026, 6, 1)
NOBODY: frozenset[int] = frozenset()


def _day(number: int) -> date:
    return FIRST + timedelta(days=number)


def _answers(*rows: dict[str, Any], day: date = FIRST) -> pl.DataFrame:
    table = TABLES.github
    known = {
        "day": day,
        "repo_id": 1,
        "node_id": "R_1",
        "full_name": "a/one",
        "status": "live",
        "asked_as": "R_1",
        "tracked_because": "repository a/one",
        "stars": 100,
    }
    return pl.DataFrame(
        [dict.fromkeys(table.column_names) | known | row for row in rows],
        schema=dict(table.empty().schema),
    )


def _story(*days: dict[str, Any]) -> dict[str, Any]:
    """One repository through days of answers; its row at the end."""
    registry = TABLES.repositories.empty()
    for number, answer in enumerate(days):
        registry = fold(registry, _answers(answer), _day(number), NOBODY)
    return registry.row(0, named=True)


def test_the_first_sight_is_noted_with_its_reason() -> None:
    row = _story({})
    assert (row["change"], row["first_seen"], row["last_seen"]) == ("first_seen", FIRST, FIRST)
    assert row["tracked_because"] == "repository a/one"
    assert row["stars_per_day"] is None


def test_a_new_name_under_the_same_owner_is_a_rename() -> None:
    row = _story({}, {"full_name": "a/two"})
    assert (row["change"], row["full_name"], row["previous_name"]) == ("renamed", "a/two", "a/one")


def test_a_new_owner_is_a_transfer() -> None:
    assert _story({}, {"full_name": "b/one"})["change"] == "transferred"


def test_letters_of_another_case_are_no_rename() -> None:
    row = _story({}, {"full_name": "A/One"})
    assert (row["change"], row["full_name"], row["previous_name"]) == (None, "A/One", None)


@pytest.mark.parametrize(
    ("status", "change"),
    [("not_found", "gone"), ("blocked", "blocked"), ("forbidden", "forbidden")],
)
def test_what_is_not_there_keeps_its_name_and_its_last_count(status: str, change: str) -> None:
    absent = {"status": status, "stars": None}
    row = _story({}, absent)
    assert (row["status"], row["change"], row["status_since"]) == (status, change, _day(1))
    assert (row["full_name"], row["stars"], row["last_seen"]) == ("a/one", 100, FIRST)
    again = _story({}, absent, absent)
    assert (again["change"], again["status_since"]) == (None, _day(1))


def test_what_cannot_be_read_today_is_not_taken_for_gone() -> None:
    row = _story({}, {"status": "unreadable", "stars": None})
    assert (row["status"], row["change"]) == ("unreadable", None)


def test_what_comes_back_is_noted() -> None:
    row = _story({}, {"status": "not_found", "stars": None}, {"stars": 130})
    assert (row["change"], row["status"], row["stars"]) == ("returned", "live", 130)
    # Two days lie between the two sights.
    assert row["stars_per_day"] == 15.0


def test_a_name_that_means_another_repository_is_noted_once() -> None:
    taken = {"status": "not_found", "stars": None, "old_name_is_now": 77}
    row = _story({}, {"status": "not_found", "stars": None}, taken)
    assert (row["change"], row["name_taken_by"]) == ("name_taken", 77)
    later = _story({}, {"status": "not_found", "stars": None}, taken, taken)
    assert (later["change"], later["name_taken_by"]) == (None, 77)


def test_who_was_not_asked_about_stays_as_it_was() -> None:
    registry = fold(
        TABLES.repositories.empty(),
        _answers({}, {"repo_id": 2, "full_name": "a/two", "asked_as": "R_2"}),
        FIRST,
        NOBODY,
    )
    after = fold(registry, _answers({"stars": 110}, day=_day(1)), _day(1), frozenset({2}))
    one, two = after.sort("repo_id").iter_rows(named=True)
    assert (one["last_asked"], two["last_asked"]) == (_day(1), FIRST)
    assert (one["is_tracked"], two["is_tracked"]) == (True, False)
    assert two["change"] is None


def test_a_name_that_nobody_found_leaves_no_row() -> None:
    unknown = {"repo_id": None, "node_id": None, "status": "not_found", "stars": None}
    assert fold(TABLES.repositories.empty(), _answers(unknown), FIRST, NOBODY).is_empty()


_SEEN = st.fixed_dictionaries(
    {
        "repo_id": st.integers(1, 6),
        "full_name": st.sampled_from(["a/x", "a/y", "b/x"]),
        "status": st.sampled_from(STATUSES),
        "stars": st.integers(0, 10**6),
    }
)


@given(st.lists(st.lists(_SEEN, unique_by=lambda row: row["repo_id"]), max_size=6))
def test_nobody_is_ever_lost_or_doubled(days: list[list[dict[str, Any]]]) -> None:
    registry = TABLES.repositories.empty()
    for number, rows in enumerate(days):
        for row in rows:
            if row["status"] != "live":
                row["stars"] = None
        before = set(registry["repo_id"])
        seen = {row["repo_id"] for row in rows if row["status"] == "live"}
        answers = _answers(*rows) if rows else TABLES.github.empty()
        registry = fold(registry, answers, _day(number), NOBODY)
        assert set(registry["repo_id"]) == before | seen
        assert registry["repo_id"].is_unique().all()
        assert registry.columns == TABLES.repositories.column_names
        known = registry.filter(pl.col("status") == "live")
        assert known["last_seen"].null_count() == 0
        assert (registry["first_seen"] <= registry["last_seen"]).all()


def test_the_registry_is_the_same_whichever_days_of_it_are_stored(lake: Lake) -> None:
    """Stored up to a day, or folded from the answers alone."""
    days = DayRange(FIRST, _day(3))
    for number, day in enumerate(days):
        rows = _answers({"stars": 100 + 7 * number, "full_name": f"a/n{number}"}, day=day)
        lake.write(TABLES.github.name, day, TABLES.github.conform(rows))
    folded = registry_as_of(lake, TABLES, _day(3))
    marker = Marker("real")
    list(
        take_repositories_days(
            lake, marker, TABLES, DayRange(FIRST, _day(1)), lambda _message: None
        )
    )
    assert lake.days(TABLES.repositories.name) == [FIRST, _day(1)]
    compared = [name for name in folded.columns if name not in ("is_hot", "next_day")]
    assert registry_as_of(lake, TABLES, _day(3)).select(compared).equals(folded.select(compared))


def test_a_registry_cannot_run_ahead_of_the_answers(lake: Lake) -> None:
    with pytest.raises(MissingDayError, match="ghstars backfill stars --from 2026-06-01"):
        list(
            take_repositories_days(
                lake, Marker("real"), TABLES, DayRange(FIRST, FIRST), lambda _message: None
            )
        )
