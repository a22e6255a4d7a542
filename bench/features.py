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

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from bench_support.figures import say, write_figures
from features_parts.figures import Difference, Pair, Side, medians
from features_parts.report import TOLERANCE, failures, mismatches, print_table

REPOSITORIES = 3_334
SIZES = (300, 600, 1200, 2400)  # days, so 1, 2, 4 and 8 million rows
LARGE_REPOSITORIES, LARGE_DAYS = 20_000, 5_000
DEMANDED_LARGE_MB = 4000
LEAST_DAYS = 92
"""Both sides know 90 gains by then, and the peer's feature of a day is ours of the day before."""
POLARS_THREADS = 2

JUDGED = "lags and windows"
TABLES = {
    JUDGED: ("windows", "peer_windows"),
    "11 lags": ("lags", "peer_lags"),
    "features.sql, all of it": ("features", "peer_features"),
}
"""By title the steps of both sides."""
WRITE, COMPARE = "write", "compare"
STEPS = (WRITE, *(step for both in TABLES.values() for step in both), COMPARE)


def main() -> None:
    options = _options()
    if options.step:
        found = _take_step(options.step, options.home, options.days[-1], options.repositories)
        print(json.dumps(asdict(found) if found else None))
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
    if options.days and min(options.days) < LEAST_DAYS:
        parser.error(f"of {min(options.days)} days none could be compared")
    return options


def _side_by_side(options: argparse.Namespace) -> int:
    sizes = sorted(options.days or SIZES)
    repositories = options.repositories or REPOSITORIES
    tables: dict[str, list[Pair]] = {title: [] for title in TABLES}
    differences: list[Difference] = []
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        run = partial(_in_own_process, home=Path(folder), repositories=repositories)
        run(WRITE, days=sizes[-1])
        for days in sizes:
            for title, (step, peer_step) in TABLES.items():
                rounds = [
                    (_side(run, step, days), _side(run, peer_step, days))
                    for _ in range(options.rounds)
                ]
                tables[title].append(medians(rounds))
                if step == "windows":
                    differences.append(Difference(**run(COMPARE, days=days)))
    print(f"{repositories:,} repositories; medians of {options.rounds} rounds")
    for title, pairs in tables.items():
        print_table(title, pairs)
    worst = max(differences, key=lambda difference: difference.largest)
    print(
        f"\n{sum(difference.values for difference in differences):,} values compared; the largest "
        f"difference is {worst.largest:.1e} ({worst.column}), {TOLERANCE:.0e} is tolerated."
    )
    found = [*failures(tables[JUDGED]), *mismatches(differences)]
    print("\n".join(found) or "Every demand is met.")
    write_figures(
        options.json,
        {
            "repositories": repositories,
            "rounds": options.rounds,
            **{title: [pair.as_json() for pair in pairs] for title, pairs in tables.items()},
            "differences": [asdict(difference) for difference in differences],
            "failures": found,
        },
    )
    return 1 if found else 0


def _large(options: argparse.Namespace) -> int:
    days = (options.days or [LARGE_DAYS])[-1]
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        run = partial(
            _in_own_process,
            home=Path(folder),
            repositories=options.repositories or LARGE_REPOSITORIES,
        )
        run(WRITE, days=days)
        side = _side(run, "features", days)
    print(
        f"{side.rows:,} rows: {side.seconds:,.0f} s, {side.cpu_seconds:,.0f} s of CPU, "
        f"{side.rows / side.seconds:,.0f} rows/s, peak {side.peak_mb:,.0f} MB "
        f"(demanded: under {DEMANDED_LARGE_MB:,} MB)"
    )
    write_figures(options.json, asdict(side))
    return 0 if side.peak_mb < DEMANDED_LARGE_MB else 1


def _take_step(step: str, home: Path, days: int, repositories: int) -> Side | Difference | None:
    """Do what this process is for, having loaded nothing else: its peak is that of all of it."""
    if step == WRITE:
        from features_parts.world import write_world

        return write_world(home, days, repositories)
    if step == COMPARE:
        from features_parts.comparison import compare

        return compare(home, days)
    if step.startswith("peer_"):
        from features_parts import peer

        return peer.STEPS[step](home, days)
    from features_parts import ours

    return ours.STEPS[step](home, days)


def _in_own_process(step: str, *, home: Path, days: int, repositories: int) -> dict:
    say(f"{step}: {days * repositories:,} rows ...")
    command = [sys.executable, __file__, "--step", step, "--home", str(home)]
    command += ["--days", str(days), "--repositories", str(repositories)]
    environment = {**os.environ, "POLARS_MAX_THREADS": str(POLARS_THREADS)}
    measured = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    return json.loads(measured.stdout)


def _side(run: Callable[..., dict], step: str, days: int) -> Side:
    side = Side(**run(step, days=days))
    say(f"{step}: {side.seconds:.1f} s, {side.cpu_seconds:.1f} s CPU, {side.peak_mb:,.0f} MB")
    return side


if __name__ == "__main__":
    main()
