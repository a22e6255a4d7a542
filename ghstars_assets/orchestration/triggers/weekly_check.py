"""The weekly look at every byte that a problem has stored; damage is a failed run in the UI."""

from functools import partial

from dagster import (
    DefaultScheduleStatus,
    JobDefinition,
    OpExecutionContext,
    ResourceParam,
    ScheduleDefinition,
    job,
    op,
)

from ghstars_assets.errors import DamagedFileError
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.checking import Checked, Kind, check
from ghstars_assets.learning.plan import Plan
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.wiring import Wired
from ghstars_assets.orchestration.retries import fails_by_cause
from ghstars_assets.orchestration.triggers.schedules import training_days

WEEKLY_CHECK_CRON = "30 2 * * 0"
"""Sunday night, UTC: neither the day's data nor the weekly candidate is made then."""
MOST_DAMAGE_LISTED = 10


def build_weekly_check(problem: Problem, wired: Wired) -> ScheduleDefinition:
    return ScheduleDefinition(
        name=f"{problem.name}_weekly_check",
        job=_check_job(problem, wired),
        cron_schedule=WEEKLY_CHECK_CRON,
        execution_timezone="UTC",
        default_status=DefaultScheduleStatus.RUNNING,
        description=f"Reads all that {problem.name} has stored and compares it with its checksums.",
    )


def _check_job(problem: Problem, wired: Wired) -> JobDefinition:
    @op(name=f"look_at_files_of_{problem.name}")
    @fails_by_cause
    def look(context: OpExecutionContext, lake: ResourceParam[Lake]) -> None:
        trains_on = partial(training_days, lake.settings.weekly_cron)
        plan = Plan(lake, problem, wired, read_marker(lake), trains_on)
        checked = check(plan, is_deep=True)
        for finding in checked.findings:
            if finding.kind is not Kind.DAMAGED:
                context.log.warning(str(finding))
        context.log.info(f"{checked.files:,} files of {problem.name} were looked at")
        if checked.is_damaged:
            raise DamagedFileError(_in_words(problem, checked))

    @job(
        name=f"check_{problem.name}",
        description=(
            f"Read every byte that {problem.name} has stored: is it what was written, are its rows "
            "of their day, is each key there once? It fails where something is damaged."
        ),
    )
    def check_files() -> None:
        look()

    return check_files


def _in_words(problem: Problem, checked: Checked) -> str:
    damaged = checked.of(Kind.DAMAGED)
    listed = "; ".join(f"{one}" for one in damaged[:MOST_DAMAGE_LISTED])
    more = len(damaged) - MOST_DAMAGE_LISTED
    return (
        f"{listed}{f'; and {more} more' if more > 0 else ''}. "
        f"`ghstars check {problem.name} --deep --mend` mends what can be mended."
    )
