"""Which past days `backtest` and `simulate` live, and what must be filled before they can."""

from collections.abc import Sequence
from datetime import date, timedelta

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.backtest import Mode, periods
from ghstars_assets.learning.problem import Problem

NEEDED_STAGES = ("snapshots", "features", "labels")
"""What past days are lived from; training, calibrating and forecasting is done as they are."""


def needed_days(
    lake: Lake, problem: Problem, days: DayRange, mode: Mode, *, is_expanding: bool = False
) -> DayRange:
    """From the first day that the first model learns from to the last outcome that is known."""
    as_of = periods(days, mode)[0].trained_as_of
    stored = [day for source in problem.sources for day in _ends_of(lake, source.table.name)]
    if not stored:
        raise GhstarsError(
            f"No source of {problem.name} holds a day in {lake.store.root}; import an archive with "
            f"`ghstars import {problem.name} PATH_OR_URL`, or run `ghstars demo`."
        )
    first, window = min(stored), problem.training.window_days
    if window is not None and not is_expanding:
        first = max(first, as_of - timedelta(days=window + problem.label_lag_days))
    last = min(max(stored), days.last + timedelta(days=problem.horizon_days))
    if last < first:
        raise GhstarsError(
            f"The sources of {problem.name} hold {min(stored)} to {max(stored)} and nothing of "
            f"{days}; choose days among them."
        )
    return DayRange(first, last)


def origins(lake: Lake, problem: Problem, first: date | None, last: date | None) -> DayRange:
    """The days to forecast; where no end is named, the latest quarter whose outcomes are known."""
    stored = [day for source in problem.sources for day in _ends_of(lake, source.table.name)]
    newest = max(stored, default=date.max - timedelta(days=problem.horizon_days))
    ends = last or newest - timedelta(days=problem.horizon_days)
    return DayRange(first or ends - timedelta(days=90), ends)


def _ends_of(lake: Lake, table: str) -> Sequence[date]:
    stored = lake.days(table)
    return [stored[0], stored[-1]] if stored else []
