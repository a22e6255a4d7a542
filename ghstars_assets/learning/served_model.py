"""A trained version as it forecasts: two LightGBM heads and the spread of its past errors.

It is stored as text (LightGBM's own format and JSON), so loading one runs no code of anybody's.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.learning.boosting import booster_from_text, fitted_values
from ghstars_assets.learning.drivers import PathEffects, path_effects, top_drivers
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.tables import INTERVALS
from ghstars_assets.learning.target_forms import column_or_ones

if TYPE_CHECKING:
    import lightgbm
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_LEVELS = 10
FEWEST_ROWS_IN_A_LEVEL = 200


@dataclass(frozen=True)
class ErrorSpread:
    """Quantiles of past errors on the form's own scale, within groups of like forecasts: what
    hardly moves errs otherwise than what soars."""

    level_bounds: tuple[float, ...]
    """Upper bounds of all groups but the last."""
    quantiles: tuple[tuple[float, ...], ...]
    """For each group: low and high of each interval, in the order of INTERVALS."""


@dataclass(frozen=True)
class ServedModel:
    problem: Problem
    columns: LearningColumns
    booster_typical: str
    booster_mean: str
    spread: ErrorSpread

    @classmethod
    def from_row(cls, problem: Problem, row: Mapping[str, str]) -> "ServedModel":
        """From a row of the `model` table."""
        served = json.loads(row["served"])
        columns = served["columns"]
        spread = served["spread"]
        return cls(
            problem=problem,
            columns=LearningColumns(**columns | {"features": tuple(columns["features"])}),
            booster_typical=row["booster_typical"],
            booster_mean=row["booster_mean"],
            spread=ErrorSpread(
                tuple(spread["level_bounds"]), tuple(tuple(q) for q in spread["quantiles"])
            ),
        )

    def served_json(self) -> str:
        return json.dumps({"columns": asdict(self.columns), "spread": asdict(self.spread)})

    def lacking(self, present: Collection[str]) -> list[str]:
        """The columns that this version forecasts with and that are not there any more."""
        return [name for name in self.columns.needed if name not in present]

    def typical_values(self, features: pl.DataFrame, threads: int = 1) -> "Floats":
        """The typical value alone."""
        base, scale = self._base_and_scale(features)
        fitted = fitted_values(self.typical_head, feature_matrix(features, self.columns), threads)
        return self.problem.target_form.typical(fitted, base, scale)

    def mean_values(self, features: pl.DataFrame, threads: int = 1) -> "Floats":
        """The mean alone."""
        _, scale = self._base_and_scale(features)
        fitted = fitted_values(self.mean_head, feature_matrix(features, self.columns), threads)
        return self.problem.target_form.mean(fitted, scale)

    def forecast(self, features: pl.DataFrame, threads: int = 1) -> pl.DataFrame:
        """All forecast columns for each row, in its order: values, intervals and drivers."""
        form = self.problem.target_form
        matrix = feature_matrix(features, self.columns)
        base, scale = self._base_and_scale(features)
        fitted = fitted_values(self.typical_head, matrix, threads)
        typical = form.typical(fitted, base, scale)
        mean = form.mean(fitted_values(self.mean_head, matrix, threads), scale)
        drivers = top_drivers(
            self._path_effects,
            self.typical_head.predict(matrix, pred_leaf=True, num_threads=threads),
            self.columns.features,
            lambda effect: typical - form.typical(fitted - effect, base, scale),
        )
        return pl.DataFrame(
            {"typical": typical, "mean": mean, **self._intervals(typical), "drivers": drivers}
        )

    def _base_and_scale(self, features: pl.DataFrame) -> "tuple[Floats, Floats]":
        return (
            column_or_ones(features, self.columns.base),
            column_or_ones(features, self.columns.scale),
        )

    def _intervals(self, typical: "Floats") -> dict[str, "Floats"]:
        import numpy as np

        form = self.problem.target_form
        level = form.squash(typical)
        group = np.searchsorted(np.array(self.spread.level_bounds), level, side="right")
        quantiles = np.array(self.spread.quantiles)[group]
        ends: dict[str, Floats] = {}
        for number, share in enumerate(INTERVALS):
            low = form.unsquash(level + quantiles[:, 2 * number])
            high = form.unsquash(level + quantiles[:, 2 * number + 1])
            ends[f"low_{share}"] = np.minimum(low, typical)
            ends[f"high_{share}"] = np.maximum(high, typical)
        return ends

    @cached_property
    def typical_head(self) -> "lightgbm.Booster":
        return booster_from_text(self.booster_typical)

    @cached_property
    def mean_head(self) -> "lightgbm.Booster":
        return booster_from_text(self.booster_mean)

    @cached_property
    def _path_effects(self) -> PathEffects:
        return path_effects(self.typical_head)


def feature_matrix(frame: pl.DataFrame, columns: LearningColumns) -> "NDArray[np.float32]":
    """Features as LightGBM takes them; an unknown value is NaN, never a number."""
    return frame.select(pl.col(columns.features).cast(pl.Float32)).to_numpy()


def measure_spread(problem: Problem, typical: "Floats", actual: "Floats") -> ErrorSpread:
    """Quantiles of the errors made on days that the model has not seen, by predicted level."""
    import numpy as np

    form = problem.target_form
    level = form.squash(typical)
    error = form.squash(actual) - level
    wanted = [quantile for ends in INTERVALS.values() for quantile in ends]
    levels = max(1, min(MOST_LEVELS, len(level) // FEWEST_ROWS_IN_A_LEVEL))
    bounds = np.unique(np.quantile(level, np.arange(1, levels) / levels))
    group = np.searchsorted(bounds, level, side="right")
    pooled = np.quantile(error, wanted)
    # Where many forecasts are equal, few rows may be left for a group beside them: too few to say
    # how wide an interval must be.
    quantiles = [
        np.quantile(error[group == number], wanted)
        if counted >= FEWEST_ROWS_IN_A_LEVEL / 2
        else pooled
        for number, counted in enumerate(np.bincount(group, minlength=len(bounds) + 1))
    ]
    return ErrorSpread(
        tuple(float(bound) for bound in bounds),
        tuple(tuple(float(value) for value in ends) for ends in quantiles),
    )
