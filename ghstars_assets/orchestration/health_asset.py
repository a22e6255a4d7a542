"""Makes Dagster assets of health: the asset, its check for each day, and the job that forces."""

import getpass
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetIn,
    AssetMaterialization,
    AssetsDefinition,
    BackfillPolicy,
    Config,
    Failure,
    JobDefinition,
    MaterializeResult,
    MetadataValue,
    OpExecutionContext,
    asset,
    job,
    op,
)
from pydantic import Field

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.health import health_days
from ghstars_assets.learning.monitoring.retraining import Verdict
from ghstars_assets.learning.monitoring.retraining_requests import (
    day_of_request,
    request_retraining,
)
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import champions_of
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.orchestration.automation import catches_up
from ghstars_assets.orchestration.events import (
    MOST_DAYS_LISTED,
    asked_days,
    asset_facts,
    materialize_days,
    outcome_metadata,
)
from ghstars_assets.orchestration.partitions import asset_key, daily_partitions, depends_on
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.settings import current_settings

CHECK = "no_retraining_due"
SHOWN_DAYS = 30

Row = Mapping[str, Any]


def check_key(problem: Problem) -> AssetCheckKey:
    return AssetCheckKey(asset_key(problem.table("health")), CHECK)


def build_health_asset(problem: Problem, first_day: date) -> AssetsDefinition:
    table = loop_tables(problem)["health"]
    scores = problem.table("scores")
    key = asset_key(table.name)

    @asset(
        **asset_facts(table),
        backfill_policy=BackfillPolicy.single_run(),
        kinds={"polars", "parquet"},
        # In the first days of a version nothing that it forecast has come due.
        automation_condition=catches_up(may_lack=[scores]),
        ins={"champion": AssetIn(asset_key(problem.table("champion")))},
        deps=[depends_on(problem.table("drift")), depends_on(scores, -problem.horizon_days)],
        partitions_def=daily_partitions(first_day),
        # Without partitions of its own: with them each day's record would get its number when the
        # run is planned, and the sensor, which reads on from a number, would miss what it says.
        check_specs=[AssetCheckSpec(CHECK, asset=key, description=_CHECK_DESCRIPTION)],
    )
    @fails_by_cause
    def health(
        context: AssetExecutionContext, champion: pl.LazyFrame
    ) -> Iterator[MaterializeResult | AssetCheckEvaluation | AssetCheckResult]:
        lake = Lake(current_settings())
        days = asked_days(context)
        versions = dict(champion.select("day", "model_version").collect().iter_rows())
        judged: list[Row] = []
        outcomes = _with_reasons(
            lake, problem, health_days(lake, problem, versions, days), judged.append
        )
        is_long = len(days) > MOST_DAYS_LISTED
        try:
            result = materialize_days(
                context, lake, table, outcomes, lambda: _lately(lake, problem, days.last)
            )
        except Failure:
            # A day that could not be judged keeps no other from being heard.
            yield from evaluations(problem, judged, is_long=is_long)
            raise
        yield result
        yield from evaluations(problem, judged, is_long=is_long)
        yield _overall(judged)

    return health


def evaluations(
    problem: Problem, judged: Iterable[Row], *, is_long: bool = False
) -> Iterator[AssetCheckEvaluation]:
    """One a day, which the sensor reads. In a long range those that fail and the newest, which
    alone is acted on: without it the sensor would take an older one for the newest."""
    rows = list(judged)
    for row in rows:
        if is_long and not row["is_due"] and row is not rows[-1]:
            continue
        is_critical = row["decision"] == Verdict.REACTIVE
        yield AssetCheckEvaluation(
            asset_key=asset_key(problem.table("health")),
            check_name=CHECK,
            passed=not row["is_due"],
            severity=AssetCheckSeverity.ERROR if is_critical else AssetCheckSeverity.WARN,
            description=f"{row['decision']}: {row['reason']}",
            metadata={
                "day": str(row["day"]),
                "decision": row["decision"],
                "reason": row["reason"],
                "evaluation": f"{problem.name}:{row['day']}:{row['decision']}",
            },
            partition=str(row["day"]),
        )


