"""Fills `drift`: each day's latest rows against those that its champion learnt from."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.sampling import is_sampled
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.drift_profile import (
    ERROR,
    FEATURE,
    FORECAST,
    KINDS,
    TARGET,
    DriftProfile,
    as_floats,
    drift_profile_from_json,
    errors_of,
    forecasts_of,
)
from ghstars_assets.learning.monitoring.drift_statistics import Shift
from ghstars_assets.learning.monitoring.drift_summary import drift_on
from ghstars_assets.learning.monitoring.young_history import too_early_to_tell
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.stage import Champion, Event, Filled, StageDay
from ghstars_assets.learning.tables import loop_tables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_ROWS_A_DAY = 20_000
"""Beyond these, entities are sampled: of a hundred thousand rows a week deciles do not wobble."""
SEEN = ("features", "predictions", "scores")
"""The stages whose latest rows are compared."""


def fill_drift(day: StageDay) -> Filled:
    """Compare the latest rows with the drift profile of the champion."""
    problem, champion = day.problem, day.champion

    def loaded() -> DriftProfile:
        return drift_profile_from_json(champion.row["reference"])

    profile = day.kept(("drift profile", champion.version), loaded)
    latest = day.once("latest rows", lambda: _LatestRows(day.lake, problem, day.columns, day))
    found = drift_rows(problem, profile, latest.observed(day, profile))
    rows = loop_tables(problem)["drift"].conform(
        pl.DataFrame(found, infer_schema_length=None).with_columns(
            day=pl.lit(day.day), model_version=pl.lit(champion.version, pl.Int64)
        )
    )
    crossing = _crossing(day.lake, problem, day.day, rows)
    return Filled(rows, [crossing] if crossing else [])


def why_profile_is_missing(champion: Champion) -> str:
    """Why the drift from a version's training rows cannot be measured."""
    if champion.row.get("reference"):
        return ""
    name = champion.problem.name
    return (
        f"version {champion.version} of {name} was trained by an earlier release and keeps "
        f"nothing that drift could be measured against; train anew with `ghstars backfill {name} "
        "--stages model,champion`"
    )


Observed = Mapping[str, Mapping[str, "Floats"]]
"""By kind and column, as a drift profile is."""


def drift_rows(
    problem: Problem, profile: DriftProfile, observed: Observed
) -> Iterator[dict[str, Any]]:
    """One row for each column of the profile of which anything was seen."""
    for kind in KINDS:
        shifts = {
            name: Shift.between(sketch, values)
            for name, sketch in profile.get(kind, {}).items()
            if (values := observed.get(kind, {}).get(name)) is not None and len(values)
        }
        figures = {name: asdict(shift) for name, shift in shifts.items()}
        early = too_early_to_tell(figures, problem.gates) if kind == FEATURE else {}
        for name, shift in shifts.items():
            reason = shift.reason(problem.gates)
            described = {
                "feature": name,
                "kind": kind,
                "is_drifted": bool(reason) and name not in early,
                "reason": early.get(name, reason),
            }
            yield {**described, **figures[name]}


def feature_values(frames: Sequence[pl.DataFrame], names: Iterable[str]) -> "dict[str, Floats]":
    """Of several days together. Days from before there was a column do not count as days on which
    its values were missing, unless none of them has it."""
    import numpy as np

    rows = sum(frame.height for frame in frames)
    found = {}
    for name in names:
        known = [as_floats(frame[name]) for frame in frames if name in frame.columns]
        found[name] = np.concatenate(known) if known else np.full(rows, np.nan)
    return found


def sampled_rows(
    lake: Lake,
    problem: Problem,
    stage: str,
    day: date,
    names: Sequence[str],
    most: int = MOST_ROWS_A_DAY,
) -> pl.DataFrame:
    """Those of these columns that a day has; beyond `most` rows an even sample of entities, the
    same on every day and in every table."""
    table = problem.table(stage)
    rows = lake.scan(table, DayRange(day, day))
    there = rows.collect_schema().names()
    counted = rows.select(pl.len()).collect().item()
    wanted = [name for name in names if name in there]
    if counted <= most or not wanted:
        return rows.select(wanted).collect()
    with duck_session(lake.settings, lake.store) as connection:
        bind_parquet(connection, "lake.rows", lake.urls(table, DayRange(day, day)), "")
        listed = ", ".join(f'"{name}"' for name in wanted)
        is_drawn = is_sampled(problem.entity, most, counted)
        query = f'select {listed} from lake.rows where {is_drawn} order by "{problem.entity}"'  # noqa: S608 - names from the header
        return connection.sql(query).pl()


class _LatestRows:
    """The rows seen up to each day of a range; those that the next day sees again are kept."""

    def __init__(
        self, lake: Lake, problem: Problem, columns: LearningColumns, first: StageDay
    ) -> None:
        self.lake = lake
        self.problem = problem
        self.columns = columns
        windows = [first.inputs.windows[problem.table(stage)] for stage in SEEN]
        kept = sum(window.last_offset - window.first_offset + 2 for window in windows)
        self._rows_on = lru_cache(maxsize=kept)(self._rows_of)

    def observed(self, day: StageDay, profile: DriftProfile) -> Observed:
        task = self.problem.task
        features = tuple(profile[FEATURE])
        found: dict[str, Mapping[str, Floats]] = {
            FEATURE: feature_values(self._frames(day, "features", features), features)
        }
        if forecasts := self._frames(day, "predictions", tuple(task.watched)):
            found[FORECAST] = forecasts_of(task, pl.concat(forecasts))
        if scored := self._frames(day, "scores", (task.point, "actual")):
            rows = pl.concat(scored)
            found[TARGET] = {self.columns.target: task.watched_values(as_floats(rows["actual"]))}
            found[ERROR] = {task.point: errors_of(task, rows)}
        return found

    def _frames(self, day: StageDay, stage: str, names: tuple[str, ...]) -> list[pl.DataFrame]:
        frames = (self._rows_on(stage, seen, names) for seen in day.days(stage))
        return [frame for frame in frames if frame.height]

    def _rows_of(self, stage: str, day: date, names: tuple[str, ...]) -> pl.DataFrame:
        return sampled_rows(self.lake, self.problem, stage, day, names)


def _crossing(lake: Lake, problem: Problem, day: date, rows: pl.DataFrame) -> Event | None:
    """The event of a day on which the share of drifted features lies on the other side of the
    threshold than on the day before; none if the same was recorded of the day already."""
    gates, table = problem.gates, problem.table("drift")
    bound = gates.drifted_share.value

    def is_much(share: float) -> bool:
        return share >= bound

    def share_on(stored: date) -> float | None:
        return drift_on(lake.read(table, stored), gates).drifted_share

    found = drift_on(rows, gates)
    if found.drifted_share is None:
        return None
    days = lake.days(table, DayRange(day - timedelta(days=gates.drift_days), day))
    recorded = share_on(day) if day in days else None
    earlier = (share_on(before) for before in reversed(days) if before < day)
    # Holes have no share, and without any day before nothing had drifted.
    before = next((share for share in earlier if share is not None), 0.0)
    if is_much(found.drifted_share) in {
        is_much(share) for share in (before, recorded) if share is not None
    }:
        return None
    count = f"{len(found.drifted)} of {found.features} features have drifted"
    crossed = "has passed" if is_much(found.drifted_share) else "has fallen below"
    return Event(
        event="drift",
        cause=f"{count}: the share of {found.drifted_share:.0%} {crossed} {bound:.0%}",
        subject=str(day),
        detail=json.dumps({"share": found.drifted_share, "features": found.drifted}),
    )
