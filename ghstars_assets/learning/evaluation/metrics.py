"""Every error and every skill, each defined once: over rows in Polars, over rows in SQL, and as
sums that add up over days.

What is measured on which rows is not decided here; nothing here reads a table. Rows have a column
`actual`, what happened, and where skill is measured `naive`, the naive forecast.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NAIVE = "naive"
MOST_RANKED = 50
RANKING = (f"precision_at_{MOST_RANKED}", f"ndcg_at_{MOST_RANKED}")


# ---- over rows, in Polars -----------------------------------------------------------------------


def absolute_error(forecast: str) -> pl.Expr:
    return (pl.col(forecast) - pl.col("actual")).abs()


def squared_error(forecast: str) -> pl.Expr:
    return (pl.col(forecast) - pl.col("actual")) ** 2


def interval_held(share: str) -> pl.Expr:
    """Whether the outcome lies within the interval, its ends included."""
    return pl.col("actual").is_between(f"low_{share}", f"high_{share}")


def lies_within(actual: "Floats", low: "Floats", high: "Floats") -> "NDArray[np.bool_]":
    """The same of arrays."""
    return (low <= actual) & (actual <= high)


def skill(error: float, error_naive: float) -> float | None:
    """The share of the naive forecast's error that is avoided. A naive forecast that was never
    wrong leaves nothing to be better than."""
    return 1 - error / error_naive if error_naive else None


def skill_of_columns(error: str, error_naive: str) -> pl.Expr:
    return 1 - pl.col(error) / pl.col(error_naive)


def relative_difference(error: "Floats | float", than: "Floats | float") -> "Floats":
    """How much greater an error is than another one, as a share of that. One that is nothing is
    never matched by one that is something."""
    import numpy as np

    least = np.finfo(np.float64).tiny
    return np.asarray((error - than) / np.maximum(than, least))


def errors_beside_naive(
    judged: pl.DataFrame, error: pl.Expr, error_naive: pl.Expr
) -> dict[str, float]:
    """Mean errors on rows whose naive forecast is known too, for both; without such rows there is
    no error."""
    measured = (
        judged.select(error=error, error_naive=error_naive)
        .drop_nulls("error_naive")
        .select(rows=pl.len(), mae=pl.col("error").mean(), mae_naive=pl.col("error_naive").mean())
        .row(0, named=True)
    )
    naive = measured["mae_naive"]
    # A naive forecast that was never wrong makes no version better than it, and a record needs a
    # figure.
    better = skill(measured["mae"], naive) if naive else 0.0
    return {
        name: float(value)
        for name, value in {**measured, "skill_vs_naive": better}.items()
        if value is not None
    }


def total_ratio(rows: pl.DataFrame, forecast: str) -> float | None:
    """What was forecast in all as a share of what happened in all."""
    forecast_sum, actual_sum = float(rows[forecast].sum()), float(rows["actual"].sum())
    return forecast_sum / actual_sum if actual_sum else None


def area_under_roc(value: pl.Series, is_so: pl.Series) -> float | None:
    """How often a row that came true was given the higher value than one that did not."""
    true = int(is_so.sum())
    false = is_so.len() - true
    if not true or not false:
        return None
    places = float(value.rank("average").filter(is_so).sum())
    return (places - true * (true + 1) / 2) / (true * false)


# ---- as sums that add up over days --------------------------------------------------------------


@dataclass(frozen=True)
class ErrorSums:
    """Sums over forecasts. Those of several days are made of those of each."""

    rows: int
    error: float
    error_naive: float
    squared_error: float
    mean: float
    """The mean of what happened."""
    spread: float
    """Squared distances from that mean."""

    @classmethod
    def of(
        cls, rows: pl.LazyFrame, *, error: pl.Expr, error_naive: pl.Expr, squared_error: pl.Expr
    ) -> "ErrorSums":
        actual = pl.col("actual")
        sums = rows.select(
            rows=pl.len(),
            error=error.sum(),
            error_naive=error_naive.sum(),
            squared_error=squared_error.sum(),
            mean=actual.mean(),
            spread=((actual - actual.mean()) ** 2).sum(),
        )
        found = sums.collect().row(0, named=True)
        return cls(**{**found, "mean": found["mean"] or 0.0})

    @classmethod
    def together(cls, parts: Sequence["ErrorSums"]) -> "ErrorSums":
        rows = sum(part.rows for part in parts)
        mean = math.fsum(part.mean * part.rows for part in parts) / rows
        return cls(
            rows=rows,
            error=math.fsum(part.error for part in parts),
            error_naive=math.fsum(part.error_naive for part in parts),
            squared_error=math.fsum(part.squared_error for part in parts),
            mean=mean,
            spread=math.fsum(part.spread + part.rows * (part.mean - mean) ** 2 for part in parts),
        )

    @property
    def mean_error(self) -> float:
        return self.error / self.rows

    @property
    def mean_error_naive(self) -> float:
        return self.error_naive / self.rows

    @property
    def skill(self) -> float | None:
        return skill(self.mean_error, self.mean_error_naive)

    @property
    def rmse(self) -> float:
        return math.sqrt(self.squared_error / self.rows)

    @property
    def r2(self) -> float | None:
        """The share of the variance that is explained."""
        variance = self.spread / self.rows
        return 1 - self.squared_error / self.rows / variance if variance else None


# ---- over rows, in SQL --------------------------------------------------------------------------


def point_measures_sql(forecast: str) -> dict[str, str]:
    """By name, measures of one value a row."""
    value = f'"{forecast}"'
    return {
        "n": "count(*)",
        "mae": mean_absolute_error_sql(forecast),
        "wape": f"sum(abs({value} - actual)) / nullif(sum(abs(actual)), 0)",
        "r2": f"""
            case when min(actual) < max(actual)
                then 1 - sum(({value} - actual) ** 2) / (var_pop(actual) * count(*))
            end""",
        "median_ae": f"median(abs({value} - actual))",
        "rmsle": f"""
            sqrt(avg((ln(1 + greatest({value}, 0)) - ln(1 + greatest(actual, 0))) ** 2))""",
        "skill_vs_naive": f"""
            1 - sum(abs({value} - actual)) / nullif(sum(abs({NAIVE} - actual)), 0)""",
        "bias": total_ratio_sql(forecast),
    }


def mean_absolute_error_sql(forecast: str) -> str:
    return f'avg(abs("{forecast}" - actual))'


def total_ratio_sql(forecast: str) -> str:
    return f'sum("{forecast}") / nullif(sum(actual), 0)'


def interval_held_sql(share: str) -> str:
    return f"avg((actual between low_{share} and high_{share})::integer)"


def interval_measures_sql(intervals: Mapping[str, tuple[float, float]]) -> dict[str, str]:
    """How often each interval held, how wide it is, and Winkler's score: its width, and for each
    outcome outside so many times the distance that a wider interval would not have paid."""
    measures = {f"coverage_{share}": interval_held_sql(share) for share in intervals}
    for share, (lower, upper) in intervals.items():
        low, high = f"low_{share}", f"high_{share}"
        penalty = f"{2 / (1 - upper + lower):.12g}"
        outside = f"greatest({low} - actual, actual - {high}, 0)"
        measures |= {
            f"width_{share}": f"avg({high} - {low})",
            f"winkler_{share}": f"avg({high} - {low} + {penalty} * {outside})",
        }
    return measures


def ranking_sql(table: str, entity: str, forecast: str, ranks_by: str) -> str:
    """Of the 50 that are ranked highest on a day the share that were among the 50 highest, and
    their discounted gains by the most that 50 could have had; averaged over days, over all and by
    the columns `month` and `is_warned`.

    With fewer than 100 rows it is half of them, because the best 50 of 50 are found by anybody. A
    day on which nothing gained has no say in the discounted gains.
    """
    precision, gains = RANKING
    return f"""
        with places as (
            select
                day, month, is_warned,
                greatest(actual, 0) as gain,
                row_number() over (
                    partition by day order by "{ranks_by}" desc, "{entity}"
                ) as place,
                row_number() over (
                    partition by day order by actual desc, "{entity}"
                ) as best_place,
                least({MOST_RANKED}, count(*) over (partition by day) // 2) as ranked
            from {table}
            where "{forecast}" is not null and "{ranks_by}" is not null
        ),
        by_day as (
            select
                day, month, is_warned,
                (count(*) filter (place <= ranked and best_place <= ranked)) / ranked as found,
                sum(gain / log2(place + 1)) filter (place <= ranked)
                / nullif(sum(gain / log2(best_place + 1)) filter (best_place <= ranked), 0) as ndcg
            from places
            where place <= ranked or best_place <= ranked
            group by day, month, is_warned, ranked
        )
        select month, is_warned, avg(found) as {precision}, avg(ndcg) as {gains}
        from by_day
        group by grouping sets ((), (month), (is_warned))
    """  # noqa: S608 - names of columns
