"""What a day's health is judged by: how good the forecasts that have come due were, and how many
features have drifted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Gates, Problem


@dataclass(frozen=True)
class Skill:
    """Of the latest days of origin that have come due; a figure is None where there is none."""

    scored_from: date | None = None
    scored_through: date | None = None
    scored_days: int = 0
    rows: int = 0
    mae: float | None = None
    mae_naive: float | None = None
    skill_vs_naive: float | None = None
    rmse: float | None = None
    r2: float | None = None
    auc: float | None = None


@dataclass(frozen=True)
class Drift:
    """Of the day."""

    drifted_share: float | None
    """None where no feature could be compared."""
    drifted: tuple[str, ...]
    """The features that have drifted, most first."""
    features: int
    is_target_drifted: bool | None


@dataclass(frozen=True)
class _Origin:
    """Sums over the forecasts of one day, of which those over many days are made."""

    day: date
    rows: int
    error: float
    error_naive: float
    squared_error: float
    mean: float
    """Of what happened."""
    spread: float
    """Squared distances from that mean."""


class SkillMeter:
    """The skill as it was known on each day. A day of origin is read once, though it is one of a
    fortnight for as many days."""

    def __init__(self, lake: Lake, problem: Problem) -> None:
        self.lake = lake
        self.problem = problem
        self.table = problem.table("scores")
        # As many as two windows hold: those of the day before are asked for again.
        kept = 2 * problem.gates.skill_days
        self._origin = lru_cache(maxsize=kept)(self._sums_of)
        self._ranked = lru_cache(maxsize=kept)(self._chances_of)

    def skill_on(self, day: date) -> Skill:
        """Over the forecasts that had come due by the end of this day."""
        gates = self.problem.gates
        last = day - timedelta(days=self.problem.horizon_days)
        span = DayRange(last - timedelta(days=gates.skill_days - 1), last)
        origins = [self._origin(origin) for origin in self.lake.days(self.table, span)]
        origins = [origin for origin in origins if origin.rows]
        if not origins:
            return Skill()
        rows = sum(origin.rows for origin in origins)
        mae, mae_naive, mse = (
            math.fsum(getattr(origin, name) for origin in origins) / rows
            for name in ("error", "error_naive", "squared_error")
        )
        mean = math.fsum(origin.mean * origin.rows for origin in origins) / rows
        variance = math.fsum(o.spread + o.rows * (o.mean - mean) ** 2 for o in origins) / rows
        is_enough = len(origins) >= gates.fewest_skill_days
        return Skill(
            scored_from=origins[0].day,
            scored_through=origins[-1].day,
            scored_days=len(origins),
            rows=rows,
            mae=mae,
            mae_naive=mae_naive,
            # A naive forecast that was never wrong leaves nothing to be better than. What follows
            # the twelfth digit is the order in which threads add up, and decides nothing.
            skill_vs_naive=round(1 - mae / mae_naive, 12) if is_enough and mae_naive else None,
            rmse=math.sqrt(mse),
            r2=1 - mse / variance if variance else None,
            auc=self._auc([origin.day for origin in origins]),
        )

    def _measured(self, origin: date) -> pl.LazyFrame:
        """Rows with an outcome and a naive forecast: those that skill can be told of."""
        rows = self.lake.scan(self.table, DayRange(origin, origin))
        is_chance = "probability" in rows.collect_schema().names()
        return rows.select(
            "naive", "actual", value="probability" if is_chance else "typical"
        ).drop_nulls()

    def _sums_of(self, origin: date) -> _Origin:
        error, actual = pl.col("value") - pl.col("actual"), pl.col("actual")
        sums = self._measured(origin).select(
            rows=pl.len(),
            error=error.abs().sum(),
            error_naive=(pl.col("naive") - actual).abs().sum(),
            squared_error=(error**2).sum(),
            mean=actual.mean(),
            spread=((actual - actual.mean()) ** 2).sum(),
        )
        found = sums.collect().row(0, named=True)
        return _Origin(origin, **{**found, "mean": found["mean"] or 0.0})

    def _chances_of(self, origin: date) -> pl.DataFrame:
        return self._measured(origin).select("value", is_so=pl.col("actual") > 0).collect()

    def _auc(self, origins: Sequence[date]) -> float | None:
        """How often one that came true was given the higher chance than one that did not."""
        if "auc" not in self.problem.gates.absolute:
            return None
        rows = pl.concat([self._ranked(origin) for origin in origins])
        true = int(rows["is_so"].sum())
        false = rows.height - true
        if not true or not false:
            return None
        places = float(rows["value"].rank("average").filter(rows["is_so"]).sum())
        return (places - true * (true + 1) / 2) / (true * false)


def drift_on(rows: pl.DataFrame, gates: Gates) -> Drift:
    """What the drift table says of a day."""
    features = rows.filter(pl.col("kind") == "feature")
    target = rows.filter(pl.col("kind") == "target")["is_drifted"]
    drifted = features.filter("is_drifted").sort(
        drift_height(gates), "feature", descending=[True, False], nulls_last=True
    )
    return Drift(
        drifted_share=drifted.height / features.height if features.height else None,
        drifted=tuple(drifted["feature"]),
        features=features.height,
        is_target_drifted=bool(target.any()) if target.len() else None,
    )


def drift_height(gates: Gates) -> pl.Expr:
    """Of a row of the drift table: its statistics as multiples of their thresholds, the largest."""
    return pl.max_horizontal(
        pl.col("population_stability") / gates.population_stability.value,
        pl.col("wasserstein") / gates.wasserstein.value,
        pl.col("jensen_shannon") / gates.jensen_shannon.value,
        (pl.col("share_missing") - pl.col("share_missing_reference")) / gates.share_missing.value,
        pl.col("share_outside") / gates.share_outside.value,
    )
