"""Two versions on the same rows: the error of each, and how sure the difference between them is.

The errors of one entity hang together over days, so entities are drawn anew, each with all its
rows, and not rows: else a few that are easy for one of the two would pass for a thousand proofs.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.metrics import relative_difference
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.training.training_set import read_labelled_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 1_000
INTERVAL = (0.025, 0.975)
SEED = 7
FEWEST_ENTITIES = 5
"""Fewer can be drawn in too few ways for an interval."""
MOST_DRAWN = 5_000
"""Of more entities, as many bundles of them are drawn: an interval then is as wide, and a million
entities cost no more."""
WEIGHTS_AT_ONCE = 2_000_000
DAYS_AT_ONCE = 7
MOST_ROWS_AT_ONCE = 500_000
"""Beyond these, entities are sampled."""

_FORECASTERS = ("candidate", "champion", "naive")


@dataclass(frozen=True)
class Comparison:
    """A candidate beside the champion on rows whose outcome and naive forecast are known."""

    first_day: date
    last_day: date
    days: int
    rows: int
    entities: int
    mae_candidate: float
    mae_champion: float
    mae_naive: float
    difference: float
    """(candidate − champion) ÷ champion, of their errors."""
    low: float
    """The ends of the 95 % interval of the difference; infinite where nobody can tell."""
    high: float

    def figures(self) -> dict[str, float | int | str | None]:
        """For JSON."""
        measured = {
            "mae_candidate": self.mae_candidate,
            "mae_champion": self.mae_champion,
            "mae_naive": self.mae_naive,
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
        }
        return {
            "from": str(self.first_day),
            "to": str(self.last_day),
            "days": self.days,
            "rows": self.rows,
            "entities": self.entities,
            **{name: _figure(value) for name, value in measured.items()},
        }


def compare(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    candidate: ServedModel,
    champion: ServedModel,
    days: Sequence[date],
) -> Comparison | None:
    """Both on the labelled rows of these days; None where no row has a naive forecast."""
    errors = pl.concat(list(_errors_by_entity(lake, problem, columns, (candidate, champion), days)))
    return compared(errors, days) if errors.height else None


def compared(errors: pl.DataFrame, days: Sequence[date]) -> Comparison:
    """From absolute errors, summed or one by one: `entity`, `rows` and a column a forecaster."""
    by_entity = errors.group_by("entity", maintain_order=True)
    sums = by_entity.agg(pl.col("rows", *_FORECASTERS).sum()).sort("entity")
    rows = int(sums["rows"].sum())
    candidate, champion, naive = (float(sums[name].sum()) for name in _FORECASTERS)
    low, high = difference_interval(sums["candidate"].to_numpy(), sums["champion"].to_numpy())
    return Comparison(
        first_day=days[0],
        last_day=days[-1],
        days=len(days),
        rows=rows,
        entities=sums.height,
        mae_candidate=candidate / rows,
        mae_champion=champion / rows,
        mae_naive=naive / rows,
        difference=float(relative_difference(candidate, champion)),
        low=low,
        high=high,
    )


def difference_interval(candidate: "Floats", champion: "Floats") -> tuple[float, float]:
    """How far the relative difference of two errors, given as sums for each entity, moves when the
    entities are drawn anew."""
    import numpy as np

    if len(candidate) < FEWEST_ENTITIES:
        return -math.inf, math.inf
    dice = np.random.default_rng(SEED)
    sums = np.column_stack([candidate, champion])
    if len(sums) > MOST_DRAWN:
        bundle = dice.permutation(len(sums)) % MOST_DRAWN
        sums = np.column_stack([np.bincount(bundle, weights=column) for column in sums.T])
    count = len(sums)
    at_once = max(1, WEIGHTS_AT_ONCE // count)
    evenly = np.full(count, 1 / count)
    drawn = [
        np.float64(dice.multinomial(count, evenly, size=min(at_once, RESAMPLES - begun))) @ sums
        for begun in range(0, RESAMPLES, at_once)
    ]
    resampled = np.concatenate(drawn)
    low, high = np.quantile(relative_difference(resampled[:, 0], resampled[:, 1]), INTERVAL)
    return float(low), float(high)


def _errors_by_entity(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    models: tuple[ServedModel, ServedModel],
    days: Sequence[date],
) -> Iterator[pl.DataFrame]:
    """Sums for each entity, a few days at a time."""
    needed = [name for model in models for name in model.columns.needed]
    for begin in range(0, len(days), DAYS_AT_ONCE):
        piece = tuple(days[begin : begin + DAYS_AT_ONCE])
        rows = read_labelled_rows(lake, problem, columns, piece, MOST_ROWS_AT_ONCE, needed)
        candidate, champion = (
            pl.Series(model.point_values(rows, lake.settings.threads)) for model in models
        )
        forecasts = rows.select(
            entity=problem.entity,
            candidate=candidate,
            champion=champion,
            naive=pl.col(columns.naive).cast(pl.Float64),
            actual=pl.col(columns.target).cast(pl.Float64),
        )
        errors = forecasts.select(
            "entity", *(problem.task.row_error(name).alias(name) for name in _FORECASTERS)
        ).drop_nulls("naive")
        # In the order of the rows, for sums of the same numbers in another order are others.
        by_entity = errors.group_by("entity", maintain_order=True)
        yield by_entity.agg(pl.len().cast(pl.Int64).alias("rows"), pl.col(*_FORECASTERS).sum())


def _figure(value: float) -> float | None:
    """What follows the twelfth digit may hang on the machine."""
    return float(f"{value:.12g}") if math.isfinite(value) else None
