"""Everything that is done to a home on purpose, often: what must hold does, or the bench fails.

The tests in `abuse/` try a few attempts of the same scenarios. Each attempt has
dice of its own from a seed, so that a broken one can be tried again alone.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from abuse_parts.all_scenarios import ALL, key_of
from abuse_parts.commands import Commands
from abuse_parts.filled import build_filled_home
from abuse_parts.homes import Homes
from abuse_parts.scenario import SEED, Ground, Tried, try_out
from abuse_parts.table import write_table
from bench_support.figures import say, write_figures


def main() -> None:
    options = _options()
    chosen = [one for one in ALL if options.only.lower() in key_of(one).lower()]
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        filled = options.home or build_filled_home(Path(folder) / "filled")
        ground = Ground(Commands(), Homes(filled))
        found: list[Tried] = []
        for scenario in chosen:
            began = time.perf_counter()
            tried = try_out(scenario, ground, options.attempts or scenario.many)
            found.append(tried)
            say(f"{key_of(scenario)}: {time.perf_counter() - began:.0f} s")
            print(f"{key_of(scenario)}\n    {tried.attempts} times: {tried.describe()}", flush=True)
    if options.docs:
        write_table(found, [key_of(one) for one in ALL])
    write_figures(
        options.json,
        {
            "bench": "abuse",
            "seed": SEED,
            "scenarios": {
                key_of(one.scenario): {
                    "attempts": one.attempts,
                    "outcomes": dict(one.outcomes),
                    "broken": one.broken,
                }
                for one in found
            },
        },
    )
    if any(one.broken for one in found):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    parser.add_argument("--attempts", type=int, default=0, help="[as each scenario says]")
    parser.add_argument("--home", type=Path, help="a filled home, in place of making one")
    parser.add_argument("--docs", action="store_true", help="write the table of the docs")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
