"""Fills `scores`: the forecasts of a day beside what happened, once it has happened."""

from datetime import date

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.stage import Filled, StageDay


def fill_scores(day: StageDay) -> Filled:
    """Put the forecasts of the day beside what happened."""
    predictions, labels = day.frame("predictions"), day.frame("labels")
    return Filled(score_rows(day.problem, day.columns, predictions, labels))


def score_rows(
    problem: Problem, columns: LearningColumns, predictions: pl.DataFrame, labels: pl.DataFrame
) -> pl.DataFrame:
    """Forecasts whose outcome is known, matched on day and entity."""
    outcomes = _outcomes(problem, columns, labels)
    return predictions.join(outcomes, on=["day", problem.entity], how="inner")


def with_outcomes(
    lake: Lake, problem: Problem, columns: LearningColumns, forecasts: pl.DataFrame, day: date
) -> pl.DataFrame:
    """A day's forecasts with what happened after it, as far as anybody knows."""
    table = problem.table("labels")
    if not lake.days(table, DayRange(day, day)):
        return forecasts.with_columns(actual=pl.lit(None, pl.Float64))
    outcomes = _outcomes(problem, columns, lake.read(table, day))
    return forecasts.join(outcomes, on=["day", problem.entity], how="left", maintain_order="left")


def _outcomes(problem: Problem, columns: LearningColumns, labels: pl.DataFrame) -> pl.DataFrame:
    return labels.select(
        "day", problem.entity, actual=pl.col(columns.target).cast(pl.Float64)
    ).drop_nulls("actual")
