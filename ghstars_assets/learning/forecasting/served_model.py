"""A trained version as it forecasts: a LightGBM booster for each head of the task, and what the
task makes of their values.

It is stored as text (LightGBM's own format and JSON), so loading one runs no code of anybody's, and
the text is checked before LightGBM reads it, so a damaged one ends no process.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from ghstars_assets.errors import DamagedModelError
from ghstars_assets.learning.forecasting.drivers import PathEffects, path_effects, top_drivers
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.tables import booster_column
from ghstars_assets.learning.tasks.intervals import Calibration, RawForecast
from ghstars_assets.learning.tasks.task import Fitted
from ghstars_assets.learning.training.booster_text import (
    BoosterTextError,
    ExpectedBooster,
    require_sound,
    text_hash,
)
from ghstars_assets.learning.training.boosting import booster_from_text, fitted_values

if TYPE_CHECKING:
    import lightgbm
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SERVED = "served"
"""Among the hashes, that of the columns a version forecasts with."""


@dataclass(frozen=True)
class ServedModel:
    problem: Problem
    columns: LearningColumns
    texts: Mapping[str, str]
    """LightGBM's text of each head of the task."""
    recorded: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What its training recorded that the texts hash to; nothing for one of an earlier release."""
    name: str = field(default="this model", compare=False)
    """What an error calls it."""
    remedy: str = field(default="train it anew", compare=False)

    @classmethod
    def from_row(cls, problem: Problem, row: Mapping[str, Any]) -> "ServedModel":
        """From a row of the `model` table."""
        version = row.get("model_version")
        name = f"version {version} of {problem.name} ({problem.table('model')} of {row.get('day')})"
        remedy = f"make it again with `ghstars models {problem.name} --mend {version}`"
        try:
            recorded = json.loads(row.get("sha256") or "{}")
            if recorded and text_hash(row["served"]) != recorded[SERVED]:
                raise ValueError("its columns are not those that its training recorded")
            columns = json.loads(row["served"])["columns"]
            listed = {key: tuple(columns.get(key, ())) for key in ("features", "baselines")}
            learnt = LearningColumns(**columns | listed)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _damaged(name, str(error), remedy) from None
        texts = {
            head: row[column]
            for head in problem.task.heads
            if (column := booster_column(head)) in row
        }
        return cls(problem, learnt, texts, recorded, name, remedy)

    def served_json(self) -> str:
        return json.dumps({"columns": asdict(self.columns)})

    def hashes(self) -> dict[str, str]:
        """What training records of the model, so that damage is seen."""
        return {
            SERVED: text_hash(self.served_json()),
            **{head: text_hash(text) for head, text in self.texts.items()},
        }

    @property
    def missing_heads(self) -> list[str]:
        """What a version of an earlier release has no booster for."""
        return [
            head
            for head in self.problem.task.heads
            if not self.texts.get(head) and head not in self.recorded
        ]

    def require_whole(self) -> None:
        """Raise DamagedModelError if LightGBM must not read one of the texts."""
        for head in self.problem.task.heads:
            if head not in self.missing_heads:
                self._require_sound(head)

    @property
    def damage(self) -> str:
        """A sentence that says what is damaged; empty where nothing is."""
        try:
            self.require_whole()
        except DamagedModelError as error:
            return str(error)
        return ""

    def _require_sound(self, head: str) -> None:
        parameters = self.problem.task.head_parameters(head)
        expected = ExpectedBooster.of(self.columns.features, parameters)
        try:
            require_sound(self.texts.get(head) or "", expected, self.recorded.get(head))
        except BoosterTextError as error:
            raise self._damaged_head(head, error) from None

    def _damaged_head(self, head: str, error: BoosterTextError) -> DamagedModelError:
        return _damaged(self.name, f"head {head}: {error}", self.remedy)

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
        self.require_whole()
        return {head: self._loaded(head) for head, text in self.texts.items() if text}

    def _loaded(self, head: str) -> "lightgbm.Booster":
        try:
            return booster_from_text(self.texts[head])
        except BoosterTextError as error:
            raise self._damaged_head(head, error) from None

    @cached_property
    def _path_effects(self) -> PathEffects:
        return path_effects(self.head(self.problem.task.main_head))


def damage_of(problem: Problem, row: Mapping[str, Any]) -> str:
    """What is damaged of a row of the `model` table, in a sentence; empty where nothing is."""
    try:
        return ServedModel.from_row(problem, row).damage
    except DamagedModelError as error:
        return str(error)


def _damaged(name: str, what: str, remedy: str) -> DamagedModelError:
    return DamagedModelError(f"What is stored of {name} is damaged ({what}); {remedy}.")


def feature_matrix(frame: pl.DataFrame, columns: LearningColumns) -> "NDArray[np.float32]":
    """Features as LightGBM takes them; an unknown value is NaN, never a number."""
    return frame.select(pl.col(columns.features).cast(pl.Float32)).to_numpy()
