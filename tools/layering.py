"""Places boxes of given widths in given layers, so that few arrows cross and most run straight."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

from tools.room_graph import Arrow

GAP = 34.0
LANE = 16.0
"""The width of an arrow on its way through a layer that it neither leaves nor enters."""
STRAIGHT = 6.0
"""How much more a lane is drawn to the next lane of its arrow than a box to its neighbour."""
SWEEPS = 12
MOST_PERMUTED = 6
"""In a layer; 720 orders of it are tried. Of a wider one only neighbours change places."""


@dataclass(frozen=True)
class Placed:
    rows: list[list[str]]
    """From left to right, lanes among the boxes."""
    centres: Mapping[str, float]
    ways: Mapping[Arrow, Sequence[str]]
    """For each arrow that runs down: its box, the lanes that it takes, and the box that it ends
    at."""


def place(
    layers: Sequence[Sequence[str]], widths: Mapping[str, float], arrows: Sequence[Arrow]
) -> Placed:
    depth = {name: number for number, layer in enumerate(layers) for name in layer}
    rows = [list(layer) for layer in layers]
    ways: dict[Arrow, list[str]] = {}
    for one, other in arrows:
        if depth[one] < depth[other]:
            lanes = [f"{one}>{other}@{level}" for level in range(depth[one] + 1, depth[other])]
            for level, lane in enumerate(lanes, depth[one] + 1):
                rows[level].append(lane)
            ways[one, other] = [one, *lanes, other]
    links = [link for way in ways.values() for link in pairwise(way)]
    rows = _in_good_order(rows, links)
    return Placed(rows, _centres(rows, widths, links), ways)


def _in_good_order(rows: list[list[str]], links: Sequence[Arrow]) -> list[list[str]]:
    """Sweeps down and up; each layer takes the order with the fewest crossings, and of several
    the one with the shortest arrows."""
    best, fewest = rows, _crossings(rows, links)
    for sweep in range(SWEEPS):
        levels = range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1)
        for level in levels:
            rows = min(
                ([*rows[:level], order, *rows[level + 1 :]] for order in _orders(rows[level])),
                key=lambda tried: (_crossings(tried, links), _spread(tried, links)),
            )
        if (crossings := _crossings(rows, links)) < fewest:
            best, fewest = rows, crossings
    return rows if _crossings(rows, links) == fewest else best


def _orders(row: list[str]) -> Iterator[list[str]]:
    if len(row) <= MOST_PERMUTED:
        yield from map(list, permutations(row))
        return
    yield row
    for place in range(len(row) - 1):
        yield [*row[:place], row[place + 1], row[place], *row[place + 2 :]]


def _crossings(rows: Sequence[Sequence[str]], links: Sequence[Arrow]) -> int:
    at = {name: place for row in rows for place, name in enumerate(row)}
    level = {name: number for number, row in enumerate(rows) for name in row}
    return sum(
        (at[one] - at[two]) * (at[end] - at[other_end]) < 0
        for number, (one, end) in enumerate(links)
        for two, other_end in links[:number]
        if level[one] == level[two]
    )


def _spread(rows: Sequence[Sequence[str]], links: Sequence[Arrow]) -> float:
    middle = {name: place - (len(row) - 1) / 2 for row in rows for place, name in enumerate(row)}
    return sum(abs(middle[one] - middle[other]) for one, other in links)


def _centres(
    rows: Sequence[Sequence[str]], widths: Mapping[str, float], links: Sequence[Arrow]
) -> dict[str, float]:
    """Each box as near to the middle of its neighbours as those beside it allow."""
    beside: dict[str, list[tuple[str, float]]] = {name: [] for row in rows for name in row}
    for one, other in links:
        weight = 1.0 if one in widths or other in widths else STRAIGHT
        beside[one].append((other, weight))
        beside[other].append((one, weight))
    centres = dict.fromkeys(beside, 0.0)
    for _ in range(4 * SWEEPS):
        for row in rows:
            wanted = [
                sum(centres[other] * weight for other, weight in beside[name])
                / sum(weight for _, weight in beside[name])
                if beside[name]
                else centres[name]
                for name in row
            ]
            halves = [widths.get(name, LANE) / 2 for name in row]
            apart = [0.0] + [one + GAP + other for one, other in pairwise(halves)]
            centres.update(zip(row, _kept_apart(wanted, apart), strict=True))
    return centres


def _kept_apart(wanted: Sequence[float], apart: Sequence[float]) -> list[float]:
    """The numbers nearest to those wanted, each at least so far after the one before it: blocks
    that would overlap take their common mean."""
    offsets = [sum(apart[: number + 1]) for number in range(len(apart))]
    blocks: list[list[float]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        blocks.append([value - offset])
        while len(blocks) > 1 and _mean(blocks[-2]) >= _mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    levelled = [_mean(block) for block in blocks for _ in block]
    return [value + offset for value, offset in zip(levelled, offsets, strict=True)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
