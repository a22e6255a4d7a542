"""The same tables by the peer: `MLForecast.preprocess` over the whole."""

# The peer is an extra (`make bench` installs it), and the type checker has to do without it.
# pyright: reportMissingImports=false

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from mlforecast import MLForecast
from mlforecast import lag_transforms as of
from mlforecast.target_transforms import Differences

from features_parts.figures import Side, measured
from features_parts.lags import HALF_LIVES, LAGS, OCTILES, PEER_FILE
from features_parts.lake import THREADS, first_days, lake_of


def _windows(home: Path, days: int, half_lives: Sequence[int] = ()) -> Side:
    # The peer's own type for these knows functions alone.
    transforms: dict[int, Any] = {
        1: [
            *(of.RollingMean(days) for days in LAGS[1:]),
            of.RollingMin(7),
            of.RollingMax(28),
            of.RollingStd(28),
            *(of.RollingQuantile(octile, 28) for octile in OCTILES),
            *(of.ExponentiallyWeightedMean(1 - 0.5 ** (1 / days)) for days in half_lives),
        ],
        **{lag: [of.RollingMean(7)] for lag in (8, 15, 22)},
    }
    forecast = MLForecast(
        models=[],
        freq="1d",
        lags=[1],
        lag_transforms=transforms,
        target_transforms=[Differences([1])],
        num_threads=THREADS,
    )

    def work() -> int:
        rows = _sorted_series(home, days)
        _write_parquet(home, _preprocessed(forecast, rows))
        return rows.height

    return measured(work)


def _features(home: Path, days: int) -> Side:
    return _windows(home, days, HALF_LIVES)


def _lags(home: Path, days: int) -> Side:
    forecast = MLForecast(models=[], freq="1d", lags=list(LAGS), num_threads=THREADS)

    def work() -> int:
        rows = _sorted_series(home, days)
        _write_parquet(home, _preprocessed(forecast, rows))
        return rows.height

    return measured(work)


def _sorted_series(home: Path, days: int) -> pl.DataFrame:
    """The peer takes twice as long over rows that it has to sort, and put back, by itself."""
    return (
        lake_of(home)
        .scan("stars.snapshots", first_days(days))
        .select(unique_id="repo_id", ds="day", y=pl.col("stars").cast(pl.Float64))
        .collect()
        .sort("unique_id", "ds")
    )


def _preprocessed(forecast: MLForecast, rows: pl.DataFrame) -> pl.DataFrame:
    made = forecast.preprocess(rows, static_features=[], dropna=False)
    assert isinstance(made, pl.DataFrame)  # noqa: S101 - for the type checker
    return made


def _write_parquet(home: Path, made: pl.DataFrame) -> None:
    made.write_parquet(home / PEER_FILE, compression="lz4")  # as ours are


STEPS: Mapping[str, Callable[[Path, int], Side]] = {
    "peer_windows": _windows,
    "peer_features": _features,
    "peer_lags": _lags,
}
