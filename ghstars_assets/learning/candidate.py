"""Training a candidate: two LightGBM heads on the past, judged on later days they never saw."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.boosting import lightgbm_module
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.served_model import (
    ErrorSpread,
    ServedModel,
    feature_matrix,
    measure_spread,
)
from ghstars_assets.learning.tables import INTERVALS
from ghstars_assets.learning.target_forms import column_or_ones
from ghstars_assets.learning.training_set import (
    TrainingPlan,
    data_version,
    plan_training,
    read_labelled_rows,
)

if TYPE_CHECKING:
    import lightgbm
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RECIPE_VERSION = "1"
"""Raised when the way of training changes, so that an older candidate is not taken for the same."""

_NO_SPREAD = ErrorSpread((), ((0.0,) * 2 * len(INTERVALS),))

# Equal inputs give equal trees, whatever the number of threads.
DETERMINISTIC = {"deterministic": True, "force_row_wise": True, "seed": 7, "verbose": -1}


@dataclass(frozen=True)
class Candidate:
    as_of: date
    fingerprint: str
    data_version: str
    plan: TrainingPlan
    training: Training
    rows: int
    served: ServedModel
    metrics: dict[str, float]
    importances: dict[str, float]
    example: pl.DataFrame
    """A few rows of features, as the model takes them."""


@dataclass(frozen=True)
class CandidatePlan:
    """All that decides a candidate, known before it is trained."""

    plan: TrainingPlan
    training: Training
    data_version: str
    fingerprint: str


def plan_candidate(
    lake: Lake, problem: Problem, columns: LearningColumns, training: Training, as_of: date
) -> CandidatePlan:
    plan = plan_training(lake, problem, training, as_of)
    version = data_version(lake, problem, plan)
    form = repr(problem.target_form)
    decides = [RECIPE_VERSION, as_of, version, form, asdict(training), asdict(columns)]
    told = json.dumps(decides, default=str, sort_keys=True)
    fingerprint = hashlib.sha256(told.encode()).hexdigest()[:12]
    return CandidatePlan(plan, training, version, fingerprint)


def train_candidate(
    lake: Lake, problem: Problem, columns: LearningColumns, planned: CandidatePlan
) -> Candidate:
    training, plan = planned.training, planned.plan
    most = training.most_rows
    rows = read_labelled_rows(lake, problem, columns, plan.training_days, most)
    holdout = read_labelled_rows(lake, problem, columns, plan.holdout_days, most)
    # The two heads side by side use two cores better than both cores for one head after the other:
    # LightGBM's threads wait for one another at every split.
    threads = max(1, lake.settings.threads // 2)
    with ThreadPoolExecutor(min(2, lake.settings.threads)) as side_by_side:
        typical_head, mean_head = (
            fitting.result()
            for fitting in [
                side_by_side.submit(fit)
                for fit in _head_fits(problem, columns, training, rows, threads)
            ]
        )
        unspread = ServedModel(
            problem,
            columns,
            _text_of(typical_head, threads),
            _text_of(mean_head, threads),
            _NO_SPREAD,
        )
        forecasting = [
            side_by_side.submit(values, holdout, threads)
            for values in (unspread.typical_values, unspread.mean_values)
        ]
        typical, mean = (values.result() for values in forecasting)
    actual = column_or_ones(holdout, columns.target)
    spread = measure_spread(problem, typical, actual)
    served = ServedModel(problem, columns, unspread.booster_typical, unspread.booster_mean, spread)
    gains = typical_head.feature_importance("gain")
    return Candidate(
        as_of=plan.as_of,
        fingerprint=planned.fingerprint,
        data_version=planned.data_version,
        plan=plan,
        training=training,
        rows=rows.height,
        served=served,
        metrics={
            **holdout_metrics(columns, holdout, typical),
            "mean_total_ratio": float(mean.sum() / actual.sum()),
        },
        importances={
            name: round(float(gain), 3)
            for name, gain in sorted(
                zip(columns.features, gains, strict=True), key=lambda pair: -pair[1]
            )
        },
        example=rows.select(pl.col(columns.features).cast(pl.Float32)).head(5),
    )


def _head_fits(
    problem: Problem,
    columns: LearningColumns,
    training: Training,
    rows: pl.DataFrame,
    threads: int,
) -> "list[Callable[[], lightgbm.Booster]]":
    """The typical and the mean head, each to be fitted."""
    form = problem.target_form
    matrix = feature_matrix(rows, columns)
    actual = column_or_ones(rows, columns.target)
    base = column_or_ones(rows, columns.base)
    scale = column_or_ones(rows, columns.scale)

    def fit(objective: str, target: "Floats", weight: "Floats") -> "lightgbm.Booster":
        lightgbm = lightgbm_module()
        data = lightgbm.Dataset(matrix, target, weight=weight, feature_name=list(columns.features))
        parameters = {
            **training.parameters,
            **DETERMINISTIC,
            "objective": objective,
            "num_threads": threads,
        }
        return lightgbm.train(parameters, data, num_boost_round=training.rounds)

    typical = form.typical_target(actual, base, scale), form.typical_weight(scale)
    mean = form.mean_target(actual, scale), form.mean_weight(scale)
    return [partial(fit, "l1", *typical), partial(fit, form.mean_objective, *mean)]


def _text_of(head: "lightgbm.Booster", threads: int) -> str:
    """LightGBM's text, without the number of threads that it notes among the parameters: the trees
    do not depend on it, and the same model is the same text on every machine."""
    return head.model_to_string().replace(f"[num_threads: {threads}]", "[num_threads: 0]")


def holdout_metrics(
    columns: LearningColumns, rows: pl.DataFrame, typical: "Floats"
) -> dict[str, float]:
    """Errors on rows whose naive forecast is known too, for both. Coverage is none of them: the
    intervals were sized on these very rows, so it would only say so."""
    error = (pl.col(columns.target) - pl.lit(pl.Series(typical))).abs()
    error_naive = (pl.col(columns.target) - pl.col(columns.naive)).abs()
    measured = (
        rows.select(error=error, error_naive=error_naive)
        .drop_nulls("error_naive")
        .select(rows=pl.len(), mae=pl.col("error").mean(), mae_naive=pl.col("error_naive").mean())
        .row(0, named=True)
    )
    naive = measured["mae_naive"]
    skill = 1 - measured["mae"] / naive if naive else 0.0
    return {
        name: float(value)
        for name, value in {**measured, "skill_vs_naive": skill}.items()
        if value is not None
    }
