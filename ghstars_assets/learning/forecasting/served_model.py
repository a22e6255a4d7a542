"""A trained version as it forecasts: a LightGBM booster for each head of the task, and what the
task makes of their values.

It is stored as text (LightGBM's own format and JSON), so loading one runs no code of anybody's.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.learning.forecasting.drivers import PathEffects, path_effects, top_drivers
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.tables import booster_column
from ghstars_assets.learning.tasks.intervals import Calibration, RawForecast
from ghstars_assets.learning.tasks.task import Fitted
from ghstars_assets.learning.training.boosting import booster_from_text, fitted_values

if TYPE_CHECKING:
    import lightgbm
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ServedModel:
    problem: Problem
    columns: LearningColumns
    texts: Mapping[str, str]
    """LightGBM's text of each head of the task."""

    @classmethod
    def from_row(cls, problem: Problem, row: Mapping[str, str]) -> "ServedModel":
        """From a row of the `model` table."""
        columns = json.loads(row["served"])["columns"]
        listed = {name: tuple(columns.get(name, ())) for name in ("features", "baselines")}
        return cls(
            problem=problem,
            columns=LearningColumns(**columns | listed),
            texts={
                head: row[column]
                for head in problem.task.heads
                if (column := booster_column(head)) in row
            },
        )

    def served_json(self) -> str:
        return json.dumps({"columns": asdict(self.columns)})

    @property
    def missing_heads(self) -> list[str]:
        """What a version of an earlier release has no booster for."""
        return [head for head in self.problem.task.heads if not self.texts.get(head)]

    def lacking(self, present: Collection[str]) -> list[str]:
        """The columns that this version forecasts with and that are not there any more."""
        return [name for name in self.columns.needed if name not in present]

    def point_values(self, features: pl.DataFrame, threads: int = 1) -> "Floats":
        """The value that is held against what happens, alone, in the order of the rows."""
        fitted = self._fitted(feature_matrix(features, self.columns), threads)
        return self.problem.task.point_forecast(fitted, features, self.columns)

    def raw_forecast(self, features: pl.DataFrame, threads: int = 1) -> RawForecast:
        """What the heads say before any calibration, in the order of the rows."""
        fitted = self._fitted(feature_matrix(features, self.columns), threads)
        return self.problem.task.raw_forecast(fitted, features, self.columns)

    def forecast(
        self, features: pl.DataFrame, calibration: Calibration, threads: int = 1
    ) -> pl.DataFrame:
        """For each row its key (`day` and the entity), its forecast and its drivers."""
        task = self.problem.task
        matrix = feature_matrix(features, self.columns)
        fitted = self._fitted(matrix, threads)
        drivers = top_drivers(
            self._path_effects,
            self.head(task.main_head).predict(matrix, pred_leaf=True, num_threads=threads),
            self.columns.features,
            task.effect_in_units(fitted, features, self.columns),
        )
        values = task.forecast(fitted, features, self.columns, calibration)
        return features.select("day", self.problem.entity).with_columns(
            **{name: pl.Series(of) for name, of in values.items()}, drivers=drivers
        )

    def head(self, name: str) -> "lightgbm.Booster":
        return self._heads[name]

    def _fitted(self, matrix: "NDArray[np.float32]", threads: int) -> Fitted:
        """Each head is asked once, when it is first needed."""

        @cache
        def fitted(head: str) -> "Floats":
            return fitted_values(self.head(head), matrix, threads)

        return fitted

    @cached_property
    def _heads(self) -> "dict[str, lightgbm.Booster]":
        return {name: booster_from_text(text) for name, text in self.texts.items()}

    @cached_property
    def _path_effects(self) -> PathEffects:
        return path_effects(self.head(self.problem.task.main_head))


def feature_matrix(frame: pl.DataFrame, columns: LearningColumns) -> "NDArray[np.float32]":
    """Features as LightGBM takes them; an unknown value is NaN, never a number."""
    return frame.select(pl.col(columns.features).cast(pl.Float32)).to_numpy()
