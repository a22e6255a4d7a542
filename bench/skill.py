"""Our forecasts of stars against other people's, on the same rows of the Github-Ranking archive.

The question: the stars that a repository gains in the 7 days after an origin day. Origins are
spread evenly over the days that our replay of the past forecast; the repositories are a random
sample with a fixed seed. A row counts where the naive forecast and the outcome are known and the
repository has 60 days of unbroken history. Every peer is compared with ours and with the naive
forecast on the rows that it forecast itself; slow ones have fewer repositories and fewer origins.

A peer is given a repository's days up to the origin, at most the last 400. It needs a regular
calendar: up to 30 missing days are filled along a straight line between two known ones, both of
them past, and a longer gap ends the history. It sees counts or daily gains, whichever it does
better with, and has its library's defaults with a season of 7 days:

- statsforecast: SeasonalNaive (of gains that is the naive forecast, and has to agree with it), the
  mean of 28 days, HoltWinters, AutoTheta; AutoETS and AutoARIMA are slow;
- mlforecast: one LightGBM for all repositories of the archive, on 28 lags of the daily gain,
  trained for each month on the 365 days before its first origin, seven steps, each on the one
  before; once as it comes and once on the absolute error, which is what is judged here;
- Prophet, which is slow.

Ours come from `ghstars backtest stars`: of a home where it has run (`--home`), or run here on
`--archive`. A peer that is better than ours, with the whole 95 % interval of the difference (a
paired bootstrap over repositories) on its side, is a failure.
"""

# The peers are an extra (`make bench` installs it), and the type checker has to do without it.
# pyright: reportMissingImports=false

import argparse
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.backtest import MODES
from ghstars_assets.settings import Settings

SEED = 7
HORIZON_DAYS = 7
SEASON_DAYS = 7
HISTORY_DAYS = 400
LEAST_HISTORY_DAYS = 60
MOST_MISSING_DAYS = 30  # as in features.sql
TRAINING_DAYS = 365
LAGS = range(1, 29)
JOBS = 2
RESAMPLES = 2000
TOLERANCE = 1e-6

OURS = ("GHSTARS_", "MLFLOW_")
TEST_DATA = "GHSTARS_TEST_DATA"
SKIPPED = (
    "Skipped: the peers are compared on the Github-Ranking archive, and neither --archive nor "
    f"{TEST_DATA} says where that is."
)
HEAD = """\
| forecast | given | rows | MAE | ÷ naive | ours ÷ naive | MAE − ours, 95 % | seconds |
|---|---|---:|---:|---:|---:|---:|---:|"""
LIBRARIES = ("statsforecast", "mlforecast", "lightgbm", "prophet")


@dataclass(frozen=True)
class Task:
    """What is forecast, and from what."""

    rows: pl.DataFrame
    """One a forecast: `row`, `day`, `repo_id`, `stars`; `naive`, `ours`, `actual` of the week."""
    histories: pl.DataFrame
    """The counts up to each row: `unique_id` (which is `row`), `ds`, `y`."""
    snapshots: pl.DataFrame
    """Of all repositories of the archive: `day`, `repo_id`, `stars`."""

    def sampled(self, repositories: int, origins: int) -> "Task":
        days = _spread(self.rows["day"].unique().sort().to_list(), origins)
        kept = _sample(self.rows["repo_id"].unique().sort().to_list(), repositories)
        rows = self.rows.filter(pl.col("day").is_in(days), pl.col("repo_id").is_in(kept))
        histories = self.histories.filter(pl.col("unique_id").is_in(rows["row"].implode()))
        return Task(rows, histories, self.snapshots)


@dataclass(frozen=True)
class Peer:
    name: str
    given: Literal["counts", "gains"]
    forecast: Callable[[Task, pl.DataFrame], pl.DataFrame]
    """From the task and its series as `given` to `unique_id` and seven days' `y` of each."""
    is_slow: bool = False


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


def main() -> None:
    options = _options()
    if not (options.home or options.archive):
        print(SKIPPED)
        return
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        settings, seconds = _replayed(Path(folder), options)
        task = _task(Lake(settings), options)
    slow = task.sampled(options.slow_repositories, options.slow_origins)
    table = [
        _compared("ours", "features", task.rows, task.rows["ours"], seconds),
        _compared("naive", "counts", task.rows, task.rows["naive"], None),
    ]
    table += [_run(peer, slow if peer.is_slow else task) for peer in PEERS]
    _report(table, task, options)
    sys.exit(any(compared.is_better_than_ours for compared in table))


