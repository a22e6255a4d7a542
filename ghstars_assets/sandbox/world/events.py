"""One day in the invented world: from its state on the evening before to that at the day's capture.

The numbers were set so that forecasting is about as hard as on Github-Ranking, where the naive
forecast (last week's gain) has a mean absolute error of 15 to 35 stars, seven times the median
daily gain comes to .94 of it and a lean LightGBM to .72. On the last 83 of 400 days of 3,000
repositories, seeds 3, 7 and 11 gave errors of 22.6, 18.0 and 14.6 and ratios of .84, .91 and .96
for the median, of .70, .75 and .81 for LightGBM; the worst 1 % of rows carried 43 to 50 % of the
error (there 43 to 57 %).
"""

from dataclasses import replace

import numpy as np

from ghstars_assets.sandbox.world.changes import Change
from ghstars_assets.sandbox.world.conditions import SURELY_BEFORE_CAPTURE_US, DayConditions
from ghstars_assets.sandbox.world.repositories import (
    DEAD_LOG_RATE,
    MICROSECONDS_PER_SECOND,
    Repositories,
    WorldState,
    midnight_us,
    with_launches,
)

# Chances a day, for one repository.
_DELETION = 1 / 15_000
_RENAME = 1 / 12_000
_TRANSFER = 1 / 40_000
_DEATH = 1 / 3_000
_ARCHIVAL_ONCE_DEAD = 1 / 600

_LAUNCHES_PER_REPOSITORY = 1 / 2_500  # a day; with deletions the world grows by a tenth a year

# Monday to Sunday, mean 1. Stars come from people at work.
_WEEK = np.array([1.06, 1.11, 1.10, 1.08, 1.03, 0.81, 0.81])
_SATURDAY = 5
_WEEKEND_PUSHES = 0.45

# The rate wanders for weeks and comes back over about two months.
_DRIFT_RETURN = 1 / 60
_DRIFT_STEP = 0.06
_DAILY_NOISE_SHAPE = 7.0  # of a gamma: stars come in clumps, more unevenly than Poisson

# A burst peaks within a day, and its two heats together decline like a power law for a month.
_FAST_HEAT_KEPT = 0.5 ** (1 / 1.0)
_SLOW_HEAT_KEPT = 0.5 ** (1 / 10.0)
_SLOW_SHARE_RANGE = (0.1, 0.6)  # how well a burst lasts cannot be known from its first days
_BURST_TAIL = 1.4  # Pareto: the mean exists, the variance does not
_LARGEST_BURST = 60.0  # in ordinary days of stars, so that one burst does not decide a year
_BURST_BASE_STARS = 1.0
_LASTING_LIFT = 0.08  # of the drift, per log unit of burst
_HIGHEST_DRIFT = 3.0

_UNSTARRED_PER_GAIN = 0.02
_UNSTARRED_PER_STAR = 1.5e-5

_PURGED_MEDIAN = 0.004
_PURGED_LEAST, _PURGED_MOST = 0.001, 0.03

_WATCHERS_PER_STAR_GAINED = 0.012
_WATCHERS_LEAVING = 5e-5
_ISSUES_CLOSED = 1 / 60  # of those open


def next_state(
    state: WorldState,
    conditions: DayConditions,
    launch_base: int,
    rng: np.random.Generator,
    change: Change | None = None,
) -> WorldState:
    """The state after a day; `launch_base` is the world's size that launches are measured by."""
    midnight = midnight_us(conditions.day)
    repositories = state.repositories
    survives = rng.random(len(repositories)) >= _DELETION
    state = replace(state, repositories=repositories.where(survives))
    state = _with_changed_names(state, rng)
    is_weekend = conditions.day.weekday() >= _SATURDAY
    launches = int(rng.poisson(launch_base * _LAUNCHES_PER_REPOSITORY * (0.5 if is_weekend else 1)))
    state = with_launches(state, launches, (midnight, midnight + SURELY_BEFORE_CAPTURE_US), rng)
    repositories = _with_deaths(state.repositories, rng)
    repositories = _with_bursts(_with_drift(repositories, rng), rng)
    repositories = _with_stars(repositories, conditions, rng, change)
    if conditions.is_purge:
        repositories = _with_purge(repositories, rng)
    if change:
        repositories = change.purged(repositories, conditions.day)
    repositories = _with_work(repositories, midnight, is_weekend, rng)
    return replace(state, repositories=_with_cooling(repositories))


def _with_changed_names(state: WorldState, rng: np.random.Generator) -> WorldState:
    repositories = state.repositories
    is_renamed = rng.random(len(repositories)) < _RENAME
    is_transferred = rng.random(len(repositories)) < _TRANSFER
    renamed, transferred = int(is_renamed.sum()), int(is_transferred.sum())
    project, owner = repositories.project.copy(), repositories.owner.copy()
    project[is_renamed] = state.projects_named + np.arange(renamed)
    owner[is_transferred] = state.owners_named + np.arange(transferred)
    return replace(
        state,
        repositories=replace(repositories, project=project, owner=owner),
        projects_named=state.projects_named + renamed,
        owners_named=state.owners_named + transferred,
    )


