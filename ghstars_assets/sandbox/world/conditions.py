"""What a day of the invented world is like for all repositories at once.

When its snapshot was taken, how busy the platform was, whether fake stars were purged. All of it
follows from the seed and the day alone, never from what happened before.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from ghstars_assets.sandbox.world.randomness import Stream, generator
from ghstars_assets.sandbox.world.repositories import (
    MICROSECONDS_PER_DAY,
    MICROSECONDS_PER_SECOND,
    midnight_us,
)

_MINUTE_US = 60 * MICROSECONDS_PER_SECOND

_USUAL_CAPTURE_MINUTE = 23 * 60 + 30
_CAPTURE_DRIFT_MINUTES = 4.0
_USUAL_CAPTURE_MINUTES = 3.0
# Odd days, which gates should let pass: a capture most of an hour early sees fewer stars that day
# and more the next; a slow one still ends before midnight, so a snapshot is always of its day.
_EARLY_CAPTURE_CHANCE = 1 / 45
_EARLY_CAPTURE_MINUTES = 55.0
_SLOW_CAPTURE_CHANCE = 1 / 40
_SLOW_CAPTURE_MINUTES = 15.0
_TROUBLED_DAY_CHANCE = 1 / 70  # the platform was down for some hours
_TROUBLED_DAY_ACTIVITY = 0.6
_ACTIVITY_LOG_SPREAD = 0.05
# One purge in every block of days, so that 400 days have about five: enough to learn from.
# (Github-Ranking shows four mass purges between 2023-11 and 2026-02.)
_PURGE_BLOCK_DAYS = 80

# Before any capture of a day: what is created or pushed that day has happened by then.
SURELY_BEFORE_CAPTURE_US = 22 * 60 * _MINUTE_US


@dataclass(frozen=True)
class DayConditions:
    day: date
    capture_us: int  # when the snapshot began, microseconds since 1970
    capture_lasts_us: int
    since_last_capture_days: float
    activity: float  # stars given, relative to any other day
    is_purge: bool


def conditions_of(seed: int, day: date) -> DayConditions:
    capture_us, capture_lasts_us = _capture(seed, day)
    previous_us, _ = _capture(seed, day - timedelta(days=1))
    rng = generator(seed, Stream.CLIMATE, day.toordinal())
    activity = float(rng.lognormal(0.0, _ACTIVITY_LOG_SPREAD))
    if rng.random() < _TROUBLED_DAY_CHANCE:
        activity *= _TROUBLED_DAY_ACTIVITY
    return DayConditions(
        day=day,
        capture_us=capture_us,
        capture_lasts_us=capture_lasts_us,
        since_last_capture_days=(capture_us - previous_us) / MICROSECONDS_PER_DAY,
        activity=activity,
        is_purge=_is_purge(seed, day),
    )


@lru_cache(maxsize=4096)
def capture_moment(seed: int, day: date) -> datetime:
    """When the day's counts are those of the world's snapshot, to the second."""
    begins_us, _ = _capture(seed, day)
    return datetime.fromtimestamp(begins_us // MICROSECONDS_PER_SECOND, UTC)


def _capture(seed: int, day: date) -> tuple[int, int]:
    """When the day's snapshot began, and how long it took."""
    rng = generator(seed, Stream.CAPTURE, day.toordinal())
    begins_minute = _USUAL_CAPTURE_MINUTE + rng.uniform(
        -_CAPTURE_DRIFT_MINUTES, _CAPTURE_DRIFT_MINUTES
    )
    lasts_minutes = _USUAL_CAPTURE_MINUTES * rng.uniform(0.8, 1.2)
    if rng.random() < _EARLY_CAPTURE_CHANCE:
        begins_minute -= _EARLY_CAPTURE_MINUTES
    if rng.random() < _SLOW_CAPTURE_CHANCE:
        lasts_minutes = _SLOW_CAPTURE_MINUTES
    begins_us = midnight_us(day) + round(begins_minute * 60) * MICROSECONDS_PER_SECOND
    return begins_us, round(lasts_minutes * _MINUTE_US)


def _is_purge(seed: int, day: date) -> bool:
    block, place = divmod(day.toordinal(), _PURGE_BLOCK_DAYS)
    return place == generator(seed, Stream.PURGES, block).integers(_PURGE_BLOCK_DAYS)
