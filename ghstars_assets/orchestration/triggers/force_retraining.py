"""The job by which a user forces a retraining from Dagster's UI."""

import getpass
from collections.abc import Iterator

from dagster import (
    AssetCheckEvaluation,
    AssetMaterialization,
    Config,
    JobDefinition,
    OpExecutionContext,
    ResourceParam,
    job,
    op,
)
from pydantic import Field

from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.retraining_requests import (
    day_of_request,
    request_retraining,
)
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.stage_runner import StageRunner
from ghstars_assets.learning.stages import loop_stage
from ghstars_assets.orchestration.assets.check_events import day_evaluations
from ghstars_assets.orchestration.assets.events import outcome_metadata
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.orchestration.retries import fails_by_cause


class ForceConfig(Config):
    why: str = Field(description="why a new version is wanted; kept with it")


def build_force_job(problem: Problem, columns: LearningColumns) -> JobDefinition:
    """Records the request and fills the health of the day again; the sensor sees it and asks for
    the runs."""
    health = loop_stage(problem, "health")

    @op(name=f"request_retraining_of_{problem.name}", out={})
    @fails_by_cause
    def request(
        context: OpExecutionContext, config: ForceConfig, lake: ResourceParam[Lake]
    ) -> Iterator[AssetMaterialization | AssetCheckEvaluation]:
        day = day_of_request(lake, problem)
        actor = f"user {getpass.getuser()}, run {context.run_id}"
        number = request_retraining(lake, problem, config.why, actor, day)
        context.log.info(f"request {number} to retrain {problem.name} is open on {day}")
        (outcome,) = StageRunner(lake, problem, columns, health).fill([day])
        if not outcome.is_stored:
            raise GhstarsError(f"{health.table.name} {day}: {outcome.reason}.")
        yield AssetMaterialization(
            asset_key(health.table.name), partition=str(day), metadata=outcome_metadata(outcome)
        )
        rows = lake.read(health.table.name, day)
        checks = [check.evaluate(problem, day, rows) for check in health.checks if rows.height]
        yield from day_evaluations(asset_key(health.table.name), checks)

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
