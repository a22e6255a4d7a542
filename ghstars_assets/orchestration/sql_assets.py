"""Makes a Dagster asset of each SQL file: its schema, lineage, checks and daily partitions."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetsDefinition,
    AutomationCondition,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    TableColumnDep,
    TableColumnLineage,
    asset,
)

from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.events import (
    MOST_DAYS_LISTED,
    Told,
    asked_days,
    materialize_days,
    table_schema,
)
from ghstars_assets.orchestration.partitions import asset_key, daily_partitions, depends_on
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.settings import current_settings
from ghstars_assets.sql_tables.checks import DayCheck, check_descriptions
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets.sql_tables.header import SqlFile
from ghstars_assets.sql_tables.lineage import column_sources

ToldOfMany = Callable[[Lake], Mapping[str, MetadataValue]]
"""What a run of many days tells of the whole table, beside what every run tells."""


def build_sql_asset(
    file: SqlFile,
    graph: SqlGraph,
    first_day: date,
    automation: AutomationCondition,
    told_of_many: ToldOfMany = lambda _lake: {},
) -> AssetsDefinition:
    key = asset_key(file.table.name)
    looks_ahead_days = max(0, *(window.last_offset for window in file.reads.values()))

    @asset(
        key=key,
        description=file.table.description,
        deps=[
            *(depends_on(table, window.last_offset) for table, window in file.reads.items()),
            *(depends_on(table) for table in file.follows),
        ],
        partitions_def=daily_partitions(first_day, looks_ahead_days),
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
        context: AssetExecutionContext,
    ) -> Iterator[MaterializeResult | AssetCheckEvaluation | AssetCheckResult]:
        lake = Lake(current_settings())
        days = asked_days(context)
        checks: list[DayCheck] = []

        def outcomes() -> Iterator[DayOutcome]:
            for batch in fill(lake, file, graph.tables, days):
                checks.extend(batch.checks)
                yield from batch.outcomes

        def told_of_run() -> Told:
            many = told_of_many(lake) if len(days) > MOST_DAYS_LISTED else {}
            return {**_lineage(file, graph), **many}

        yield materialize_days(context, lake, file.table, outcomes(), told_of_run)
        yield from check_events(context, checks)

    return sql_asset


def _lineage(file: SqlFile, graph: SqlGraph) -> dict[str, TableColumnLineage]:
    deps = {
        column: [TableColumnDep(asset_key(table), name) for table, name in sources]
        for column, sources in column_sources(file, graph).items()
    }
    return {"dagster/column_lineage": TableColumnLineage(deps)} if deps else {}


def check_events(
    context: AssetExecutionContext, checks: list[DayCheck]
) -> Iterator[AssetCheckEvaluation | AssetCheckResult]:
    """Each day has its own evaluation, and the run has one as a whole: Dagster wants a result for
    every check of a run, and stores that one without a partition, be it of a single day. In a long
    range the days that pass need none of their own: the run's speaks for them."""
    is_long = len(asked_days(context)) > MOST_DAYS_LISTED
    by_name: dict[str, list[DayCheck]] = defaultdict(list)
    for check in checks:
        by_name[check.name].append(check)
    for name in (key.name for key in context.selected_asset_check_keys):
        found = by_name[name]
        for check in found:
            if is_long and check.is_passed:
                continue
            yield AssetCheckEvaluation(
                asset_key=context.asset_key,
                check_name=name,
                passed=check.is_passed,
                severity=_severity([check]),
                description=check.description,
                metadata=check.figures,
                partition=str(check.day),
            )
        yield _overall(name, found)


def _overall(name: str, checks: list[DayCheck]) -> AssetCheckResult:
    failed = [check for check in checks if not check.is_passed]
    told = "; ".join(f"{check.day}: {check.description}" for check in failed[:5])
    return AssetCheckResult(
        check_name=name,
        passed=not failed,
        severity=_severity(failed),
        description=told or f"holds on {len(checks)} days",
        metadata={"days": len(checks), "failed_days": len(failed)}
        | (dict(checks[0].figures) if len(checks) == 1 else {}),
    )


def _severity(checks: list[DayCheck]) -> AssetCheckSeverity:
    is_error = any(not check.is_warning for check in checks)
    return AssetCheckSeverity.ERROR if is_error else AssetCheckSeverity.WARN
