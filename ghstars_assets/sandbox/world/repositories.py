"""The repositories of the invented world: their columns, those it is founded with, those launched.

What happens to them from one day to the next is in `events`. Columns are never changed in place:
each day makes new ones, so that a day kept for later costs nothing and cannot be spoiled.
"""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime

import numpy as np

MICROSECONDS_PER_SECOND = 1_000_000
SECONDS_PER_DAY = 86_400
MICROSECONDS_PER_DAY = SECONDS_PER_DAY * MICROSECONDS_PER_SECOND
_DAYS_PER_YEAR = 365.25

# Shares are roughly those of GitHub's most-starred repositories; None is a list or a book.
LANGUAGE_SHARES: dict[str | None, float] = {
    "Python": 0.19,
    "TypeScript": 0.15,
    "JavaScript": 0.15,
    "Go": 0.09,
    "Rust": 0.08,
    "Java": 0.07,
    "C++": 0.06,
    "C": 0.04,
    "C#": 0.03,
    "Shell": 0.03,
    "PHP": 0.02,
    "Swift": 0.02,
    "Kotlin": 0.02,
    "Jupyter Notebook": 0.02,
    "HTML": 0.02,
    "Lua": 0.01,
    None: 0.07,
}

# GitHub's ids passed 1.1 thousand million in late 2025, having grown faster each year since 2008.
_ID_EPOCH = date(2008, 1, 1)
_ID_AT_REFERENCE = 1.1e9
_ID_REFERENCE_DAYS = (date(2025, 11, 20) - _ID_EPOCH).days
_ID_GROWTH_POWER = 2.2
_EARLIEST_CREATION = date(2008, 4, 10)  # GitHub opened

# Fitted by eye to Github-Ranking, winter 2025/26: repositories of 5,400 stars gained a median of
# 3 a week, those of 50,000 61 a week; within a size the log gains scatter by about 1.5.
_MEDIAN_STARS = 5_000
_STARS_LOG_SPREAD = 1.5
MOST_STARS = 400_000
_FEWEST_STARS = 100
_DAILY_GAIN_AT_MEDIAN = 0.8
_GAIN_BY_SIZE_POWER = 1.15
_GAIN_LOG_SPREAD = 1.0
# A year-old repository gains about three times what a ten-year-old one of its size does.
_GAIN_BY_AGE_POWER = -0.5
_TYPICAL_AGE_YEARS = 4.0

DEAD_LOG_RATE = -2.5  # without pushes a repository falls to about 8 % of its rate
_ALREADY_IN_BURST_SHARE = 0.1
_LAUNCH_MEDIAN_DAILY_STARS = 40.0
_LAUNCH_LOG_SPREAD = 1.4
_LAUNCH_OWNER_IS_KNOWN_SHARE = 0.5


@dataclass(frozen=True)
class Repositories:
    """One entry a living repository, in order of `repo_id`, which is the order of creation."""

    repo_id: np.ndarray
    owner: np.ndarray  # serial number of an invented name, as is `project`
    project: np.ndarray
    language: np.ndarray  # place in LANGUAGE_SHARES
    created_us: np.ndarray  # microseconds since 1970, UTC, as is `pushed_us`
    pushed_us: np.ndarray
    is_fork: np.ndarray
    is_archived: np.ndarray
    is_dead: np.ndarray
    stars: np.ndarray
    forks: np.ndarray
    watchers: np.ndarray
    open_issues: np.ndarray
    # Lasting traits: what a model can learn about a repository from its past.
    log_rate: np.ndarray  # log of the stars of an ordinary day
    weekday_swing: np.ndarray  # how strongly it follows the week: 0 not at all, 1 as all do
    burst_chance: np.ndarray  # a day
    push_chance: np.ndarray  # a weekday
    forks_per_star: np.ndarray
    issues_per_day: np.ndarray
    purge_chance: np.ndarray  # of being hit, on a purge day
    # Moving parts of the rate.
    drift: np.ndarray  # added to log_rate, wanders
    fast_heat: np.ndarray  # extra stars a day from bursts, gone within days
    slow_heat: np.ndarray  # the same, gone within weeks

    def __len__(self) -> int:
        return len(self.repo_id)

    def where(self, keep: np.ndarray) -> "Repositories":
        return Repositories(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})

    def followed_by(self, newer: "Repositories") -> "Repositories":
        return Repositories(
            **{
                f.name: np.concatenate([getattr(self, f.name), getattr(newer, f.name)])
                for f in fields(self)
            }
        )


@dataclass(frozen=True)
class WorldState:
    """The world at the end of a day's capture: the repositories and the next free numbers."""

    repositories: Repositories
    last_repo_id: int
    owners_named: int
    projects_named: int


