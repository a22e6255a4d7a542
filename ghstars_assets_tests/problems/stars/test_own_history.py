"""What status notes as long as the tracked repositories have little history of their own."""

from datetime import date, timedelta

import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.stars.own_history import notes_on_own_history
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.sources.github.tables import tables_of

TABLE = tables_of("stars").github
FIRST = date(2026, 6, 1)


def _snapshots(lake: Lake, days: int) -> Lake:
    for ahead in range(days):
        lake.write(TABLE.name, FIRST + timedelta(days=ahead), TABLE.empty())
    return lake


@pytest.mark.parametrize(
    ("days", "opening", "ahead"),
    [
        (1, "have 1 day of", ("2026-06-08", "2026-06-29", "2026-08-31")),
        (8, "have 8 days of", ("2026-06-29", "2026-08-31")),
        (90, "have 90 days of", ("2026-08-31",)),
    ],
)
def test_the_milestones_that_lie_ahead_are_named_with_their_day(
    lake: Lake, days: int, opening: str, ahead: tuple[str, ...]
) -> None:
    (note,) = notes_on_own_history(_snapshots(lake, days), PROBLEM)
    assert note.startswith("Short history: the tracked repositories")
    assert opening in note
    _, _, better = note.partition("Better: ")
    assert [each.split()[0] for each in better.split("; ")] == list(ahead)


@pytest.mark.parametrize("days", [0, 91])
def test_without_snapshots_and_with_three_months_of_them_there_is_nothing_to_note(
    lake: Lake, days: int
) -> None:
    assert list(notes_on_own_history(_snapshots(lake, days), PROBLEM)) == []
