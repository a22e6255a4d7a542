"""What a problem's own commands and the command line agree on.

A problem's command imports neither the command line nor Dagster: what it needs of them it gets as
a `Platform`, through `click.pass_obj`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import polars as pl

    from ghstars_assets.calendar import DayRange
    from ghstars_assets.lake.marker import Marker
    from ghstars_assets.lake.tables import Lake
    from ghstars_assets.learning.problem import Problem
    from ghstars_assets.settings import Settings
    from ghstars_assets.sources.archives import ImportResult

Form = Literal["table", "csv", "json"]
"""How a frame is printed."""


@dataclass(frozen=True)
class CommandEntry:
    """Where a command stands, so that it can be listed without being imported."""

    target: str
    """`module:attribute`."""
    summary: str
    """The first sentence of its help; as much of it as fits on a line is listed."""
    is_hidden: bool = False


class Platform(Protocol):
    """The platform as a problem's command sees it."""

    @property
    def settings(self) -> "Settings": ...

    def say(self, text: str, *, heading: str = "") -> None:
        """Print a line for the person who waits, on stderr; what it begins with can stand out."""

    def print_line(self, text: str, *, soft_wrap: bool = False) -> None:
        """Print a line of the result, on stdout; with `soft_wrap` it can be copied whole."""

    def show_frame(self, frame: "pl.DataFrame", form: Form, title: str = "") -> None: ...

    def say_if_sandbox(self, lake: "Lake") -> None:
        """Warn that the figures of this home are those of an invented world."""

    def begin_sandbox(self, lake: "Lake", days: int) -> "Marker":
        """Mark an empty home as a sandbox that holds so many days, and say what a sandbox is."""
        ...

    def fill(self, problem: "Problem", days: "DayRange", stages: Sequence[str]) -> None:
        """Fill what is missing or stale, as `ghstars backfill` does, and report each stage."""

    def run(self, problem: "Problem", days: "DayRange", stages: Sequence[str]) -> None:
        """Make these stages of these days, whether they are there or not."""

    def import_history(
        self, lake: "Lake", problem: "Problem", place: str, days: "DayRange | None"
    ) -> "ImportResult":
        """Import a history into the lake; Dagster knows nothing of it yet."""
        ...

    def record_import(self, lake: "Lake", problem: "Problem", imported: "ImportResult") -> int:
        """Record imported days in Dagster, and return how many these were."""
        ...

    def show_forecasts(
        self, lake: "Lake", problem: "Problem", day: date, entities: "pl.Series", most: int
    ) -> None:
        """Show the forecasts that were made on a day for these entities, highest mean first."""
