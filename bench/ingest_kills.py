"""Twenty SIGKILLs during a day's snapshot, against an undisturbed one.

The moments are drawn by a seed, in answers stored, so that they fall at the same places on every
machine. The partition that comes out must hold the undisturbed one's rows, and nothing that was
stored at a kill may be asked for again. Any difference is an error.
"""

import argparse
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench_support.figures import write_figures
from bench_support.killed_snapshot import (
    REPOSITORIES,
    KilledSnapshot,
    ServedGitHub,
    serving_github,
)

SEED = 20261121
MOST_ANSWERS = 3
SNAPSHOTS = 4
"""Of which each is killed a share of the times."""


@dataclass(frozen=True)
class Figures:
    repositories: int
    kills: int
    undisturbed_seconds: float
    killed_seconds: float
    answered_twice: int
    """What was on its way from GitHub when a process died, and could not be stored."""
    stored_and_asked_again: int
    is_equal: bool

    @property
    def ratio(self) -> float:
        return self.killed_seconds / self.undisturbed_seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder,
        serving_github(Path(folder)) as github,
    ):
        figures = _measure(Path(folder), github, options.kills)
    print(
        f"{figures.kills} SIGKILLs over {SNAPSHOTS} snapshots of {figures.repositories:,} "
        f"repositories: {figures.killed_seconds:.1f} s, undisturbed "
        f"{figures.undisturbed_seconds:.1f} s: ratio {figures.ratio:.2f}\n"
        f"stored and asked again: {figures.stored_and_asked_again}; answered twice because the "
        f"first answer was on its way: {figures.answered_twice}; rows equal: {figures.is_equal}"
    )
    write_figures(options.json, {**asdict(figures), "ratio": figures.ratio})
    sys.exit(0 if figures.is_equal and figures.stored_and_asked_again == 0 else 1)


def _measure(folder: Path, github: ServedGitHub, kills: int) -> Figures:
    moments = random.Random(SEED)  # noqa: S311 - no secret hangs on it
    quiet = KilledSnapshot(folder / "quiet", github)
    began = time.perf_counter()
    quiet.run()
    undisturbed = time.perf_counter() - began
    killed_seconds, answered_twice, again, is_equal = 0.0, 0, 0, True
    for number in range(SNAPSHOTS):
        killed = KilledSnapshot(folder / f"killed-{number}", github)
        began = time.perf_counter()
        for _ in range(kills * (number + 1) // SNAPSHOTS - kills * number // SNAPSHOTS):
            killed.run_and_kill_after(moments.randint(1, MOST_ANSWERS))
        killed.run()
        killed_seconds += time.perf_counter() - began
        answered_twice += killed.answered_more_than_once()
        again += len(killed.asked_again())
        is_equal &= killed.rows().equals(quiet.rows())
    return Figures(
        REPOSITORIES,
        kills,
        SNAPSHOTS * undisturbed,
        killed_seconds,
        answered_twice,
        again,
        is_equal,
    )


if __name__ == "__main__":
    main()
