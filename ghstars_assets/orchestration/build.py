"""Everything Dagster sees, assembled in one place."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache, partial
from pathlib import Path

from dagster import AssetsDefinition, Definitions, definitions, in_process_executor

from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.stages import loop_stages
from ghstars_assets.learning.wiring import Wired, wire
from ghstars_assets.orchestration.assets.audit_asset import build_audit_asset
from ghstars_assets.orchestration.assets.backtest_asset import build_backtest_asset
from ghstars_assets.orchestration.assets.source_assets import (
    build_source_asset,
    coverage_metadata,
)
from ghstars_assets.orchestration.assets.sql_assets import build_sql_asset
from ghstars_assets.orchestration.assets.stage_assets import build_stage_asset
from ghstars_assets.orchestration.beta_warnings import no_beta_warnings
from ghstars_assets.orchestration.triggers.conditions import build_automation_sensor, catches_up
from ghstars_assets.orchestration.triggers.force_retraining import build_force_job
from ghstars_assets.orchestration.triggers.freshness import with_freshness
from ghstars_assets.orchestration.triggers.retraining_sensor import build_retraining_sensor
from ghstars_assets.orchestration.triggers.schedules import build_schedules
from ghstars_assets.orchestration.triggers.weekly_check import build_weekly_check
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import SQL_ROOT, Settings, load_settings


@definitions
def defs() -> Definitions:
    """Those of the home that the environment names, built when Dagster asks for them."""
    return _built_once()


@cache
def _built_once() -> Definitions:
    """A process that runs a step asks several times; a reload is another process."""
    return build_defs(load_settings())


def build_defs(
    settings: Settings, problems: Sequence[Problem] | None = None, sql_root: Path = SQL_ROOT
) -> Definitions:
    """All assets, checks, jobs, schedules and sensors of one home; whatever they need of it is
    handed in here, so two homes can live side by side. Tests pass problems of their own."""
    with no_beta_warnings():
        return _build_defs(settings, problems, sql_root)


def _build_defs(
    settings: Settings, problems: Sequence[Problem] | None, sql_root: Path
) -> Definitions:
    problems = list(all_problems().values()) if problems is None else problems
    lake = Lake(settings)
    marker = read_marker(lake)
    wired = wire(problems, sql_root)
    assets = [
        built
        for problem in problems
        for built in _assets_of(
            problem, wired, (marker and marker.first_day) or problem.first_day, lake
        )
    ]
    assets.append(build_audit_asset(problems))
    return Definitions(
        assets=with_freshness(assets, problems, settings),
        schedules=[
            *build_schedules(problems, settings),
            *(build_weekly_check(problem, wired) for problem in problems),
        ],
        sensors=[build_automation_sensor(), *map(build_retraining_sensor, problems)],
        jobs=[build_force_job(problem, wired.columns[problem.name]) for problem in problems],
        resources={"lake": lake},
        # A step already takes every core through DuckDB or LightGBM; a process for each would add
        # seconds of imports to every asset and run several memory limits side by side.
        executor=in_process_executor,
    )


def _assets_of(
    problem: Problem, wired: Wired, first_day: date, lake: Lake
) -> Iterator[AssetsDefinition]:
    columns = wired.columns[problem.name]
    for source in problem.sources:
        yield build_source_asset(problem, source, first_day, wired.graph)
    for stage in (*loop_stages(problem), *problem.own_stages):
        yield build_stage_asset(problem, columns, stage, first_day, lake)
    yield build_backtest_asset(problem, wired, first_day)
    metadata_of_many = {problem.table("snapshots"): partial(coverage_metadata, problem)}
    for name, file in wired.graph.files.items():
        if name.startswith(f"{problem.name}."):
            condition, metadata = catches_up(file.reads), metadata_of_many.get(name)
            yield build_sql_asset(file, wired.graph, first_day, condition, metadata)
