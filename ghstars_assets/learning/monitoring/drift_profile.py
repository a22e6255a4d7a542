"""What a version keeps of the rows that it learnt from and was judged on, for drift to be measured
against: a sketch of each feature, of the target, of its forecasts and of its errors.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from ghstars_assets.learning.monitoring.drift_statistics import Sketch
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.tasks.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEATURE, FORECAST, TARGET, ERROR = KINDS = ("feature", "forecast", "target", "error")

DriftProfile = Mapping[str, Mapping[str, Sketch]]
"""Sketches by kind and column."""


def drift_profile_of(
    task: Task, columns: LearningColumns, rows: pl.DataFrame, judged: pl.DataFrame
) -> DriftProfile:
    """Features and target of the training rows; forecasts and errors of the held-out ones, for of
    the rows that it learnt from a version knows too much."""
    return {
        FEATURE: {
            name: Sketch.of(as_floats(rows[name]), is_whole=is_whole(rows.schema[name]))
            for name in columns.features
        },
        TARGET: {columns.target: Sketch.of(task.watched_values(as_floats(rows[columns.target])))},
        FORECAST: {name: Sketch.of(values) for name, values in forecasts_of(task, judged).items()},
        ERROR: {task.point: Sketch.of(errors_of(task, judged))},
    }


def forecasts_of(task: Task, rows: pl.DataFrame) -> "dict[str, Floats]":
    return {name: task.watched_values(as_floats(rows[name])) for name in task.watched}


def errors_of(task: Task, rows: pl.DataFrame) -> "Floats":
    actual, point = (task.watched_values(as_floats(rows[name])) for name in ("actual", task.point))
    return actual - point


def as_floats(column: pl.Series) -> "Floats":
    """NaN for what is not known."""
    return column.cast(pl.Float64).to_numpy()


def is_whole(kind: pl.DataType) -> bool:
    return kind.is_integer() or kind == pl.Boolean


def drift_profile_json(profile: DriftProfile) -> str:
    return json.dumps(
        {
            kind: {name: asdict(sketch) for name, sketch in sketches.items()}
            for kind, sketches in profile.items()
        }
    )


def drift_profile_from_json(text: str) -> DriftProfile:
    return {
        kind: {name: _sketch_from(stored) for name, stored in sketches.items()}
        for kind, sketches in json.loads(text).items()
    }


def _sketch_from(stored: Mapping[str, Any]) -> Sketch:
    return Sketch(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored.items()
        }  # pyright: ignore[reportArgumentType]
    )
