"""Days of the tiny problem by number, and what lies in its tables on them."""

from datetime import date, timedelta

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import CODE_VERSION, Lake

DAY = date(2026, 1, 29)
"""Three days before a month ends, so that a batch ends within the range."""


def on(number: int) -> date:
    return DAY + timedelta(days=number)


def span(first: int, last: int) -> DayRange:
    return DayRange(on(first), on(last))


def amounts(lake: Lake, table: str, number: int) -> list[tuple[int | None, ...]]:
    return lake.read(table, on(number)).drop("day").rows()


def statuses(outcomes: list[DayOutcome]) -> str:
    """One letter a day: written, gap, quarantined, skipped."""
    return "".join(outcome.status.value[0] for outcome in outcomes)


def notes_of(lake: Lake, table: str, number: int) -> dict[str, str]:
    (partition,) = lake.partitions(table, span(number, number))
    notes = lake.notes(partition)
    notes.pop(CODE_VERSION)
    return notes
