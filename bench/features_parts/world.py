"""A world without a gap: Poisson gains whose rate differs by repository and drifts."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from features_parts.lake import first_days, lake_of, stars_graph

SEED = 7


def write_world(home: Path, days: int, repositories: int) -> None:
    """Write it day by day, so that a world of any size fits."""
    table = stars_graph().tables["stars.snapshots"]
    lake = lake_of(home)
    dice = np.random.default_rng(SEED)
    usual = np.minimum(np.exp(dice.normal(0.7, 1.2, repositories)), 150)
    drift = np.zeros(repositories)
    stars = (1000 * np.exp(dice.exponential(1.0, repositories))).astype(np.int64)
    forks = stars // 8
    unknown = table.empty().clear(repositories)
    names = pl.Series([f"owner{number}/name{number}" for number in range(repositories)])
    for day in first_days(days):
        drift = 0.98 * drift + dice.normal(0, 0.1, repositories)
        rate = usual * np.exp(drift)
        stars = stars + dice.poisson(rate)
        forks = forks + dice.poisson(rate / 8)
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        pushed_ago = dice.integers(0, 100 * 86_400, repositories)
        known = unknown.with_columns(
            day=pl.lit(day),
            repo_id=pl.Series(np.arange(1, repositories + 1)),
            full_name=names,
            source=pl.lit("github"),
            owner=names,
            stars=pl.Series(stars),
            forks=pl.Series(forks),
            watchers=pl.Series(stars // 20),
            pushed_at=pl.lit(noon) - pl.duration(seconds=pl.lit(pl.Series(pushed_ago))),
            observed_at=pl.lit(noon),
            ingested_at=pl.lit(noon),
        )
        lake.write(table.name, day, table.conform(known))
