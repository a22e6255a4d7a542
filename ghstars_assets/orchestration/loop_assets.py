"""Makes Dagster assets of a problem's sources and of the stages of its learning loop."""

import json
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Literal

import polars as pl
from dagster import (
    AssetExecutionContext,
    AssetIn,
    AssetsDefinition,
    BackfillPolicy,
    Config,
    MaterializeResult,
    MetadataValue,
    asset,
)
from pydantic import Field

from ghstars_assets.calendar import MONDAY, DayRange, parse_day
from ghstars_assets.lake.marker import require_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.backtest import Backtest
from ghstars_assets.learning.evaluation.scores import score_days
from ghstars_assets.learning.evaluation.skill import measure_skill
from ghstars_assets.learning.forecasting.calibration import calibrate_days
from ghstars_assets.learning.forecasting.predictions import predict_days
from ghstars_assets.learning.monitoring.retraining_requests import record_answer
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.promotion.decisions import champions_of, decide
from ghstars_assets.learning.registry.champion_files import publish_champion
from ghstars_assets.learning.registry.mlflow_tracking import Tracking
from ghstars_assets.learning.tables import backtest_table, loop_tables
from ghstars_assets.learning.training.candidates_on_record import (
    obtain_candidate,
    point_alias_at_champion,
)
from ghstars_assets.learning.training.training_set import labelled_days
from ghstars_assets.learning.wiring import Wired
from ghstars_assets.orchestration.automation import carries_forward, catches_up
from ghstars_assets.orchestration.backtest_metadata import backtest_metadata
from ghstars_assets.orchestration.drift_asset import build_drift_asset
from ghstars_assets.orchestration.events import (
    MOST_DAYS_LISTED,
    asked_days,
    asset_facts,
    materialize_days,
)
from ghstars_assets.orchestration.health_asset import build_health_asset
from ghstars_assets.orchestration.partitions import (
    asset_key,
    daily_partitions,
    depends_on,
    depends_on_days_of_month,
    monthly_partitions,
)
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.settings import current_settings
from ghstars_assets.sources.source import Source


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

    def applied_to(self, training: Training) -> Training:
        given = {
            name: value
            for name, value in self.model_dump(
                exclude={"parameters", "cause", "evaluation"}
            ).items()
            if value is not None
        }
        # LightGBM takes no 31.0 for a whole number.
        numbers = {
            name: int(value) if value.is_integer() else value
            for name, value in self.parameters.items()
        }
        return replace(training, **given, parameters={**training.parameters, **numbers})


def build_loop_assets(problem: Problem, wired: Wired, first_day: date) -> list[AssetsDefinition]:
    loop = _Loop(problem, wired.columns[problem.name], first_day)
    return [
        *(_source_asset(problem, source, first_day) for source in problem.sources),
        loop.model(),
        loop.champion(),
        loop.calibration(),
        loop.predictions(),
        loop.scores(),
        build_drift_asset(problem, wired.columns[problem.name], first_day),
        build_health_asset(problem, first_day),
        _backtest_asset(problem, wired, first_day),
    ]


def _source_asset(problem: Problem, source: Source, first_day: date) -> AssetsDefinition:
    @asset(
        **asset_facts(source.table),
        partitions_def=daily_partitions(first_day),
        backfill_policy=BackfillPolicy.single_run(),
        deps=[depends_on(table) for table in source.reads],
        kinds={"source", "parquet"},
    )
    @fails_by_cause
    def source_asset(context: AssetExecutionContext) -> MaterializeResult:
        lake = Lake(current_settings())
        marker = require_marker(lake, source.kinds)
        days = asked_days(context)
        outcomes = source.take(lake, marker, days, context.log.info)
        is_drawn = source.covers and len(days) > MOST_DAYS_LISTED
        told_of_run = partial(coverage_metadata, problem, lake) if is_drawn else dict
        return materialize_days(context, lake, source.table, outcomes, told_of_run)

    return source_asset


class BacktestConfig(Config):
    """Which days are forecast again, and how."""

    retrain: Literal["monthly", "weekly", "never"] = "monthly"
    is_expanding: bool = Field(False, description="learn from all days before, not the latest ones")
    first_day: str = Field("", description="where to begin within the first month")
    last_day: str = Field("", description="where to end within the last month")


def _backtest_asset(problem: Problem, wired: Wired, first_day: date) -> AssetsDefinition:
    columns = wired.columns[problem.name]
    table = backtest_table(problem, columns)

    @asset(
        **asset_facts(table),
        partitions_def=monthly_partitions(first_day),
        backfill_policy=BackfillPolicy.single_run(),
        deps=[depends_on_days_of_month(problem.table(name)) for name in ("features", "labels")],
        kinds={"lightgbm", "parquet", "mlflow"},
    )
    @fails_by_cause
    def backtest(context: AssetExecutionContext, config: BacktestConfig) -> MaterializeResult:
        lake = Lake(current_settings())
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
            told = "no outcome of these days is known yet, so nothing could be measured"
            return MaterializeResult(metadata={"report": told})
        report = measure_skill(lake, problem, columns.baselines, days, past.part)
        run_id = Tracking(lake.settings, problem.name).record_backtest(report)
        return MaterializeResult(metadata=backtest_metadata(report, run_id))

    return backtest


def coverage_metadata(problem: Problem, lake: Lake) -> dict[str, MetadataValue]:
    """The picture of which day is known from which source."""
    from ghstars_assets.reporting.source_coverage import coverage_of
    from ghstars_assets.reporting.source_coverage_picture import as_markdown_image, coverage_svg

    lanes = coverage_of(lake, problem)
    return {"coverage": MetadataValue.md(as_markdown_image(coverage_svg(lanes)))} if lanes else {}


