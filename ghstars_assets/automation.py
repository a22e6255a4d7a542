"""When things run by themselves: conditions that follow the data, schedules where the clock is the
cause. A day that arrives late is caught up like any other.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta

from dagster import (
    AssetSelection,
    AutomationCondition,
    AutomationConditionSensorDefinition,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    define_asset_job,
    schedule,
)

from ghstars_assets.dagster_partitions import asset_key
from ghstars_assets.days import DayRange
from ghstars_assets.lake.claim import read_claim
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.settings import Settings, current_settings
from ghstars_assets.sources.source import Source

LOOKS_BACK_DAYS = 30
"""How far back the daily schedule looks for days that a source still knows and we lack."""


def catches_up() -> AutomationCondition:
    """As soon as all it needs for a day is there, whichever day that is. A day that failed is
    asked for again only when something it needs is new, so a lasting fault starts no storm."""
    return AutomationCondition.eager().without(AutomationCondition.in_latest_time_window())


def follows_without_waiting_for(table: str) -> AutomationCondition:
    """The same, but the partition of `table` may be missing, as on all days without a training."""
    optional = AssetSelection.assets(asset_key(table))
    return catches_up().replace(
        "any_deps_missing", AutomationCondition.any_deps_missing().ignore(optional)
    )


def build_automation_sensor() -> AutomationConditionSensorDefinition:
    return AutomationConditionSensorDefinition(
        "follow_the_data",
        target=AssetSelection.all(),
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
    )


def build_schedules(problems: Sequence[Problem], settings: Settings) -> list[ScheduleDefinition]:
    return [
        built
        for problem in problems
        for built in (
            *(_take_daily(problem, source, settings) for source in problem.sources),
            _train_weekly(problem, settings),
        )
    ]


def _take_daily(problem: Problem, source: Source, settings: Settings) -> ScheduleDefinition:
    """Takes the newest day that the source can give, and recent days that were missed."""
    name = source.table.name.replace(".", "_")
    job = define_asset_job(
        f"take_{name}",
        AssetSelection.assets(asset_key(source.table.name)),
        description=f"Take the day's {problem.name} from {source.table.name}.",
    )

    @schedule(
        name=f"{name}_daily",
        job=job,
        cron_schedule=settings.daily_cron,
        execution_timezone="UTC",
        default_status=DefaultScheduleStatus.RUNNING,
        description=f"Takes {problem.name} of the newest day, and of recent days that were missed.",
    )
    def take_daily(context: ScheduleEvaluationContext) -> Iterator[RunRequest | SkipReason]:
        lake = Lake(current_settings())
        held = read_claim(lake)
        if held is None or held.kind != source.kind:
            yield SkipReason(f"This lake takes no {source.kind} data.")
            return
        newest = source.newest_day(context.scheduled_execution_time.astimezone(UTC))
        oldest = max(newest - timedelta(days=LOOKS_BACK_DAYS), held.first_day or newest)
        wanted = DayRange(min(oldest, newest), newest)
        stored = set(lake.days(source.table.name, wanted))
        missing = [day for day in wanted if day not in stored]
        if not missing:
            yield SkipReason(f"{source.table.name} holds every day up to {newest}.")
        for day in missing:
            yield RunRequest(run_key=f"{name}:{day}", partition_key=str(day))

    return take_daily


def _train_weekly(problem: Problem, settings: Settings) -> ScheduleDefinition:
    """Trains before the day's snapshot is taken, so that the day's forecasts have one champion."""
    tables = (problem.table("model"), problem.table("champion"))
    job = define_asset_job(
        f"train_{problem.name}",
        AssetSelection.assets(*(asset_key(table) for table in tables)),
        description=f"Train a {problem.name} candidate as of a day, and decide on it.",
    )

    @schedule(
        name=f"{problem.name}_weekly_candidate",
        job=job,
        cron_schedule=settings.weekly_cron,
        execution_timezone="UTC",
        default_status=DefaultScheduleStatus.RUNNING,
        description=f"Trains a {problem.name} candidate on what was known before the day.",
    )
    def train_weekly(context: ScheduleEvaluationContext) -> RunRequest:
        day = context.scheduled_execution_time.astimezone(UTC).date()
        return RunRequest(run_key=f"{problem.name}:{day}", partition_key=str(day))

    return train_weekly
