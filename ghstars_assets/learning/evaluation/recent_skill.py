"""How good the forecasts that have come due lately were: what a day's health is judged by."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.metrics import (
    NAIVE,
    ErrorSums,
    area_under_roc,
    squared_error,
)
from ghstars_assets.learning.problem import Problem


@dataclass(frozen=True)
class Skill:
    """What the latest days of origin that have come due show; a figure is None where there is
    none."""

    scored_from: date | None = None
    scored_through: date | None = None
    scored_days: int = 0
    rows: int = 0
    mae: float | None = None
    mae_naive: float | None = None
    skill_vs_naive: float | None = None
    rmse: float | None = None
    r2: float | None = None
    auc: float | None = None


class SkillMeter:
    """The skill as it was known on each day. A day of origin is read once, though it is one of a
    fortnight for as many days."""

    def __init__(self, lake: Lake, problem: Problem) -> None:
        self.lake = lake
        self.problem = problem
        self.table = problem.table("scores")
        # As many as two windows hold: those of the day before are asked for again.
        kept = 2 * problem.gates.skill_days
        self._sums_on = lru_cache(maxsize=kept)(self._sums_of)
        self._ranked_on = lru_cache(maxsize=kept)(self._ranked_of)

    def skill_on(self, day: date) -> Skill:
        """Over the forecasts that had come due by the end of this day."""
        gates = self.problem.gates
        last = day - timedelta(days=self.problem.horizon_days)
        span = DayRange(last - timedelta(days=gates.skill_days - 1), last)
        sums = {origin: self._sums_on(origin) for origin in self.lake.days(self.table, span)}
        origins = [origin for origin, of_day in sums.items() if of_day.rows]
        if not origins:
            return Skill()
        whole = ErrorSums.together([sums[origin] for origin in origins])
        is_enough = len(origins) >= gates.fewest_skill_days
        return Skill(
            scored_from=origins[0],
            scored_through=origins[-1],
            scored_days=len(origins),
            rows=whole.rows,
            mae=whole.mean_error,
            mae_naive=whole.mean_error_naive,
            # What follows the twelfth digit is the order in which threads add up, and decides
            # nothing.
            skill_vs_naive=(
                round(whole.skill, 12) if is_enough and whole.skill is not None else None
            ),
            rmse=whole.rmse,
            r2=whole.r2,
            auc=self._auc(origins),
        )

    def _measured(self, origin: date) -> pl.LazyFrame:
        """Rows with an outcome and a naive forecast: those of which a skill can be known."""
        rows = self.lake.scan(self.table, DayRange(origin, origin))
        return rows.select(NAIVE, "actual", self.problem.task.point).drop_nulls()

    def _sums_of(self, origin: date) -> ErrorSums:
        task = self.problem.task
        return ErrorSums.of(
            self._measured(origin),
            error=task.row_error(task.point),
            error_naive=task.row_error(NAIVE),
            squared_error=squared_error(task.point),
        )

    def _ranked_of(self, origin: date) -> pl.DataFrame:
        rows = self._measured(origin)
        return rows.select(value=self.problem.task.point, is_so=pl.col("actual") > 0).collect()

    def _auc(self, origins: list[date]) -> float | None:
        if "auc" not in self.problem.gates.absolute:
            return None
        rows = pl.concat([self._ranked_on(origin) for origin in origins])
        return area_under_roc(rows["value"], rows["is_so"])
