"""Makes a Dagster asset of the backtest, and of its report what the UI shows."""

from datetime import date, timedelta
from typing import Any, Literal

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetsDefinition,
    BackfillPolicy,
    Config,
    DagsterInstance,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)
from pydantic import Field

from ghstars_assets.calendar import MONDAY, DayRange, parse_day
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.backtest import Backtest
from ghstars_assets.learning.evaluation.skill import SkillReport, measure_skill
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.registry.mlflow_tracking import Tracking
from ghstars_assets.learning.tables import backtest_table
from ghstars_assets.learning.training.training_set import labelled_days
from ghstars_assets.learning.wiring import Wired
from ghstars_assets.orchestration.assets.events import asked_days, table_attributes
from ghstars_assets.orchestration.partitions import (
    asset_key,
    depends_on_days_of_month,
    monthly_partitions,
)
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.reporting.charts.skill_charts import (
    error_by_month_chart,
    interval_coverage_chart,
)
from ghstars_assets.reporting.rendering import markdown_image
from ghstars_assets.reporting.skill_report import report_files, report_markdown

SHOWN_MEASURES = ("n", "mae", "skill_vs_naive", "coverage_80", "coverage_95")


class BacktestConfig(Config):
    """Which days are forecast again, and how."""

    retrain: Literal["monthly", "weekly", "never"] = "monthly"
    is_expanding: bool = Field(False, description="learn from all days before, not the latest ones")
    first_day: str = Field("", description="where to begin within the first month")
    last_day: str = Field("", description="where to end within the last month")


def build_backtest_asset(problem: Problem, wired: Wired, first_day: date) -> AssetsDefinition:
    columns = wired.columns[problem.name]
    table = backtest_table(problem, columns)

    @asset(
        **table_attributes(table),
        partitions_def=monthly_partitions(first_day),
        backfill_policy=BackfillPolicy.single_run(),
        deps=[depends_on_days_of_month(problem.table(name)) for name in ("features", "labels")],
        kinds={"lightgbm", "parquet", "mlflow"},
    )
    @fails_by_cause
    def backtest(
        context: AssetExecutionContext, config: BacktestConfig, lake: ResourceParam[Lake]
    ) -> MaterializeResult:
        months = asked_days(context)
        newest = lake.days(problem.table("features"))[-1:]
        last = DayRange(months.last, months.last + timedelta(days=31)).months()[0].last
        days = DayRange(
            parse_day(config.first_day) if config.first_day else months.first,
            parse_day(config.last_day) if config.last_day else min([last, *newest]),
        )
        past = Backtest(
            lake,
            problem,
            wired,
            problem.training,
            config.retrain,
            context.log.info,
            config.is_expanding,
        )
        for outcome in past.run(days):
            if outcome.day == last or outcome.day.weekday() == MONDAY:
                context.log.info(f"{table.name}: forecast up to {outcome.day}")
        if not labelled_days(lake, problem, days):
            why = "no outcome of these days is known yet, so nothing could be measured"
            return MaterializeResult(metadata={"report": why})
        report = measure_skill(lake, problem, columns.baselines, days, past.part)
        run_id = Tracking(lake.settings, problem.name).record_backtest(report, report_files(report))
        return MaterializeResult(metadata=backtest_metadata(report, run_id))

    return backtest


def backtest_metadata(report: SkillReport, mlflow_run_id: str) -> dict[str, Any]:
    """Tables and curves of a backtest, for the UI."""
    measured = {name: report.overall[name] for name in SHOWN_MEASURES}
    return {
        "backtested": f"{report.days}, retrained {report.mode}",
        **{name: value for name, value in measured.items() if value is not None},
        "report": MetadataValue.md(report_markdown(report)),
        "error_by_month": MetadataValue.md(
            markdown_image(error_by_month_chart([report]), "error by month")
        ),
        "coverage_by_level": MetadataValue.md(
            markdown_image(interval_coverage_chart(report), "interval coverage by decile")
        ),
        "mlflow_run_id": mlflow_run_id,
    }


def report_backtest(
    instance: DagsterInstance, table: str, report: SkillReport, mlflow_run_id: str
) -> None:
    """Record the months of which a command made a backtest; the newest carries the report."""
    months = report.days.months()
    for month in months:
        measured = [row for row in report.by_month if row["month"] == f"{month.first:%Y-%m}"]
        metadata: dict[str, Any] = {name: measured[0][name] for name in SHOWN_MEASURES if measured}
        if month is months[-1]:
            metadata |= backtest_metadata(report, mlflow_run_id)
        instance.report_runless_asset_event(
            AssetMaterialization(
                asset_key(table),
                partition=str(month.first.replace(day=1)),
                metadata={name: value for name, value in metadata.items() if value is not None},
            )
        )
