"""Makes a Dagster asset of each SQL file: its schema, lineage, checks and daily partitions."""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from itertools import groupby

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetsDefinition,
    AutomationCondition,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    TableColumnDep,
    TableColumnLineage,
    asset,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.plan import own_days
from ghstars_assets.orchestration.assets.check_events import check_events
from ghstars_assets.orchestration.assets.events import (
    MOST_DAYS_LISTED,
    Metadata,
    asked_days,
    materialize_days,
    table_schema,
)
from ghstars_assets.orchestration.partitions import asset_key, daily_partitions, depends_on
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.sql_tables.checks import DayCheck, check_descriptions
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets.sql_tables.header import SqlFile

MetadataOfMany = Callable[[Lake], Mapping[str, MetadataValue]]
"""Metadata of the whole table for a run of many days, beside that of every run."""


def build_sql_asset(
    file: SqlFile,
    graph: SqlGraph,
    first_day: date,
    automation: AutomationCondition,
    metadata_of_many: MetadataOfMany | None = None,
) -> AssetsDefinition:
    key = asset_key(file.table.name)

    @asset(
        key=key,
        description=file.table.description,
        deps=[
            *(depends_on(table, window.last_offset) for table, window in file.reads.items()),
            *(depends_on(table) for table in file.follows),
        ],
        partitions_def=daily_partitions(first_day, file.table.days_ahead),
        backfill_policy=BackfillPolicy.single_run(),
        automation_condition=automation,
        check_specs=[
            AssetCheckSpec(name, asset=key, description=description)
            for name, description in check_descriptions(file).items()
        ],
        code_version=file.code_version,
        group_name=file.path.parent.name,
        kinds={"duckdb", "sql", "parquet"},
        metadata={
            "dagster/column_schema": table_schema(file.table),
            "dagster/relation_identifier": file.table.name,
            "sql": MetadataValue.md(f"```sql\n{file.query}\n```"),
            "reads": {
                table: f"days {window.first_offset} to {window.last_offset}"
                for table, window in file.reads.items()
            },
        },
    )
    @fails_by_cause
    def sql_asset(
        context: AssetExecutionContext, lake: ResourceParam[Lake]
    ) -> Iterator[MaterializeResult | AssetCheckEvaluation | AssetCheckResult]:
        days = asked_days(context)
        checks: list[DayCheck] = []

        def outcomes() -> Iterator[DayOutcome]:
            own = set(own_days(lake, file.reads, list(days)))
            for part, is_own in _parted(days, own):
                if not is_own:
                    yield from (_nothing_of(day) for day in part)
                    continue
                for batch in fill(lake, file, graph.tables, part):
                    checks.extend(batch.checks)
                    yield from batch.outcomes

        def metadata_of_run() -> Metadata:
            is_long = len(days) > MOST_DAYS_LISTED
            many = metadata_of_many(lake) if metadata_of_many and is_long else {}
            return {**_lineage(file, graph), **many}

        yield materialize_days(context, lake, file.table, outcomes(), metadata_of_run)
        yield from check_events(context, checks)

    return sql_asset


def _parted(days: DayRange, own: AbstractSet[date]) -> Iterator[tuple[DayRange, bool]]:
    """A range cut where days of the table begin and end, and whether each part is of such days."""
    for is_own, group in groupby(days, lambda day: day in own):
        part = list(group)
        yield DayRange(part[0], part[-1]), is_own


def _nothing_of(day: date) -> DayOutcome:
    why = "no day of this table, for the source that decides has nothing of it"
    return DayOutcome(day, Status.NOTHING, reason=why)


def _lineage(file: SqlFile, graph: SqlGraph) -> dict[str, TableColumnLineage]:
    from ghstars_assets.sql_tables.lineage import column_sources

    deps = {
        column: [TableColumnDep(asset_key(table), name) for table, name in sources]
        for column, sources in column_sources(file, graph).items()
    }
    return {"dagster/column_lineage": TableColumnLineage(deps)} if deps else {}