def founded(count: int, first_day: date, rng: np.random.Generator) -> WorldState:
    """The world on the eve of its first day, its repositories in the middle of their lives."""
    eve_us = midnight_us(first_day)
    known_days = (first_day - _EARLIEST_CREATION).days
    # Few are new, few are from the first years.
    created_us = np.sort(
        eve_us - (rng.beta(1.2, 1.6, count) * known_days * MICROSECONDS_PER_DAY).astype(np.int64)
    )
    created_us = _whole_seconds(created_us)
    age_years = (eve_us - created_us) / MICROSECONDS_PER_DAY / _DAYS_PER_YEAR
    stars = np.exp(rng.normal(np.log(_MEDIAN_STARS), _STARS_LOG_SPREAD, count))
    stars = np.clip(stars, _FEWEST_STARS, MOST_STARS).astype(np.int64)
    log_rate = (
        np.log(_DAILY_GAIN_AT_MEDIAN)
        + _GAIN_BY_SIZE_POWER * np.log(stars / _MEDIAN_STARS)
        + _GAIN_BY_AGE_POWER * np.log((age_years + 0.3) / _TYPICAL_AGE_YEARS)
        + rng.normal(0.0, _GAIN_LOG_SPREAD, count)
    )
    is_dead = rng.random(count) < 0.04 + 0.02 * age_years
    owners = max(1, int(0.6 * count))
    quiet_days = np.where(is_dead, rng.exponential(500.0, count), rng.exponential(8.0, count))
    heat = (
        (rng.random(count) < _ALREADY_IN_BURST_SHARE)
        * np.exp(log_rate)
        * rng.exponential(1.0, count)
    )
    repo_id = _ids(created_us, after=0)
    repositories = _with_traits(
        rng,
        repo_id=repo_id,
        # A few owners hold many repositories.
        owner=(owners * rng.random(count) ** 1.7).astype(np.int64),
        project=np.arange(count),
        created_us=created_us,
        pushed_us=np.maximum(
            created_us,
            _whole_seconds(eve_us - (quiet_days * MICROSECONDS_PER_DAY).astype(np.int64)),
        ),
        is_dead=is_dead,
        is_archived=is_dead & (rng.random(count) < 0.25),
        stars=stars,
        log_rate=log_rate,
        drift=np.where(is_dead, DEAD_LOG_RATE, 0.0) + rng.normal(0.0, 0.3, count),
        fast_heat=heat,
        slow_heat=heat,
    )
    return WorldState(repositories, int(repo_id[-1]), owners, count)


def with_launches(
    state: WorldState, count: int, launched_us: tuple[int, int], rng: np.random.Generator
) -> WorldState:
    """New repositories, created between the two moments of `launched_us`, hot from the start."""
    if count == 0:
        return state
    earliest_us, latest_us = launched_us
    created_us = _whole_seconds(np.sort(rng.integers(earliest_us, latest_us, count)))
    is_known_owner = rng.random(count) < _LAUNCH_OWNER_IS_KNOWN_SHARE
    if len(state.repositories):
        known_owner = rng.choice(state.repositories.owner, count)
    else:
        known_owner = np.zeros(count, dtype=np.int64)
    heat = np.exp(rng.normal(np.log(_LAUNCH_MEDIAN_DAILY_STARS), _LAUNCH_LOG_SPREAD, count))
    repo_id = _ids(created_us, after=state.last_repo_id)
    launched = _with_traits(
        rng,
        repo_id=repo_id,
        owner=np.where(is_known_owner, known_owner, state.owners_named + np.arange(count)),
        project=state.projects_named + np.arange(count),
        created_us=created_us,
        pushed_us=created_us,
        is_dead=np.zeros(count, dtype=np.bool_),
        is_archived=np.zeros(count, dtype=np.bool_),
        stars=np.zeros(count, dtype=np.int64),
        # A louder launch leaves more lasting interest, but much less than it promised.
        log_rate=0.5 * np.log(heat) - 1.0 + rng.normal(0.0, _GAIN_LOG_SPREAD, count),
        drift=np.zeros(count),
        fast_heat=heat,
        slow_heat=0.25 * heat,
    )
    return WorldState(
        state.repositories.followed_by(launched),
        last_repo_id=int(repo_id[-1]),
        owners_named=state.owners_named + count,
        projects_named=state.projects_named + count,
    )


def _with_traits(rng: np.random.Generator, **given: np.ndarray) -> Repositories:
    """Repositories with what was given, and with drawn what every repository has in its own way."""
    stars = given["stars"]
    count = len(stars)
    language_shares = np.array(list(LANGUAGE_SHARES.values()))
    forks_per_star = np.exp(rng.normal(np.log(0.14), 0.6, count))
    issues_per_day = np.exp(rng.normal(-1.5, 1.0, count)) * (1.0 + stars / 20_000)
    return Repositories(
        **given,
        language=rng.choice(len(language_shares), count, p=language_shares / language_shares.sum()),
        is_fork=rng.random(count) < 0.02,
        forks=rng.poisson(stars * forks_per_star),
        watchers=rng.poisson(3.0 * np.sqrt(stars)),
        # About what stays open when as many are closed as opened.
        open_issues=rng.poisson(issues_per_day * 60.0) * (stars > 0),
        weekday_swing=np.clip(rng.normal(1.0, 0.4, count), 0.0, 2.5),
        burst_chance=np.exp(rng.normal(np.log(1 / 150), 0.8, count)),
        push_chance=rng.beta(0.9, 1.2, count),
        forks_per_star=forks_per_star,
        issues_per_day=issues_per_day,
        purge_chance=rng.beta(1.0, 2.0, count),
    )


def _ids(created_us: np.ndarray, after: int) -> np.ndarray:
    """Ids for sorted moments of creation: GitHub's curve, strictly increasing, all past `after`."""
    days = (created_us - midnight_us(_ID_EPOCH)) / MICROSECONDS_PER_DAY
    curve = (_ID_AT_REFERENCE * (days / _ID_REFERENCE_DAYS) ** _ID_GROWTH_POWER).astype(np.int64)
    places = np.arange(len(curve))
    return np.maximum.accumulate(np.maximum(curve, after + 1) - places) + places


def _whole_seconds(moments_us: np.ndarray) -> np.ndarray:
    return moments_us - moments_us % MICROSECONDS_PER_SECOND


def midnight_us(day: date) -> int:
    """The start of a UTC day in microseconds since 1970."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp()) * MICROSECONDS_PER_SECOND
