"""Makes a Dagster asset of each source.

A source may have nothing of a day that nothing needs of it: an archive that nobody imported, a
capture of a day that only an archive knows. That is no failure, and what comes after goes on.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from functools import partial

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import require_marker
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.assets.events import (
    MOST_DAYS_LISTED,
    asked_days,
    materialize_days,
    table_attributes,
)
from ghstars_assets.orchestration.commands_at_work import COMMAND_TAG
from ghstars_assets.orchestration.partitions import daily_partitions, depends_on
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.sources.source import Source
from ghstars_assets.sql_tables.graph import SqlGraph


def build_source_asset(
    problem: Problem, source: Source, first_day: date, graph: SqlGraph
) -> AssetsDefinition:
    @asset(
        **table_attributes(source.table),
        partitions_def=daily_partitions(first_day),
        backfill_policy=BackfillPolicy.single_run(),
        deps=[depends_on(table) for table in source.reads],
        kinds={"source", "parquet"},
    )
    @fails_by_cause
    def source_asset(
        context: AssetExecutionContext, lake: ResourceParam[Lake]
    ) -> MaterializeResult:
        problem.begin(lake)
        marker = require_marker(lake, source.kinds)
        days = asked_days(context)
        outcomes = source.take(lake, marker, days, context.log.info)
        # A command asks for what a source has, or for what its user named.
        if COMMAND_TAG not in context.run.tags:
            outcomes = _passing_over(
                outcomes, days_not_needed(lake, source.table.name, graph, days)
            )
        is_drawn = source.covers and len(days) > MOST_DAYS_LISTED
        metadata_of_run = partial(coverage_metadata, problem, lake) if is_drawn else dict
        return materialize_days(context, lake, source.table, outcomes, metadata_of_run)

    return source_asset


def days_not_needed(lake: Lake, table: str, graph: SqlGraph, days: DayRange) -> set[date]:
    """The days of a range that every table made from a source can do without: it may lack any day,
    or another source stands in for it on this one."""
    found = set(days)
    for file in graph.files.values():
        if table not in file.reads or file.reads[table].optional or file.reads[table].decides:
            continue
        standing_in = file.alternatives if table == file.driver else {}
        found &= {day for other in standing_in for day in lake.days(other, days)}
    return found


def _passing_over(
    outcomes: Iterable[DayOutcome], not_needed: AbstractSet[date]
) -> Iterator[DayOutcome]:
    for outcome in outcomes:
        if outcome.status is Status.SKIPPED and outcome.day in not_needed:
            yield replace(outcome, status=Status.NOTHING)
        else:
            yield outcome


def coverage_metadata(problem: Problem, lake: Lake) -> dict[str, MetadataValue]:
    """The picture of which day is known from which source."""
    from ghstars_assets.reporting.charts.source_coverage_chart import source_coverage_chart
    from ghstars_assets.reporting.rendering import markdown_image
    from ghstars_assets.reporting.source_coverage import source_coverage

    lanes = source_coverage(lake, problem)
    if not lanes:
        return {}
    image = markdown_image(source_coverage_chart(lanes), "source coverage")
    return {"coverage": MetadataValue.md(image)}
