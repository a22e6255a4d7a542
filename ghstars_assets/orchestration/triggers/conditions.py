"""Conditions that follow the data: a day that arrives late is caught up like any other.

Each day of an asset is asked for once: what is made of several things waits for those that are
still to come, and nothing is asked for while a command fills tables, one after another, for the
tables that it fills next would be asked for too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import or_

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
from ghstars_assets.learning.stage import Stage
from ghstars_assets.learning.stages import loop_stages
from ghstars_assets.orchestration.commands_at_work import is_at_work
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


@dataclass(frozen=True, eq=False)
class NoCommandIsAtWork(AutomationCondition[AssetKey]):
    """No command fills tables of the same problem. What it leaves out is asked for when it ends."""

    async def evaluate(  # pyright: ignore[reportIncompatibleMethodOverride] - as Dagster's own are
        self, context: AutomationContext[AssetKey]
    ) -> AutomationResult[AssetKey]:
        waiting = context.candidate_subset
        # Most ticks have nothing to ask for, and then nothing is looked up.
        if waiting.is_empty or is_at_work(context.asset_graph_view.instance, context.key.path[0]):
            return AutomationResult(context, context.get_empty_subset())
        return AutomationResult(context, waiting)


def waits_of(problem: Problem, stage: Stage) -> list[AutomationCondition]:
    """What a day of a stage of the loop waits for, be it there already: an input of an earlier day
    that is still to come, or to be made anew, by itself or for what it is made from. Otherwise the
    day would be made now and again when that has come."""
    made_by = {one.table.name: one for one in loop_stages(problem)}
    waits = []
    for table, window in stage.inputs.items():
        if table in stage.without_arrow:
            continue
        unsettled = waits_of(problem, made_by[table]) if table in made_by else []
        if window.optional and window.last_offset < 0:
            inputs = made_by[table].required_inputs if table in made_by else []
            served = [one for one in inputs if one in made_by and made_by[one].requires_champion]
            unsettled.append(_is_pending(served))
        if unsettled:
            is_unsettled = AutomationCondition.any_deps_match(reduce(or_, unsettled))
            waits.append(is_unsettled.allow(AssetSelection.assets(asset_key(table))))
    return waits


def _is_pending(needs: Sequence[str]) -> AutomationCondition:
    """A day is missing and will be made, for what it `needs` is there; or what it is made from is
    newer. Where something failed nothing is waited for."""
    is_to_come = AutomationCondition.missing()
    if needs:
        needed = AssetSelection.assets(*map(asset_key, needs))
        lacks = AutomationCondition.any_deps_match(AutomationCondition.missing()).allow(needed)
        is_to_come &= ~lacks
    return (is_to_come | _is_outdated()) & ~_is_failed()


def _is_outdated() -> AutomationCondition:
    """A day is there, and something that it is made from is newer or is being made."""
    is_being_made = AutomationCondition.will_be_requested() | AutomationCondition.in_progress()
    has_news = AutomationCondition.any_deps_updated().since(AutomationCondition.newly_updated())
    return ~AutomationCondition.missing() & (
        has_news | AutomationCondition.any_deps_match(is_being_made)
    )


def _is_failed() -> AutomationCondition:
    failed = AutomationCondition.execution_failed()
    return failed | AutomationCondition.any_deps_match(failed)


def catches_up(
    windows: Mapping[str, Window] | None = None,
    may_lack: Sequence[str] = (),
    waits: Sequence[AutomationCondition] = (),
) -> AutomationCondition:
    """As soon as all it needs for a day is there, whichever day that is; tables that it may lack
    are not waited for, but while one of `waits` holds. A day that failed is asked for again only
    when something it needs is new, so a lasting fault starts no storm."""
    is_wanted = (
        AutomationCondition.newly_missing() | AutomationCondition.any_deps_updated()
    ).since_last_handled()
    # Where the day itself was updated since the last tick, `since` would forget this news.
    is_wanted |= AutomationCondition.any_deps_match(AutomationCondition.will_be_requested())
    if windows:
        is_wanted |= AutomationCondition.missing() & WindowIsNewer(windows).since(
            AutomationCondition.newly_requested()
        )
    optional = [asset_key(table) for table in may_lack]
    optional += [asset_key(table) for table, window in (windows or {}).items() if window.optional]
    lacks_something = AutomationCondition.any_deps_missing()
    if optional:
        lacks_something = lacks_something.ignore(AssetSelection.assets(*optional))
    condition = (
        is_wanted
        & ~lacks_something
        & ~AutomationCondition.any_deps_in_progress()
        & ~AutomationCondition.in_progress()
    )
    for wait in waits:
        condition &= ~wait
    return condition & NoCommandIsAtWork()


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
        & NoCommandIsAtWork()
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
