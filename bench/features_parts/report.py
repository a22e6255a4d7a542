"""How the figures of ours and the peer are printed, and which of them are failures."""

from collections.abc import Sequence

from features_parts.figures import Difference, Pair, Side

DEMANDED_TIME = 1.2
DEMANDED_MEMORY = 0.5
NOISE = 1.15
TOLERANCE = 1e-6


def print_table(title: str, pairs: Sequence[Pair]) -> None:
    print(
        f"\n{title}\n{'rows':>12} {'ours: s':>8} {'CPU s':>7} {'rows/s':>9} {'peak MB':>8} "
        f"{'mlforecast: s':>14} {'CPU s':>7} {'rows/s':>9} {'peak MB':>8} "
        f"{'ratio: s':>9} {'CPU s':>6} {'MB':>5}"
    )
    for pair in pairs:
        print(
            f"{pair.ours.rows:>12,} {_figures(pair.ours, 8)} {_figures(pair.peer, 14)} "
            f"{pair.time_ratio:>9.2f} {pair.cpu_ratio:>6.2f} {pair.memory_ratio:>5.2f}"
        )


def _figures(side: Side, width: int) -> str:
    return (
        f"{side.seconds:>{width}.1f} {side.cpu_seconds:>7.1f} "
        f"{side.rows / side.seconds:>9,.0f} {side.peak_mb:>8,.0f}"
    )


def failures(pairs: Sequence[Pair]) -> list[str]:
    largest = pairs[-1]
    found = []
    if largest.time_ratio > DEMANDED_TIME:
        found.append(f"Ours takes {largest.time_ratio:.2f} times as long as the peer.")
    if largest.memory_ratio > DEMANDED_MEMORY:
        found.append(f"Ours takes {largest.memory_ratio:.2f} times the peer's memory.")
    settled, last = pairs[min(1, len(pairs) - 1)].ours, largest.ours
    if last.cpu_seconds / settled.cpu_seconds > last.rows / settled.rows * NOISE:
        found.append(f"Cost grows faster than the rows from {settled.rows:,} to {last.rows:,}.")
    if last.peak_mb / settled.peak_mb > NOISE:
        found.append(f"Memory grows with the rows from {settled.rows:,} to {last.rows:,}.")
    return found


def mismatches(differences: Sequence[Difference]) -> list[str]:
    return [
        f"{difference.column} differs from the peer's by {difference.largest:.1e}."
        for difference in differences
        if not difference.largest <= TOLERANCE
    ]
