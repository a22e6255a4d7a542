"""What the drift table says of a day as a whole, and which of its columns have drifted most."""

from dataclasses import dataclass

import polars as pl

from ghstars_assets.learning.gates import Gates
from ghstars_assets.learning.monitoring.drift_statistics import threshold_multiples
from ghstars_assets.learning.monitoring.young_history import too_early_to_tell


@dataclass(frozen=True)
class Drift:
    """What the drift table says of one day."""

    drifted_share: float | None
    """None where no feature could be compared."""
    drifted: tuple[str, ...]
    """The features that have drifted, most first."""
    features: int
    is_target_drifted: bool | None
    too_early: int = 0
    """Features that cannot be compared yet, because history was shorter; they count as steady."""


def drift_on(rows: pl.DataFrame, gates: Gates) -> Drift:
    """Sums up a day of the drift table."""
    features = rows.filter(pl.col("kind") == "feature")
    target = rows.filter(pl.col("kind") == "target")["is_drifted"]
    # An earlier release stored of a young history that all of them have drifted.
    early = too_early_to_tell({row["feature"]: row for row in features.to_dicts()}, gates)
    is_drifted = pl.col("is_drifted") & ~pl.col("feature").is_in(list(early))
    drifted = most_drifted_first(features.filter(is_drifted), gates)
    return Drift(
        drifted_share=drifted.height / features.height if features.height else None,
        drifted=tuple(drifted["feature"]),
        features=features.height,
        is_target_drifted=bool(target.any()) if target.len() else None,
        too_early=len(early),
    )


def most_drifted_first(rows: pl.DataFrame, gates: Gates) -> pl.DataFrame:
    """Rows of the drift table: those that have drifted, then the others; of either first those
    whose statistics are the highest multiples of their thresholds."""
    heights = [
        max(threshold_multiples(row, gates).values(), default=None)
        for row in rows.iter_rows(named=True)
    ]
    return rows.sort(
        pl.col("is_drifted"),
        pl.lit(pl.Series(heights, dtype=pl.Float64)),
        "kind",
        "feature",
        descending=[True, True, False, False],
        nulls_last=True,
    )
