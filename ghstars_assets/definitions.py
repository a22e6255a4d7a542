"""Everything Dagster sees, assembled in one place."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dagster import Definitions, in_process_executor

from ghstars_assets.automation import build_automation_sensor, build_schedules, catches_up
from ghstars_assets.freshness import with_freshness
from ghstars_assets.io_manager import LakeIOManager
from ghstars_assets.lake.claim import read_claim
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.assets import build_loop_assets, coverage_metadata
from ghstars_assets.learning.audit_assets import build_audit_asset
from ghstars_assets.learning.health_assets import build_force_job
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.retraining_sensor import build_retraining_sensor
from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import SQL_ROOT, Settings, current_settings
from ghstars_assets.sqlassets.assets import build_sql_asset


def build_defs(
    settings: Settings | None = None,
    problems: Sequence[Problem] | None = None,
    sql_root: Path = SQL_ROOT,
) -> Definitions:
    """All assets, checks, jobs, schedules and sensors; tests pass problems of their own."""
    settings = settings or current_settings()
    problems = list(all_problems().values()) if problems is None else problems
    held = read_claim(Lake(settings))
    wired = wire(problems, sql_root)
    assets = []
    for problem in problems:
        first_day = (held and held.first_day) or problem.first_day
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


defs = build_defs()
