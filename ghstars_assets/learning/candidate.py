"""Training a candidate: two LightGBM heads on the past, judged on later days they never saw."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.lake.tables import Lake
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
    decides = [RECIPE_VERSION, as_of, version, asdict(training), asdict(columns)]
    fingerprint = hashlib.sha256(json.dumps(decides, default=str).encode()).hexdigest()[:12]
    return CandidatePlan(plan, training, version, fingerprint)


def train_candidate(
    lake: Lake, problem: Problem, columns: LearningColumns, planned: CandidatePlan
) -> Candidate:
    training, plan = planned.training, planned.plan
    most = training.most_rows
    rows = read_labelled_rows(lake, problem, columns, plan.training_days, most)
    holdout = read_labelled_rows(lake, problem, columns, plan.holdout_days, most)
    threads = lake.settings.threads
    typical_head, mean_head = _train_heads(problem, columns, training, rows, threads)
    unspread = ServedModel(
        problem, columns, typical_head.model_to_string(), mean_head.model_to_string(), _NO_SPREAD
    )
    judged = unspread.forecast(holdout, threads)
    actual = column_or_ones(holdout, columns.target)
    spread = measure_spread(problem, judged["typical"].to_numpy(), actual)
    served = ServedModel(
        problem, columns, unspread.booster_typical, unspread.booster_mean, spread
    )
    gains = typical_head.feature_importance("gain")
    return Candidate(
        as_of=plan.as_of,
        fingerprint=planned.fingerprint,
        data_version=planned.data_version,
        plan=plan,
        training=training,
        rows=rows.height,
        served=served,
        metrics=holdout_metrics(columns, holdout, served.forecast(holdout, threads)),
        importances={
            name: round(float(gain), 3)
            for name, gain in sorted(
                zip(columns.features, gains, strict=True), key=lambda pair: -pair[1]
            )
        },
        example=rows.select(pl.col(columns.features).cast(pl.Float32)).head(5),
    )


def _train_heads(
    problem: Problem,
    columns: LearningColumns,
    training: Training,
    rows: pl.DataFrame,
    threads: int,
) -> "tuple[lightgbm.Booster, lightgbm.Booster]":
    form = problem.target_form
    matrix = feature_matrix(rows, columns)
    actual = column_or_ones(rows, columns.target)
    base = column_or_ones(rows, columns.base)
    scale = column_or_ones(rows, columns.scale)

    def fit(objective: str, target: "Floats", weight: "Floats") -> "lightgbm.Booster":
        import lightgbm

        data = lightgbm.Dataset(
            matrix, target, weight=weight, feature_name=list(columns.features)
        )
        parameters = {
            **training.parameters,
            **DETERMINISTIC,
            "objective": objective,
            "num_threads": threads,
        }
        return lightgbm.train(parameters, data, num_boost_round=training.rounds)

    return (
        fit("l1", form.typical_target(actual, base, scale), form.typical_weight(scale)),
        fit(form.mean_objective, form.mean_target(actual, scale), form.mean_weight(scale)),
    )


def holdout_metrics(
    columns: LearningColumns, rows: pl.DataFrame, forecast: pl.DataFrame
) -> dict[str, float]:
    """Errors on rows whose naive forecast is known too, for both."""
    known = pl.concat(
        [
            rows.select(
                actual=pl.col(columns.target).cast(pl.Float64),
                naive=pl.col(columns.naive).cast(pl.Float64),
            ),
            forecast,
        ],
        how="horizontal",
    ).filter(pl.col("naive").is_not_null())
    actual = pl.col("actual")
    measured = known.select(
        rows=pl.len().cast(pl.Float64),
        mae=(actual - pl.col("typical")).abs().mean(),
        mae_naive=(actual - pl.col("naive")).abs().mean(),
        mean_total_ratio=pl.col("mean").sum() / actual.sum(),
        **{
            f"coverage_{share}": actual.is_between(f"low_{share}", f"high_{share}").mean()
            for share in INTERVALS
        },
    ).row(0, named=True)
    naive = measured["mae_naive"]
    skill = 1 - measured["mae"] / naive if naive else 0.0
    return {
        name: float(value)
        for name, value in {**measured, "skill_vs_naive": skill}.items()
        if value is not None
    }

