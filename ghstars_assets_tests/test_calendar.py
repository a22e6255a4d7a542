from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghstars_assets.calendar import DayRange, consecutive, parse_day, utc_today
from ghstars_assets.errors import GhstarsError

DAYS = st.dates(date(2019, 1, 1), date(2027, 12, 31))


@given(DAYS, st.integers(0, 800))
def test_months_cover_a_range_once_and_break_only_at_its_calendar_months(
    first: date, more_days: int
) -> None:
    days = DayRange(first, first + timedelta(days=more_days))
    months = days.months()
    assert [day for month in months for day in month] == list(days)
    assert all((month.first.year, month.first.month) == (month.last.year, month.last.month)
               for month in months)  # fmt: skip
    assert all(month.first.day == 1 for month in months[1:])


@given(st.lists(DAYS, max_size=30))
def test_consecutive_ranges_hold_the_same_days_and_never_touch(days: list[date]) -> None:
    ranges = consecutive(days)
    assert [day for found in ranges for day in found] == sorted(set(days))
    assert all((b.first - a.last).days > 1 for a, b in pairwise(ranges))


def test_a_range_holds_both_its_ends() -> None:
    days = DayRange(date(2026, 2, 27), date(2026, 3, 1))
    assert len(days) == len(list(days)) == 3
    assert days.first in days
    assert days.last in days
    assert date(2026, 3, 2) not in days
    assert str(days) == "2026-02-27 to 2026-03-01"
    assert days.shifted(-1) == DayRange(date(2026, 2, 26), date(2026, 2, 28))


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(GhstarsError, match="2026-01-02 to 2026-01-01 ends before it starts"):
        DayRange(date(2026, 1, 2), date(2026, 1, 1))


def test_days_are_written_as_dates_or_as_today_and_yesterday() -> None:
    assert parse_day("2026-01-31") == date(2026, 1, 31)
    assert parse_day("today") - parse_day("yesterday") == timedelta(days=1)
    assert parse_day("today") in (utc_today(), utc_today() - timedelta(days=1))


@pytest.mark.parametrize("text", ["", "2026-02-30", "31.01.2026", "tomorrow"])
def test_what_is_no_day_is_named(text: str) -> None:
    with pytest.raises(GhstarsError, match="is not a day; write it as YYYY-MM-DD") as caught:
        parse_day(text)
    assert repr(text) in str(caught.value)
