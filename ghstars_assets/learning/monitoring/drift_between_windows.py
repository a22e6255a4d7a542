"""Compares the features of any days with those of any others, in bounded memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.drift import MOST_ROWS_A_DAY, feature_values, sampled_rows
from ghstars_assets.learning.monitoring.drift_profile import FEATURE, is_whole
from ghstars_assets.learning.monitoring.drift_statistics import Shift, Sketch
from ghstars_assets.learning.monitoring.drift_summary import most_drifted_first
from ghstars_assets.learning.problem import Problem

MOST_ROWS = 200_000
"""A window is compared by so many rows, however long it is; of more, entities are sampled, the same
on every day."""


@dataclass(frozen=True)
class Compared:
    """A feature then and now."""

    name: str
    description: str
    then: Sketch
    now: Sketch
    shift: Shift
    reason: str
    """Why it has drifted; empty where it has not."""


def sketches_of(
    lake: Lake, problem: Problem, window: DayRange, names: Sequence[str]
) -> dict[str, Sketch]:
    """How the features of a window lie."""
    frames = _frames(lake, problem, window, names)
    kinds = {name: kind for frame in frames for name, kind in frame.schema.items()}
    return {
        name: Sketch.of(values, is_whole=name in kinds and is_whole(kinds[name]))
        for name, values in feature_values(frames, names).items()
    }


def held_against(
    lake: Lake, problem: Problem, features: Table, then: Mapping[str, Sketch], window: DayRange
) -> list[Compared]:
    """The features of a window against what they were; those that have drifted first."""
    described = {column.name: column.description for column in features.columns}
    values = feature_values(_frames(lake, problem, window, list(then)), then)
    found = {}
    for name, sketch in then.items():
        shift = Shift.between(sketch, values[name])
        now = Sketch.of(values[name], is_whole=sketch.is_category)
        reason = shift.reason(problem.gates)
        found[name] = Compared(name, described.get(name, ""), sketch, now, shift, reason)
    ordered = most_drifted_first(as_rows(found.values()), problem.gates)
    return [found[name] for name in ordered["feature"]]


def as_rows(features: Iterable[Compared]) -> pl.DataFrame:
    """As the drift table has them, without a day and a version."""
    rows = [
        {
            "feature": feature.name,
            "kind": FEATURE,
            **asdict(feature.shift),
            "is_drifted": bool(feature.reason),
            "reason": feature.reason,
        }
        for feature in features
    ]
    figures = ("population_stability", "wasserstein", "jensen_shannon")
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(figures, pl.Float64))


def _frames(
    lake: Lake, problem: Problem, window: DayRange, names: Sequence[str]
) -> list[pl.DataFrame]:
    table = problem.table("features")
    days = lake.days(table, window)
    most = min(MOST_ROWS_A_DAY, MOST_ROWS // max(len(days), 1))
    read = (sampled_rows(lake, problem, "features", day, names, most) for day in days)
    frames = [frame for frame in read if frame.height]
    if not frames:
        held = lake.days(table)
        known = f" (it holds {held[0]} to {held[-1]})" if held else ""
        raise MissingDayError(
            f"{table} holds no row of {window}{known}; name other days, or fill these with "
            f"`ghstars backfill {problem.name} --from {window.first} --to {window.last}`."
        )
    return frames
