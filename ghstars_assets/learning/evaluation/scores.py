"""Scores: the forecasts of a day beside what happened, once it has happened."""

from collections.abc import Iterable, Iterator
from datetime import date

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.holes import holes_in
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.tables import loop_tables


def score_days(
    lake: Lake, problem: Problem, columns: LearningColumns, days: Iterable[date]
) -> Iterator[DayOutcome]:
    """Fill `scores`, a day at a time."""
    table = loop_tables(problem)["scores"]
    for day in days:
        absent = [
            name
            for name in (problem.table("predictions"), problem.table("labels"))
            if not lake.days(name, DayRange(day, day))
        ]
        if absent:
            yield _unscored(lake, problem, day, absent[0])
            continue
        predictions = lake.read(problem.table("predictions"), day)
        labels = lake.read(problem.table("labels"), day)
        scored = score_rows(problem, columns, predictions, labels)
        yield _write(lake, problem, table, day, scored)


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


def _write(
    lake: Lake, problem: Problem, table: Table, day: date, scored: pl.DataFrame
) -> DayOutcome:
    hole = holes_in(lake, problem.table("labels"), DayRange(day, day)).get(day)
    notes = {GAP: hole.reason} if hole else {}
    written = lake.write(table.name, day, table.conform(scored), notes=notes)
    if hole:
        return DayOutcome(day, Status.GAP, 0, written.size_bytes, reason=hole.reason)
    return DayOutcome(day, Status.WRITTEN, written.rows, written.size_bytes)


def _unscored(lake: Lake, problem: Problem, day: date, absent: str) -> DayOutcome:
    snapshots = problem.table("snapshots")
    hole = holes_in(lake, snapshots, DayRange(day, day)).get(day)
    if hole and hole.is_quarantine:
        lake.delete(problem.table("scores"), day)
        reason = f"{snapshots} of {day} is quarantined ({hole.reason})"
        return DayOutcome(day, Status.SKIPPED, reason=reason)
    stage = absent.split(".")[1]
    reason = (
        f"{absent} has no {day}; fill it with `ghstars backfill {problem.name} "
        f"--from {day} --to {day} --stages {stage}`"
    )
    return DayOutcome(day, Status.FAILED, reason=reason)