class _Loop:
    """The Python stages of one problem."""

    def __init__(self, problem: Problem, columns: LearningColumns, first_day: date) -> None:
        self.problem = problem
        self.columns = columns
        self.first_day = first_day
        self.tables = loop_tables(problem)

    def model(self) -> AssetsDefinition:
        problem, columns, table = self.problem, self.columns, self.tables["model"]

        @asset(
            **asset_facts(table),
            partitions_def=daily_partitions(self.first_day),
            deps=[
                depends_on(problem.table("features"), -problem.label_lag_days),
                depends_on(problem.table("labels"), -problem.label_lag_days),
            ],
            kinds={"lightgbm", "mlflow"},
        )
        @fails_by_cause
        def model(context: AssetExecutionContext, config: ModelConfig) -> MaterializeResult:
            lake, run = Lake(current_settings()), f"run {context.run.run_id}"
            obtained = obtain_candidate(
                lake,
                problem,
                columns,
                config.applied_to(problem.training),
                as_of=asked_days(context).last,
                dagster_run_id=context.run.run_id,
                progress=context.log.info,
                cause=config.cause,
                evaluation=config.evaluation,
            )
            if config.evaluation and obtained.row.get("evaluation") != config.evaluation:
                version = obtained.row["model_version"]
                record_answer(lake, problem, config.evaluation, config.cause, version, run)
            card = MetadataValue.md(obtained.row["card"])
            return MaterializeResult(metadata={**obtained.told(), "card": card})

        return model

    def champion(self) -> AssetsDefinition:
        problem, columns, table = self.problem, self.columns, self.tables["champion"]
        table_of_models = problem.table("model")

        @asset(
            **asset_facts(table),
            partitions_def=daily_partitions(self.first_day),
            backfill_policy=BackfillPolicy.single_run(),
            # It reads no features of its day, but a day without them needs no champion.
            deps=[depends_on(table_of_models), depends_on(problem.table("features"))],
            kinds={"mlflow"},
            automation_condition=carries_forward(problem),
        )
        @fails_by_cause
        def champion(context: AssetExecutionContext) -> pl.DataFrame:
            lake = Lake(current_settings())
            days = asked_days(context)
            trained = lake.days(table_of_models, days)
            for day in trained:
                for decision in decide(lake, problem, columns, day):
                    context.log.info(
                        f"{decision.decision} version {decision.model_version} from {day}: "
                        f"{decision.reason}"
                    )
            if trained:
                point_alias_at_champion(lake, problem)
            publish_champion(lake, problem)
            serving = champions_of(lake, problem, days)
            for row in serving.iter_rows(named=True):
                told = {name: row[name] for name in ("model_version", "decision", "reason")}
                figures = json.loads(row["figures"])
                compared = {"figures": MetadataValue.json(figures)} if figures else {}
                context.add_asset_metadata(
                    {"dagster/partition_row_count": 1, **told, **compared},
                    partition_key=str(row["day"]),
                )
            return serving

        return champion

    def calibration(self) -> AssetsDefinition:
        problem, columns, table = self.problem, self.columns, self.tables["calibration"]

        @asset(
            **asset_facts(table),
            backfill_policy=BackfillPolicy.single_run(),
            kinds={"polars", "parquet"},
            # Whoever follows repositories since yesterday has no label of a week ago, and is served
            # by what an archive knew.
            automation_condition=catches_up(may_lack=[problem.table("labels")]),
            ins={"champion": AssetIn(asset_key(problem.table("champion")))},
            # The outcome that came due today; the weeks before it are read as they are.
            deps=[depends_on(problem.table("labels"), -problem.horizon_days)],
            partitions_def=daily_partitions(self.first_day),
        )
        @fails_by_cause
        def calibration(
            context: AssetExecutionContext, champion: pl.LazyFrame
        ) -> MaterializeResult:
            lake = Lake(current_settings())
            versions = dict(champion.select("day", "model_version").collect().iter_rows())
            outcomes = calibrate_days(lake, problem, columns, versions, asked_days(context))
            materialized = materialize_days(context, lake, table, outcomes)
            publish_champion(lake, problem)
            return materialized

        return calibration

    def predictions(self) -> AssetsDefinition:
        problem, columns, table = self.problem, self.columns, self.tables["predictions"]

        @asset(
            **asset_facts(table),
            backfill_policy=BackfillPolicy.single_run(),
            kinds={"lightgbm", "parquet"},
            automation_condition=catches_up(),
            ins={"champion": AssetIn(asset_key(problem.table("champion")))},
            deps=[
                depends_on(problem.table("features")),
                depends_on(problem.table("calibration")),
            ],
            partitions_def=daily_partitions(self.first_day),
        )
        @fails_by_cause
        def predictions(
            context: AssetExecutionContext, champion: pl.LazyFrame
        ) -> MaterializeResult:
            lake = Lake(current_settings())
            versions = dict(champion.select("day", "model_version").collect().iter_rows())
            outcomes = predict_days(lake, problem, columns, versions, asked_days(context))
            return materialize_days(context, lake, table, outcomes)

        return predictions

    def scores(self) -> AssetsDefinition:
        problem, columns, table = self.problem, self.columns, self.tables["scores"]

        @asset(
            **asset_facts(table),
            backfill_policy=BackfillPolicy.single_run(),
            kinds={"polars", "parquet"},
            automation_condition=catches_up(),
            deps=[depends_on(problem.table("predictions")), depends_on(problem.table("labels"))],
            partitions_def=daily_partitions(self.first_day, problem.horizon_days),
        )
        @fails_by_cause
        def scores(context: AssetExecutionContext) -> MaterializeResult:
            lake = Lake(current_settings())
            outcomes = score_days(lake, problem, columns, asked_days(context))
            return materialize_days(context, lake, table, outcomes)

        return scores
