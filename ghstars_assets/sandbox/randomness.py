"""The invented world's dice: a generator for each purpose and day, so no draw moves another.

A day that is asked for late, twice or out of order draws from its own generator and therefore
always draws the same.
"""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a generator is for. The numbers are part of the seed: never change or reuse one."""

    FOUNDING = 1
    NAMES = 2
    DAY = 3
    CAPTURE = 4
    CLIMATE = 5
    PURGES = 6


def generator(seed: int, stream: Stream, number: int = 0) -> np.random.Generator:
    """The generator of a stream's item: `number` is a day's ordinal or a block of days."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, stream, number])))
