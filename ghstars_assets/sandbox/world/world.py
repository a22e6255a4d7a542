"""A small GitHub that is made up: what its daily snapshot would have shown, for any day, by seed.

A day's dice belong to the day (see `randomness`), so the world can be extended to any day without
changing its past, and the same spec gives the same rows byte for byte. Where gaps lie and which day
is the last is decided by whoever asks. numpy is loaded here: import this module where it is used.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.world.changes import Change
from ghstars_assets.sandbox.world.conditions import DayConditions, conditions_of
from ghstars_assets.sandbox.world.events import next_state
from ghstars_assets.sandbox.world.invented_names import InventedNames
from ghstars_assets.sandbox.world.randomness import Stream, generator
from ghstars_assets.sandbox.world.repositories import (
    LANGUAGE_SHARES,
    MICROSECONDS_PER_SECOND,
    WorldState,
    founded,
)

_UTC_MOMENT = pl.Datetime("us", "UTC")
SNAPSHOT_SCHEMA: dict[str, pl.DataType] = {
    "day": pl.Date(),
    "repo_id": pl.Int64(),
    "full_name": pl.String(),
    "stars": pl.Int64(),
    "forks": pl.Int64(),
    "watchers": pl.Int64(),
    "open_issues": pl.Int64(),
    "language": pl.String(),
    "owner": pl.String(),
    "is_archived": pl.Boolean(),
    "is_fork": pl.Boolean(),
    "created_at": _UTC_MOMENT,
    "pushed_at": _UTC_MOMENT,
    "observed_at": _UTC_MOMENT,
    "ingested_at": _UTC_MOMENT,
}

_EARLIEST_FIRST_DAY = date(
    2012, 1, 1
)  # GitHub opened in 2008; the founded need some years behind them
_REQUEST_REPOSITORIES = 100  # the snapshot asks for as many at once, and they share a moment
_INGESTED_AFTER_US = 60 * MICROSECONDS_PER_SECOND
# A world of 100,000 repositories takes some 18 MB a checkpoint.
_MOST_CHECKPOINTS = 12


@dataclass(frozen=True)
class WorldSpec:
    """All that decides a world."""

    seed: int
    repositories: int
    first_day: date
    change_on: date | None = None
    """When it becomes another world, see `changes`; until then it is the one that never does."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise GhstarsError(
                f"The sandbox seed {self.seed} is negative; choose a whole number from 0 on."
            )
        if self.repositories < 1:
            raise GhstarsError(
                f"A sandbox of {self.repositories} repositories is empty; ask for at least 1."
            )
        if self.first_day < _EARLIEST_FIRST_DAY:
            raise GhstarsError(
                f"The sandbox cannot begin on {self.first_day}; "
                f"choose a first day from {_EARLIEST_FIRST_DAY} on."
            )
        if self.change_on and self.change_on <= self.first_day:
            raise GhstarsError(
                f"The sandbox cannot change on {self.change_on}, for its world begins on "
                f"{self.first_day}; choose a later day."
            )


class World:
    """It makes the days of one spec. Going on is cheap; going back makes some weeks again."""

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        self._change = Change(spec.seed, spec.change_on) if spec.change_on else None
        self._names = InventedNames(spec.seed)
        self._languages = pl.Series(list(LANGUAGE_SHARES), dtype=pl.String)
        eve = spec.first_day - timedelta(days=1)
        eve_state = founded(
            spec.repositories, spec.first_day, generator(spec.seed, Stream.FOUNDING)
        )
        # States are never changed in place, so what is kept is shared, not copied.
        self._checkpoints: dict[date, WorldState] = {eve: eve_state}
        self._last_made: tuple[date, WorldState] = (eve, eve_state)

    def snapshot(self, day: date) -> pl.DataFrame:
        """The living repositories as the snapshot of `day` saw them, in order of `repo_id`."""
        return next(self.snapshots(day, day))[1]

    def snapshots(self, first: date, last: date) -> Iterator[tuple[date, pl.DataFrame]]:
        """Each day from `first` to `last`, both included; none if `last` lies before `first`."""
        if first <= last and first < self.spec.first_day:
            raise GhstarsError(
                f"The sandbox knows nothing of {first}: its world begins on "
                f"{self.spec.first_day}; ask for that day or a later one."
            )
        return self._snapshots(first, last)

    def _snapshots(self, first: date, last: date) -> Iterator[tuple[date, pl.DataFrame]]:
        if last < first:
            return
        day, state = self._latest_known_before(first)
        while day < last:
            day += timedelta(days=1)
            conditions = conditions_of(self.spec.seed, day)
            rng = generator(self.spec.seed, Stream.DAY, day.toordinal())
            state = next_state(state, conditions, self.spec.repositories, rng, self._change)
            self._keep(day, state)
            if day >= first:
                yield day, self._frame(state, conditions)

    def _latest_known_before(self, day: date) -> tuple[date, WorldState]:
        if self._last_made[0] < day:
            return self._last_made
        return max((item for item in self._checkpoints.items() if item[0] < day), key=_day_of)

    def _keep(self, day: date, state: WorldState) -> None:
        """Keep the state made last and one a month, more sparsely as months go by."""
        self._last_made = (day, state)
        if day.day != 1 or day in self._checkpoints:
            return
        if len(self._checkpoints) >= _MOST_CHECKPOINTS:
            _eve, *months = sorted(self._checkpoints)
            for month in months[::2]:
                del self._checkpoints[month]
        self._checkpoints[day] = state

    def _frame(self, state: WorldState, conditions: DayConditions) -> pl.DataFrame:
        repositories = state.repositories
        count = len(repositories)
        owner = self._names.owners(repositories.owner)
        requests = max(1, -(-count // _REQUEST_REPOSITORIES))
        request = np.arange(count) // _REQUEST_REPOSITORIES
        observed_us = conditions.capture_us + request * conditions.capture_lasts_us // requests
        return pl.DataFrame(
            {
                "day": pl.repeat(conditions.day, count, dtype=pl.Date, eager=True),
                "repo_id": repositories.repo_id,
                "full_name": owner + "/" + self._names.projects(repositories.project),
                "stars": repositories.stars,
                "forks": repositories.forks,
                "watchers": repositories.watchers,
                "open_issues": repositories.open_issues,
                "language": self._languages.gather(repositories.language),
                "owner": owner,
                "is_archived": repositories.is_archived,
                "is_fork": repositories.is_fork,
                "created_at": _moments(repositories.created_us),
                "pushed_at": _moments(repositories.pushed_us),
                "observed_at": _moments(observed_us),
                "ingested_at": _moments(observed_us + _INGESTED_AFTER_US),
            },
            schema=SNAPSHOT_SCHEMA,
        )


def _day_of(item: tuple[date, WorldState]) -> date:
    return item[0]


def _moments(microseconds: np.ndarray) -> pl.Series:
    return pl.Series(microseconds).cast(_UTC_MOMENT)
