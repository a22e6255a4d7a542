"""A task: what a problem learns, what a forecast of it looks like, and how it is judged.

The rest of the loop asks the task of a problem for these and knows nothing else of what is
forecast. A second kind of task is a new file in this room.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Protocol

import polars as pl

from ghstars_assets.lake.catalog import Column
from ghstars_assets.learning.tasks.intervals import Calibration, RawForecast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ghstars_assets.learning.problem import LearningColumns

    Floats = NDArray[np.float64]

Fitted = Callable[[str], "Floats"]
"""What the booster of a head says of each row, in the order of the rows."""


@dataclass(frozen=True)
class HeadFit:
    """What the booster of one head is fitted to."""

    target: "Floats"
    weight: "Floats"
    parameters: Mapping[str, float | str]
    """Those of `head_parameters`."""


class Task(Protocol):
    # ---- what is learnt -------------------------------------------------------------------------

    heads: ClassVar[tuple[str, ...]]
    """The names of the boosters that a version has."""

    main_head: ClassVar[str]
    """The head whose drivers and importances are shown."""

    @property
    def fingerprint_text(self) -> str:
        """All of the task that decides what the heads learn. It is part of the fingerprint by which
        candidates on record are found, so it must never change for a task that stays the same."""
        ...

    @property
    def is_relative(self) -> bool:
        """Whether the columns `base` and `scale` are read."""
        ...

    def head_fits(self, rows: pl.DataFrame, columns: "LearningColumns") -> dict[str, HeadFit]: ...

    def head_parameters(self, head: str) -> Mapping[str, float | str]:
        """LightGBM's parameters that this head alone has: its objective. A booster with another
        one is not of this head."""
        ...

    def describe_head(self, head: str) -> str: ...

    def metadata(self) -> dict[str, str]:
        """What the published files of a version say of the task."""
        ...

    # ---- what a forecast is ---------------------------------------------------------------------

    def forecast_columns(self, horizon_days: int) -> list[Column]:
        """The columns of a forecast, without the naive one beside it."""
        ...

    uncertain: ClassVar[tuple[str, ...]]
    """Those of them that are known only once they have been calibrated."""

    def point_forecast(
        self, fitted: Fitted, features: pl.DataFrame, columns: "LearningColumns"
    ) -> "Floats":
        """The column `point` alone."""
        ...

    def raw_forecast(
        self, fitted: Fitted, features: pl.DataFrame, columns: "LearningColumns"
    ) -> RawForecast:
        """What the heads say before any calibration."""
        ...

    def forecast(
        self,
        fitted: Fitted,
        features: pl.DataFrame,
        columns: "LearningColumns",
        calibration: Calibration,
    ) -> "dict[str, Floats]":
        """By column, in the order of the rows."""
        ...

    def effect_in_units(
        self, fitted: Fitted, features: pl.DataFrame, columns: "LearningColumns"
    ) -> "Callable[[Floats], Floats]":
        """Turns what a feature adds to the fit of the main head into what it adds to `point`."""
        ...

    def table_columns(self) -> list[pl.Expr]:
        """A forecast and the naive one beside it, as a table shows them to a reader."""
        ...

    # ---- how it is calibrated -------------------------------------------------------------------

    def calibrate(
        self, raw: RawForecast, actual: "Floats", first_day: date, last_day: date
    ) -> Calibration: ...

    def calibration_columns(self) -> list[Column]: ...

    calibration_key: ClassVar[tuple[str, ...]]

    # ---- how it is judged -----------------------------------------------------------------------

    point: ClassVar[str]
    """The column that is held against what happened. A baseline must supply a value in its
    unit."""

    ranks_by: ClassVar[str]
    """The column by which entities are ranked."""

    def row_error(self, forecast: str) -> pl.Expr:
        """The error of one row. Its mean decides between versions and makes the skill."""
        ...

    def held_out_metrics(self, judged: pl.DataFrame) -> dict[str, float]:
        """What is measured of a candidate on the days held out of its training."""
        ...

    def measures(self, forecast: str) -> dict[str, str]:
        """By name, SQL over rows with `actual`, `naive` and this column, which any forecaster
        has."""
        ...

    def own_measures(self) -> dict[str, str]:
        """The same for what the model alone has."""
        ...

    def calibration_measures(self) -> dict[str, str]:
        """Those that say whether a forecast is as sure as it claims to be."""
        ...

    # ---- what drift is measured on --------------------------------------------------------------

    watched: ClassVar[tuple[str, ...]]
    """The columns of a forecast whose drift is measured."""

    def watched_values(self, values: "Floats") -> "Floats":
        """Outcomes or forecasts on the scale on which their drift is measured."""
        ...
