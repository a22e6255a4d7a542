"""A year of stars through every SQL stage: in batches, against one Dagster run per partition.

Batches are what `ghstars backfill` does: one run a stage over the whole range. The peers fill one
partition a run, as Dagster does without a batch: all runs in one process, and, as its daemon does
it, a new process for each run. They are measured on a sample of partitions that the batches filled
before (so their inputs are there) and extrapolated to the range.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from bench_support.figures import say, seconds_of, write_figures
from bench_support.sandbox_home import begin_world, write_snapshots
from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.wiring import Wired, wire
from ghstars_assets.orchestration.runs import Runner, dagster_instance
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import SQL_ROOT, Settings
from ghstars_assets.sql_tables.engine import fill

SEED = 7
LAST_DAY = date(2026, 10, 31)
STAGES = ("snapshots", "features", "labels")
SHARED_PROCESS = "one Dagster run per partition, all in one process"
OWN_PROCESS = "one Dagster run per partition, each in a process of its own"
DEMANDED_RATIO = 30


@dataclass(frozen=True)
class StageFigures:
    stage: str
    partitions: int
    batch_seconds: float
    lake_seconds: float
    """The same work by the engine alone, without Dagster."""
    shared_process_seconds_per_run: float
    own_process_seconds_per_run: float

    @property
    def bookkeeping_seconds(self) -> float:
        return self.batch_seconds - self.lake_seconds


def main() -> None:
    options = _options()
    days = DayRange(LAST_DAY - timedelta(days=options.days - 1), LAST_DAY)
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        settings = Settings(home=Path(folder, "batches"), sandbox_repositories=options.repositories)
        alone = Settings(home=Path(folder, "alone"))
        say(f"{options.repositories} repositories, {len(days)} days: taking the source ...")
        world = WorldSpec(SEED, options.repositories, days.first)
        for lake in (Lake(settings), Lake(alone)):
            begin_world(lake, world)
            write_snapshots(lake, world, days)
        figures = [_measure(settings, alone, stage, days, options) for stage in STAGES]
    _report(figures, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=3000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--sample", type=int, default=12, help="runs in one process, a stage")
    parser.add_argument("--sample-processes", type=int, default=3, help="own processes, a stage")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args()


def _measure(
    settings: Settings, alone: Settings, stage: str, days: DayRange, options: argparse.Namespace
) -> StageFigures:
    table = PROBLEM.table(stage)
    if stage == "labels":
        days = DayRange(days.first, days.last - timedelta(days=PROBLEM.horizon_days))
    wired = wire([PROBLEM], SQL_ROOT)
    say(f"{stage}: the engine alone ...")
    lake_seconds = seconds_of(lambda: _fill(Lake(alone), wired, table, days))
    with dagster_instance(settings) as instance:
        runner = Runner(settings, instance)
        say(f"{stage}: in batches ...")
        batch_seconds = seconds_of(lambda: runner.run(table, days, _ignore))
        say(f"{stage}: {options.sample} single runs in one process ...")
        shared = [
            seconds_of(lambda day=day: runner.run(table, DayRange(day, day), _ignore))
            for day in _sampled(days, options.sample)
        ]
    say(f"{stage}: {options.sample_processes} single runs in processes of their own ...")
    own = [
        seconds_of(lambda day=day: _run_in_own_process(settings, table, day))
        for day in _sampled(days, options.sample_processes)
    ]
    return StageFigures(
        stage,
        len(days),
        batch_seconds,
        lake_seconds,
        statistics.mean(shared),
        statistics.mean(own),
    )


def _fill(lake: Lake, wired: Wired, table: str, days: DayRange) -> None:
    for batch in fill(lake, wired.graph.files[table], wired.graph.tables, days):
        assert len(batch.outcomes) == len(batch.days)  # noqa: S101 - nothing was left out


def _run_in_own_process(settings: Settings, table: str, day: date) -> None:
    """Run Dagster's own command once; a run worker of the daemon imports and does the same."""
    subprocess.run(
        [
            str(Path(sys.executable).parent / "dagster"),
            *("asset", "materialize", "-m", "ghstars_assets.definitions"),
            *("--select", table.replace(".", "/"), "--partition", str(day)),
        ],
        env={**os.environ, "DAGSTER_HOME": str(settings.dagster_home)},
        check=True,
        capture_output=True,
    )


def _sampled(days: DayRange, count: int) -> list[date]:
    """So many days, evenly over the range and its last day among them: early days have little
    history to read."""
    listed = list(days)
    return [listed[(number + 1) * len(listed) // count - 1] for number in range(count)]


def _report(figures: list[StageFigures], options: argparse.Namespace) -> None:
    batch = sum(stage.batch_seconds for stage in figures)
    lake = sum(stage.lake_seconds for stage in figures)
    peers = {
        SHARED_PROCESS: sum(f.partitions * f.shared_process_seconds_per_run for f in figures),
        OWN_PROCESS: sum(f.partitions * f.own_process_seconds_per_run for f in figures),
    }
    print(
        f"{'stage':<10} {'days':>5} {'batches s':>10} {'lake work s':>12} {'bookkeeping s':>14} "
        f"{'s/run, one process':>19} {'s/run, own process':>19}"
    )
    for f in figures:
        print(
            f"{f.stage:<10} {f.partitions:>5} {f.batch_seconds:>10.1f} {f.lake_seconds:>12.1f} "
            f"{f.bookkeeping_seconds:>14.1f} {f.shared_process_seconds_per_run:>19.2f} "
            f"{f.own_process_seconds_per_run:>19.2f}"
        )
    print(
        f"In batches: {batch:.1f} s, of which {lake:.1f} s are lake work and {batch - lake:.1f} s "
        "Dagster's bookkeeping."
    )
    for peer, seconds in peers.items():
        verdict = "at least" if seconds / batch >= DEMANDED_RATIO else "UNDER"
        print(
            f"Peer: {peer}: {seconds:,.0f} s (extrapolated). Ratio {seconds / batch:.1f}x; "
            f"{verdict} the {DEMANDED_RATIO}x that are asked for."
        )
    write_figures(
        options.json,
        {
            "bench": "backfill",
            "repositories": options.repositories,
            "days": options.days,
            "batch_seconds": batch,
            "lake_seconds": lake,
            "bookkeeping_seconds": batch - lake,
            "peers": {
                peer: {"seconds_extrapolated": seconds, "ratio": seconds / batch}
                for peer, seconds in peers.items()
            },
            "stages": [asdict(stage) for stage in figures],
        },
    )


def _ignore(_day: date) -> None:
    pass


if __name__ == "__main__":
    main()
