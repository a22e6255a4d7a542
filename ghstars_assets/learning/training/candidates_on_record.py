"""Candidates on record: trained once, registered in MLflow, kept in the lake, never overwritten."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Protocol

import polars as pl

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.tables import Lake, Partition
from ghstars_assets.learning.monitoring.drift_profile import drift_profile_json
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.promotion.decisions import champions_of
from ghstars_assets.learning.registry.mlflow_tracking import Registration, Tracking
from ghstars_assets.learning.registry.restoring import known_versions, restore_versions
from ghstars_assets.learning.tables import booster_column, loop_tables
from ghstars_assets.learning.training.candidate import (
    Candidate,
    fingerprint_of,
    plan_candidate,
    train_candidate,
)
from ghstars_assets.learning.training.reference_windows import windows_as_text
from ghstars_assets.learning.training.training_set import (
    TrainingPlan,
    data_version,
    is_untouched_since,
    listed_version,
    plan_training,
)

REMEMBERED = timedelta(days=30)
"""How long an evaluation counts as answered; none is acted on that is older than a day or two."""
LISTED_VERSION = "listed_version"
"""A note of a candidate's partition: its data by their listing, see `listed_version`."""


class Registry(Protocol):
    """Gives versions their numbers: MLflow does, or a simulation that keeps apart from it."""

    def registered(self, fingerprint: str, /) -> Registration | None: ...

    def register(self, candidate: Candidate, card: str, run_id: str, /) -> Registration: ...


Card = Callable[[Lake, Problem, Candidate], str]
"""Writes the model card of a candidate."""


@dataclass(frozen=True)
class Obtained:
    """A candidate on record, trained now or found."""

    row: Mapping[str, Any]
    is_new: bool
    seconds: float = 0.0
    """Spent on reading, training and measuring it."""

    def metadata(self) -> dict[str, str | int | float]:
        shown = (
            "model_version", "mae", "mae_naive", "skill_vs_naive", "rows", "mlflow_run_id",
            "fingerprint", "data_version",
        )  # fmt: skip
        spans = {
            span: f"{self.row[f'{span}_from']} to {self.row[f'{span}_through']}"
            for span in ("trained", "holdout")
        }
        figures = {name: self.row[name] for name in shown}
        how = "trained now" if self.is_new else "the same data and parameters were trained before"
        return {"dagster/partition_row_count": 1, **figures, **spans, "how": how}


def obtain_candidate(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    training: Training,
    card: Card,
    *,
    as_of: date,
    dagster_run_id: str,
    progress: Callable[[str], None],
    cause: str = "",
    evaluation: str = "",
    request: int | None = None,
    registry: Registry | None = None,
) -> Obtained:
    """The candidate that these data and parameters make: from the record, or trained.

    Its part in the lake is named after its fingerprint and written once, so asking twice, a run
    killed half-way, and two runs at once all end with one and the same version. So does asking
    twice because of one evaluation, whatever data came in between.
    """
    if answered := evaluation and _trained_for(lake, problem, evaluation, as_of):
        return Obtained(answered, is_new=False)
    training = training.when_asked() if evaluation else training
    planned = plan_candidate(lake, problem, columns, training, as_of)
    table = loop_tables(problem)["model"]
    recorded = _recorded(lake, table.name, as_of, planned.fingerprint)
    if recorded:
        return Obtained(recorded, is_new=False)
    learnt, judged = planned.plan.training_days, planned.plan.holdout_days
    progress(
        f"training {problem.name} as of {as_of}: {len(learnt)} days from {learnt[0]} to "
        f"{learnt[-1]}, judged on {judged[0]} to {judged[-1]}"
    )
    started = time.perf_counter()
    candidate = train_candidate(lake, problem, columns, planned)
    registry = registry or _tracking(lake, problem)
    text = card(lake, problem, candidate)
    registration = registry.registered(planned.fingerprint) or registry.register(
        candidate, text, dagster_run_id
    )
    seconds = time.perf_counter() - started
    cause = cause or f"a candidate as of {as_of} was asked for"
    row = {
        **_row(candidate, text, registration, dagster_run_id),
        "cause": cause,
        "evaluation": evaluation,
        "request": request,
    }
    written = lake.write(
        table.name,
        as_of,
        table.conform(pl.DataFrame([row])),
        part=part_of(planned.fingerprint),
        notes={LISTED_VERSION: planned.listed_version},
        only_if_absent=True,
    )
    if not written.is_new:
        stored = _recorded(lake, table.name, as_of, planned.fingerprint)
        return Obtained(stored or row, is_new=False)
    record_event(
        lake,
        problem=problem.name,
        event="train",
        cause=cause,
        subject=f"version {registration.version}",
        actor=f"run {dagster_run_id}",
        detail=row["metrics"],
    )
    return Obtained(row, is_new=True, seconds=seconds)


