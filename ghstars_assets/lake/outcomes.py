"""What became of each day that a stage was asked to fill."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

Fact = str | int | float | Mapping[str, object]


class Status(StrEnum):
    WRITTEN = "written"
    GAP = "gap"
    """Written empty with a reason: no source knows the day, or its outcome fell into a hole."""
    QUARANTINED = "quarantined"
    """Held back by the gate."""
    SKIPPED = "skipped"
    """Not written: what it is made from waits in quarantine."""
    NOTHING = "nothing"
    """Not written, and nothing waits for it: what it is made from may lack the day, and does."""
    FAILED = "failed"
    """Not written: something it needs is not there."""


@dataclass(frozen=True)
class DayOutcome:
    day: date
    status: Status
    rows: int = 0
    size_bytes: int = 0
    quarantined_rows: int = 0
    reason: str = ""
    warnings: tuple[str, ...] = ()
    """What is out of the ordinary on a day that the gate accepted."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What is shown of the day beside its rows."""

    @property
    def is_stored(self) -> bool:
        return self.status not in (Status.SKIPPED, Status.NOTHING, Status.FAILED)
