"""What a process measures of itself, and what ours and the peer come to side by side."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from bench_support.figures import peak_mb


@dataclass(frozen=True)
class Side:
    """What one process measured of itself."""

    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Pair:
    """It holds the medians of the rounds, and of the peaks the highest."""

    ours: Side
    peer: Side

    def as_json(self) -> dict[str, object]:
        ratios = {"time": self.time_ratio, "cpu": self.cpu_ratio, "memory": self.memory_ratio}
        return {**asdict(self), "ratios": ratios}

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


def measured(work: Callable[[], int]) -> Side:
    """Do the work, which returns its number of rows."""
    cpu_began, began = time.process_time(), time.perf_counter()
    rows = work()
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    return Side(rows, seconds, cpu_seconds, peak_mb())


def medians(rounds: Sequence[tuple[Side, Side]]) -> Pair:
    ours, peers = zip(*rounds, strict=True)
    return Pair(_median(ours), _median(peers))


def _median(sides: Sequence[Side]) -> Side:
    return Side(
        rows=sides[0].rows,
        seconds=statistics.median(side.seconds for side in sides),
        cpu_seconds=statistics.median(side.cpu_seconds for side in sides),
        peak_mb=max(side.peak_mb for side in sides),
    )
