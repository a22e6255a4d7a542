"""Makes a Dagster asset of each source."""

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

from ghstars_assets.lake.marker import require_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.assets.events import (
    MOST_DAYS_LISTED,
    asked_days,
    materialize_days,
    table_attributes,
)
from ghstars_assets.orchestration.partitions import daily_partitions, depends_on
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.sources.source import Source


def build_source_asset(problem: Problem, source: Source, first_day: date) -> AssetsDefinition:
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
        is_drawn = source.covers and len(days) > MOST_DAYS_LISTED
        metadata_of_run = partial(coverage_metadata, problem, lake) if is_drawn else dict
        return materialize_days(context, lake, source.table, outcomes, metadata_of_run)

    return source_asset


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
