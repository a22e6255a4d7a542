"""Whether the lags and windows of both sides have the same values."""

from datetime import timedelta
from pathlib import Path

import polars as pl

from features_parts.figures import Difference
from features_parts.lags import LAGS, OCTILES, PEER_FILE
from features_parts.lake import FIRST_DAY, first_days, lake_of

GAINS_NEEDED = 90
COMPARED_SHARE = 10
"""Every so many-th repository is compared, on all its days."""

PEER_NAMES = {
    "gain_1d": "lag1",
    "min_7d": "rolling_min_lag1_window_size7",
    "max_28d": "rolling_max_lag1_window_size28",
    **{
        f"octile_{place}_28d": f"rolling_quantile_lag1_p{octile}_window_size28"
        for place, octile in enumerate(OCTILES, 1)
    },
}
PEER_MEANS = {
    **{f"gain_{days}d": (1, days) for days in LAGS[1:]},
    "gain_1_week_ago": (8, 7),
    "gain_2_weeks_ago": (15, 7),
    "gain_3_weeks_ago": (22, 7),
}
"""Gains that the peer has as means: from how many days ago, over how many."""


def compare(home: Path, days: int) -> Difference:
    """How far the two are apart where both know enough: the peer's feature of a day is ours of the
    day before, and its deviation that of a sample."""
    ours = _sampled(lake_of(home).scan("stars.lags_and_windows", first_days(days)), "repo_id")
    peer = _sampled(pl.scan_parquet(home / PEER_FILE), "unique_id")
    peers = {name: pl.col(theirs) for name, theirs in PEER_NAMES.items()}
    for name, (lag, window) in PEER_MEANS.items():
        peers[name] = window * pl.col(f"rolling_mean_lag{lag}_window_size{window}")
    peers["stddev_28d"] = pl.col("rolling_std_lag1_window_size28") * (27 / 28) ** 0.5
    known_from = FIRST_DAY + timedelta(days=GAINS_NEEDED)
    both = (
        ours.filter(pl.col("day") >= known_from)
        .join(
            peer.with_columns(pl.col("ds").dt.offset_by("-1d")),
            left_on=["repo_id", "day"],
            right_on=["unique_id", "ds"],
        )
        .select(_distance(pl.col(name), theirs).alias(name) for name, theirs in peers.items())
        .collect()
    )
    # A value that one side lacks is as far away as can be.
    largest = both.select(pl.all().fill_nan(float("inf")).fill_null(float("inf")).max()).row(
        0, named=True
    )
    column = max(largest, key=lambda name: largest[name])
    return Difference(both.height * both.width, largest[column], column)


def _sampled(rows: pl.LazyFrame, repository: str) -> pl.LazyFrame:
    return rows.filter(pl.col(repository) % COMPARED_SHARE == 0)


def _distance(ours: pl.Expr, theirs: pl.Expr) -> pl.Expr:
    """Relative, and absolute below one star."""
    return (ours - theirs).abs() / theirs.abs().clip(lower_bound=1)
