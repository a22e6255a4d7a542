"""Fills `drift`: each day's latest rows against those that its champion learnt from."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.holes import holes_in
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.sampling import is_sampled
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.forecasting.calibration import without_champion
from ghstars_assets.learning.monitoring.drift_profile import (
    ERROR,
    FEATURE,
    FORECAST,
    KINDS,
    TARGET,
    Reference,
    as_floats,
    errors_of,
    forecasts_of,
    reference_from_json,
)
from ghstars_assets.learning.monitoring.drift_statistics import Shift
from ghstars_assets.learning.monitoring.vitals import drift_on
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.decisions import model_row
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.sql_tables.header import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_ROWS_A_DAY = 20_000
"""Beyond these, entities are sampled: of a hundred thousand rows a week deciles do not wobble."""


def drift_days(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    champions: Mapping[date, int],
    days: Iterable[date],
) -> Iterator[DayOutcome]:
    """Fill `drift`, a day at a time; each version is loaded once."""
    table = loop_tables(problem)["drift"]
    wanted = list(days)
    if not wanted:
        return
    latest = _LatestRows(lake, problem, columns, DayRange(wanted[0], wanted[-1]))

    @lru_cache(maxsize=2)
    def reference_of(version: int) -> Reference | None:
        text = model_row(lake, problem, version).get("reference")
        return reference_from_json(text) if text else None

    for day in wanted:
        if absent := latest.absent(day, "features"):
            yield absent
        elif hole := holes_in(lake, problem.table("features"), DayRange(day, day)).get(day):
            written = lake.write(table.name, day, table.empty(), notes={GAP: hole.reason})
            yield DayOutcome(day, Status.GAP, 0, written.size_bytes, reason=hole.reason)
        elif day not in champions:
            yield without_champion(problem, day)
        elif not (reference := reference_of(champions[day])):
            yield _without_reference(problem, day, champions[day])
        elif absent := latest.absent(day, "predictions"):
            yield absent
        else:
            found = drift_rows(problem, reference, latest.observed(day, reference))
            rows = table.conform(
                pl.DataFrame(found, infer_schema_length=None).with_columns(
                    day=pl.lit(day), model_version=pl.lit(champions[day], pl.Int64)
                )
            )
            turn = _turn(lake, problem, day, rows)
            written = lake.write(table.name, day, rows)
            if turn:
                record_event(lake, problem=problem.name, event="drift", actor="drift", **turn)
            yield DayOutcome(day, Status.WRITTEN, written.rows, written.size_bytes)


Observed = Mapping[str, Mapping[str, "Floats"]]
"""By kind and column, as a reference is."""


def drift_rows(
    problem: Problem, reference: Reference, observed: Observed
) -> Iterator[dict[str, Any]]:
    """One row for each column of the reference of which anything was seen."""
    for kind in KINDS:
        for name, sketch in reference.get(kind, {}).items():
            values = observed.get(kind, {}).get(name)
            if values is None or not len(values):
                continue
            shift = Shift.between(sketch, values)
            reason = shift.reason(problem.gates)
            told = {"feature": name, "kind": kind, "is_drifted": bool(reason), "reason": reason}
            yield {**told, **asdict(shift)}


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


def drift_windows(problem: Problem) -> dict[str, Window]:
    """By stage, the days that a day of drift reads. Outcomes are those that had come due by then;
    before there are any, features and forecasts are looked at alone."""
    due = -problem.horizon_days
    scored = Window(due - problem.gates.skill_days + 1, due, optional="none has come due at first")
    seen = Window(1 - problem.gates.drift_days, 0)
    return {"features": seen, "predictions": seen, "scores": scored}


class _LatestRows:
    """What was seen up to each day. Of the days of a long run it keeps those that the next one sees
    again."""

    def __init__(
        self, lake: Lake, problem: Problem, columns: LearningColumns, days: DayRange
    ) -> None:
        self.lake = lake
        self.problem = problem
        self.columns = columns
        self.windows = drift_windows(problem)
        # A listing of a table takes as long as a day's statistics, so there is one a run.
        self.there = {
            stage: lake.days(
                problem.table(stage),
                DayRange(
                    days.first + timedelta(days=window.first_offset),
                    days.last + timedelta(days=window.last_offset),
                ),
            )
            for stage, window in self.windows.items()
        }
        kept = sum(window.last_offset - window.first_offset + 2 for window in self.windows.values())
        self._rows_on = lru_cache(maxsize=kept)(self._rows_of)

    def absent(self, day: date, stage: str) -> DayOutcome | None:
        """What becomes of a day that the stage lacks."""
        if day in self.there[stage]:
            return None
        problem, snapshots = self.problem, self.problem.table("snapshots")
        hole = holes_in(self.lake, snapshots, DayRange(day, day)).get(day)
        if hole and hole.is_quarantine:
            self.lake.delete(problem.table("drift"), day)
            reason = f"{snapshots} of {day} is quarantined ({hole.reason})"
            return DayOutcome(day, Status.SKIPPED, reason=reason)
        reason = (
            f"{problem.table(stage)} has no {day}; fill it with `ghstars backfill {problem.name} "
            f"--from {day} --to {day} --stages {stage}`"
        )
        return DayOutcome(day, Status.FAILED, reason=reason)

    def observed(self, day: date, reference: Reference) -> Observed:
        form = self.problem.target_form
        features = tuple(reference[FEATURE])
        found: dict[str, Mapping[str, Floats]] = {
            FEATURE: feature_values(self._frames("features", day, features), features)
        }
        if forecasts := self._frames("predictions", day, ("typical", "mean")):
            found[FORECAST] = forecasts_of(form, pl.concat(forecasts))
        if scored := self._frames("scores", day, ("typical", "actual")):
            rows = pl.concat(scored)
            found[TARGET] = {self.columns.target: form.squash(as_floats(rows["actual"]))}
            found[ERROR] = {"typical": errors_of(form, rows)}
        return found

    def _frames(self, stage: str, day: date, names: tuple[str, ...]) -> list[pl.DataFrame]:
        window = self.windows[stage]
        span = DayRange(
            day + timedelta(days=window.first_offset), day + timedelta(days=window.last_offset)
        )
        days = [seen for seen in self.there[stage] if seen in span]
        frames = (self._rows_on(stage, seen, names) for seen in days)
        return [frame for frame in frames if frame.height]

    def _rows_of(self, stage: str, day: date, names: tuple[str, ...]) -> pl.DataFrame:
        return sampled_rows(self.lake, self.problem, stage, day, names)


def _turn(lake: Lake, problem: Problem, day: date, rows: pl.DataFrame) -> dict[str, str] | None:
    """What is recorded of a day whose share of drifted features lies on the other side of the
    threshold than it did the day before; nothing if the same was found of the day already."""
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
    said = share_on(day) if day in days else None
    earlier = (share_on(before) for before in reversed(days) if before < day)
    # Holes have none, and all is well until something is said.
    before = next((share for share in earlier if share is not None), 0.0)
    if is_much(found.drifted_share) in {
        is_much(share) for share in (before, said) if share is not None
    }:
        return None
    told = f"{len(found.drifted)} of {found.features} features have drifted"
    turned = "has passed" if is_much(found.drifted_share) else "has fallen below"
    return {
        "cause": f"{told}: the share of {found.drifted_share:.0%} {turned} {bound:.0%}",
        "subject": str(day),
        "detail": json.dumps({"share": found.drifted_share, "features": found.drifted}),
    }


def _without_reference(problem: Problem, day: date, version: int) -> DayOutcome:
    reason = (
        f"version {version} of {problem.name} was trained by an earlier release and keeps nothing "
        f"that drift could be measured against; train anew with `ghstars backfill {problem.name} "
        "--stages model,champion`"
    )
    return DayOutcome(day, Status.FAILED, reason=reason)
