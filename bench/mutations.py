"""Which share of small faults in the code the tests catch: in the lake, promotion and monitoring.

mutmut makes the faults (another operator, another number, an argument left out, …) and runs those
tests of the room's own folder that reach the function. A seeded sample of them is tried, so that
the time is bounded; the share is stated with its 95 % interval. Faults that change nothing but the
wording of a text are not drawn. Whoever survives is printed; one that behaves as the code does
stands in `mutations_parts/equivalent.toml` with the reason and is not counted.

mutmut 3.8 carries this layout where its workers are forked from a process that has run no test:
Polars and DuckDB keep threads, which a fork would lose. cosmic-ray was left out because it starts
an interpreter for each fault, which costs three seconds here, ten times the tests.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_support.figures import say, write_figures
from mutations_parts.equivalent import Equivalent, known_equivalents
from mutations_parts.mutants import Mutant
from mutations_parts.trying import ROOMS, Room, TriedMutant, WorkingCopy
from mutations_parts.wilson import wilson_interval

SEED = 20261128
WANTED_SHARE = 0.85


@dataclass(frozen=True)
class Figures:
    """What became of the sample of one room."""

    room: str
    drawn_from: int
    tried: int
    caught: int
    out_of_time: int
    """Of those caught: the tests never ended."""
    equivalent: int
    survivors: Sequence[Mutant]
    seconds: float

    @property
    def counted(self) -> int:
        return self.tried - self.equivalent

    @property
    def share(self) -> float:
        return self.caught / self.counted if self.counted else 1.0

    def for_json(self) -> Mapping[str, object]:
        low, high = wilson_interval(self.caught, self.counted)
        return {
            "drawn_from": self.drawn_from,
            "tried": self.tried,
            "caught": self.caught,
            "out_of_time": self.out_of_time,
            "equivalent": self.equivalent,
            "share": self.share,
            "low_95": low,
            "high_95": high,
            "seconds": self.seconds,
            "survivors": [f"{one.function}: {one.becomes}" for one in self.survivors],
        }


def main() -> None:
    options = _options()
    equivalents = known_equivalents()
    figures = [_measure(ROOMS[name], options, equivalents) for name in options.rooms]
    for one in figures:
        low, high = wilson_interval(one.caught, one.counted)
        print(
            f"{one.room}: {one.caught} of {one.counted} caught, {one.share:.0%} (95 % interval "
            f"{low:.0%} to {high:.0%}), of {one.drawn_from:,} mutants; {one.equivalent} more "
            f"behave as the code does; {one.seconds:.0f} s"
        )
        for survivor in one.survivors:
            print(f"  survived: {survivor.function}\n    {survivor.was}\n    {survivor.becomes}")
    write_figures(
        options.json,
        {
            "bench": "mutations",
            "seed": options.seed,
            "wanted_share": WANTED_SHARE,
            "rooms": {one.room: one.for_json() for one in figures},
        },
    )
    if any(one.share < WANTED_SHARE for one in figures):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", nargs="+", choices=[*ROOMS], default=[*ROOMS])
    parser.add_argument("--sample", type=int, default=150, help="mutants a room")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="mutants of functions with this in their name")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args()


def _measure(room: Room, options: argparse.Namespace, equivalents: Sequence[Equivalent]) -> Figures:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        copy = WorkingCopy(Path(folder), room)
        mutants = [one for one in copy.mutants() if options.only in one.function]
        drawn = sample(mutants, options.sample, options.seed)
        say(f"{room.name}: {len(drawn)} of {len(mutants):,} mutants")
        tried = copy.try_out(drawn)
    return figures_of(room.name, len(mutants), tried, equivalents, time.perf_counter() - began)


def sample(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """The same for the same code and seed, in whatever order the mutants come."""
    dice = random.Random(seed)  # noqa: S311 - no secret hangs on it
    ordered = sorted(mutants, key=lambda one: one.name)
    return dice.sample(ordered, min(count, len(ordered)))


def figures_of(
    room: str,
    drawn_from: int,
    tried: Sequence[TriedMutant],
    equivalents: Sequence[Equivalent],
    seconds: float,
) -> Figures:
    survived = [one.mutant for one in tried if not one.is_caught]
    real = [one for one in survived if not any(known.is_it(one) for known in equivalents)]
    return Figures(
        room=room,
        drawn_from=drawn_from,
        tried=len(tried),
        caught=sum(one.is_caught for one in tried),
        out_of_time=sum(one.is_out_of_time for one in tried),
        equivalent=len(survived) - len(real),
        survivors=real,
        seconds=seconds,
    )


if __name__ == "__main__":
    main()