class ForceConfig(Config):
    why: str = Field(description="why a new version is wanted; kept with it")


def build_force_job(problem: Problem) -> JobDefinition:
    """Asks for a retraining whatever the figures say; the sensor sees it and asks for the runs."""

    @op(name=f"request_retraining_of_{problem.name}", out={})
    def request(
        context: OpExecutionContext, config: ForceConfig
    ) -> Iterator[AssetMaterialization | AssetCheckEvaluation]:
        lake = Lake(current_settings())
        day = day_of_request(lake, problem)
        number = request_retraining(
            lake, problem, config.why, f"user {getpass.getuser()}, run {context.run_id}", day
        )
        context.log.info(f"request {number} to retrain {problem.name} is open on {day}")
        serving = champions_of(lake, problem, DayRange(day, day))
        versions = dict(serving.select("day", "model_version").iter_rows())
        judged: list[Row] = []
        found = health_days(lake, problem, versions, [day])
        for outcome in _with_reasons(lake, problem, found, judged.append):
            if not outcome.is_stored:
                raise GhstarsError(f"{problem.table('health')} {day}: {outcome.reason}.")
            yield AssetMaterialization(
                asset_key(problem.table("health")),
                partition=str(day),
                metadata=outcome_metadata(outcome),
            )
        yield from evaluations(problem, judged)

    @job(
        name=f"force_retraining_of_{problem.name}",
        description=(
            f"Ask for a new version of {problem.name} whatever the figures say, and for no "
            "cooldown; the sensor then trains it and has it decided on."
        ),
    )
    def force() -> None:
        request()

    return force


def _with_reasons(
    lake: Lake, problem: Problem, outcomes: Iterable[DayOutcome], judge: Callable[[Row], None]
) -> Iterator[DayOutcome]:
    """The days with what was said of them, which `judge` gets whole."""
    for outcome in outcomes:
        if outcome.rows:
            row = lake.read(problem.table("health"), outcome.day).row(0, named=True)
            judge(row)
            outcome = replace(outcome, reason=f"{row['decision']}: {row['reason']}")
        yield outcome


def _lately(lake: Lake, problem: Problem, last: date) -> dict[str, MetadataValue]:
    """The decisions of the last month, as a table that the UI renders."""
    table = problem.table("health")
    span = DayRange(last - timedelta(days=SHOWN_DAYS - 1), last)
    if not lake.days(table, span):
        return {}
    shown = ("day", "decision", "skill_vs_naive", "drifted_share", "reason")
    rows = lake.scan(table, span).select(shown).sort("day", descending=True).collect()
    lines = ["| day | decision | skill | drifted | reason |", "| --- | --- | --- | --- | --- |"]
    for day, decision, skill, share, reason in rows.iter_rows():
        told = ("" if value is None else f"{value:.2f}" for value in (skill, share))
        lines.append("| " + " | ".join([str(day), decision, *told, reason]) + " |")
    return {"decisions": MetadataValue.md("\n".join(lines))}


def _overall(judged: Iterable[Row]) -> AssetCheckResult:
    """Of the run; Dagster stores it without a partition, and the sensor leaves it alone."""
    rows = list(judged)
    due = [row for row in rows if row["is_due"]]
    told = "; ".join(f"{row['day']}: {row['reason']}" for row in due[-5:])
    return AssetCheckResult(
        check_name=CHECK,
        passed=not due,
        severity=AssetCheckSeverity.WARN,
        description=told or "no retraining is due",
        metadata={"days": len(rows), "due_days": len(due)},
    )


_CHECK_DESCRIPTION = (
    "Nobody asked for a retraining and the figures ask for none. Where this fails, the sensor "
    "trains a candidate and has it decided on."
)