def _with_deaths(repositories: Repositories, rng: np.random.Generator) -> Repositories:
    """Some maintainers stop for good; some of what they left is archived later."""
    chance = rng.random((2, len(repositories)))
    is_archived = repositories.is_archived | (
        repositories.is_dead & (chance[0] < _ARCHIVAL_ONCE_DEAD)
    )
    return replace(
        repositories,
        is_dead=repositories.is_dead | (chance[1] < _DEATH),
        is_archived=is_archived,
    )


def _with_drift(repositories: Repositories, rng: np.random.Generator) -> Repositories:
    home = np.where(repositories.is_dead, DEAD_LOG_RATE, 0.0)
    step = rng.normal(0.0, _DRIFT_STEP, len(repositories))
    drift = repositories.drift + _DRIFT_RETURN * (home - repositories.drift) + step
    return replace(repositories, drift=drift)


def _with_bursts(repositories: Repositories, rng: np.random.Generator) -> Repositories:
    """Someone well read writes about a few of them."""
    bursting = np.flatnonzero(rng.random(len(repositories)) < repositories.burst_chance)
    ordinary = np.exp(repositories.log_rate + repositories.drift)[bursting]
    size = np.minimum(1.0 + rng.pareto(_BURST_TAIL, len(bursting)), _LARGEST_BURST)
    heat = size * (ordinary + _BURST_BASE_STARS * rng.random(len(bursting)))
    fast_heat, slow_heat, drift = (
        repositories.fast_heat.copy(),
        repositories.slow_heat.copy(),
        repositories.drift.copy(),
    )
    slow_share = rng.uniform(*_SLOW_SHARE_RANGE, len(bursting))
    fast_heat[bursting] += (1.0 - slow_share) * heat
    slow_heat[bursting] += slow_share * heat
    drift[bursting] = np.minimum(drift[bursting] + _LASTING_LIFT * np.log1p(size), _HIGHEST_DRIFT)
    return replace(repositories, fast_heat=fast_heat, slow_heat=slow_heat, drift=drift)


def _with_stars(
    repositories: Repositories,
    conditions: DayConditions,
    rng: np.random.Generator,
    change: Change | None,
) -> Repositories:
    """Stars given and taken back since the last capture, and the forks and watchers they bring."""
    count = len(repositories)
    weekday = 1.0 + repositories.weekday_swing * (_WEEK[conditions.day.weekday()] - 1.0)
    ordinary = np.exp(repositories.log_rate + repositories.drift) * weekday
    forks_per_star = repositories.forks_per_star
    if change:
        boom = change.boom(repositories, conditions.day)
        ordinary, forks_per_star = ordinary * boom.stars, forks_per_star * boom.forks_per_star
    rate = ordinary + repositories.fast_heat + repositories.slow_heat
    noise = rng.gamma(_DAILY_NOISE_SHAPE, 1.0 / _DAILY_NOISE_SHAPE, count)
    exposure = conditions.activity * conditions.since_last_capture_days
    gained = rng.poisson(rate * noise * exposure)
    unstarred = rng.poisson(
        _UNSTARRED_PER_GAIN * gained + _UNSTARRED_PER_STAR * repositories.stars * exposure
    )
    watched = rng.poisson(_WATCHERS_PER_STAR_GAINED * gained)
    unwatched = rng.poisson(_WATCHERS_LEAVING * repositories.watchers)
    return replace(
        repositories,
        stars=np.maximum(repositories.stars + gained - unstarred, 0),
        forks=repositories.forks + rng.poisson(forks_per_star * gained),
        watchers=np.maximum(repositories.watchers + watched - unwatched, 0),
    )


def _with_purge(repositories: Repositories, rng: np.random.Generator) -> Repositories:
    """The platform removes the stars of accounts it no longer believes in."""
    count = len(repositories)
    is_hit = rng.random(count) < repositories.purge_chance
    share = np.clip(
        _PURGED_MEDIAN * np.exp(rng.normal(0.0, 0.8, count)), _PURGED_LEAST, _PURGED_MOST
    )
    purged = np.where(is_hit, np.ceil(share * repositories.stars), 0.0).astype(np.int64)
    return replace(repositories, stars=repositories.stars - purged)


def _with_work(
    repositories: Repositories, midnight: int, is_weekend: bool, rng: np.random.Generator
) -> Repositories:
    """Pushes, issues opened and closed. The dead have no pushes, the archived no issues either."""
    count = len(repositories)
    push_chance = repositories.push_chance * (_WEEKEND_PUSHES if is_weekend else 1.0)
    is_pushed = ~repositories.is_dead & (rng.random(count) < push_chance)
    seconds = rng.integers(0, SURELY_BEFORE_CAPTURE_US // MICROSECONDS_PER_SECOND, count)
    pushed_us = np.where(
        is_pushed, midnight + seconds * MICROSECONDS_PER_SECOND, repositories.pushed_us
    )
    opened = rng.poisson(repositories.issues_per_day)
    closed = rng.poisson(repositories.open_issues * _ISSUES_CLOSED)
    open_issues = np.maximum(repositories.open_issues + opened - closed, 0)
    return replace(
        repositories,
        pushed_us=np.maximum(pushed_us, repositories.pushed_us),
        open_issues=np.where(repositories.is_archived, repositories.open_issues, open_issues),
    )


def _with_cooling(repositories: Repositories) -> Repositories:
    return replace(
        repositories,
        fast_heat=repositories.fast_heat * _FAST_HEAT_KEPT,
        slow_heat=repositories.slow_heat * _SLOW_HEAT_KEPT,
    )
