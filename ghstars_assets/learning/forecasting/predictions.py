"""Fills `predictions`: the champion of each day on the features of that day."""

import polars as pl

from ghstars_assets.learning.forecasting.intervals import Calibration
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.stage import CannotFillError, Filled, StageDay
from ghstars_assets.learning.tables import loop_tables


def fill_predictions(day: StageDay) -> Filled:
    """Forecast with the champion, and say in words what moved each forecast."""
    problem, champion, features = day.problem, day.champion, day.frame("features")
    if lacking := champion.served.lacking(features.columns):
        raise CannotFillError(
            f"version {champion.version} of {problem.name} forecasts with {', '.join(lacking)}, "
            f"which {problem.table('features')} of {day.day} no longer has; bring the columns "
            f"back, or train anew with `ghstars backfill {problem.name} --stages model,champion`"
        )
    calibration = Calibration.of_rows(day.frame("calibration"))
    threads = day.lake.settings.threads
    forecasts = forecast_rows(problem, day.columns, champion.served, calibration, features, threads)
    return Filled(
        forecasts.with_columns(
            model_version=pl.lit(champion.version, pl.Int64),
            in_words=_in_words(problem, features, forecasts),
        )
    )


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
    return pl.concat([known, served.forecast(features, calibration, threads)], how="horizontal")


def _in_words(
    problem: Problem, features: pl.DataFrame, forecasts: pl.DataFrame
) -> pl.Series | pl.Expr:
    return problem.words(features, forecasts) if problem.words else pl.lit(None, pl.String)
