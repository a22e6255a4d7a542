"""A training set is a query: labelled feature rows of certain days, read when they are needed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import NotEnoughHistoryError
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.footers import require_written
from ghstars_assets.lake.holes import holes_in
from ghstars_assets.lake.sampling import is_sampled
from ghstars_assets.lake.store import GETS_AT_ONCE
from ghstars_assets.lake.tables import Lake, Partition
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.training.reference_windows import overlaps, reference_windows


@dataclass(frozen=True)
class TrainingPlan:
    """The days a candidate learns from and the later days it is judged on.

    Between the two lie as many days as the horizon is long: no outcome that the candidate learnt
    from overlaps an outcome it is judged on, and none overlaps one of a reference window.
    """

    as_of: date
    training_days: tuple[date, ...]
    holdout_days: tuple[date, ...]
    held_out: tuple[DayRange, ...] = ()
    """The reference windows."""


def plan_training(lake: Lake, problem: Problem, training: Training, as_of: date) -> TrainingPlan:
    """Choose days whose labels were known before `as_of`.

    The window ends with the newest of them, however old: what an archive knew that ended long ago
    teaches more than nothing.
    """
    newest = as_of - timedelta(days=problem.label_lag_days)
    labels = [day for day in lake.days(problem.table("labels")) if day <= newest]
    last = labels[-1] if labels else newest
    first = labels[0] if labels else newest
    if training.window_days is not None:
        first = last - timedelta(days=training.window_days - problem.label_lag_days)
    known = labelled_days(lake, problem, DayRange(first, last))
    # With little history a quarter of it judges; the rest must be enough to learn from.
    judged = min(training.holdout_days, len(known) // 4)
    holdout = known[len(known) - judged :] if judged else []
    before = holdout[0] - timedelta(days=problem.horizon_days) if holdout else newest
    references = reference_windows(problem, labels)
    learnable = [day for day in known if day < before and not overlaps(problem, day, references)]
    if len(learnable) < training.fewest_training_days or not holdout:
        span = f"from {known[0]} on" if known else "at all"
        raise NotEnoughHistoryError(
            f"A {problem.name} model as of {as_of} needs {training.fewest_training_days} labelled "
            f"days to learn from, with later ones to judge it by, but there are "
            f"{len(learnable)} ({len(known)} labelled days {span}); train it on a later day or "
            f"backfill earlier ones with `ghstars backfill {problem.name}`."
        )
    # Counted back from the newest, so that the latest day is always in.
    chosen = sorted(learnable[:: -training.every_nth_day])
    return TrainingPlan(as_of, tuple(chosen), tuple(holdout), tuple(references))


def labelled_days(lake: Lake, problem: Problem, days: DayRange) -> list[date]:
    """Days with features and with labels. A hole in the features is one in the labels too, and
    teaches nothing."""
    labels = problem.table("labels")
    known = set(lake.days(labels, days)) - set(holes_in(lake, labels, days))
    return [day for day in lake.days(problem.table("features"), days) if day in known]


def read_labelled_rows(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    days: tuple[date, ...],
    most_rows: int,
    more_columns: Sequence[str] = (),
    *,
    is_a_day: bool = False,
) -> pl.DataFrame:
    """Features with their labels on exactly these days; beyond `most_rows`, in all or of a day, an
    even sample of entities, the same on every day."""
    with duck_session(lake.settings, lake.store) as connection:
        for stage in ("features", "labels"):
            bind_parquet(connection, f"lake.{stage}", _urls(lake, problem.table(stage), days), "")
        joined = (
            f'from lake.features join lake.labels using (day, "{problem.entity}") '
            f'where "{columns.target}" is not null'
        )
        if is_a_day:
            rows_of_day = "count(*) over (partition by day)"
            sampled = f"qualify {is_sampled(problem.entity, most_rows, rows_of_day)}"
        else:
            (rows,) = connection.sql(f"select count(*) {joined}").fetchall()[0]
            is_drawn = is_sampled(problem.entity, most_rows, rows)
            sampled = f"and {is_drawn}" if rows > most_rows else ""
        needed = dict.fromkeys([*columns.needed, *more_columns])
        listed = ", ".join(f'"{name}"' for name in needed)
        query = (
            f'select day, "{problem.entity}", {listed}, '
            f'"{columns.target}" {joined} {sampled} order by day, "{problem.entity}"'
        )
        return connection.sql(query).pl()


def data_version(lake: Lake, problem: Problem, plan: TrainingPlan) -> str:
    """A hash of every partition that a plan reads. Each of them is downloaded, and must be whole:
    what is learnt from damaged rows would serve for weeks."""
    digest = hashlib.sha256()
    partitions = _read_by(lake, problem, plan)
    for first in range(0, len(partitions), GETS_AT_ONCE):
        keys = [partition.key for partition in partitions[first : first + GETS_AT_ONCE]]
        for key, content in zip(keys, lake.store.get_many(keys), strict=True):
            require_written(lake.store, key, content or b"")
            digest.update(key.encode())
            digest.update(content or b"")
    return digest.hexdigest()[:16]


def listed_version(lake: Lake, problem: Problem, plan: TrainingPlan) -> str:
    """A hash of what a listing knows of the same partitions. While it stays, so does the data
    version; a copied folder has another one though its files are equal."""
    partitions = _read_by(lake, problem, plan)
    listed = "\n".join(f"{partition.key} {partition.etag}" for partition in partitions)
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def is_untouched_since(lake: Lake, problem: Problem, plan: TrainingPlan, moment: datetime) -> bool:
    """Whether nothing in the span of a plan was written at that time or later. Snapshots are among
    it: where a day of them goes into quarantine, its features and labels are deleted."""
    days = (*plan.training_days, *plan.holdout_days)
    span = DayRange(min(days), max(days))
    tables = (problem.table(stage) for stage in ("snapshots", "features", "labels"))
    return all(one.modified < moment for table in tables for one in lake.partitions(table, span))


def _read_by(lake: Lake, problem: Problem, plan: TrainingPlan) -> list[Partition]:
    days = (*plan.training_days, *plan.holdout_days)
    tables = (problem.table(stage) for stage in ("features", "labels"))
    return [partition for table in tables for partition in _partitions(lake, table, days)]


def _partitions(lake: Lake, table: str, days: tuple[date, ...]) -> list[Partition]:
    wanted = set(days)
    everything = lake.partitions(table, DayRange(min(days), max(days)))
    return [partition for partition in everything if partition.day in wanted]


def _urls(lake: Lake, table: str, days: tuple[date, ...]) -> list[str]:
    return lake.urls_of(_partitions(lake, table, days))
