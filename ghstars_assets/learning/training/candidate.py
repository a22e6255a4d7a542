"""Training a candidate: LightGBM heads on the past, judged on later days they never saw."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.intervals import calibrate
from ghstars_assets.learning.forecasting.served_model import ServedModel, feature_matrix
from ghstars_assets.learning.monitoring.drift_profile import Reference, reference_of
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.tables import ENDS, HEADS, INTERVALS
from ghstars_assets.learning.tasks.target_forms import column_or_ones
from ghstars_assets.learning.training.boosting import lightgbm_module
from ghstars_assets.learning.training.training_set import (
    TrainingPlan,
    data_version,
    listed_version,
    plan_training,
    read_labelled_rows,
)

if TYPE_CHECKING:
    import lightgbm

RECIPE_VERSION = "3"
"""Raised when the way of training changes, so that an older candidate is not taken for the same."""

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
    judged: pl.DataFrame
    """The held-out rows with their forecasts, as the backtest has them; of the first half of these
    days no interval is known, for it is what those of the second half were calibrated on."""
    importances: dict[str, float]
    reference: Reference
    """How the rows lie that it learnt from and was judged on, for drift to be measured against."""
    example: pl.DataFrame
    """A few rows of features, as the model takes them."""


@dataclass(frozen=True)
class CandidatePlan:
    """All that decides a candidate, known before it is trained."""

    plan: TrainingPlan
    training: Training
    data_version: str
    fingerprint: str
    listed_version: str = ""
    """Of the same data, by their listing."""


def plan_candidate(
    lake: Lake, problem: Problem, columns: LearningColumns, training: Training, as_of: date
) -> CandidatePlan:
    plan = plan_training(lake, problem, training, as_of)
    listed = listed_version(lake, problem, plan)
    version = data_version(lake, problem, plan)
    fingerprint = fingerprint_of(problem, columns, training, as_of, version)
    return CandidatePlan(plan, training, version, fingerprint, listed)


def fingerprint_of(
    problem: Problem, columns: LearningColumns, training: Training, as_of: date, data_version: str
) -> str:
    form = repr(problem.target_form)
    decides = [RECIPE_VERSION, as_of, data_version, form, asdict(training), asdict(columns)]
    told = json.dumps(decides, default=str, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def train_candidate(
    lake: Lake, problem: Problem, columns: LearningColumns, planned: CandidatePlan
) -> Candidate:
    training, plan = planned.training, planned.plan
    most = training.most_rows
    rows = read_labelled_rows(lake, problem, columns, plan.training_days, most)
    holdout = read_labelled_rows(lake, problem, columns, plan.holdout_days, most, columns.baselines)
    served = ServedModel(problem, columns, _trained_heads(lake, problem, columns, training, rows))
    judged = _judged(served, holdout, lake.settings.threads)
    gains = served.head("typical").feature_importance("gain")
    return Candidate(
        as_of=plan.as_of,
        fingerprint=planned.fingerprint,
        data_version=planned.data_version,
        plan=plan,
        training=training,
        rows=rows.height,
        served=served,
        metrics=_metrics(judged),
        judged=judged,
        importances={
            name: round(float(gain), 3)
            for name, gain in sorted(
                zip(columns.features, gains, strict=True), key=lambda pair: -pair[1]
            )
        },
        reference=reference_of(problem.target_form, columns, rows, judged),
        example=rows.select(pl.col(columns.features).cast(pl.Float32)).head(5),
    )


def _trained_heads(
    lake: Lake, problem: Problem, columns: LearningColumns, training: Training, rows: pl.DataFrame
) -> dict[str, str]:
    """The text of every head."""
    form = problem.target_form
    matrix = feature_matrix(rows, columns)
    actual = column_or_ones(rows, columns.target)
    base = column_or_ones(rows, columns.base)
    scale = column_or_ones(rows, columns.scale)
    typical = form.typical_target(actual, base, scale), form.typical_weight(scale)
    mean = form.mean_target(actual, scale), form.mean_weight(scale)
    # Two heads side by side use two cores better than both cores for one head after the other:
    # LightGBM's threads wait for one another at every split.
    at_once = min(2, lake.settings.threads)
    threads = max(1, lake.settings.threads // at_once)

    def fit(head: str) -> str:
        lightgbm = lightgbm_module()
        target, weight = mean if head == "mean" else typical
        objective = {"typical": {"objective": "l1"}, "mean": {"objective": form.mean_objective}}
        quantile = {"objective": "quantile", "alpha": ENDS.get(head)}
        data = lightgbm.Dataset(matrix, target, weight=weight, feature_name=list(columns.features))
        is_beside = head != "typical"
        parameters = {
            **training.parameters,
            **(training.side_parameters if is_beside else {}),
            **DETERMINISTIC,
            **objective.get(head, quantile),
            "num_threads": threads,
        }
        rounds = training.side_rounds if is_beside else training.rounds
        return _text_of(lightgbm.train(parameters, data, num_boost_round=rounds), threads)

    with ThreadPoolExecutor(at_once) as side_by_side:
        return dict(zip(HEADS, side_by_side.map(fit, HEADS), strict=True))


def _judged(served: ServedModel, holdout: pl.DataFrame, threads: int) -> pl.DataFrame:
    """The held-out rows with their forecasts. Intervals are calibrated on the first half of the
    days and judged on the second, as nothing is judged by what it was measured on."""
    problem, columns = served.problem, served.columns
    days = holdout["day"].unique().sort()
    is_late = holdout["day"] > days[(len(days) - 1) // 2]
    early, late = holdout.filter(~is_late), holdout.filter(is_late)
    calibration = calibrate(
        problem.target_form,
        served.raw_forecast(early, threads),
        column_or_ones(early, columns.target),
        days[0],
        days[(len(days) - 1) // 2],
    )
    forecasts = [
        served.forecast(part, calibration, threads).drop("drivers") for part in (early, late)
    ]
    told = pl.concat(forecasts).with_columns(
        pl.when(pl.Series(is_late)).then(pl.col(end)).alias(end) for end in ENDS
    )
    known = {name: name for name in columns.baselines} | {
        "naive": columns.naive,
        "actual": columns.target,
    }
    values = [pl.col(column).cast(pl.Float64).alias(name) for name, column in known.items()]
    ordered = pl.concat([early, late])
    return pl.concat([ordered.select("day", problem.entity, *values), told], how="horizontal")


def _metrics(judged: pl.DataFrame) -> dict[str, float]:
    within = {
        f"coverage_{share}": judged.select(
            pl.col("actual").is_between(f"low_{share}", f"high_{share}").mean()
        ).item()
        for share in INTERVALS
    }
    mean, total = float(judged["mean"].sum()), float(judged["actual"].sum())
    return {
        **error_metrics(judged),
        **{name: float(value) for name, value in within.items() if value is not None},
        **({"mean_total_ratio": mean / total} if total else {}),
    }


def _text_of(head: "lightgbm.Booster", threads: int) -> str:
    """LightGBM's text, without the number of threads that it notes among the parameters: the trees
    do not depend on it, and the same model is the same text on every machine."""
    return head.model_to_string().replace(f"[num_threads: {threads}]", "[num_threads: 0]")


def error_metrics(judged: pl.DataFrame) -> dict[str, float]:
    """Errors on rows whose naive forecast is known too, for both."""
    error, error_naive = (
        (pl.col("actual") - pl.col(forecast)).abs() for forecast in ("typical", "naive")
    )
    measured = (
        judged.select(error=error, error_naive=error_naive)
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
