"""What is read from a day's file, and what of it is reported as odd."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghstars_assets.errors import SourceError
from ghstars_assets.sources.github_ranking.archive_days import (
    ArchiveDay,
    days_of,
    read_condensed,
    read_raw,
)
from ghstars_assets_tests.support.invented_rankings import (
    CAPTURED,
    COLUMNS,
    DAY,
    condensed,
    lists,
    row,
)

NAME = f"github-ranking-{DAY}.csv"
NEXT_DAY = DAY + timedelta(days=1)


def day_of(
    *rows: dict[str, object], columns: Sequence[str] = COLUMNS, name: str = NAME
) -> ArchiveDay:
    return read_raw(lists(*rows, columns=columns), name)


def only(day: ArchiveDay) -> dict[str, object]:
    (found,) = day.rows.iter_rows(named=True)
    return found


# ---- a row a repository -------------------------------------------------------------------------


def test_a_repository_in_several_lists_has_its_highest_count_and_the_lowest_is_kept() -> None:
    day = day_of(
        row(stars=101, item="top-100-stars"),
        row(stars=103, item="top-100-forks", forks=21),
        row(stars=102, item="Python", issues=4),
    )
    assert only(day) == {
        "full_name": "octo/cat",
        "stars": 103,
        "stars_lowest": 101,
        "forks": 21,
        "open_issues": 4,
        "language": "Python",
        "pushed_at": CAPTURED,
        "lists": 3,
    }
    assert day.odd["several counts"] == "1 repositories, by up to 2 stars"


def test_names_that_differ_by_case_alone_are_one_repository_as_its_last_count_spells_it() -> None:
    day = day_of(row("octo/cat", 7), row("Octo/Cat", 9))
    assert (only(day)["full_name"], only(day)["lists"]) == ("Octo/Cat", 2)


def test_the_same_name_of_another_owner_is_another_repository() -> None:
    assert day_of(row("octo/cat"), row("hexa/cat")).rows["full_name"].to_list() == [
        "hexa/cat",
        "octo/cat",
    ]


_REPOSITORIES = st.sampled_from(["a/one", "A/One", "a/two", "b/one", "b/ONE"])
_ROWS = st.lists(st.tuples(_REPOSITORIES, st.integers(0, 10**6)), min_size=1, max_size=30)


@given(_ROWS, st.randoms(use_true_random=False))
def test_any_order_of_rows_is_folded_as_one_would_by_hand(
    listed: list[tuple[str, int]], dice: random.Random
) -> None:
    by_hand: dict[str, list[int]] = {}
    for name, stars in listed:
        by_hand.setdefault(name.lower(), []).append(stars)
    day = day_of(*(row(name, stars) for name, stars in listed))
    folded = {
        name.lower(): (highest, lowest, number)
        for name, highest, lowest, number in day.rows.select(
            "full_name", "stars", "stars_lowest", "lists"
        ).iter_rows()
    }
    assert folded == {
        name: (max(counts), min(counts), len(counts)) for name, counts in by_hand.items()
    }
    shuffled = dice.sample(listed, len(listed))
    again = day_of(*(row(name, stars) for name, stars in shuffled), name="under another name.csv")
    assert again.fingerprint == day.fingerprint
    assert again.rank == day.rank


def test_another_count_gives_another_fingerprint() -> None:
    assert day_of(row(stars=1)).fingerprint != day_of(row(stars=2)).fingerprint


# ---- the eras -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacking", "unknown"),
    [
        ((), ()),
        (("description",), ()),
        (("issues",), ("open_issues",)),
        (("language",), ("language",)),
        (("item",), ()),
        (
            ("rank", "item", "repo_name", "username", "issues", "language"),
            ("open_issues", "language"),
        ),
    ],
)
def test_what_an_eras_files_do_not_hold_is_unknown_and_never_invented(
    lacking: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    found = only(day_of(row(), columns=[name for name in COLUMNS if name not in lacking]))
    assert found["stars"] == 100
    assert {name for name, value in found.items() if value is None} == set(unknown)


def test_columns_in_another_order_and_columns_of_later_years_do_no_harm() -> None:
    assert only(day_of(row(), columns=[*reversed(COLUMNS), "license"])) == only(day_of(row()))


@pytest.mark.parametrize("day", [date(2021, 8, 19), date(2021, 8, 20)])
def test_open_issues_are_kept_as_the_file_has_them(day: date) -> None:
    """With pull requests before 2021-08-20 and without them since: to mend that is not for here."""
    pushed = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    assert only(read_raw(lists(row(issues=4321, pushed_at=pushed)), "x.csv"))["open_issues"] == 4321


# ---- when it was captured -----------------------------------------------------------------------


def test_the_newest_push_is_the_moment_of_capture() -> None:
    earlier = CAPTURED - timedelta(days=40)
    day = day_of(
        row("octo/old", pushed_at=earlier), row("octo/cat"), row("octo/new", pushed_at=None)
    )
    assert (day.day, day.captured_at) == (DAY, CAPTURED)


@pytest.mark.parametrize("name", ["lists.csv", "Data (3).csv.gz", "2024"])
def test_the_newest_push_gives_the_day_of_a_file_that_was_renamed(name: str) -> None:
    assert day_of(row(), name=name).day == DAY


def test_a_file_of_another_day_under_a_wrong_name_is_refused() -> None:
    with pytest.raises(SourceError) as caught:
        day_of(row(), name=f"github-ranking-{NEXT_DAY}.csv")
    assert str(caught.value) == (
        f"github-ranking-{NEXT_DAY}.csv holds the lists of {DAY}, its newest push, and not of the "
        "day in its name; it was left out."
    )


def test_lists_that_run_past_midnight_are_of_the_day_in_the_name() -> None:
    midnight = datetime(2024, 3, 6, tzinfo=UTC)
    day = day_of(
        row("octo/cat", pushed_at=midnight - timedelta(minutes=1)),
        row("octo/late", pushed_at=midnight + timedelta(minutes=2)),
    )
    assert (day.day, day.captured_at) == (DAY, midnight - timedelta(minutes=1))
    assert day.odd["pushes of a later day"] == f"1 repositories, up to {NEXT_DAY}"


def test_lists_without_a_single_push_are_of_no_day() -> None:
    with pytest.raises(SourceError, match="no repository with a push, so its day is unknown"):
        day_of(row(pushed_at=None), row("octo/dog", last_commit="yesterday"))


# ---- dirt ---------------------------------------------------------------------------------------


def test_lists_that_were_cut_short_are_reported() -> None:
    whole = [row(f"octo/whole{n}", item="top-100-stars") for n in range(100)]
    cut = [row(f"octo/cut{n}", item="Swift") for n in range(60)]
    assert day_of(*whole).odd == {}
    assert day_of(*whole, *cut).odd == {"short lists": "1 of 2 lists, Swift has 60 rows"}


@pytest.mark.parametrize(
    "changed",
    [
        {"stars": ""},
        {"stars": "many"},
        {"stars": -1},
        {"repo_url": "https://gitlab.com/octo/dog"},
        {"repo_url": "https://github.com/octo"},
        {"repo_url": ""},
    ],
)
def test_a_row_that_says_nothing_is_left_out_and_reported(changed: dict[str, Any]) -> None:
    day = day_of(row(item="", **changed), row(item=""))
    assert day.rows["full_name"].to_list() == ["octo/cat"]
    assert day.odd.keys() == {"rows that say nothing"}
    assert day.odd["rows that say nothing"].startswith("1 left out, such as ")


def test_a_count_other_than_stars_that_is_no_number_is_unknown() -> None:
    found = only(day_of(row(forks="?", issues="")))
    assert (found["stars"], found["forks"], found["open_issues"]) == (100, None, None)


def test_bytes_of_another_encoding_spoil_nothing_beside_them() -> None:
    content = lists(row(description="café"), row("octo/dog")).decode().encode("latin-1")
    assert read_raw(content, NAME).rows["full_name"].to_list() == ["octo/cat", "octo/dog"]


def test_a_line_with_more_or_fewer_fields_than_the_header_spoils_nothing_beside_it() -> None:
    first, *listed = lists(row("octo/one"), row("octo/two")).split(b"\n")
    content = b"\n".join([first, listed[0] + b",and,more", b"1,Python", *listed[1:]])
    day = read_raw(content, NAME)
    assert day.rows["full_name"].to_list() == ["octo/one", "octo/two"]
    left_out = "1 left out, such as a row without a name with no stars"
    assert day.odd["rows that say nothing"] == left_out


def test_what_spreadsheets_do_to_a_file_changes_nothing() -> None:
    plain = lists(row(), row("octo/dog", description='two\nlines, "quoted"'))
    for content in (b"\xef\xbb\xbf" + plain, plain.replace(b"\n", b"\r\n")):
        assert read_raw(content, NAME).fingerprint == read_raw(plain, NAME).fingerprint


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "cannot be read as CSV"),
        (lists(), "holds a header and no row"),
        (b"rank,item\n1,Python\n", "lacks the columns of a ranking list"),
        (b"<html>404</html>\n", "lacks the columns of a ranking list"),
    ],
)
def test_a_file_that_holds_no_lists_is_one_sentence(content: bytes, why: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_raw(content, NAME)
    assert str(caught.value).startswith(f"{NAME} ")
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_cut_in_the_middle_of_a_row_keeps_the_rows_before_it() -> None:
    content = lists(row("octo/one"), row("octo/two"))
    day = read_raw(content[: content.rindex(b"https")], NAME)
    assert day.rows["full_name"].to_list() == ["octo/one"]


# ---- tables made of such files ------------------------------------------------------------------


def frame(*rows: Mapping[str, object]) -> pl.DataFrame:
    return pl.DataFrame([dict(each) for each in rows])


def test_a_table_describes_a_day_without_what_only_the_lists_know() -> None:
    day = read_condensed(frame(*condensed(DAY, cat=100)), DAY, None)
    assert only(day) == {
        "full_name": "octo/cat",
        "stars": 100,
        "stars_lowest": None,
        "forks": 20,
        "open_issues": 3,
        "language": "Python",
        "pushed_at": CAPTURED,
        "lists": None,
    }
    assert (day.form, day.captured_at, day.odd) == ("parquet", CAPTURED, {})


def test_the_least_that_a_table_must_hold_is_a_count() -> None:
    least = {"snapshot_date": DAY, "full_name": "octo/cat", "stars": 5}
    day = read_condensed(frame(least), DAY, None)
    assert only(day)["stars"] == 5
    assert day.captured_at == datetime(2024, 3, 5, 23, 59, 59, tzinfo=UTC)
    assert day.odd == {"capture time": "unknown; the end of the day was taken"}


@pytest.mark.parametrize("higher", ["cat", "Cat"])
def test_of_two_rows_of_a_table_the_higher_count_stays_and_it_is_reported(higher: str) -> None:
    rows = condensed(DAY, **({"cat": 7, "Cat": 7} | {higher: 9}), dog=3)
    day = read_condensed(frame(*rows), DAY, None)
    assert day.rows.select("full_name", "stars").rows() == [(f"octo/{higher}", 9), ("octo/dog", 3)]
    assert day.odd == {"twice in a day": "1 rows, the lower count left out"}


def test_rows_of_a_table_that_say_nothing_are_left_out_and_reported() -> None:
    rows = [*condensed(DAY, cat=9, dog=-1), condensed(DAY, owl=1)[0] | {"full_name": None}]
    day = read_condensed(frame(*rows), DAY, None)
    assert day.rows["full_name"].to_list() == ["octo/cat"]
    left_out = "2 left out, such as octo/dog with -1 stars"
    assert day.odd == {"rows that say nothing": left_out}


def test_the_quality_tables_capture_time_is_taken() -> None:
    captured_at = CAPTURED + timedelta(minutes=20)
    day = read_condensed(frame(*condensed(DAY, cat=9)), DAY, captured_at)
    assert (day.captured_at, day.odd) == (captured_at, {})


def test_a_capture_time_far_from_the_newest_push_is_taken_and_reported() -> None:
    captured_at = CAPTURED + timedelta(hours=2)
    day = read_condensed(frame(*condensed(DAY, cat=9)), DAY, captured_at)
    assert day.captured_at == captured_at
    assert day.odd == {
        "capture time": "the quality table says 06:03, the newest push 04:03; the table was taken"
    }


def test_a_push_of_a_later_day_does_not_move_a_tables_capture() -> None:
    later = condensed(DAY, owl=1)[0] | {"pushed_at": CAPTURED + timedelta(days=1)}
    day = read_condensed(frame(*condensed(DAY, cat=9), later), DAY, None)
    assert day.captured_at == CAPTURED


def test_days_of_a_table_come_in_order_each_once() -> None:
    rows = [*condensed(NEXT_DAY, cat=2), *condensed(DAY, cat=1, dog=1)]
    dayless = condensed(DAY, cat=1)[0] | {"snapshot_date": None}
    assert list(days_of(frame(*rows, dayless).lazy())) == [DAY, NEXT_DAY]


# ---- which of two versions of a day counts ------------------------------------------------------


def test_the_archives_own_file_counts_before_a_fuller_table_made_of_it() -> None:
    raw = day_of(row("octo/cat"))
    table = read_condensed(frame(*condensed(DAY, cat=1, dog=1, owl=1)), DAY, None)
    assert raw.rank > table.rank


def test_of_two_files_the_fuller_counts_and_of_two_as_full_always_the_same() -> None:
    small, full = day_of(row("octo/cat")), day_of(row("octo/cat"), row("octo/dog"))
    assert full.rank > small.rank
    one, other = day_of(row(stars=1)), day_of(row(stars=2))
    assert one.rank != other.rank