def _options() -> argparse.Namespace:
    data = os.environ.get(TEST_DATA)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--archive",
        type=Path,
        default=Path(data, "stars") if data else None,
        help=f"clone or folder of the Github-Ranking archive; ${TEST_DATA}/stars where that is set",
    )
    parser.add_argument("--home", type=Path, help="a home where the backtest has run")
    parser.add_argument(
        "--mode", choices=MODES, default="monthly", help="how often ours is trained anew"
    )
    parser.add_argument("--from", dest="first", type=date.fromisoformat, default=date(2025, 7, 1))
    parser.add_argument("--to", dest="last", type=date.fromisoformat, default=date(2026, 2, 19))
    parser.add_argument("--origins", type=int, default=12)
    parser.add_argument("--repositories", type=int, default=400)
    parser.add_argument("--slow-origins", type=int, default=4)
    parser.add_argument("--slow-repositories", type=int, default=60)
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    if options.archive and not options.archive.exists():
        parser.error(f"there is no archive at {options.archive}")
    return options


# ---- ours, and the rows -------------------------------------------------------------------------


def _replayed(folder: Path, options: argparse.Namespace) -> tuple[Settings, float | None]:
    """Where the replay lies; where it was not there, how long it took to make."""
    if options.home:
        return Settings(home=options.home), None
    ghstars = str(Path(sys.executable).with_name("ghstars"))
    days = ["--from", str(options.first), "--to", str(options.last), "--retrain", options.mode]
    # Neither the environment nor a .env in the working folder may lead it to the user's own lake.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    run = partial(
        subprocess.run,
        check=True,
        cwd=folder,
        env={**kept, "GHSTARS_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
    )
    say("ours: importing the archive ...")
    run([ghstars, "import", "stars", str(options.archive.resolve())])
    say("ours: replaying the past ...")
    began = time.perf_counter()
    run([ghstars, "backtest", "stars", *days])
    return Settings(home=folder, lake=""), time.perf_counter() - began


def _task(lake: Lake, options: argparse.Namespace) -> Task:
    wanted = DayRange(options.first, options.last)
    if not lake.days("stars.backtest", wanted):
        sys.exit(
            f"{lake.settings.home} holds no backtest of {wanted}; make one with "
            f"`ghstars backtest stars --from {wanted.first} --to {wanted.last}`."
        )
    scored = (
        lake.scan("stars.backtest", wanted)
        .filter(pl.col("mode") == options.mode)
        .select("day", "repo_id", "naive", "actual", ours="typical")
        .drop_nulls()
        .collect()
    )
    if scored.is_empty():
        sys.exit(f"No {options.mode} backtest of {wanted} has an outcome; try another --mode.")
    origins = _spread(scored["day"].unique().sort().to_list(), options.origins)
    snapshots = _snapshots(lake, DayRange(origins[0], origins[-1]))
    rows = pl.concat(_rows(scored, snapshots, origin) for origin in origins)
    sample = _sample(rows["repo_id"].unique().sort().to_list(), options.repositories)
    rows = rows.filter(pl.col("repo_id").is_in(sample)).with_row_index("row")
    return Task(rows, _histories(rows, snapshots), snapshots)


def _snapshots(lake: Lake, origins: DayRange) -> pl.DataFrame:
    first = origins.first - timedelta(days=HISTORY_DAYS - 1)
    return (
        lake.scan("stars.snapshots", DayRange(first, origins.last))
        .select("day", "repo_id", pl.col("stars").cast(pl.Float64))
        .collect()
        .sort("repo_id", "day")
    )


def _rows(scored: pl.DataFrame, snapshots: pl.DataFrame, origin: date) -> pl.DataFrame:
    """Those of one origin that every peer could forecast."""
    history_days = (pl.col("day").max() - pl.col("day").min()).dt.total_days() + 1
    long_enough = (
        _unbroken(snapshots, origin, HISTORY_DAYS)
        .group_by("repo_id")
        .agg(pl.col("stars").last(), history_days=history_days)
        .filter(pl.col("history_days") >= LEAST_HISTORY_DAYS)
    )
    return scored.filter(pl.col("day") == origin).join(
        long_enough.drop("history_days"), on="repo_id", maintain_order="left"
    )


