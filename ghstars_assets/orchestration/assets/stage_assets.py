"""Makes a Dagster asset of each stage of the learning loop."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSpec,
    AssetDep,
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    Config,
    Failure,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)
from pydantic import Field

from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.retraining_requests import record_answer
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.registry.mlflow_tracking import Tracking
from ghstars_assets.learning.stage import Stage
from ghstars_assets.learning.stage_runner import StageRunner
from ghstars_assets.learning.stages import CHAMPION
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.orchestration.assets.check_events import check_events
from ghstars_assets.orchestration.assets.events import (
    LAKE_SECONDS,
    Metadata,
    asked_days,
    materialize_days,
    table_attributes,
)
from ghstars_assets.orchestration.assets.stage_metadata import METADATA_OF_RUN
from ghstars_assets.orchestration.partitions import asset_key, daily_partitions, depends_on
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.orchestration.triggers.conditions import carries_forward, catches_up, waits_of
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets.sql_tables.checks import DayCheck


def build_stage_asset(
    problem: Problem, columns: LearningColumns, stage: Stage, first_day: date, lake: Lake
) -> AssetsDefinition:
    """One way for every stage; only the model, which is trained, has its own."""
    if stage.is_of_training_days:
        return _build_model_asset(problem, columns, stage, first_day)
    optional = [
        table
        for table, window in stage.inputs.items()
        if window.optional and table not in stage.without_arrow
    ]
    is_champion = stage.name == CHAMPION
    key = asset_key(stage.table.name)

    @asset(
        **table_attributes(stage.table),
        deps=_dependencies(stage),
        partitions_def=daily_partitions(first_day, stage.looks_ahead_days),
        backfill_policy=BackfillPolicy.single_run(),
        kinds=set(stage.kinds),
        automation_condition=(
            carries_forward(problem, lake)
            if is_champion
            else catches_up(may_lack=optional, waits=waits_of(problem, stage))
        ),
        # Without partitions of their own: with them each day's record would get its number when
        # the run is planned, and a sensor that reads on from a number would miss what it says.
        check_specs=[
            AssetCheckSpec(check.name, asset=key, description=check.describe(problem))
            for check in stage.checks
        ],
    )
    @fails_by_cause
    def stage_asset(
        context: AssetExecutionContext, lake: ResourceParam[Lake]
    ) -> Iterator[MaterializeResult | AssetCheckEvaluation | AssetCheckResult]:
        runner = StageRunner(lake, problem, columns, stage)
        written: list[date] = []
        checks: list[DayCheck] = []

        def outcomes() -> Iterator[DayOutcome]:
            for outcome in runner.fill(asked_days(context), context.log.info):
                if outcome.status is Status.WRITTEN:
                    written.append(outcome.day)
                    checks.extend(_checked(lake, problem, stage, outcome.day))
                yield outcome

        def metadata_of_run() -> Metadata:
            metadata = METADATA_OF_RUN.get(stage.name)
            return metadata(lake, problem, written) if metadata and written else {}

        try:
            result = materialize_days(context, lake, stage.table, outcomes(), metadata_of_run)
        except Failure:
            # A day that could not be filled keeps no other from being heard.
            yield from check_events(context, checks, is_of_failed_run=True)
            raise
        yield result
        yield from check_events(context, checks)

    return stage_asset


def _checked(lake: Lake, problem: Problem, stage: Stage, day: date) -> Iterator[DayCheck]:
    rows = lake.read(stage.table.name, day) if stage.checks else None
    for check in stage.checks:
        if rows is not None:
            yield check.evaluate(problem, day, rows)


def _dependencies(stage: Stage) -> list[AssetDep]:
    """Of each day on one day of every input, the newest of its window; see `depends_on`."""
    return [
        *(
            depends_on(table, window.last_offset)
            for table, window in stage.inputs.items()
            if table not in stage.without_arrow
        ),
        *(depends_on(table) for table in stage.follows),
    ]


class ModelConfig(Config):
    """How this one candidate is trained; what is left out is as the problem says."""

    window_days: int | None = Field(None, ge=14, description="days back that rows are taken from")
    every_nth_day: int | None = Field(None, ge=1, description="1 takes every day")
    most_rows: int | None = Field(None, ge=1000, description="beyond these, entities are sampled")
    rounds: int | None = Field(None, ge=1, description="trees")
    parameters: dict[str, float] = Field({}, description="LightGBM's own numbers")
    cause: str = Field("", description="why it is trained; kept with the version")
    evaluation: str = Field(
        "", description="the evaluation of health that asks for it; trained once"
    )
    request: int | None = Field(None, description="the number of the request that it answers")

    def applied_to(self, training: Training) -> Training:
        given = {
            name: value
            for name, value in self.model_dump(
                exclude={"parameters", "cause", "evaluation", "request"}
            ).items()
            if value is not None
        }
        # LightGBM takes no 31.0 for a whole number.
        numbers = {
            name: int(value) if value.is_integer() else value
            for name, value in self.parameters.items()
        }
        return replace(training, **given, parameters={**training.parameters, **numbers})


def _build_model_asset(
    problem: Problem, columns: LearningColumns, stage: Stage, first_day: date
) -> AssetsDefinition:
    @asset(
        **table_attributes(stage.table),
        deps=_dependencies(stage),
        partitions_def=daily_partitions(first_day),
        kinds=set(stage.kinds),
    )
    @fails_by_cause
    def model(
        context: AssetExecutionContext, config: ModelConfig, lake: ResourceParam[Lake]
    ) -> MaterializeResult:
        run = f"run {context.run.run_id}"
        obtained = obtain_candidate(
            lake,
            problem,
            columns,
            config.applied_to(problem.training),
            model_card,
            as_of=asked_days(context).last,
            dagster_run_id=context.run.run_id,
            progress=context.log.info,
            cause=config.cause,
            evaluation=config.evaluation,
            request=config.request,
        )
        if config.evaluation and obtained.row.get("evaluation") != config.evaluation:
            record_answer(
                lake,
                problem,
                evaluation=config.evaluation,
                cause=config.cause,
                request=config.request,
                version=obtained.row["model_version"],
                actor=run,
            )
        metadata: dict[str, MetadataValue | str | int | float] = {
            **obtained.metadata(),
            LAKE_SECONDS: round(obtained.seconds, 3),
            "card": MetadataValue.md(obtained.row["card"]),
        }
        page = Tracking(lake.settings, problem.name).page_of_run(obtained.row["mlflow_run_id"])
        if page:
            metadata["mlflow_run"] = MetadataValue.url(page)
        return MaterializeResult(metadata=metadata)

    return model
