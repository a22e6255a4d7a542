"""A forecaster beside ours and the naive forecast: errors, and how sure the difference is."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from skill_parts.sampling import SEED

RESAMPLES = 2000


@dataclass(frozen=True)
class Compared:
    """A forecaster on its rows, beside ours and the naive forecast on the same."""

    name: str
    given: str
    rows: int
    repositories: int
    mae: float
    mae_naive: float
    mae_ours: float
    difference: tuple[float, float]
    """Ends of the 95 % interval of mae − mae_ours."""
    seconds: float | None

    @property
    def is_better_than_ours(self) -> bool:
        return self.difference[1] < 0


def compared(
    name: str, given: str, rows: pl.DataFrame, forecast: pl.Series, seconds: float | None
) -> Compared:
    errors = rows.select(
        "repo_id",
        theirs=(forecast - rows["actual"]).abs(),
        naive=(pl.col("naive") - pl.col("actual")).abs(),
        ours=(pl.col("ours") - pl.col("actual")).abs(),
    )
    repositories = errors.group_by("repo_id", maintain_order=True).agg(
        difference=(pl.col("theirs") - pl.col("ours")).sum(), rows=pl.len()
    )
    means = errors.select(pl.col("theirs", "naive", "ours").mean()).row(0, named=True)
    return Compared(
        name=name,
        given=given,
        rows=errors.height,
        repositories=repositories.height,
        mae=means["theirs"],
        mae_naive=means["naive"],
        mae_ours=means["ours"],
        difference=_interval(
            repositories["difference"].to_numpy(), repositories["rows"].to_numpy()
        ),
        seconds=seconds,
    )


def _interval(differences: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Whole repositories are drawn: the weeks of one are alike."""
    dice = np.random.default_rng(SEED)
    number = len(differences)
    drawn = dice.multinomial(number, np.full(number, 1 / number), size=RESAMPLES)
    low, high = np.quantile(drawn @ differences / (drawn @ rows), (0.025, 0.975))
    return float(low), float(high)
