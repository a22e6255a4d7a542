"""Other people's forecasts of the same rows, each with its library's defaults."""

# The peers are an extra (`make bench` installs it), and the type checker has to do without it.
# pyright: reportMissingImports=false

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any, Literal

import polars as pl

from bench_support.figures import say
from skill_parts.judgement import Compared, compared
from skill_parts.series import LEAST_HISTORY_DAYS, on_calendar, stretches
from skill_parts.task import Task

HORIZON_DAYS = 7
SEASON_DAYS = 7
TRAINING_DAYS = 365
LAGS = range(1, 29)
JOBS = 2
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Peer:
    name: str
    given: Literal["counts", "gains"]
    forecast: Callable[[Task, pl.DataFrame], pl.DataFrame]
    """From the task and its series as `given` to `unique_id` and seven days' `y` of each."""
    is_slow: bool = False


def run_peer(peer: Peer, task: Task) -> Compared:
    say(f"{peer.name}, of {peer.given}: {task.rows.height:,} rows ...")
    series = task.histories
    if peer.given == "gains":
        series = series.with_columns(pl.col("y").diff().over("unique_id")).drop_nulls("y")
    began = time.perf_counter()
    forecasts = peer.forecast(task, series)
    seconds = time.perf_counter() - began
    week = pl.col("y").last() if peer.given == "counts" else pl.col("y").sum()
    weeks = task.rows.join(
        forecasts.group_by("unique_id", maintain_order=True).agg(week=week, days=pl.len()),
        left_on="row",
        right_on="unique_id",
        how="left",
        maintain_order="left",
    )
    if not (weeks["days"].eq_missing(HORIZON_DAYS) & weeks["week"].is_finite()).all():
        sys.exit(f"{peer.name} left rows without a forecast: no comparison on the same rows.")
    gain = weeks["week"] - weeks["stars"] if peer.given == "counts" else weeks["week"]
    if peer.name == SEASONAL_NAIVE and ((gain - weeks["naive"]).abs() > TOLERANCE).any():
        sys.exit("The peers' calendar is wrong: last week's gains are not the naive forecast.")
    return compared(peer.name, peer.given, task.rows, gain, seconds)


def _statsforecast(_task: Task, series: pl.DataFrame, *, model: str, **chosen: int) -> pl.DataFrame:
    from statsforecast import StatsForecast, models

    chosen_model = getattr(models, model)(**chosen, alias="y")
    forecaster = StatsForecast(models=[chosen_model], freq="1d", n_jobs=JOBS)
    forecasts: Any = forecaster.forecast(df=series, h=HORIZON_DAYS)  # its type says pandas
    return forecasts


def _lightgbm(task: Task, series: pl.DataFrame, **chosen: Any) -> pl.DataFrame:
    from lightgbm import LGBMRegressor
    from mlforecast import MLForecast
    from mlforecast.target_transforms import Differences

    forecasts: list[pl.DataFrame] = []
    origins = task.rows["day"].unique().sort().to_list()
    for _month, days in groupby(origins, key=lambda day: day.replace(day=1)):
        in_month = list(days)
        # Two threads wait for each other wherever the machine has anything else to do.
        models: dict[str, Any] = {"y": LGBMRegressor(n_jobs=1, verbosity=-1, **chosen)}
        forecaster = MLForecast(
            models=models,
            freq="1d",
            lags=list(LAGS),
            target_transforms=[Differences([1])],
            num_threads=JOBS,
        )
        # The peer's own type for it knows frames of pandas alone.
        training: Any = _training_series(task.snapshots, in_month[0])
        forecaster.fit(training, static_features=[])
        rows = task.rows.filter(pl.col("day").is_in(in_month))["row"]
        wanted = series.filter(pl.col("unique_id").is_in(rows.implode()))
        forecasts.append(forecaster.predict(HORIZON_DAYS, new_df=wanted))
    return pl.concat(forecasts)


def _training_series(snapshots: pl.DataFrame, through: date) -> pl.DataFrame:
    """Every stretch of every repository, sorted: the peer takes longer where it has to sort."""
    known = stretches(snapshots, through, TRAINING_DAYS)
    series = ["repo_id", "stretch"]
    return (
        on_calendar(known)
        .filter(pl.len().over(series) >= LEAST_HISTORY_DAYS)
        .select(unique_id=pl.struct(series).rank("dense"), ds="day", y="stars")
        .sort("unique_id", "ds")
    )


def _prophet(_task: Task, series: pl.DataFrame) -> pl.DataFrame:
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # it misses Plotly
    from prophet import Prophet

    logging.getLogger("cmdstanpy").disabled = True  # it reports every fit; errors are raised
    forecasts: list[pl.DataFrame] = []
    for (row,), days in series.partition_by("unique_id", as_dict=True).items():
        # Samples make its intervals, not its forecast.
        forecaster = Prophet(uncertainty_samples=0)
        forecaster.fit(days.select("ds", "y").to_pandas())
        future = forecaster.make_future_dataframe(HORIZON_DAYS, include_history=False)
        y = forecaster.predict(future)["yhat"].to_numpy()
        forecasts.append(pl.DataFrame({"y": y}).select(unique_id=pl.lit(row), y="y"))
    return pl.concat(forecasts)


_seasonal = partial(partial, _statsforecast, season_length=SEASON_DAYS)
SEASONAL_NAIVE = "SeasonalNaive(7)"
PEERS = (
    Peer(SEASONAL_NAIVE, "gains", _seasonal(model="SeasonalNaive")),
    Peer(
        "mean of 28 days", "gains", partial(_statsforecast, model="WindowAverage", window_size=28)
    ),
    Peer("HoltWinters", "counts", _seasonal(model="HoltWinters")),
    Peer("AutoTheta", "counts", _seasonal(model="AutoTheta")),
    Peer("LightGBM of mlforecast", "counts", _lightgbm),
    Peer("the same, absolute error", "counts", partial(_lightgbm, objective="mae")),
    Peer("AutoETS", "counts", _seasonal(model="AutoETS"), is_slow=True),
    Peer("AutoARIMA", "counts", _seasonal(model="AutoARIMA"), is_slow=True),
    Peer("Prophet", "gains", _prophet, is_slow=True),
)
