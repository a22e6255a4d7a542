"""The backtest: forecasts of past days, each made as it would have been made on that day.

For each period a candidate is trained as of its first day, by the function that trains in
production and with its embargo; each day's intervals are calibrated on outcomes known by its end;
each day's forecasts are made of its features. Before the forecasts of a period are made, its first
day's features are made once more without anything that came after, and must be the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Literal, get_args

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError, WrongArgumentError
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.evaluation.scores import with_outcomes
from ghstars_assets.learning.forecasting.calibration import CALIBRATION_DAYS, Calibrator
from ghstars_assets.learning.forecasting.predictions import forecast_rows
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.tables import backtest_table
from ghstars_assets.learning.training.candidate import (
    CandidatePlan,
    plan_candidate,
    train_candidate,
)
from ghstars_assets.learning.wiring import Wired
from ghstars_assets.sql_tables.hindsight import refuse_hindsight

Mode = Literal["monthly", "weekly", "never"]
MODES: tuple[Mode, ...] = get_args(Mode)
FINGERPRINT = "fingerprint"
"""Footer note: which model made a day's forecasts, and when what they are made of was written."""
UP_TO_DATE = "up to date"


@dataclass(frozen=True)
class Period:
    """Origins that one model serves."""

    trained_as_of: date
    days: DayRange


def periods(days: DayRange, mode: Mode) -> list[Period]:
    """Months and weeks are whole ones: where a backtest begins decides nothing about its models."""
    if mode == "never":
        return [Period(days.first, days)]
    begins = _first_of_month if mode == "monthly" else _monday
    found = []
    for as_of, group in groupby(days, begins):
        together = list(group)
        found.append(Period(as_of, DayRange(together[0], together[-1])))
    return found


@dataclass(frozen=True)
class Backtest:
    """One problem's backtest, and how often its model is trained anew."""

    lake: Lake
    problem: Problem
    wired: Wired
    training: Training
    mode: Mode
    progress: Callable[[str], None]
    is_expanding: bool = False
    """Each model learns from all days before it, not from a window of the latest."""

    @property
    def columns(self) -> LearningColumns:
        return self.wired.columns[self.problem.name]

    @property
    def table(self) -> str:
        return self.problem.table("backtest")

    @property
    def part(self) -> str:
        """The name of this cadence and window in the table."""
        return part_of(self.mode, is_expanding=self.is_expanding)

    def run(self, days: DayRange) -> Iterator[DayOutcome]:
        """Forecast from every origin that has features and is not stored as the data of now make
        it."""
        features = self.lake.days(self.problem.table("features"), days)
        if not features:
            raise MissingDayError(
                f"{self.problem.table('features')} holds no day of {days}; fill it with "
                f"`ghstars backfill {self.problem.name} --from {days.first} --to {days.last}`."
            )
        for period in periods(days, self.mode):
            origins = [day for day in features if day in period.days]
            if origins:
                yield from self._forecast_period(period, origins)

    def _forecast_period(self, period: Period, origins: Sequence[date]) -> Iterator[DayOutcome]:
        training = replace(self.training, window_days=None) if self.is_expanding else self.training
        planned = plan_candidate(
            self.lake, self.problem, self.columns, training, period.trained_as_of
        )
        marks = self._marks(planned, origins)
        stored = self._stored(DayRange(origins[0], origins[-1]))
        todo = [day for day in origins if stored.get(day, ("", 0))[0] != marks[day]]
        for day in origins:
            if day not in todo:
                yield DayOutcome(day, Status.WRITTEN, rows=stored[day][1], reason=UP_TO_DATE)
        if not todo:
            return
        graph = self.wired.graph
        file = graph.files[self.problem.table("features")]
        refuse_hindsight(self.lake, file, graph.tables, todo[0])
        learnt = planned.plan.training_days
        self.progress(
            f"training as of {period.trained_as_of}: {len(learnt)} days from {learnt[0]} to "
            f"{learnt[-1]}; then {len(todo)} days from {todo[0]} to {todo[-1]}"
        )
        candidate = train_candidate(self.lake, self.problem, self.columns, planned)
        calibrator = Calibrator(self.lake, self.problem, self.columns, candidate.served, learnt[-1])
        for day in todo:
            yield self._day(day, planned, calibrator, marks[day])

    def _day(
        self, day: date, planned: CandidatePlan, calibrator: Calibrator, mark: str
    ) -> DayOutcome:
        table = backtest_table(self.problem, self.columns)
        features = self.lake.read(self.problem.table("features"), day)
        notes = {FINGERPRINT: mark}
        if features.is_empty():
            written = self.lake.write(
                table.name, day, table.empty(), part=self.part, notes={**notes, GAP: "no snapshot"}
            )
            return DayOutcome(day, Status.GAP, 0, written.size_bytes, reason="no snapshot")
        calibration = calibrator.calibration_for(day)
        forecasts = forecast_rows(
            self.problem,
            self.columns,
            calibrator.served,
            calibration,
            features,
            self.lake.settings.threads,
        )
        key = ["day", self.problem.entity]
        baselines = features.select(*key, pl.col(self.columns.baselines).cast(pl.Float64))
        beside = forecasts.join(baselines, on=key, how="left", maintain_order="left")
        made = beside.with_columns(
            trained_through=pl.lit(planned.plan.training_days[-1]),
            calibrated_through=pl.lit(calibration.last_day),
            mode=pl.lit(self.part),
            fingerprint=pl.lit(planned.fingerprint),
            model_version=pl.lit(None, pl.Int64),
        )
        rows = with_outcomes(self.lake, self.problem, self.columns, made, day)
        written = self.lake.write(table.name, day, table.conform(rows), part=self.part, notes=notes)
        return DayOutcome(day, Status.WRITTEN, written.rows, written.size_bytes)

    def _marks(self, planned: CandidatePlan, origins: Sequence[date]) -> dict[date, str]:
        """For each origin what its forecasts are made of: the model, and when the newest of the
        features and outcomes that it reads was written."""
        horizon = timedelta(days=self.problem.horizon_days)
        reach = DayRange(origins[0] - 2 * horizon - timedelta(days=CALIBRATION_DAYS), origins[-1])
        written = [
            (partition.day, partition.modified)
            for stage in ("features", "labels")
            for partition in self.lake.partitions(self.problem.table(stage), reach)
        ]
        marks = {}
        for day in origins:
            first = day - horizon - timedelta(days=CALIBRATION_DAYS)
            newest = max(modified for made, modified in written if first <= made <= day)
            marks[day] = f"{planned.fingerprint} {newest.timestamp():.6f}"
        return marks

    def _stored(self, days: DayRange) -> dict[date, tuple[str, int]]:
        return {
            partition.day: (
                self.lake.notes(partition).get(FINGERPRINT, ""),
                self.lake.row_count(partition),
            )
            for partition in self.lake.partitions(self.table, days)
            if partition.part == self.part
        }


def part_of(mode: Mode, *, is_expanding: bool) -> str:
    return f"{mode}-expanding" if is_expanding else mode


def require_mode(text: str) -> Mode:
    for mode in MODES:
        if mode == text:
            return mode
    raise WrongArgumentError(
        f"{text!r} is no cadence of retraining; choose from {', '.join(MODES)}."
    )


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
