"""Figures on their way out: progress to a person, time and memory of a process, JSON to a file."""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def say(text: str) -> None:
    """Show progress where it is no part of the figures."""
    print(text, file=sys.stderr, flush=True)


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_mb() -> float:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write_figures(path: Path | None, figures: Mapping[str, object]) -> None:
    """Write the figures where `--json` asks for them."""
    if path:
        path.write_text(json.dumps(figures, indent=2) + "\n")
