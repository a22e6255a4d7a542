"""Schedules, where the clock is the cause: the day's data, and the weekly candidate."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    ResourceParam,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    define_asset_job,
    schedule,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.dagster_internals import cron_string_iterator
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.settings import Settings
from ghstars_assets.sources.source import Source

LOOKS_BACK_DAYS = 30
"""How far back the daily schedule looks for days that a source still knows and we lack."""

WEEKLY_CAUSE = "the weekly candidate"
"""The cause that is recorded with a version that the clock asked for."""


def training_days(cron: str, days: DayRange) -> set[date]:
    """The days of a range on which the weekly schedule trains, by the code that runs it."""
    begin = datetime.combine(days.first, time(), UTC)
    found: set[date] = set()
    for tick in cron_string_iterator(begin.timestamp(), cron, "UTC"):
        if tick.date() > days.last:
            break
        found.add(tick.date())
    return found


def build_schedules(problems: Sequence[Problem], settings: Settings) -> list[ScheduleDefinition]:
    return [
        built
        for problem in problems
        for built in (
            _take_daily(problem, settings),
            _train_weekly(problem, settings),
        )
    ]


def _take_daily(problem: Problem, settings: Settings) -> ScheduleDefinition:
    """Takes the newest day that the sources can give, and recent days that were missed."""
    name = f"{problem.name}_daily"
    job = define_asset_job(
        f"take_{problem.name}",
        AssetSelection.assets(*(asset_key(source.table.name) for source in _daily(problem))),
        description=f"Take the day's {problem.name} from every source.",
    )

    @schedule(
        name=name,
        job=job,
        cron_schedule=settings.daily_cron,
        execution_timezone="UTC",
        default_status=DefaultScheduleStatus.RUNNING,
        description=f"Takes {problem.name} of the newest day, and of recent days that were missed.",
    )
    def take_daily(
        context: ScheduleEvaluationContext, lake: ResourceParam[Lake]
    ) -> Iterator[RunRequest | SkipReason]:
        marker = problem.begin(lake)
        if marker is None:
            yield SkipReason(f"This lake is empty; run {problem.how_to_begin}.")
            return
        now = context.scheduled_execution_time.astimezone(UTC)
        missing = _missing_days(lake, problem, marker, now)
        if not missing:
            yield SkipReason(f"The sources of {problem.name} hold every day they can give.")
        for day, tables in sorted(missing.items()):
            yield RunRequest(
                run_key=f"{name}:{day}",
                partition_key=str(day),
                asset_selection=[asset_key(table) for table in tables],
            )

    return take_daily


def _missing_days(
    lake: Lake, problem: Problem, marker: Marker, now: datetime
) -> dict[date, list[str]]:
    """Recent days that a source still knows and its table lacks, with those tables."""
    missing: dict[date, list[str]] = defaultdict(list)
    for source in _daily(problem):
        known = source.known_days(lake, marker, now) if marker.kind in source.kinds else []
        if not known:
            continue
        oldest = max(known[-1] - timedelta(days=LOOKS_BACK_DAYS), marker.first_day or known[0])
        stored = set(lake.days(source.table.name))
        for day in known:
            if day >= oldest and day not in stored:
                missing[day].append(source.table.name)
    return dict(missing)


def _daily(problem: Problem) -> list[Source]:
    """The sources that have news every day."""
    return [source for source in problem.sources if not source.is_history]


def _train_weekly(problem: Problem, settings: Settings) -> ScheduleDefinition:
    """Trains after the day's snapshot, for a source may give a day only when it is over, and the
    newest label hangs on the day before. A new champion's forecasts of the day replace the old."""
    tables = (problem.table("model"), problem.table("champion"))
    job = define_asset_job(
        f"train_{problem.name}",
        AssetSelection.assets(*(asset_key(table) for table in tables)),
        description=f"Train a {problem.name} candidate as of a day, and decide on it.",
    )

    trains = asset_key(problem.table("model")).to_python_identifier()
    config = {"ops": {trains: {"config": {"cause": WEEKLY_CAUSE}}}}

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
        return RunRequest(
            run_key=f"{problem.name}:{day}", partition_key=str(day), run_config=config
        )

    return train_weekly
