"""What one invocation of `ghstars` shares: its settings, and the platform for problems' commands.

It is made before any command is imported, so what is heavy is imported where it is used.
"""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from ghstars_assets.calendar import DayRange
    from ghstars_assets.lake.marker import Marker
    from ghstars_assets.lake.tables import Lake
    from ghstars_assets.learning.problem import Problem
    from ghstars_assets.problems.platform import Form
    from ghstars_assets.settings import Settings
    from ghstars_assets.sources.archives import ImportResult


class CommandLine:
    """The `obj` of click's context, and a `Platform` (see `problems/platform.py`)."""

    @cached_property
    def settings(self) -> "Settings":
        """Read when first asked for: a wrong setting must not keep anybody from `--help`."""
        from ghstars_assets.settings import load_settings

        return load_settings()

    def say(self, text: str, *, heading: str = "") -> None:
        from ghstars_assets.cli.console import say

        say(text, heading=heading)

    def print_line(self, text: str, *, soft_wrap: bool = False) -> None:
        from ghstars_assets.cli.console import print_line

        print_line(text, soft_wrap=soft_wrap)

    def show_frame(self, frame: "pl.DataFrame", form: "Form", title: str = "") -> None:
        from ghstars_assets.cli.console import show_frame

        show_frame(frame, form, title)

    def say_if_sandbox(self, lake: "Lake") -> None:
        from ghstars_assets.cli.console import say_if_sandbox

        say_if_sandbox(lake)

    def begin_sandbox(self, lake: "Lake", days: int) -> "Marker":
        from ghstars_assets.cli.operations.demo import begin_sandbox

        return begin_sandbox(lake, days)

    def fill(self, problem: "Problem", days: "DayRange", stages: Sequence[str]) -> None:
        from ghstars_assets.cli.console import say
        from ghstars_assets.cli.data.backfill import backfill

        for report in backfill(self.settings, problem, days, stages):
            say(f"{problem.name} {report}")

    def run(self, problem: "Problem", days: "DayRange", stages: Sequence[str]) -> None:
        from ghstars_assets.orchestration.runs import Runner, dagster_instance

        with dagster_instance(self.settings) as instance:
            runner = Runner(self.settings, instance)
            for stage in stages:
                runner.run(problem.table(stage), days, lambda _day: None)

    def import_history(
        self, lake: "Lake", problem: "Problem", place: str, days: "DayRange | None"
    ) -> "ImportResult":
        from ghstars_assets.cli.data.import_history import import_history

        return import_history(lake, problem, place, days)

    def record_import(self, lake: "Lake", problem: "Problem", imported: "ImportResult") -> int:
        from ghstars_assets.cli.data.import_history import record_in_dagster

        return record_in_dagster(self.settings, lake, problem, imported)

    def show_forecasts(
        self, lake: "Lake", problem: "Problem", day: date, entities: "pl.Series", most: int
    ) -> None:
        import polars as pl

        from ghstars_assets.cli.learning.forecasts import forecasts_of, show_forecasts

        is_wanted = pl.col(problem.entity).is_in(entities.implode())
        frame = forecasts_of(lake, problem, day, None).filter(is_wanted).head(most)
        show_forecasts(lake, problem, frame, "table")
