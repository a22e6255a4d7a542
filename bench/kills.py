"""Twenty SIGKILLs during `ghstars backfill`, and four at once, against an undisturbed one.

Moments are drawn by a seed from the course of the undisturbed backfill (files written and events
recorded), so that every stage has its share. Each killed backfill is run again; the lake that
comes out must equal the undisturbed one: snapshots and labels byte for byte, features, forecasts
and scores to 1e-9, models apart from the numbers of their versions. Any difference is an error.
"""

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from bench_support.equal_lakes import differences
from bench_support.figures import say, write_figures
from bench_support.killed_backfill import kill_after, progress, start_backfill
from bench_support.processes import end_of, finish, require_success
from bench_support.sandbox_home import begin_world
from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import Settings

WORLD = WorldSpec(seed=22, repositories=120, first_day=date(2026, 6, 1))
LAST_DAY = date(2026, 7, 20)
"""Two models are made by then, and the first forecasts scored."""
WANTED = DayRange(WORLD.first_day, LAST_DAY)
PEER = "the same backfill, undisturbed"


def lake_of(home: Path) -> Lake:
    return Lake(Settings(home=home, threads=1, memory_gb=1))


@dataclass
class Homes:
    """Homes in which the world has begun and nothing ran yet."""

    folder: Path
    made: list[Path] = field(default_factory=list)

    def new(self) -> Path:
        home = self.folder / f"home-{len(self.made)}"
        begin_world(lake_of(home), WORLD)
        self.made.append(home)
        return home


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        homes = Homes(Path(folder))
        quiet = homes.new()
        started = time.perf_counter()
        finish(start_backfill(quiet, WANTED))
        quiet_seconds = time.perf_counter() - started
        say(f"undisturbed: {quiet_seconds:.1f} s, {progress(quiet)} steps")
        killed = _kill_again_and_again(homes, options, most_steps=2 * progress(quiet))
        at_once, at_once_seconds = _four_at_once(homes)
        found = {
            home.name: list(differences(lake_of(quiet), lake_of(home), WANTED))
            for home in (*killed.homes, at_once)
        }
    _report(options, quiet_seconds, killed, at_once_seconds, found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args()


@dataclass
class Killed:
    homes: list[Path]
    seconds: float
    kills: int


def _kill_again_and_again(homes: Homes, options: argparse.Namespace, most_steps: int) -> Killed:
    """Kill a backfill so many times; one that gets through all the same is followed by another, in
    a new home."""
    # The seed makes it the same again; nothing here is secret.
    moments = random.Random(options.seed)  # noqa: S311 # nosec B311
    used = [homes.new()]
    started = time.perf_counter()
    for number in range(options.kills):
        steps = moments.randint(1, max(2, most_steps // options.kills))
        while not kill_after(backfill := start_backfill(used[-1], WANTED), used[-1], steps):
            finish(backfill)
            used.append(homes.new())
        say(f"kill {number + 1}: {steps} steps on, at {progress(used[-1])}")
    finish(start_backfill(used[-1], WANTED))
    return Killed(used, time.perf_counter() - started, options.kills)


def _four_at_once(homes: Homes) -> tuple[Path, float]:
    home = homes.new()
    started = time.perf_counter()
    running = [
        start_backfill(home, DayRange(WANTED.first, LAST_DAY - timedelta(days=fewer)))
        for fewer in (0, 0, 7, 20)
    ]
    for ended in [end_of(backfill) for backfill in running]:
        require_success(ended)
    return home, time.perf_counter() - started


def _report(
    options: argparse.Namespace,
    quiet_seconds: float,
    killed: Killed,
    at_once_seconds: float,
    found: dict[str, list[str]],
) -> None:
    undisturbed = quiet_seconds * len(killed.homes)
    # None without a kill: then the two are one and the same.
    lost = (killed.seconds - undisturbed) / killed.kills if killed.kills else None
    each = "" if lost is None else f"; a kill costs {lost:.1f} s, most of it starting again"
    print(
        f"{killed.kills} SIGKILLs over {len(killed.homes)} backfills: {killed.seconds:.1f} s. "
        f"Peer: {PEER}: {undisturbed:.1f} s. Ratio {killed.seconds / undisturbed:.2f}x{each}."
    )
    print(
        f"Four backfills of overlapping ranges at once: {at_once_seconds:.1f} s. Peer: {PEER}: "
        f"{quiet_seconds:.1f} s. Ratio {at_once_seconds / quiet_seconds:.2f}x."
    )
    different = [f"{home}: {text}" for home, texts in found.items() for text in texts]
    print("\n".join(different) or f"All {len(found)} lakes equal the undisturbed one.")
    write_figures(
        options.json,
        {
            "bench": "kills",
            "peer": PEER,
            "kills": killed.kills,
            "seed": options.seed,
            "ratio": killed.seconds / undisturbed,
            "undisturbed_seconds": quiet_seconds,
            "killed_seconds": killed.seconds,
            "seconds_lost_per_kill": lost,
            "four_at_once_seconds": at_once_seconds,
            "four_at_once_ratio": at_once_seconds / quiet_seconds,
            "differences": different,
        },
    )
    if different:
        sys.exit(1)


if __name__ == "__main__":
    main()
