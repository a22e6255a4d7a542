"""The audit log in Dagster's UI: one asset that shows what happened last, and how often what did.

Its rows are appended by whatever happens; materializing it writes nothing and shows them.
"""

from collections.abc import Iterator, Sequence

import polars as pl
from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AutomationCondition,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)

from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.assets.events import table_attributes
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.orchestration.retries import fails_by_cause

SHOWN = 100
MOST_LETTERS = 300
"""Of a reason or a detail."""
DECIDING_STAGES = ("model", "champion", "health")
"""The stages that decide something."""


def build_audit_asset(problems: Sequence[Problem]) -> AssetsDefinition:
    @asset(
        **table_attributes(AUDIT),
        deps=[asset_key(problem.table(stage)) for problem in problems for stage in DECIDING_STAGES],
        kinds={"parquet"},
        # After they have run, never beside them. News that comes while it runs is news at the next
        # tick: nothing is remembered that could be forgotten.
        automation_condition=AutomationCondition.any_deps_match(
            AutomationCondition.newly_updated()
        ),
    )
    @fails_by_cause
    def audit(context: AssetExecutionContext, lake: ResourceParam[Lake]) -> MaterializeResult:
        log = lake.read_log(AUDIT.name)
        if log is None:
            context.log.info("nothing has happened yet")
            return MaterializeResult(metadata={"dagster/row_count": 0})
        counts = {f"events_{event}": count for event, count in counted(log).items()}
        table = MetadataValue.md(as_markdown(log.tail(SHOWN).reverse()))
        return MaterializeResult(
            metadata={"dagster/row_count": log.height, "latest": table, **counts}
        )

    return audit


def counted(log: pl.DataFrame) -> dict[str, int]:
    """How often each event happened, by its name."""
    return dict(log.group_by("event").len().sort("event").iter_rows())


def as_markdown(rows: pl.DataFrame) -> str:
    header = "| " + " | ".join(AUDIT.column_names) + " |"
    ruler = "|" + " --- |" * len(AUDIT.column_names)
    return "\n".join([header, ruler, *_lines(rows)])


def _lines(rows: pl.DataFrame) -> Iterator[str]:
    shown = rows.with_columns(pl.col("at").dt.strftime("%Y-%m-%d %H:%M:%S"))
    for row in shown.select(AUDIT.column_names).iter_rows():
        yield "| " + " | ".join(_cell(value) for value in row) + " |"


def _cell(value: object) -> str:
    text = " ".join(str("" if value is None else value).split())
    cut = text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"
    return cut.replace("|", "\\|")
