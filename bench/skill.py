"""Our forecasts of stars against other people's, on the same rows of the Github-Ranking archive.

The question: the stars that a repository gains in the 7 days after an origin day. Origins are
spread evenly over the days that our backtest forecast; the repositories are a random
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

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path

from bench_support.figures import say, seconds_of, write_figures
from bench_support.processes import GHSTARS, finish, start
from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.backtest import MODES
from ghstars_assets.settings import Settings
from skill_parts.judgement import RESAMPLES, Compared, compared
from skill_parts.peers import PEERS, run_peer
from skill_parts.sampling import SEED
from skill_parts.task import Task, task_of

TEST_DATA = "GHSTARS_TEST_DATA"
SKIPPED = (
    "Skipped: the peers are compared on the Github-Ranking archive, and neither --archive nor "
    f"{TEST_DATA} names its folder."
)
HEAD = """\
| forecast | given | rows | MAE | ÷ naive | ours ÷ naive | MAE − ours, 95 % | seconds |
|---|---|---:|---:|---:|---:|---:|---:|"""
LIBRARIES = ("statsforecast", "mlforecast", "lightgbm", "prophet")


def main() -> None:
    options = _options()
    if not (options.home or options.archive):
        print(SKIPPED)
        return
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        settings, seconds = _backtested(Path(folder), options)
        task = task_of(
            Lake(settings),
            DayRange(options.first, options.last),
            options.mode,
            origins=options.origins,
            repositories=options.repositories,
        )
    slow = task.sampled(options.slow_repositories, options.slow_origins)
    table = [
        compared("ours", "features", task.rows, task.rows["ours"], seconds),
        compared("naive", "counts", task.rows, task.rows["naive"], None),
    ]
    table += [run_peer(peer, slow if peer.is_slow else task) for peer in PEERS]
    _report(table, task, options)
    sys.exit(any(row.is_better_than_ours for row in table))


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


def _backtested(folder: Path, options: argparse.Namespace) -> tuple[Settings, float | None]:
    """Where the backtest lies; where it was not there, how many seconds it took to make."""
    if options.home:
        return Settings(home=options.home), None
    days = ["--from", str(options.first), "--to", str(options.last), "--retrain", options.mode]

    def run(command: Sequence[str]) -> None:
        finish(start(command, folder, shows_progress=True))

    say("ours: importing the archive ...")
    run([GHSTARS, "import", "stars", str(options.archive.resolve())])
    say("ours: forecasting the past ...")
    seconds = seconds_of(lambda: run([GHSTARS, "backtest", "stars", *days]))
    return Settings(home=folder, lake=""), seconds


def _report(table: Sequence[Compared], task: Task, options: argparse.Namespace) -> None:
    origins = task.rows["day"].unique().sort()
    libraries = {library: version(library) for library in LIBRARIES}
    print(
        f"{task.rows['repo_id'].n_unique():,} repositories, {len(origins)} origins from "
        f"{origins[0]} to {origins[-1]}; ours trained {options.mode}; "
        + ", ".join(f"{library} {number}" for library, number in libraries.items())
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
    write_figures(
        options.json,
        {
            "mode": options.mode,
            "origins": [str(origin) for origin in origins],
            "seed": SEED,
            "resamples": RESAMPLES,
            "libraries": libraries,
            "table": [asdict(row) for row in table],
            "failures": failures,
        },
    )


if __name__ == "__main__":
    main()
