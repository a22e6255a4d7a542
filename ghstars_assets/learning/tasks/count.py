"""A count: how much of something there will be. A forecast of one is a typical value, a mean and
intervals; versions are compared by their mean absolute error.

The typical value has as many outcomes below it as above. Of a skewed outcome the mean lies well
above that, and it is what totals and rankings are made of, so it has a head of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from ghstars_assets.lake.catalog import Column
from ghstars_assets.learning.evaluation import metrics
from ghstars_assets.learning.tasks.intervals import (
    ENDS,
    INTERVALS,
    Calibration,
    RawForecast,
    calibrate,
)
from ghstars_assets.learning.tasks.target_forms import TargetForm, column_or_ones
from ghstars_assets.learning.tasks.task import Fitted, HeadFit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ghstars_assets.learning.problem import LearningColumns

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Count:
    form: TargetForm
    sparse_share: float
    """A row of which more than this share of the features is unknown has intervals of its own: it
    is new to us or comes after a long gap, and its errors have a size of their own."""

    heads: ClassVar[tuple[str, ...]] = ("typical", "mean", *ENDS)
    main_head: ClassVar[str] = "typical"
    uncertain: ClassVar[tuple[str, ...]] = tuple(ENDS)
    calibration_key: ClassVar[tuple[str, ...]] = ("is_sparse", "level")
    point: ClassVar[str] = "typical"
    ranks_by: ClassVar[str] = "mean"
    watched: ClassVar[tuple[str, ...]] = ("typical", "mean")

    # ---- what is learnt -------------------------------------------------------------------------

    @property
    def fingerprint_text(self) -> str:
        # Calibration is no part of a candidate, so what is sparse is none of it either.
        return repr(self.form)

    @property
    def is_relative(self) -> bool:
        return self.form.is_relative

    def head_fits(self, rows: pl.DataFrame, columns: "LearningColumns") -> dict[str, HeadFit]:
        form = self.form
        actual = column_or_ones(rows, columns.target)
        base, scale = _base_and_scale(rows, columns)
        typical = form.typical_target(actual, base, scale), form.typical_weight(scale)
        mean = form.mean_target(actual, scale), form.mean_weight(scale)
        return {
            head: HeadFit(*(mean if head == "mean" else typical), self.head_parameters(head))
            for head in self.heads
        }

    def head_parameters(self, head: str) -> Mapping[str, float | str]:
        if head in ENDS:
            return {"objective": "quantile", "alpha": ENDS[head]}
        return {"objective": self.form.mean_objective if head == "mean" else "l1"}

    def describe_head(self, head: str) -> str:
        return f"the {ENDS[head]:g} quantile" if head in ENDS else f"the {head} value"

    def metadata(self) -> dict[str, str]:
        return {"target_form": type(self.form).__name__}

    # ---- what a forecast is ---------------------------------------------------------------------

    def forecast_columns(self, horizon_days: int) -> list[Column]:
        horizon = f"over the next {horizon_days} days"
        columns = [
            Column("typical", "double", f"the typical outcome {horizon}: half of all lie below"),
            Column("mean", "double", f"the mean outcome {horizon}: right for totals and ranking"),
        ]
        for share in INTERVALS:
            columns += [
                Column(f"low_{share}", "double", f"lower end of the {share} % interval"),
                Column(f"high_{share}", "double", f"upper end of the {share} % interval"),
            ]
        return columns

    def point_forecast(
        self, fitted: Fitted, features: pl.DataFrame, columns: "LearningColumns"
    ) -> "Floats":
        base, scale = _base_and_scale(features, columns)
        return self.form.typical(fitted("typical"), base, scale)

    def raw_forecast(
        self, fitted: Fitted, features: pl.DataFrame, columns: "LearningColumns"
    ) -> RawForecast:
        base, scale = _base_and_scale(features, columns)

        def on_scale_of_errors(head: str) -> "Floats":
            return self.form.squash(self.form.typical(fitted(head), base, scale))

        unknown = pl.mean_horizontal(pl.col(columns.features).is_null().cast(pl.Float64))
        return RawForecast(
            level=on_scale_of_errors("typical"),
            ends={end: on_scale_of_errors(end) for end in ENDS},
            is_sparse=features.select(unknown > self.sparse_share).to_series().to_numpy(),
        )

    def forecast(
        self,
        fitted: Fitted,
        features: pl.DataFrame,
        columns: "LearningColumns",
        calibration: Calibration,
    ) -> "dict[str, Floats]":
        import numpy as np

        _, scale = _base_and_scale(features, columns)
        typical = self.point_forecast(fitted, features, columns)
        moved = calibration.applied_to(self.raw_forecast(fitted, features, columns))
        # To and from that scale the last digit may change, and an end must not pass by the value.
        ends = {
            end: (np.minimum if end.startswith("low") else np.maximum)(
                self.form.unsquash(to), typical
            )
            for end, to in moved.items()
        }
        return {"typical": typical, "mean": self.form.mean(fitted("mean"), scale), **ends}

    def effect_in_units(
        self, fitted: Fitted, features: pl.DataFrame, columns: "LearningColumns"
    ) -> "Callable[[Floats], Floats]":
        base, scale = _base_and_scale(features, columns)
        whole = fitted("typical")
        typical = self.form.typical(whole, base, scale)
        return lambda effect: typical - self.form.typical(whole - effect, base, scale)

    def table_columns(self) -> list[pl.Expr]:
        """Whole numbers; the intervals are rounded outward, so that they hold more than the bounds
        themselves."""
        values = [pl.col(name).round().cast(pl.Int64) for name in ("typical", "mean", "naive")]
        intervals = [
            pl.format(
                "{} to {}",
                pl.col(f"low_{share}").floor().cast(pl.Int64),
                pl.col(f"high_{share}").ceil().cast(pl.Int64),
            ).alias(f"{share} %")
            for share in INTERVALS
        ]
        return [*values[:2], *intervals, values[2]]

    # ---- how it is calibrated -------------------------------------------------------------------

    def calibrate(
        self, raw: RawForecast, actual: "Floats", first_day: date, last_day: date
    ) -> Calibration:
        return calibrate(self.form, raw, actual, first_day, last_day)

    def calibration_columns(self) -> list[Column]:
        return [
            Column("is_sparse", "boolean", "the group is of rows of which little is known"),
            Column(
                "level", "integer", "the group's place among those of its kind, from the lowest"
            ),
            Column(
                "upper_bound",
                "double",
                "typical values up to this, on the scale of errors; null: all above",
            ),
            Column("rows", "bigint", "forecasts it was measured on"),
            *(
                Column(f"shift_{end}", "double", f"added to {end}, on the scale of errors")
                for end in ENDS
            ),
            *(
                Column(f"held_{share}", "double", f"share that the {share} % interval then held")
                for share in INTERVALS
            ),
            *(
                Column(
                    f"shown_{share}",
                    "double",
                    "share that it held when rounded outward to whole numbers, as it is shown",
                )
                for share in INTERVALS
            ),
        ]

    # ---- how it is judged -----------------------------------------------------------------------

    def row_error(self, forecast: str) -> pl.Expr:
        return metrics.absolute_error(forecast)

    def held_out_metrics(self, judged: pl.DataFrame) -> dict[str, float]:
        error, error_naive = self.row_error(self.point), self.row_error(metrics.NAIVE)
        held = {
            f"coverage_{share}": judged.select(metrics.interval_held(share).mean()).item()
            for share in INTERVALS
        }
        totals = {"mean_total_ratio": metrics.total_ratio(judged, "mean")}
        known = {name: float(of) for name, of in {**held, **totals}.items() if of is not None}
        return {**metrics.errors_beside_naive(judged, error, error_naive), **known}

    def measures(self, forecast: str) -> dict[str, str]:
        return metrics.point_measures_sql(forecast)

    def own_measures(self) -> dict[str, str]:
        mean_bias = metrics.total_ratio_sql("mean")
        return {"mean_bias": mean_bias, **metrics.interval_measures_sql(INTERVALS)}

    def calibration_measures(self) -> dict[str, str]:
        return {f"coverage_{share}": metrics.interval_held_sql(share) for share in INTERVALS}

    # ---- what drift is measured on --------------------------------------------------------------

    def watched_values(self, values: "Floats") -> "Floats":
        """The scale on which errors are alike: on their own, the largest few would decide."""
        return self.form.squash(values)


def _base_and_scale(features: pl.DataFrame, columns: "LearningColumns") -> "tuple[Floats, Floats]":
    return column_or_ones(features, columns.base), column_or_ones(features, columns.scale)
