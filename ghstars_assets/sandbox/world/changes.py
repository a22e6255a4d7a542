"""The day on which the invented world becomes another: a great purge, and then a boom that lasts.

The boom spreads from language to language. Where it has arrived, the stars of an ordinary day grow
by some per cent each day for weeks, and most who give one fork, too. The old world's gains fell
back after they had risen; a model that learnt this forecasts that they fall back, and whoever
repeats last week's gain does better. A model that has seen some weeks of the boom knows it by its
forks. All of it follows from the seed, the repository and the day, so the days before are those of
the world that never changes.

On 800 repositories, seed 20, changed on 2025-07-03, a model of the old world had a skill against
the naive forecast of .44 before, of -.12 in the fourth week and of -.56 in the tenth; one that
health asked for in the ninth week had .27 in the tenth. Drifted were 79 % of the features in the
week of the purge, 54 % in the third week and 90 % in the tenth.
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from ghstars_assets.sandbox.world.randomness import Stream, dice_of, generator
from ghstars_assets.sandbox.world.repositories import LANGUAGE_SHARES, Repositories

_PURGED_REPOSITORIES = 0.6
_PURGED_MEDIAN = 0.003
_PURGED_LEAST, _PURGED_MOST = 0.001, 0.02

# Days after the purge on which the boom reaches the first repositories of a language.
_REACHES_AFTER_DAYS = {"Python": 1, "Jupyter Notebook": 1, "TypeScript": 2, "JavaScript": 4}
_REACHES_OTHERS_AFTER_DAYS = 6
_REACHES_ALL_WITHIN_DAYS = 4
# A few giants gain as much as all others together, and chance alone decides what they do.
_MOST_STARS_A_DAY = 8.0  # of those whom it lifts, before it does
_DAILY_GROWTH = (0.05, 0.06)
_GROWTH_LASTS_DAYS = 70
_FORKS_PER_STAR = 10.0  # times what they were

_DICE_ARRIVAL, _DICE_GROWTH = 101, 102


@dataclass(frozen=True)
class Boom:
    """Times what each repository would have had without it."""

    stars: np.ndarray
    """Of an ordinary day."""
    forks_per_star: np.ndarray


@dataclass(frozen=True)
class Change:
    seed: int
    on: date

    def boom(self, repositories: Repositories, day: date) -> Boom:
        after_days = [
            _REACHES_AFTER_DAYS.get(name or "", _REACHES_OTHERS_AFTER_DAYS)
            for name in LANGUAGE_SHARES
        ]
        ids = repositories.repo_id
        later = _REACHES_ALL_WITHIN_DAYS * dice_of(ids, self.seed, _DICE_ARRIVAL)
        days = (day - self.on).days - np.array(after_days)[repositories.language] - later
        least, most = _DAILY_GROWTH
        growth = least + (most - least) * dice_of(ids, self.seed, _DICE_GROWTH)
        is_lifted = (days > 0) & (repositories.log_rate < np.log(_MOST_STARS_A_DAY))
        return Boom(
            stars=np.where(is_lifted, np.exp(growth * np.clip(days, 0, _GROWTH_LASTS_DAYS)), 1.0),
            forks_per_star=np.where(is_lifted, _FORKS_PER_STAR, 1.0),
        )

    def purged(self, repositories: Repositories, day: date) -> Repositories:
        """What the great purge leaves, on its day; on any other day nothing goes."""
        if day != self.on:
            return repositories
        rng = generator(self.seed, Stream.CHANGE, day.toordinal())
        count = len(repositories)
        is_hit = rng.random(count) < _PURGED_REPOSITORIES
        share = _PURGED_MEDIAN * np.exp(rng.normal(0.0, 0.8, count))
        share = np.where(is_hit, np.clip(share, _PURGED_LEAST, _PURGED_MOST), 0.0)
        purged = np.ceil(share * repositories.stars).astype(np.int64)
        return replace(repositories, stars=repositories.stars - purged)
