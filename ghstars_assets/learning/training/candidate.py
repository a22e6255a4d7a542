"""Training a candidate: LightGBM heads on the past, judged on later days they never saw."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel, feature_matrix
from ghstars_assets.learning.monitoring.drift_profile import DriftProfile, drift_profile_of
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
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
    drift_profile: DriftProfile
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
    task = problem.task.fingerprint_text
    decides = [RECIPE_VERSION, as_of, data_version, task, asdict(training), asdict(columns)]
    text = json.dumps(decides, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def train_candidate(
    lake: Lake, problem: Problem, columns: LearningColumns, planned: CandidatePlan
) -> Candidate:
    training, plan = planned.training, planned.plan
    most = training.most_rows
    rows = read_labelled_rows(lake, problem, columns, plan.training_days, most)
    holdout = read_labelled_rows(lake, problem, columns, plan.holdout_days, most, columns.baselines)
    served = ServedModel(
        problem,
        columns,
        _trained_heads(lake, problem, columns, training, rows),
        name=f"the candidate of {problem.name} as of {plan.as_of}",
        remedy="check the features and labels that it learnt from",
    )
    judged = _judged(served, holdout, lake.settings.threads)
    gains = served.head(problem.task.main_head).feature_importance("gain")
    return Candidate(
        as_of=plan.as_of,
        fingerprint=planned.fingerprint,
        data_version=planned.data_version,
        plan=plan,
        training=training,
        rows=rows.height,
        served=served,
        metrics=problem.task.held_out_metrics(judged),
        judged=judged,
        importances={
            name: round(float(gain), 3)
            for name, gain in sorted(
                zip(columns.features, gains, strict=True), key=lambda pair: -pair[1]
            )
        },
        drift_profile=drift_profile_of(problem.task, columns, rows, judged),
        example=rows.select(pl.col(columns.features).cast(pl.Float32)).head(5),
    )


def _trained_heads(
    lake: Lake, problem: Problem, columns: LearningColumns, training: Training, rows: pl.DataFrame
) -> dict[str, str]:
    """The text of every head."""
    fits = problem.task.head_fits(rows, columns)
    matrix = feature_matrix(rows, columns)
    # Two heads side by side use two cores better than both cores for one head after the other:
    # LightGBM's threads wait for one another at every split.
    at_once = min(2, lake.settings.threads)
    threads = max(1, lake.settings.threads // at_once)

    def fit(head: str) -> str:
        lightgbm = lightgbm_module()
        of = fits[head]
        data = lightgbm.Dataset(
            matrix, of.target, weight=of.weight, feature_name=list(columns.features)
        )
        is_beside = head != problem.task.main_head
        parameters = {
            **training.parameters,
            **(training.side_parameters if is_beside else {}),
            **DETERMINISTIC,
            **of.parameters,
            "num_threads": threads,
        }
        rounds = training.side_rounds if is_beside else training.rounds
        return _text_of(lightgbm.train(parameters, data, num_boost_round=rounds), threads)

    with ThreadPoolExecutor(at_once) as side_by_side:
        return dict(zip(fits, side_by_side.map(fit, fits), strict=True))


def _judged(served: ServedModel, holdout: pl.DataFrame, threads: int) -> pl.DataFrame:
    """The held-out rows with their forecasts. Intervals are calibrated on the first half of the
    days and judged on the second, as nothing is judged by what it was measured on."""
    problem, columns = served.problem, served.columns
    days = holdout["day"].unique().sort()
    newest_early = days[(len(days) - 1) // 2]
    is_late = pl.col("day") > newest_early
    early, late = holdout.filter(~is_late), holdout.filter(is_late)
    calibration = problem.task.calibrate(
        served.raw_forecast(early, threads),
        column_or_ones(early, columns.target),
        days[0],
        newest_early,
    )
    known = {name: name for name in columns.baselines} | {
        "naive": columns.naive,
        "actual": columns.target,
    }
    key = ["day", problem.entity]
    values = [pl.col(column).cast(pl.Float64).alias(name) for name, column in known.items()]
    # In two parts, because the leaves of all trees take more memory than anything else.
    beside = [
        part.select(*key, *values).join(
            served.forecast(part, calibration, threads).drop("drivers"),
            on=key,
            how="left",
            maintain_order="left",
        )
        for part in (early, late)
    ]
    return pl.concat(beside).with_columns(pl.when(is_late).then(pl.col(problem.task.uncertain)))


def _text_of(head: "lightgbm.Booster", threads: int) -> str:
    """LightGBM's text, without the number of threads that it notes among the parameters: the trees
    do not depend on it, and the same model is the same text on every machine."""
    return head.model_to_string().replace(f"[num_threads: {threads}]", "[num_threads: 0]")
