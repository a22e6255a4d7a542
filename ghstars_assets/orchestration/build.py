"""Everything Dagster sees, assembled in one place."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dagster import Definitions, in_process_executor

from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.audit_asset import build_audit_asset
from ghstars_assets.orchestration.automation import (
    build_automation_sensor,
    build_schedules,
    catches_up,
)
from ghstars_assets.orchestration.freshness import with_freshness
from ghstars_assets.orchestration.health_asset import build_force_job
from ghstars_assets.orchestration.io_manager import LakeIOManager
from ghstars_assets.orchestration.loop_assets import build_loop_assets, coverage_metadata
from ghstars_assets.orchestration.retraining_sensor import build_retraining_sensor
from ghstars_assets.orchestration.sql_assets import build_sql_asset
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import SQL_ROOT, Settings, current_settings


def build_defs(
    settings: Settings | None = None,
    problems: Sequence[Problem] | None = None,
    sql_root: Path = SQL_ROOT,
) -> Definitions:
    """All assets, checks, jobs, schedules and sensors; tests pass problems of their own."""
    settings = settings or current_settings()
    problems = list(all_problems().values()) if problems is None else problems
    marker = read_marker(Lake(settings))
    wired = wire(problems, sql_root)
    assets = []
    for problem in problems:
        first_day = (marker and marker.first_day) or problem.first_day
        assets += build_loop_assets(problem, wired, first_day)
        told_of_many = {problem.table("snapshots"): partial(coverage_metadata, problem)}
        assets += [
            build_sql_asset(
                file,
                wired.graph,
                first_day,
                catches_up(file.reads),
                told_of_many.get(name, lambda _lake: {}),
            )
            for name, file in wired.graph.files.items()
            if name.startswith(f"{problem.name}.")
        ]
    assets.append(build_audit_asset(problems))
    return Definitions(
        assets=with_freshness(assets, problems, settings),
        schedules=build_schedules(problems, settings),
        sensors=[build_automation_sensor(), *map(build_retraining_sensor, problems)],
        jobs=[build_force_job(problem) for problem in problems],
        resources={"io_manager": LakeIOManager()},
        # A step already takes every core through DuckDB or LightGBM; a process for each would add
        # seconds of imports to every asset and run several memory limits side by side.
        executor=in_process_executor,
    )