def _histories(rows: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    histories: list[pl.DataFrame] = []
    for (origin,), of_origin in rows.partition_by("day", as_dict=True).items():
        chosen = snapshots.join(of_origin, on="repo_id", how="semi", maintain_order="left")
        known = _unbroken(chosen, origin, HISTORY_DAYS)
        histories.append(
            _on_calendar(known)
            .join(of_origin.select("repo_id", "row"), on="repo_id", maintain_order="left")
            .select(unique_id="row", ds="day", y="stars")
        )
    return pl.concat(histories).sort("unique_id", "ds")


def _stretches(snapshots: pl.DataFrame, through: date, days: int) -> pl.DataFrame:
    """The known days up to one, each with the number of its unbroken stretch."""
    window = DayRange(through - timedelta(days=days - 1), through)
    days_since = pl.col("day").diff().dt.total_days()
    begins = (days_since > MOST_MISSING_DAYS + 1).fill_null(value=False)
    return snapshots.filter(pl.col("day").is_between(window.first, window.last)).with_columns(
        stretch=begins.cum_sum().over("repo_id")
    )


def _unbroken(snapshots: pl.DataFrame, through: date, days: int) -> pl.DataFrame:
    """The last stretch of every repository that is known on the day."""
    is_last = pl.col("stretch") == pl.col("stretch").last().over("repo_id")
    is_known_today = pl.col("day").last().over("repo_id") == through
    return _stretches(snapshots, through, days).filter(is_last, is_known_today)


def _on_calendar(known: pl.DataFrame) -> pl.DataFrame:
    """A row each day, the missing ones on a straight line between their neighbours."""
    series = ["repo_id", "stretch"]
    return (
        known.upsample("day", every="1d", group_by=series, maintain_order=True)
        .with_columns(pl.col(series).forward_fill())
        .with_columns(pl.col("stars").interpolate().over(series))
    )


# ---- the peers ----------------------------------------------------------------------------------


def _run(peer: Peer, task: Task) -> Compared:
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
    return _compared(peer.name, peer.given, task.rows, gain, seconds)


def _statsforecast(_task: Task, series: pl.DataFrame, *, model: str, **chosen: int) -> pl.DataFrame:
    from statsforecast import StatsForecast, models

    chosen_model = getattr(models, model)(**chosen, alias="y")
    forecaster = StatsForecast(models=[chosen_model], freq="1d", n_jobs=JOBS)
    forecasts: Any = forecaster.forecast(df=series, h=HORIZON_DAYS)  # of pandas, says its type
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
    stretches = _stretches(snapshots, through, TRAINING_DAYS)
    series = ["repo_id", "stretch"]
    return (
        _on_calendar(stretches)
        .filter(pl.len().over(series) >= LEAST_HISTORY_DAYS)
        .select(unique_id=pl.struct(series).rank("dense"), ds="day", y="stars")
        .sort("unique_id", "ds")
    )


def _prophet(_task: Task, series: pl.DataFrame) -> pl.DataFrame:
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # it misses Plotly
    from prophet import Prophet

    logging.getLogger("cmdstanpy").disabled = True  # it tells of every fit; errors are raised
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


# ---- the judgement ------------------------------------------------------------------------------


def _compared(
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


def _report(table: Sequence[Compared], task: Task, options: argparse.Namespace) -> None:
    origins = task.rows["day"].unique().sort()
    libraries = {library: version(library) for library in LIBRARIES}
    print(
        f"{task.rows['repo_id'].n_unique():,} repositories, {len(origins)} origins from "
        f"{origins[0]} to {origins[-1]}; ours trained {options.mode}; "
        + ", ".join(f"{library} {told}" for library, told in libraries.items())
        + f"\n\n{HEAD}"
    )
    for row in table:
        low, high = row.difference
        seconds = "" if row.seconds is None else f"{row.seconds:,.0f}"
        print(
            f"| {row.name} | {row.given} | {row.rows:,} | {row.mae:.2f} | "
            f"{row.mae / row.mae_naive:.3f} | {row.mae_ours / row.mae_naive:.3f} | "
            f"{low:+.2f} to {high:+.2f} | {seconds} |"
        )
    failures = [f"{row.name} is better than ours." for row in table if row.is_better_than_ours]
    print("\n" + ("\n".join(failures) or "No peer is better than ours beyond doubt."))
    if options.json:
        told = {
            "mode": options.mode,
            "origins": [str(origin) for origin in origins],
            "seed": SEED,
            "resamples": RESAMPLES,
            "libraries": libraries,
            "table": [asdict(row) for row in table],
            "failures": failures,
        }
        options.json.write_text(json.dumps(told, indent=2) + "\n")


def _spread(days: Sequence[date], number: int) -> list[date]:
    """So many of them, evenly, the first and the last among them."""
    places = np.linspace(0, len(days) - 1, min(number, len(days))).round()
    return [days[int(place)] for place in places]


def _sample(repositories: Sequence[int], number: int) -> list[int]:
    dice = random.Random(SEED)  # noqa: S311 # nosec B311
    return sorted(dice.sample(repositories, min(number, len(repositories))))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
