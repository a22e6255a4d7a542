"""How old each asset may grow before Dagster warns and then fails it, and which have no clock.

Freshness looks at when an asset was last made, whichever day that made. So what a day lacks is for
`ghstars status` to say; what stands still is seen here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from dagster import AssetsDefinition, AssetSpec, FreshnessPolicy, TimeWindowPartitionsDefinition

from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.dagster_internals import (
    cron_string_iterator,
)
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.settings import Settings

NO_CLOCK = "no_clock"
"""Metadata of an asset without a freshness policy: why it has none."""
_ONE_DAY = timedelta(days=1)
_SEEN = timedelta(days=35)
"""Any week and any month of a cron."""
_MOST_TICKS = 1000


@dataclass(frozen=True)
class Clock:
    """After how long without anything new Dagster warns, and fails."""

    warns_after: timedelta
    fails_after: timedelta

    @property
    def policy(self) -> FreshnessPolicy:
        return FreshnessPolicy.time_window(self.fails_after, self.warns_after)


@dataclass(frozen=True)
class Clocks:
    """One for each kind of asset, drawn from when the schedules run: another cron, other clocks."""

    daily: Clock
    """What each day brings. A snapshot may take hours and some more than others, so half a day over
    is no news; a whole day over means that one was missed."""
    outcome: Clock
    """What looks ahead is made daily too, but a day that was held back a horizon ago leaves none
    today, and that was reported when it was held back."""
    weekly: Clock
    """A week that fails is seen the day after; three days give a holiday."""

    @classmethod
    def of(cls, settings: Settings) -> "Clocks":
        # However often it is asked for, a day comes but once.
        day = max(longest_pause(settings.daily_cron), _ONE_DAY)
        week = max(longest_pause(settings.weekly_cron), _ONE_DAY)
        return cls(
            daily=Clock(1.5 * day, 2 * day),
            outcome=Clock(2.5 * day, 3 * day),
            weekly=Clock(week + _ONE_DAY, week + 3 * _ONE_DAY),
        )


def longest_pause(cron: str) -> timedelta:
    """Between two ticks: three days where it rests on weekends."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    ticks = list(_ticks(cron, begin))
    return max(later - earlier for earlier, later in pairwise(ticks))


def _ticks(cron: str, begin: datetime) -> Iterator[datetime]:
    for number, tick in enumerate(cron_string_iterator(begin.timestamp(), cron, "UTC")):
        yield tick
        if number and (tick > begin + _SEEN or number > _MOST_TICKS):
            return


def with_freshness(
    assets: Iterable[AssetsDefinition], problems: Sequence[Problem], settings: Settings
) -> list[AssetsDefinition]:
    """Every asset with the policy of its kind, or with the reason why it has none."""
    clocks = Clocks.of(settings)
    models = {asset_key(problem.table("model")) for problem in problems}
    imported = {
        asset_key(source.table.name)
        for problem in problems
        for source in problem.sources
        if source.is_history
    }

    def clocked(spec: AssetSpec) -> AssetSpec:
        if spec.key in imported:
            return _without(spec, "a history is imported when somebody has one to import")
        days = spec.partitions_def
        if not isinstance(days, TimeWindowPartitionsDefinition):
            return _without(spec, "a log has a new row when something happens")
        if not days.is_basic_daily:
            return _without(spec, "the past is backtested when somebody asks")
        if spec.key in models:
            clock = clocks.weekly
        else:
            clock = clocks.outcome if days.end_offset < 1 else clocks.daily
        return spec.replace_attributes(freshness_policy=clock.policy)

    return [asset.map_asset_specs(clocked) for asset in assets]


def _without(spec: AssetSpec, why: str) -> AssetSpec:
    return spec.merge_attributes(metadata={NO_CLOCK: why})
