"""A trained version as it forecasts: LightGBM heads for the typical value, the mean and the ends of
the intervals, and the calibration that sets those ends right.

It is stored as text (LightGBM's own format and JSON), so loading one runs no code of anybody's.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.learning.forecasting.drivers import PathEffects, path_effects, top_drivers
from ghstars_assets.learning.forecasting.intervals import Calibration, RawForecast
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.tables import ENDS, HEADS, booster_column
from ghstars_assets.learning.tasks.target_forms import column_or_ones
from ghstars_assets.learning.training.boosting import booster_from_text, fitted_values

if TYPE_CHECKING:
    import lightgbm
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


THIN_SHARE = 0.2
"""Of the features of stars a fifth is unknown where less than two weeks are known."""


@dataclass(frozen=True)
class ServedModel:
    problem: Problem
    columns: LearningColumns
    texts: Mapping[str, str]
    """LightGBM's text of each head in HEADS."""

    @classmethod
    def from_row(cls, problem: Problem, row: Mapping[str, str]) -> "ServedModel":
        """From a row of the `model` table."""
        columns = json.loads(row["served"])["columns"]
        listed = {name: tuple(columns.get(name, ())) for name in ("features", "baselines")}
        return cls(
            problem=problem,
            columns=LearningColumns(**columns | listed),
            texts={head: row[column] for head in HEADS if (column := booster_column(head)) in row},
        )

    def served_json(self) -> str:
        return json.dumps({"columns": asdict(self.columns)})

    @property
    def missing_heads(self) -> list[str]:
        """What a version of an earlier release has no booster for."""
        return [head for head in HEADS if not self.texts.get(head)]

    def lacking(self, present: Collection[str]) -> list[str]:
        """The columns that this version forecasts with and that are not there any more."""
        return [name for name in self.columns.needed if name not in present]

    def typical_values(self, features: pl.DataFrame, threads: int = 1) -> "Floats":
        """The typical value alone."""
        base, scale = self._base_and_scale(features)
        fitted = self._fitted("typical", feature_matrix(features, self.columns), threads)
        return self.problem.target_form.typical(fitted, base, scale)

    def mean_values(self, features: pl.DataFrame, threads: int = 1) -> "Floats":
        """The mean alone."""
        _, scale = self._base_and_scale(features)
        fitted = self._fitted("mean", feature_matrix(features, self.columns), threads)
        return self.problem.target_form.mean(fitted, scale)

    def raw_forecast(self, features: pl.DataFrame, threads: int = 1) -> RawForecast:
        """What the heads say of the typical value and of the intervals, on the scale on which
        errors are alike, before any calibration."""
        matrix = feature_matrix(features, self.columns)
        return self._raw(features, matrix, self._fitted("typical", matrix, threads), threads)

    def forecast(
        self, features: pl.DataFrame, calibration: Calibration, threads: int = 1
    ) -> pl.DataFrame:
        """All forecast columns for each row, in its order: values, intervals and drivers."""
        import numpy as np

        form = self.problem.target_form
        base, scale = self._base_and_scale(features)
        matrix = feature_matrix(features, self.columns)
        fitted = self._fitted("typical", matrix, threads)
        typical = form.typical(fitted, base, scale)
        mean = form.mean(self._fitted("mean", matrix, threads), scale)
        moved = calibration.applied_to(self._raw(features, matrix, fitted, threads))
        # To and from that scale the last digit may change, and an end must not pass by the value.
        ends = {
            end: (np.minimum if end.startswith("low") else np.maximum)(form.unsquash(to), typical)
            for end, to in moved.items()
        }
        drivers = top_drivers(
            self._path_effects,
            self.head("typical").predict(matrix, pred_leaf=True, num_threads=threads),
            self.columns.features,
            lambda effect: typical - form.typical(fitted - effect, base, scale),
        )
        return pl.DataFrame({"typical": typical, "mean": mean, **ends, "drivers": drivers})

    def _raw(
        self,
        features: pl.DataFrame,
        matrix: "NDArray[np.float32]",
        fitted: "Floats",
        threads: int,
    ) -> RawForecast:
        form = self.problem.target_form
        base, scale = self._base_and_scale(features)

        def on_scale(fitted: "Floats") -> "Floats":
            return form.squash(form.typical(fitted, base, scale))

        return RawForecast(
            level=on_scale(fitted),
            ends={end: on_scale(self._fitted(end, matrix, threads)) for end in ENDS},
            is_thin=is_thin(features, self.columns),
        )

    def head(self, name: str) -> "lightgbm.Booster":
        return self._heads[name]

    def _fitted(self, head: str, matrix: "NDArray[np.float32]", threads: int) -> "Floats":
        return fitted_values(self.head(head), matrix, threads)

    def _base_and_scale(self, features: pl.DataFrame) -> "tuple[Floats, Floats]":
        return (
            column_or_ones(features, self.columns.base),
            column_or_ones(features, self.columns.scale),
        )

    @cached_property
    def _heads(self) -> "dict[str, lightgbm.Booster]":
        return {name: booster_from_text(text) for name, text in self.texts.items()}

    @cached_property
    def _path_effects(self) -> PathEffects:
        return path_effects(self.head("typical"))


def feature_matrix(frame: pl.DataFrame, columns: LearningColumns) -> "NDArray[np.float32]":
    """Features as LightGBM takes them; an unknown value is NaN, never a number."""
    return frame.select(pl.col(columns.features).cast(pl.Float32)).to_numpy()


def is_thin(frame: pl.DataFrame, columns: LearningColumns) -> "NDArray[np.bool_]":
    """Rows of which little is known: those new to us, and all after a long gap. Theirs is an error
    of its own size."""
    unknown = pl.mean_horizontal(pl.col(columns.features).is_null().cast(pl.Float64))
    return frame.select(unknown > THIN_SHARE).to_series().to_numpy()
