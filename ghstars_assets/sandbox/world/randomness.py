"""The invented world's dice: a generator for each purpose and day, so no draw moves another.

A day that is asked for late, twice or out of order draws from its own generator and therefore
always draws the same.
"""

from enum import IntEnum

import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15


class Stream(IntEnum):
    """What a generator is for. The numbers are part of the seed: never change or reuse one."""

    FOUNDING = 1
    NAMES = 2
    DAY = 3
    CAPTURE = 4
    CLIMATE = 5
    PURGES = 6
    CHANGE = 7


def generator(seed: int, stream: Stream, number: int = 0) -> np.random.Generator:
    """The generator of a stream's item: `number` is a day's ordinal or a block of days."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, stream, number])))


def dice_of(ids: np.ndarray, seed: int, number: int) -> np.ndarray:
    """A number in [0, 1) for each id, the same on every day (splitmix64). `number` says what it is
    for, as a stream does."""
    with np.errstate(over="ignore"):
        mixed = ids.astype(np.uint64) + np.uint64((seed * 1000 + number + 1) * _GOLDEN % 2**64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / float(2**53)
