"""How long the sandbox takes to answer."""

import math
import random
from dataclasses import dataclass, field


@dataclass
class Latency:
    """A part for the request, a part for each repository, and a spread that is never negative."""

    base_seconds: float = 0.0
    seconds_per_repository: float = 0.0
    spread: float = 0.0
    """Standard deviation of the logarithm."""
    seed: int = 7
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - no secret hangs on it

    @classmethod
    def like_github(cls, seed: int = 7) -> "Latency":
        """50 repositories take about 3.7 s (measured on GitHub's GraphQL)."""
        return cls(base_seconds=0.4, seconds_per_repository=0.066, spread=0.15, seed=seed)

    def seconds(self, repositories: int) -> float:
        typical = self.base_seconds + self.seconds_per_repository * repositories
        # The spread leaves the mean where it was.
        return typical * self._dice.lognormvariate(-math.pow(self.spread, 2) / 2, self.spread)
