"""Stages filled inside a test, by the runner that fills them everywhere."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import cast

import polars as pl

from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.stage_runner import StageRunner
from ghstars_assets.learning.stages import loop_stage
from ghstars_assets.learning.tables import loop_tables


def fill_stage(
    lake: Lake, problem: Problem, columns: LearningColumns, stage: str, days: Iterable[date]
) -> Iterator[DayOutcome]:
    """Without what production does before and after a range, which concerns MLflow and files."""
    alone = replace(loop_stage(problem, stage), prepare=None, finish=None)
    return StageRunner(lake, problem, columns, alone).fill(days)


def calibrate_days(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    champions: Mapping[date, int],
    days: Iterable[date],
) -> Iterator[DayOutcome]:
    return _with_champions(lake, problem, columns, "calibration", champions, days)


def predict_days(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    champions: Mapping[date, int],
    days: Iterable[date],
) -> Iterator[DayOutcome]:
    return _with_champions(lake, problem, columns, "predictions", champions, days)


def score_days(
    lake: Lake, problem: Problem, columns: LearningColumns, days: Iterable[date]
) -> Iterator[DayOutcome]:
    return fill_stage(lake, problem, columns, "scores", days)


def drift_days(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    champions: Mapping[date, int],
    days: Iterable[date],
) -> Iterator[DayOutcome]:
    return _with_champions(lake, problem, columns, "drift", champions, days)


def health_days(
    lake: Lake, problem: Problem, champions: Mapping[date, int], days: Iterable[date]
) -> Iterator[DayOutcome]:
    # Health looks at no column of the features.
    columns = cast("LearningColumns", None)
    return _with_champions(lake, problem, columns, "health", champions, days)


def _with_champions(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    stage: str,
    champions: Mapping[date, int],
    days: Iterable[date],
) -> Iterator[DayOutcome]:
    wanted = list(days)
    table = problem.table("champion")
    stored = {day: lake.read(table, day)["model_version"].to_list() for day in lake.days(table)}
    serving = {day: champions.get(day) for day in wanted}
    write_champions(
        lake,
        problem,
        {day: version for day, version in serving.items() if stored.get(day) != [version]},
    )
    return fill_stage(lake, problem, columns, stage, wanted)


def write_champions(lake: Lake, problem: Problem, champions: Mapping[date, int | None]) -> None:
    """Who serves on each day; a day with None is one on which nobody does."""
    table = loop_tables(problem)["champion"]
    for day, version in champions.items():
        row = {
            "day": day,
            "model_version": version,
            "decision": "carry",
            "decided_at": datetime(2026, 1, 1, tzinfo=UTC),
            "effective_from": day,
            "reason": "a test says so",
            "figures": "{}",
        }
        rows = table.empty() if version is None else table.conform(pl.DataFrame([row]))
        lake.write(table.name, day, rows)
