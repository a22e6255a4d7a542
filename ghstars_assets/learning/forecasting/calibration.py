"""Fills `calibration`: each day's champion on forecasts of the last weeks that have come due."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.holes import warned_days
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.stage import Filled, StageDay
from ghstars_assets.learning.tasks.intervals import Calibration, RawForecast
from ghstars_assets.learning.tasks.target_forms import column_or_ones
from ghstars_assets.learning.training.training_set import labelled_days, read_labelled_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CALIBRATION_DAYS = 28
"""Fewer follow the world faster and wobble more."""
DAYS_AT_ONCE = 7
"""Read and forecast together; a month at once would take as many times the memory of a day."""
MOST_ROWS_A_DAY = 20_000
"""Beyond these, entities are sampled: ends of intervals need no more."""
LOOK_BACK_DAYS = 400
"""Where the newest outcomes are older than this, nothing is known of how sure a forecast is."""


class Calibrator:
    """One version, day after day: what it forecasts of a past day is asked once."""

    def __init__(
        self,
        lake: Lake,
        problem: Problem,
        columns: LearningColumns,
        served: ServedModel,
        trained_through: date,
    ) -> None:
        self.lake = lake
        self.problem = problem
        self.columns = columns
        self.served = served
        self.first_unseen = trained_through + timedelta(days=problem.horizon_days)
        self._known: dict[date, tuple[RawForecast, Floats]] = {}

    def days_for(self, day: date) -> list[date]:
        """The latest days whose outcome is known at the end of `day`, and of which the version
        learnt nothing."""
        newest = day - timedelta(days=self.problem.horizon_days)
        oldest = max(self.first_unseen, newest - timedelta(days=LOOK_BACK_DAYS))
        if newest < oldest:
            return []
        known = self._known_days(newest, oldest)
        return (self._ordinary(known) or known)[-CALIBRATION_DAYS:]

    def calibration_for(self, day: date) -> Calibration:
        days = self.days_for(day)
        forecasts = self._forecasts_on(days)
        if not sum(len(actual) for _, actual in forecasts):
            raise MissingDayError(
                f"No outcome from {self.first_unseen} to {day} is known, so nobody can say how "
                f"wide the intervals of {day} must be; fill "
                f"{self.problem.table('labels')} with `ghstars backfill {self.problem.name}`."
            )
        import numpy as np

        return self.problem.task.calibrate(
            RawForecast.joined([raw for raw, _ in forecasts]),
            np.concatenate([actual for _, actual in forecasts]),
            days[0],
            days[-1],
        )

    def _ordinary(self, origins: list[date]) -> list[date]:
        """Leave out the days whose outcome spans a day that its gate warned of. A day on which a
        source took back what it had given would for weeks make the intervals of all other days too
        wide, and nobody foresees the next one."""
        if not origins:
            return []
        ahead = range(1, self.problem.horizon_days + 1)
        span = DayRange(origins[0], origins[-1] + timedelta(days=self.problem.horizon_days))
        warned = warned_days(self.lake, self.problem.table("snapshots"), span)
        touched = {day - timedelta(days=n) for day in warned for n in ahead}
        return [day for day in origins if day not in touched]

    def _known_days(self, newest: date, oldest: date) -> list[date]:
        # Nearly always the last weeks are enough, and a listing of a year costs as much as them.
        for back in (2 * CALIBRATION_DAYS, LOOK_BACK_DAYS):
            first = max(oldest, newest - timedelta(days=back))
            known = labelled_days(self.lake, self.problem, DayRange(first, newest))
            if len(known) >= CALIBRATION_DAYS + self.problem.horizon_days or first == oldest:
                return known
        return known

    def _forecasts_on(self, days: Sequence[date]) -> "list[tuple[RawForecast, Floats]]":
        """What the version says of each of these days, beside what happened; of days gone by before
        them nothing is kept."""
        missing = [day for day in days if day not in self._known]
        for first in range(0, len(missing), DAYS_AT_ONCE):
            self._known |= self._forecasts_of(tuple(missing[first : first + DAYS_AT_ONCE]))
        self._known = {day: self._known[day] for day in days}
        return [self._known[day] for day in days]

    def _forecasts_of(self, days: tuple[date, ...]) -> "dict[date, tuple[RawForecast, Floats]]":
        rows = read_labelled_rows(
            self.lake, self.problem, self.columns, days, MOST_ROWS_A_DAY, is_a_day=True
        )
        raw = self.served.raw_forecast(rows, self.lake.settings.threads)
        actual = column_or_ones(rows, self.columns.target)
        of_day = {day: (rows["day"] == day).to_numpy() for day in days}
        return {day: (raw[chosen], actual[chosen]) for day, chosen in of_day.items()}


def fill_calibration(day: StageDay) -> Filled:
    """Measure how far the ends of the day's intervals must be moved."""
    champion = day.champion

    def calibrator() -> Calibrator:
        trained_through = champion.row["trained_through"]
        return Calibrator(day.lake, day.problem, day.columns, champion.served, trained_through)

    measured = day.kept(("calibrator", champion.version), calibrator).calibration_for(day.day)
    return Filled(pl.DataFrame(list(measured.rows(day.day, champion.version))))