def is_on_record(
    lake: Lake, problem: Problem, columns: LearningColumns, training: Training, as_of: date
) -> bool:
    """Whether the candidate that the data of today make is the one that is stored. The data are
    downloaded only if the listing does not show that they are as they were."""
    plan = plan_training(lake, problem, training, as_of)
    table, day = problem.table("model"), DayRange(as_of, as_of)
    parts = {partition.part: partition for partition in lake.partitions(table, day)}
    if not parts:
        return False
    stored = lake.scan(table, day).select("fingerprint", "data_version").collect()
    for fingerprint, version in stored.iter_rows():
        part = parts.get(part_of(fingerprint))
        is_same_recipe = fingerprint == fingerprint_of(problem, columns, training, as_of, version)
        if part and is_same_recipe and _are_data_as_they_were(lake, problem, plan, part):
            return True
    version = data_version(lake, problem, plan)
    return fingerprint_of(problem, columns, training, as_of, version) in set(stored["fingerprint"])


def _are_data_as_they_were(
    lake: Lake, problem: Problem, plan: TrainingPlan, part: Partition
) -> bool:
    listed = lake.notes(part).get(LISTED_VERSION)
    if listed:
        return listed == listed_version(lake, problem, plan)
    # Earlier releases left no note, but what they read was written before.
    return is_untouched_since(lake, problem, plan, part.modified)


def part_of(fingerprint: str) -> str:
    """The part of a day's partition that holds a candidate."""
    return f"candidate-{fingerprint}"


def point_alias_at_champion(lake: Lake, problem: Problem) -> None:
    """MLflow's alias follows the decision log: it names the version that serves today."""
    today = utc_today()
    serving = champions_of(lake, problem, DayRange(today, today))
    if serving.height:
        _tracking(lake, problem).set_champion(int(serving["model_version"][0]))


def _tracking(lake: Lake, problem: Problem) -> Tracking:
    """MLflow, with every version that the lake knows."""
    tracking = Tracking(lake.settings, problem.name)
    restore_versions(tracking, known_versions(lake, problem))
    return tracking


def _trained_for(
    lake: Lake, problem: Problem, evaluation: str, as_of: date
) -> dict[str, Any] | None:
    """The version that this evaluation has led to already."""
    table = problem.table("model")
    for day in lake.days(table, DayRange(as_of - REMEMBERED, as_of)):
        found = lake.read(table, day)
        if "evaluation" in found.columns:
            answers = found.filter(pl.col("evaluation") == evaluation)
            if answers.height:
                return answers.row(0, named=True)
    return None


def _recorded(lake: Lake, table: str, day: date, fingerprint: str) -> dict[str, Any] | None:
    days = DayRange(day, day)
    if not lake.partitions(table, days):
        return None
    found = lake.scan(table, days).filter(pl.col("fingerprint") == fingerprint).collect()
    return found.row(0, named=True) if found.height else None


def _row(
    candidate: Candidate, card: str, registration: Registration, dagster_run_id: str
) -> dict[str, Any]:
    plan, metrics, served = candidate.plan, candidate.metrics, candidate.served
    return {
        "day": candidate.as_of,
        "model_version": registration.version,
        "fingerprint": candidate.fingerprint,
        "data_version": candidate.data_version,
        "trained_from": plan.training_days[0],
        "trained_through": plan.training_days[-1],
        "held_out": windows_as_text(plan.held_out),
        "holdout_from": plan.holdout_days[0],
        "holdout_through": plan.holdout_days[-1],
        "rows": candidate.rows,
        "mae": metrics.get("mae"),
        "mae_naive": metrics.get("mae_naive"),
        "skill_vs_naive": metrics.get("skill_vs_naive"),
        "parameters": json.dumps(asdict(candidate.training)),
        "metrics": json.dumps(metrics),
        "importances": json.dumps(candidate.importances),
        "card": card,
        "served": served.served_json(),
        "reference": drift_profile_json(candidate.drift_profile),
        **{booster_column(head): text for head, text in served.texts.items()},
        "sha256": json.dumps(served.hashes()),
        "mlflow_run_id": registration.run_id,
        "dagster_run_id": dagster_run_id,
    }
