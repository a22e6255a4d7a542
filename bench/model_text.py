"""Model texts damaged in thousands of seeded ways, loaded and asked in processes of their own.

None may end a process. Each piece of the seeds is one process; the kinds of damage, and what is
done with a text that is let through, stand in `ghstars_assets_tests/support/damaged_texts.py`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench_support.figures import say, write_figures
from ghstars_assets.settings import PROJECT_ROOT

TRIES = "ghstars_assets_tests.support.damaged_texts"
IN_A_PROCESS = 3_000


def main() -> None:
    options = _options()
    started = time.perf_counter()
    firsts = range(options.seed, options.seed + options.texts, IN_A_PROCESS)
    with ThreadPoolExecutor(os.cpu_count()) as side_by_side:
        outputs = list(side_by_side.map(_output_of, firsts))
    refused: Counter[str] = Counter()
    loaded: Counter[str] = Counter()
    died_at: list[str] = []
    for lines in outputs:
        # The last line is a result, or the seed that the process did not survive.
        if not lines[-1].startswith("{"):
            died_at.append(lines[-1])
            continue
        found = json.loads(lines[-1])
        refused += Counter(found["refused"])
        loaded += Counter(found["loaded"])
    seconds = time.perf_counter() - started
    print(
        f"{refused.total() + loaded.total():,} damaged texts in {seconds:.0f} s: "
        f"{refused.total():,} refused, {loaded.total():,} loaded and asked without harm, "
        f"{len(died_at)} processes ended ({', '.join(died_at) or 'no seed'})."
    )
    for kind in sorted(refused | loaded):
        print(f"  {kind}: {refused[kind]:,} refused, {loaded[kind]:,} loaded")
    write_figures(
        options.json,
        {
            "bench": "model_text",
            "seconds": seconds,
            "refused": refused,
            "loaded": loaded,
            "died_at": died_at,
        },
    )
    if died_at:
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args()


def _output_of(first: int) -> list[str]:
    command = [sys.executable, "-m", TRIES, str(first), str(IN_A_PROCESS)]
    ran = subprocess.run(  # nosec B603
        command, capture_output=True, text=True, check=False, cwd=PROJECT_ROOT
    )
    say(f"texts from seed {first}: exit code {ran.returncode}")
    return ran.stdout.splitlines() or [str(first)]


if __name__ == "__main__":
    main()
