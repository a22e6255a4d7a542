"""Lag and window features in SQL, as the product makes its own, and in mlforecast on the same rows.

A world without a gap, for the peer needs a regular calendar: some thousand repositories, one row
each a day, Poisson gains whose rate differs by repository and drifts. Both sides read its Parquet
partitions and write Parquet: ours through the engine, batch by batch, with its calendar and its
checks; the peer by `MLForecast.preprocess` over the whole. Each side runs in a process of its own,
in turn; the time is that of the work, without starting Python and importing, and peak memory is
that of the whole process. Three tables:

- lags and windows: the same 24 features on both sides (bench/sql/stars/lags_and_windows.sql): gains
  over eleven spans and of three earlier weeks, extremes, deviation, octiles;
- eleven plain lags;
- features.sql whole, for scale: it makes forks, moving averages, base, logarithms and more, so
  that this is no comparison of like with like. The peer makes its moving averages here too, which
  reach over all the past.

The peer is given a sorted Polars frame, with which it is faster than with one of pandas or with
rows that it has to sort. What both make is compared, to a millionth, once 90 gains are known: the
peer's feature of a day is ours of the day before, and its deviation that of a sample.

At the largest size, taking more than 1.2 times as long as the peer for lags and windows or more
than half its memory is a failure. So is another value anywhere, and a cost that grows faster than
the rows or a memory that grows, from the second size on: the first fills no batch and has hardly
any past to read again. `--large` is 100 million rows of features.sql and ours alone, in under 4 GB.
"""

# The peer is an extra (`make bench` installs it), and the type checker has to do without it.
# pyright: reportMissingImports=false

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghstars_assets.calendar import DayRange

if TYPE_CHECKING:
    import polars as pl
    from mlforecast import MLForecast

    from ghstars_assets.lake.tables import Lake
    from ghstars_assets.sql_tables.graph import SqlGraph
    from ghstars_assets.sql_tables.header import SqlFile

SEED = 7
FIRST_DAY = date(2015, 1, 1)
REPOSITORIES = 3_334
SIZES = (300, 600, 1200, 2400)  # days, so 1, 2, 4 and 8 million rows
LARGE_REPOSITORIES, LARGE_DAYS = 20_000, 5_000
THREADS = 2
MEMORY_GB = 2.0  # DuckDB's limit where the settings say nothing

DEMANDED_TIME = 1.2
DEMANDED_MEMORY = 0.5
DEMANDED_LARGE_MB = 4000
NOISE = 1.15
TOLERANCE = 1e-6
GAINS_NEEDED = 90
COMPARED_SHARE = 10
"""Every so many-th repository is compared, on all its days."""

LAGS = (1, 2, 3, 4, 5, 6, 7, 14, 28, 56, 90)
OCTILES = tuple(eighth / 8 for eighth in range(1, 8))
HALF_LIVES = (2, 4, 30, 60)
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
WINDOWS_FILE = Path(__file__).parent / "sql" / "stars" / "lags_and_windows.sql"
PEER_FILE = "peer.parquet"
JUDGED = "lags and windows"
TABLES = {
    JUDGED: ("windows", "peer_windows"),
    "11 lags": ("lags", "peer_lags"),
    "features.sql, all of it": ("features", "peer_features"),
}
"""By title the steps of both sides."""
_LAG_COLUMNS = "\n  ".join(
    f'stars_{n}d_ago: {{type: bigint, is: "stars {n} days ago"}}' for n in LAGS
)
_LAG_VALUES = ",\n    ".join(f"lag(stars, {n}) over days as stars_{n}d_ago" for n in LAGS)
LAGS_SQL = f"""/*
description: Stars of earlier days.
key: [repo_id]
reads:
  stars.snapshots: -{LAGS[-1]}..0
columns:
  day: {{type: date, is: "the UTC day"}}
  repo_id: {{type: bigint, is: "GitHub's databaseId"}}
  {_LAG_COLUMNS}
*/
select
    day,
    repo_id,
    {_LAG_VALUES}
from stars.snapshots
window days as (partition by repo_id order by day)
"""  # noqa: S608 - of this file's own names


