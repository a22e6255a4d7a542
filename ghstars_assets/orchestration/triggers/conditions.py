"""Conditions that follow the data: a day that arrives late is caught up like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dagster import (
    AssetKey,
    AssetSelection,
    AutomationCondition,
    AutomationConditionSensorDefinition,
    AutomationContext,
    AutomationResult,
    DefaultSensorStatus,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import first_championed_day
from ghstars_assets.orchestration.dagster_internals import (
    TimingMetadata,
)
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.sql_tables.header import Window


@dataclass(frozen=True, eq=False)
class WindowIsNewer(AutomationCondition[AssetKey]):
    """Something is new within the days that a day reads.

    A mapping ties a day to a single day, so Dagster by itself would never ask again for a day that
    failed for want of an earlier one when that one arrives late.
    """

    windows: Mapping[str, Window]

    async def evaluate(  # pyright: ignore[reportIncompatibleMethodOverride] - as Dagster's own are
        self, context: AutomationContext[AssetKey]
    ) -> AutomationResult[AssetKey]:
        view, since = context.asset_graph_view, context.previous_temporal_context
        if since is None or context.partitions_def is None:
            return AutomationResult(context, context.get_empty_subset())
        readers: set[str] = set()
        for table, window in self.windows.items():
            newer = await view.compute_updated_since_temporal_context_subset(
                key=asset_key(table), temporal_context=since
            )
            for day in map(date.fromisoformat, newer.expensively_compute_partition_keys()):
                first, last = (
                    day - timedelta(days=offset)
                    for offset in (window.last_offset, window.first_offset)
                )
                readers.update(map(str, DayRange(first, last)))
        candidates = context.candidate_subset.expensively_compute_partition_keys()
        found = view.get_subset_from_partition_keys(
            context.key, context.partitions_def, readers & candidates
        )
        # With the moment, `since` can tell news that came after a request from news before it.
        moment = TimingMetadata(timestamps={view.effective_dt.timestamp(): found})
        return AutomationResult(context, found, timing_metadata=moment)


def catches_up(
    windows: Mapping[str, Window] | None = None, may_lack: Sequence[str] = ()
) -> AutomationCondition:
    """As soon as all it needs for a day is there, whichever day that is; tables that it may lack
    are not waited for. A day that failed is asked for again only when something it needs is new,
    so a lasting fault starts no storm."""
    is_wanted = (
        AutomationCondition.newly_missing() | AutomationCondition.any_deps_updated()
    ).since_last_handled()
    if windows:
        is_wanted |= AutomationCondition.missing() & WindowIsNewer(windows).since(
            AutomationCondition.newly_requested()
        )
    optional = [asset_key(table) for table in may_lack]
    optional += [asset_key(table) for table, window in (windows or {}).items() if window.optional]
    lacks_something = AutomationCondition.any_deps_missing()
    if optional:
        lacks_something = lacks_something.ignore(AssetSelection.assets(*optional))
    return (
        is_wanted
        & ~lacks_something
        & ~AutomationCondition.any_deps_in_progress()
        & ~AutomationCondition.in_progress()
    )


@dataclass(frozen=True, eq=False)
class IsServed(AutomationCondition[AssetKey]):
    """Some version serves on the day.

    A home of an archive alone has years of features and no champion for any of them: asked for,
    each would be a red run.
    """

    problem: Problem
    lake: Lake

    async def evaluate(  # pyright: ignore[reportIncompatibleMethodOverride] - as Dagster's own are
        self, context: AutomationContext[AssetKey]
    ) -> AutomationResult[AssetKey]:
        waiting = context.candidate_subset.expensively_compute_partition_keys()
        if not waiting or context.partitions_def is None:
            return AutomationResult(context, context.get_empty_subset())
        first = self._first_served_day(date.fromisoformat(max(waiting)))
        served = {day for day in waiting if first and date.fromisoformat(day) >= first}
        found = context.asset_graph_view.get_subset_from_partition_keys(
            context.key, context.partitions_def, served
        )
        return AutomationResult(context, found)

    def _first_served_day(self, newest: date) -> date | None:
        """The log is opened only where there is a model: days without one wait at every tick."""
        trained = self.lake.days(self.problem.table("model"))
        if not trained or newest < trained[0]:
            return None
        return first_championed_day(self.lake, self.problem)


def carries_forward(problem: Problem, lake: Lake) -> AutomationCondition:
    """For the champion: made when its day's features arrive and it is still missing, and again
    when a candidate was trained. The model's partition is missing on all other days, and features
    that are filled anew change nothing about who serves. Days before the first version served wait,
    and are made if one should serve on them after all."""
    models = AssetSelection.assets(asset_key(problem.table("model")))
    arrives = AutomationCondition.missing() & AutomationCondition.any_deps_updated().ignore(models)
    is_trained = AutomationCondition.any_deps_updated().allow(models)
    # Dagster types `since_last_handled` for conditions on checks as well, which these are not.
    arrived = arrives.since_last_handled()  # pyright: ignore[reportAttributeAccessIssue]
    return (
        ((arrived & IsServed(problem, lake)) | is_trained.since_last_handled())
        & ~AutomationCondition.any_deps_missing().ignore(models)
        & ~AutomationCondition.any_deps_in_progress()
        & ~AutomationCondition.in_progress()
    )


def build_automation_sensor() -> AutomationConditionSensorDefinition:
    return AutomationConditionSensorDefinition(
        "follow_the_data",
        target=AssetSelection.all(),
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
        # Only there are conditions of our own known.
        use_user_code_server=True,
    )
