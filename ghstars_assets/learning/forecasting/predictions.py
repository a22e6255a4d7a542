"""Forecasts: the champion of each day on the features of that day."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.holes import Hole, holes_in
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.forecasting.calibration import without_champion, without_heads
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.decisions import model_row
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.tasks.intervals import Calibration


def predict_days(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    champions: Mapping[date, int],
    days: Iterable[date],
) -> Iterator[DayOutcome]:
    """Fill `predictions`, a day at a time; each version is loaded once."""
    table = loop_tables(problem)["predictions"]

    @lru_cache(maxsize=2)
    def served(version: int) -> ServedModel:
        return ServedModel.from_row(problem, model_row(lake, problem, version))

    for day in days:
        blocked = _blocked(lake, problem, day)
        if blocked:
            yield blocked
        elif hole := _hole(lake, problem.table("features"), day):
            written = lake.write(table.name, day, table.empty(), notes={GAP: hole.reason})
            yield DayOutcome(day, Status.GAP, 0, written.size_bytes, reason=hole.reason)
        elif day not in champions:
            yield without_champion(problem, day)
        elif missing := served(champions[day]).missing_heads:
            yield without_heads(problem, day, champions[day], missing)
        elif uncalibrated := _uncalibrated(lake, problem, day, champions[day]):
            yield uncalibrated
        else:
            features = lake.read(problem.table("features"), day)
            if lacking := served(champions[day]).lacking(features.columns):
                yield _outgrown(problem, day, champions[day], lacking)
                continue
            calibration = Calibration.of_rows(lake.read(problem.table("calibration"), day))
            forecasts = forecast_rows(
                problem,
                columns,
                served(champions[day]),
                calibration,
                features,
                lake.settings.threads,
            )
            rows = forecasts.with_columns(
                model_version=pl.lit(champions[day], pl.Int64),
                in_words=_in_words(problem, features, forecasts),
            )
            written = lake.write(table.name, day, table.conform(rows))
            yield DayOutcome(day, Status.WRITTEN, written.rows, written.size_bytes)


def forecast_rows(
    problem: Problem,
    columns: LearningColumns,
    served: ServedModel,
    calibration: Calibration,
    features: pl.DataFrame,
    threads: int,
) -> pl.DataFrame:
    """Feature rows with their forecasts and the naive one beside them."""
    known = features.select(
        "day", *problem.entity_columns, naive=pl.col(columns.naive).cast(pl.Float64)
    )
    if features.is_empty():
        return loop_tables(problem)["predictions"].empty()
    forecasts = served.forecast(features, calibration, threads)
    return known.join(forecasts, on=["day", problem.entity], how="left", maintain_order="left")


def _in_words(
    problem: Problem, features: pl.DataFrame, forecasts: pl.DataFrame
) -> pl.Series | pl.Expr:
    return problem.words(features, forecasts) if problem.words else pl.lit(None, pl.String)


def _blocked(lake: Lake, problem: Problem, day: date) -> DayOutcome | None:
    """A day without features: quarantined upstream, or never filled."""
    features = problem.table("features")
    if lake.days(features, DayRange(day, day)):
        return None
    snapshots = problem.table("snapshots")
    hole = _hole(lake, snapshots, day)
    if hole and hole.is_quarantine:
        lake.delete(problem.table("predictions"), day)
        reason = f"{snapshots} of {day} is quarantined ({hole.reason})"
        return DayOutcome(day, Status.SKIPPED, reason=reason)
    reason = (
        f"{features} has no {day}; fill it with `ghstars backfill {problem.name} "
        f"--from {day} --to {day} --stages features`"
    )
    return DayOutcome(day, Status.FAILED, reason=reason)


def _uncalibrated(lake: Lake, problem: Problem, day: date, version: int) -> DayOutcome | None:
    """A day whose intervals nobody has measured, or only those of another version."""
    table = problem.table("calibration")
    stored = lake.days(table, DayRange(day, day))
    of_version = lake.read(table, day)["model_version"][0] if stored else None
    if of_version == version:
        return None
    told = f"is of version {of_version}" if of_version else "is not there"
    reason = (
        f"{table} of {day} {told}, and version {version} serves; fill it with `ghstars backfill "
        f"{problem.name} --from {day} --to {day} --stages calibration`"
    )
    return DayOutcome(day, Status.FAILED, reason=reason)


def _outgrown(problem: Problem, day: date, version: int, lacking: list[str]) -> DayOutcome:
    reason = (
        f"version {version} of {problem.name} forecasts with {', '.join(lacking)}, which "
        f"{problem.table('features')} of {day} no longer has; bring the columns back, or train "
        f"anew with `ghstars backfill {problem.name} --stages model,champion`"
    )
    return DayOutcome(day, Status.FAILED, reason=reason)


def _hole(lake: Lake, table: str, day: date) -> Hole | None:
    return holes_in(lake, table, DayRange(day, day)).get(day)
