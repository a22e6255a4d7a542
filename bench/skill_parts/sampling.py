"""Which days and which repositories are compared, drawn with a fixed seed."""

import random
from collections.abc import Sequence
from datetime import date

import numpy as np

SEED = 7


def spread(days: Sequence[date], number: int) -> list[date]:
    """Choose so many days, evenly, the first and the last among them."""
    places = np.linspace(0, len(days) - 1, min(number, len(days))).round()
    return [days[int(place)] for place in places]


def sample(repositories: Sequence[int], number: int) -> list[int]:
    dice = random.Random(SEED)  # noqa: S311 # nosec B311
    return sorted(dice.sample(repositories, min(number, len(repositories))))
