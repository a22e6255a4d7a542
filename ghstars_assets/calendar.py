"""Calendar arithmetic: UTC days, ranges of them, and the month-long batches of work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ghstars_assets.errors import WrongArgumentError

MONDAY = 0
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
"""Of what a user may name: any window around such a day has days, too."""


@dataclass(frozen=True)
class DayRange:
    """Every day from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise WrongArgumentError(
                f"The range {self.first} to {self.last} ends before it starts; swap its two days."
            )

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(len(self)))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"

    def shifted(self, days: int) -> "DayRange":
        return DayRange(self.first + timedelta(days=days), self.last + timedelta(days=days))

    def months(self) -> list["DayRange"]:
        """The range cut at calendar-month bounds, so a batch is the same however it was reached."""
        batches: list[DayRange] = []
        start = self.first
        while start <= self.last:
            next_month = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
            end = min(self.last, next_month - timedelta(days=1))
            batches.append(DayRange(start, end))
            start = next_month
        return batches


def consecutive(days: Sequence[date]) -> list[DayRange]:
    """Sorted days folded into the fewest ranges."""
    ranges: list[DayRange] = []
    for day in sorted(set(days)):
        if ranges and (day - ranges[-1].last).days == 1:
            ranges[-1] = DayRange(ranges[-1].first, day)
        else:
            ranges.append(DayRange(day, day))
    return ranges


def parse_day(text: str) -> date:
    """A day written as YYYY-MM-DD, `today` or `yesterday` (UTC)."""
    if text == "today":
        return utc_today()
    if text == "yesterday":
        return utc_today() - timedelta(days=1)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongArgumentError(
            f"{text!r} is not a day; write it as YYYY-MM-DD, `today` or `yesterday`."
        ) from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise WrongArgumentError(
            f"{text} is beyond every table; name a day from {FIRST_DAY} to {LAST_DAY}."
        )
    return day


def utc_now() -> datetime:
    return datetime.now(UTC)


def utc_today() -> date:
    return utc_now().date()