@dataclass(frozen=True)
class Side:
    """What one process measured of itself."""

    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Pair:
    """Medians of the rounds; of the peaks the highest."""

    ours: Side
    peer: Side

    @property
    def time_ratio(self) -> float:
        return self.ours.seconds / self.peer.seconds

    @property
    def cpu_ratio(self) -> float:
        return self.ours.cpu_seconds / self.peer.cpu_seconds

    @property
    def memory_ratio(self) -> float:
        return self.ours.peak_mb / self.peer.peak_mb


@dataclass(frozen=True)
class Difference:
    """How far the two are apart, over all compared columns."""

    values: int
    largest: float
    column: str


def main() -> None:
    options = _options()
    if options.step:
        told = STEPS[options.step](options.home, options.days, options.repositories)
        print(json.dumps(asdict(told) if told else None))
    elif options.large:
        sys.exit(_large(options))
    else:
        sys.exit(_side_by_side(options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, nargs="+", help="the sizes, each over 91 days")
    parser.add_argument("--repositories", type=int, help="rows a day")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--large", action="store_true", help="100 million rows, ours alone")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.days and min(options.days) <= GAINS_NEEDED + 1:
        parser.error(f"of {min(options.days)} days none could be compared")
    return options


def _side_by_side(options: argparse.Namespace) -> int:
    sizes = sorted(options.days or SIZES)
    repositories = options.repositories or REPOSITORIES
    tables: dict[str, list[Pair]] = {title: [] for title in TABLES}
    differences: list[Difference] = []
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        run = partial(_run, home=Path(folder), repositories=repositories)
        run("write", days=sizes[-1])
        for days in sizes:
            for title, (step, peer_step) in TABLES.items():
                rounds = [
                    (_side(run, step, days), _side(run, peer_step, days))
                    for _ in range(options.rounds)
                ]
                tables[title].append(_medians(rounds))
                if step == "windows":
                    differences.append(Difference(**run("compare", days=days)))
    print(f"{repositories:,} repositories; medians of {options.rounds} rounds")
    for title, pairs in tables.items():
        _print_table(title, pairs)
    worst = max(differences, key=lambda difference: difference.largest)
    print(
        f"\n{sum(difference.values for difference in differences):,} values compared; the largest "
        f"difference is {worst.largest:.1e} ({worst.column}), {TOLERANCE:.0e} is tolerated."
    )
    failures = [*_failures(tables[JUDGED]), *_mismatches(differences)]
    print("\n".join(failures) or "Every demand is met.")
    if options.json:
        told = {
            "repositories": repositories,
            "rounds": options.rounds,
            **{title: [_told(pair) for pair in pairs] for title, pairs in tables.items()},
            "differences": [asdict(difference) for difference in differences],
            "failures": failures,
        }
        options.json.write_text(json.dumps(told, indent=2) + "\n")
    return 1 if failures else 0


def _large(options: argparse.Namespace) -> int:
    days = (options.days or [LARGE_DAYS])[-1]
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        run = partial(
            _run, home=Path(folder), repositories=options.repositories or LARGE_REPOSITORIES
        )
        run("write", days=days)
        side = _side(run, "features", days)
    print(
        f"{side.rows:,} rows: {side.seconds:,.0f} s, {side.cpu_seconds:,.0f} s of CPU, "
        f"{side.rows / side.seconds:,.0f} rows/s, peak {side.peak_mb:,.0f} MB "
        f"(demanded: under {DEMANDED_LARGE_MB:,} MB)"
    )
    if options.json:
        options.json.write_text(json.dumps(asdict(side), indent=2) + "\n")
    return 0 if side.peak_mb < DEMANDED_LARGE_MB else 1


def _run(step: str, *, home: Path, days: int, repositories: int) -> dict:
    say(f"{step}: {days * repositories:,} rows ...")
    command = [sys.executable, __file__, "--step", step, "--home", str(home)]
    command += ["--days", str(days), "--repositories", str(repositories)]
    environment = {**os.environ, "POLARS_MAX_THREADS": str(THREADS)}
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
    return json.loads(told)


def _side(run: Callable[..., dict], step: str, days: int) -> Side:
    side = Side(**run(step, days=days))
    say(f"{step}: {side.seconds:.1f} s, {side.cpu_seconds:.1f} s CPU, {side.peak_mb:,.0f} MB")
    return side


def _medians(rounds: Sequence[tuple[Side, Side]]) -> Pair:
    ours, peers = zip(*rounds, strict=True)
    return Pair(_median(ours), _median(peers))


def _median(sides: Sequence[Side]) -> Side:
    return Side(
        rows=sides[0].rows,
        seconds=statistics.median(side.seconds for side in sides),
        cpu_seconds=statistics.median(side.cpu_seconds for side in sides),
        peak_mb=max(side.peak_mb for side in sides),
    )


def _print_table(title: str, pairs: Sequence[Pair]) -> None:
    print(
        f"\n{title}\n{'rows':>12} {'ours: s':>8} {'CPU s':>7} {'rows/s':>9} {'peak MB':>8} "
        f"{'mlforecast: s':>14} {'CPU s':>7} {'rows/s':>9} {'peak MB':>8} "
        f"{'ratio: s':>9} {'CPU s':>6} {'MB':>5}"
    )
    for pair in pairs:
        print(
            f"{pair.ours.rows:>12,} {_figures(pair.ours, 8)} {_figures(pair.peer, 14)} "
            f"{pair.time_ratio:>9.2f} {pair.cpu_ratio:>6.2f} {pair.memory_ratio:>5.2f}"
        )


def _figures(side: Side, width: int) -> str:
    return (
        f"{side.seconds:>{width}.1f} {side.cpu_seconds:>7.1f} "
        f"{side.rows / side.seconds:>9,.0f} {side.peak_mb:>8,.0f}"
    )


def _failures(pairs: Sequence[Pair]) -> list[str]:
    largest = pairs[-1]
    found = []
    if largest.time_ratio > DEMANDED_TIME:
        found.append(f"Ours takes {largest.time_ratio:.2f} times as long as the peer.")
    if largest.memory_ratio > DEMANDED_MEMORY:
        found.append(f"Ours takes {largest.memory_ratio:.2f} times the peer's memory.")
    settled, last = pairs[min(1, len(pairs) - 1)].ours, largest.ours
    if last.cpu_seconds / settled.cpu_seconds > last.rows / settled.rows * NOISE:
        found.append(f"Cost grows faster than the rows from {settled.rows:,} to {last.rows:,}.")
    if last.peak_mb / settled.peak_mb > NOISE:
        found.append(f"Memory grows with the rows from {settled.rows:,} to {last.rows:,}.")
    return found


def _mismatches(differences: Sequence[Difference]) -> list[str]:
    return [
        f"{difference.column} differs from the peer's by {difference.largest:.1e}."
        for difference in differences
        if not difference.largest <= TOLERANCE
    ]


def _told(pair: Pair) -> dict[str, object]:
    ratios = {"time": pair.time_ratio, "cpu": pair.cpu_ratio, "memory": pair.memory_ratio}
    return {**asdict(pair), "ratios": ratios}


# ---- each step in a process of its own ----------------------------------------------------------


def _write(home: Path, days: Sequence[int], repositories: int) -> None:
    """Day by day, so that a world of any size fits."""
    import numpy as np
    import polars as pl

    table = _graph().tables["stars.snapshots"]
    lake = _lake(home)
    dice = np.random.default_rng(SEED)
    usual = np.minimum(np.exp(dice.normal(0.7, 1.2, repositories)), 150)
    drift = np.zeros(repositories)
    stars = (1000 * np.exp(dice.exponential(1.0, repositories))).astype(np.int64)
    forks = stars // 8
    unknown = table.empty().clear(repositories)
    names = pl.Series([f"owner{number}/name{number}" for number in range(repositories)])
    for day in _days(days[-1]):
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


def _features(home: Path, days: Sequence[int], _repositories: int) -> Side:
    return _fill(home, _graph().files["stars.features"], days[-1])


def _windows(home: Path, days: Sequence[int], _repositories: int) -> Side:
    from ghstars_assets.sql_tables.header import read_sql_file

    return _fill(home, read_sql_file(WINDOWS_FILE), days[-1])


def _lags(home: Path, days: Sequence[int], _repositories: int) -> Side:
    from ghstars_assets.sql_tables.header import read_sql_file

    path = home / "stars" / "lags.sql"
    path.parent.mkdir(exist_ok=True)
    path.write_text(LAGS_SQL)
    return _fill(home, read_sql_file(path), days[-1])


def _fill(home: Path, file: "SqlFile", days: int) -> Side:
    from ghstars_assets.sql_tables.engine import fill

    lake, tables = _lake(home), _graph().tables

    def work() -> int:
        batches = list(fill(lake, file, tables, _days(days)))
        return sum(outcome.rows for batch in batches for outcome in batch.outcomes)

    return _measured(work)


def _peer_windows(
    home: Path, days: Sequence[int], _repositories: int, half_lives: Sequence[int] = ()
) -> Side:
    from mlforecast import MLForecast
    from mlforecast import lag_transforms as of
    from mlforecast.target_transforms import Differences

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
        rows = _sorted_series(home, days[-1])
        _write_parquet(home, _preprocessed(forecast, rows))
        return rows.height

    return _measured(work)


def _peer_features(home: Path, days: Sequence[int], repositories: int) -> Side:
    return _peer_windows(home, days, repositories, HALF_LIVES)


def _peer_lags(home: Path, days: Sequence[int], _repositories: int) -> Side:
    from mlforecast import MLForecast

    forecast = MLForecast(models=[], freq="1d", lags=list(LAGS), num_threads=THREADS)

    def work() -> int:
        rows = _sorted_series(home, days[-1])
        _write_parquet(home, _preprocessed(forecast, rows))
        return rows.height

    return _measured(work)


def _sorted_series(home: Path, days: int) -> "pl.DataFrame":
    """The peer takes twice as long over rows that it has to sort, and put back, by itself."""
    import polars as pl

    return (
        _lake(home)
        .scan("stars.snapshots", _days(days))
        .select(unique_id="repo_id", ds="day", y=pl.col("stars").cast(pl.Float64))
        .collect()
        .sort("unique_id", "ds")
    )


def _preprocessed(forecast: "MLForecast", rows: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    made = forecast.preprocess(rows, static_features=[], dropna=False)
    assert isinstance(made, pl.DataFrame)  # noqa: S101 - for the type checker
    return made


def _write_parquet(home: Path, made: "pl.DataFrame") -> None:
    made.write_parquet(home / PEER_FILE, compression="lz4")  # as ours are


def _compare(home: Path, days: Sequence[int], _repositories: int) -> Difference:
    import polars as pl

    ours = _sampled(_lake(home).scan("stars.lags_and_windows", _days(days[-1])), "repo_id")
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


def _sampled(rows: "pl.LazyFrame", repository: str) -> "pl.LazyFrame":
    import polars as pl

    return rows.filter(pl.col(repository) % COMPARED_SHARE == 0)


def _distance(ours: "pl.Expr", theirs: "pl.Expr") -> "pl.Expr":
    """Relative, and absolute below one star."""
    return (ours - theirs).abs() / theirs.abs().clip(lower_bound=1)


def _measured(work: Callable[[], int]) -> Side:
    cpu_began, began = time.process_time(), time.perf_counter()
    rows = work()
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Side(rows, seconds, cpu_seconds, peak_mb)


def _graph() -> "SqlGraph":
    from ghstars_assets.learning.wiring import wire
    from ghstars_assets.problems.stars.problem import PROBLEM
    from ghstars_assets.settings import SQL_ROOT

    return wire([PROBLEM], SQL_ROOT).graph


def _lake(home: Path) -> "Lake":
    from ghstars_assets.lake.tables import Lake
    from ghstars_assets.settings import Settings

    return Lake(Settings(home=home, threads=THREADS, memory_gb=MEMORY_GB))


def _days(number: int) -> DayRange:
    return DayRange(FIRST_DAY, FIRST_DAY + timedelta(days=number - 1))


STEPS: dict[str, Callable[[Path, Sequence[int], int], "Side | Difference | None"]] = {
    "write": _write,
    "windows": _windows,
    "peer_windows": _peer_windows,
    "features": _features,
    "peer_features": _peer_features,
    "compare": _compare,
    "lags": _lags,
    "peer_lags": _peer_lags,
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
