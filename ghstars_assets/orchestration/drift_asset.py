"""Makes a Dagster asset of `drift`, with two checks that tell of each day and hold nothing up."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl
from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetIn,
    AssetsDefinition,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    asset,
)

from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.drift import drift_days
from ghstars_assets.learning.monitoring.drift_summary import drift_on
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.orchestration.automation import catches_up
from ghstars_assets.orchestration.events import asked_days, asset_facts, materialize_days
from ghstars_assets.orchestration.partitions import asset_key, daily_partitions, depends_on
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.orchestration.sql_assets import check_events
from ghstars_assets.reporting.drift_report import drift_markdown, drifted_share_svg, shares_up_to
from ghstars_assets.reporting.source_coverage_picture import as_markdown_image
from ghstars_assets.settings import current_settings
from ghstars_assets.sql_tables.checks import DayCheck

FEW_FEATURES, STEADY_TARGET = "few_features_drifted", "target_is_steady"


def build_drift_asset(
    problem: Problem, columns: LearningColumns, first_day: date
) -> AssetsDefinition:
    table = loop_tables(problem)["drift"]
    key = asset_key(table.name)
    much = problem.gates.drifted_share

    @asset(
        **asset_facts(table),
        backfill_policy=BackfillPolicy.single_run(),
        kinds={"scipy", "parquet"},
        # In its first days a home has forecasts, and none of them has come due.
        automation_condition=catches_up(may_lack=[problem.table("scores")]),
        ins={"champion": AssetIn(asset_key(problem.table("champion")))},
        # The newest days; those before them are read as they are.
        deps=[
            depends_on(problem.table("features")),
            depends_on(problem.table("predictions")),
            depends_on(problem.table("scores"), -problem.horizon_days),
        ],
        partitions_def=daily_partitions(first_day),
        check_specs=[
            AssetCheckSpec(
                FEW_FEATURES,
                asset=key,
                description=f"under {much.value:.0%} of the features have drifted: {much.because}",
            ),
            AssetCheckSpec(
                STEADY_TARGET,
                asset=key,
                description="the outcomes that have come due lie as those of the training rows do",
            ),
        ],
    )
    @fails_by_cause
    def drift(
        context: AssetExecutionContext, champion: pl.LazyFrame
    ) -> Iterator[MaterializeResult | AssetCheckEvaluation | AssetCheckResult]:
        lake = Lake(current_settings())
        versions = dict(champion.select("day", "model_version").collect().iter_rows())
        done: list[DayOutcome] = []

        def outcomes() -> Iterator[DayOutcome]:
            for outcome in drift_days(lake, problem, columns, versions, asked_days(context)):
                done.append(outcome)
                yield outcome

        def told_of_run() -> dict[str, Any]:
            written = [outcome.day for outcome in done if outcome.status is Status.WRITTEN]
            return drift_metadata(lake, problem, written[-1]) if written else {}

        yield materialize_days(context, lake, table, outcomes(), told_of_run)
        judged = (outcome.day for outcome in done if outcome.status is Status.WRITTEN)
        checks = (check for day in judged for check in drift_checks(lake, problem, day))
        yield from check_events(context, list(checks))

    return drift


def drift_metadata(lake: Lake, problem: Problem, day: date) -> dict[str, MetadataValue]:
    """The features of the newest day, most drifted first, and how many they were lately."""
    rows = lake.read(problem.table("drift"), day)
    shares = shares_up_to(lake, problem, day)
    chart = drifted_share_svg(shares, problem.gates.drifted_share.value)
    return {
        "drift": MetadataValue.md(drift_markdown(rows, problem.gates)),
        "drifted_share": MetadataValue.float(shares[day]),
        "drifted_share_by_day": MetadataValue.md(as_markdown_image(chart, "share drifted by day")),
    }


def drift_checks(lake: Lake, problem: Problem, day: date) -> Iterator[DayCheck]:
    """Drift alone is no reason to stop: whether it hurts shows in the scores."""
    rows = lake.read(problem.table("drift"), day)
    found = drift_on(rows, problem.gates)
    share = found.drifted_share or 0.0
    most = problem.gates.drifted_share.value
    listed = ", ".join(found.drifted)
    yield DayCheck(
        FEW_FEATURES,
        day,
        is_passed=share < most,
        description=(
            f"{len(found.drifted)} of {found.features} features have drifted"
            + (f": {listed}" if listed else "")
        ),
        is_warning=True,
        figures={"share": share, "threshold": most},
    )
    target = rows.filter(pl.col("kind") == "target")
    reasons = target["reason"].to_list()
    yield DayCheck(
        STEADY_TARGET,
        day,
        is_passed=not found.is_target_drifted,
        description="; ".join(filter(None, reasons))
        or ("steady" if reasons else "no forecast has come due yet"),
        is_warning=True,
        figures={"rows": int(target["rows"].sum())},
    )
