"""What Dagster shows of a backtest: the report, its curves, and the months it is of."""

from typing import Any

from dagster import AssetMaterialization, DagsterInstance, MetadataValue

from ghstars_assets.learning.evaluation.skill import SkillReport
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.reporting.skill_report import (
    coverage_curve_svg,
    error_curve_svg,
    report_markdown,
)
from ghstars_assets.reporting.source_coverage_picture import as_markdown_image

TOLD_OF_BACKTEST = ("n", "mae", "skill_vs_naive", "coverage_80", "coverage_95")


def backtest_metadata(report: SkillReport, mlflow_run_id: str) -> dict[str, Any]:
    """Tables and curves of a backtest, for the UI."""
    measured = {name: report.overall[name] for name in TOLD_OF_BACKTEST}
    return {
        "replayed": f"{report.days}, retrained {report.mode}",
        **{name: value for name, value in measured.items() if value is not None},
        "report": MetadataValue.md(report_markdown(report)),
        "error_by_month": MetadataValue.md(
            as_markdown_image(error_curve_svg([report]), "error by month")
        ),
        "coverage_by_level": MetadataValue.md(
            as_markdown_image(coverage_curve_svg(report), "coverage by level")
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
        told: dict[str, Any] = {name: measured[0][name] for name in TOLD_OF_BACKTEST if measured}
        if month is months[-1]:
            told |= backtest_metadata(report, mlflow_run_id)
        instance.report_runless_asset_event(
            AssetMaterialization(
                asset_key(table),
                partition=str(month.first.replace(day=1)),
                metadata={name: value for name, value in told.items() if value is not None},
            )
        )
