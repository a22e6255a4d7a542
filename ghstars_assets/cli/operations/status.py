"""`ghstars status`: what is fresh, damaged, missing, stale or failed, and what comes next."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date

import click
import polars as pl

from ghstars_assets.calendar import DayRange, consecutive
from ghstars_assets.cli.console import print_line, say, say_if_sandbox, show_frame
from ghstars_assets.cli.parameters import pass_settings
from ghstars_assets.errors import DamagedFileError
from ghstars_assets.home.disk import space_of
from ghstars_assets.lake.holes import quarantined_days
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.checking import remedy_of
from ghstars_assets.learning.plan import Plan, stale_days
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.stage import Stage
from ghstars_assets.orchestration.backfill import plan_of
from ghstars_assets.orchestration.runs import Recorded, dagster_instance
from ghstars_assets.problems.platform import Form
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import Settings

RECENT_DAYS = 30
MOST_RANGES_LISTED = 3


@dataclass(frozen=True)
class StageStatus:
    stage: str
    newest: date | None
    days: int
    missing: int
    stale: int
    failed: int
    quarantined: int
    """Days that the gate held back whole, however long ago."""
    damaged: int
    state: str
    behind_since: date | None = None
    """The first day that is missing or stale."""


MOST_DAMAGE_SHOWN = 5


def status_of(plan: Plan, recorded: Recorded) -> list[StageStatus]:
    """Look at each stage over the last month, against the newest day that its sources can give."""
    return [_stage_status(plan, stage, recorded) for stage in plan.stages]


def status_frame(statuses: list[StageStatus]) -> pl.DataFrame:
    shown = [asdict(status) for status in statuses]
    return pl.DataFrame(shown, infer_schema_length=None).drop("behind_since")


def _stage_status(plan: Plan, stage: Stage, recorded: Recorded) -> StageStatus:
    stored = plan.lake.days(stage.table.name)
    damage = plan.recent_damage(stage, stored, RECENT_DAYS)
    due = plan.due_days(stage, RECENT_DAYS)
    span = DayRange(due[0], due[-1]) if due else None
    quarantined = plan.quarantined_days(stage, span) if span else set()
    due = [day for day in due if day not in quarantined]
    missing = [day for day in due if day not in set(stored)]
    stale: set[date] = set()
    if span and not stage.is_of_training_days:
        stale = set(stale_days(plan.lake, stage, span)) & set(stored) & set(due)
        stale -= damage.keys()
    failed = recorded.failed_days(stage.table.name)
    is_gated = stage.table.name == plan.problem.table("snapshots")
    held_back = quarantined_days(plan.lake, stage.table.name) if is_gated else {}
    states = {
        "damaged": damage,
        "failed": failed,
        "missing": missing,
        "stale": stale,
        "quarantined": held_back,
    }
    state = next((state for state, days in states.items() if days), "fresh")
    if not due and not stored:
        state = "not due yet"
    return StageStatus(
        stage.name,
        stored[-1] if stored else None,
        len(stored),
        len(missing),
        len(stale),
        len(failed),
        len(held_back),
        len(damage),
        state,
        min([*missing, *stale], default=None),
    )


def show_status(settings: Settings, form: Form) -> int:
    """Print it; 3 when something is damaged, missing, stale or failed."""
    needs_attention = False
    say_if_sandbox(Lake(settings))
    if not space_of(settings).is_enough:
        say(f"Little space: {space_of(settings)}; free some before the next run.")
    with dagster_instance(settings) as instance:
        recorded = Recorded(instance)
        for problem in all_problems().values():
            plan = plan_of(settings, problem)
            try:
                statuses = status_of(plan, recorded)
            except DamagedFileError as error:
                # A log: without it nobody knows which days are due.
                say(f"{problem.name}: {error}")
                needs_attention = True
                continue
            needs_attention |= any(
                status.state in ("damaged", "failed", "missing", "stale") for status in statuses
            )
            frame = status_frame(statuses)
            if form == "table":
                # Where there are such days a line below names them.
                frame = frame.drop("quarantined", "damaged")
            show_frame(frame, form, f"{problem.name}: {problem.question}")
            if form == "table":
                for line in _damage(plan, statuses):
                    print_line(line)
                for line in _lines_of_sources(settings, problem):
                    print_line(line)
                for line in _lines_of_quarantine(settings, problem):
                    print_line(line)
                for line in _notes(settings, problem):
                    print_line(line)
                print_line(next_steps(settings, problem, statuses))
    return 3 if needs_attention else 0


def _damage(plan: Plan, statuses: list[StageStatus]) -> Iterator[str]:
    """A sentence for each damaged day, with what makes it again."""
    lines = [
        f"{stage.table.name} of {day} is damaged ({why}); {remedy_of(plan, stage, day)} helps."
        for stage, status in zip(plan.stages, statuses, strict=True)
        if status.damaged
        for day, why in plan.recent_damage(
            stage, plan.lake.days(stage.table.name), RECENT_DAYS
        ).items()
    ]
    yield from lines[:MOST_DAMAGE_SHOWN]
    if len(lines) > MOST_DAMAGE_SHOWN:
        more = len(lines) - MOST_DAMAGE_SHOWN
        yield f"And {more} more; `ghstars check {plan.problem.name}` lists them all."


def _lines_of_sources(settings: Settings, problem: Problem) -> Iterator[str]:
    lake = Lake(settings)
    marker = read_marker(lake)
    for source in problem.sources:
        if not (marker and marker.kind in source.kinds and source.status_line):
            continue
        if line := source.status_line(lake, marker):
            yield line


def _lines_of_quarantine(settings: Settings, problem: Problem) -> Iterator[str]:
    """What is held back and why, and how it is let out."""
    table = problem.table("snapshots")
    held_back = quarantined_days(Lake(settings), table)
    for reason in dict.fromkeys(held_back.values()):
        days = sorted(day for day, why in held_back.items() if why == reason)
        ranges = consecutive(days)
        listed = ", ".join(str(one) for one in ranges[:MOST_RANGES_LISTED])
        listed += ", …" * (len(ranges) > MOST_RANGES_LISTED)
        first, last = ranges[0].first, ranges[0].last
        them = "it" if len(days) == 1 else "them"
        yield (
            f"Quarantined: {len(days):,} day{'s' * (len(days) != 1)} of {table} ({listed}), and "
            f"nothing is made from {them}: {reason}. Where that is wrong, `ghstars release "
            f"{problem.name} {first} {last} --why REASON` lets {them} out."
        )


def _notes(settings: Settings, problem: Problem) -> Iterator[str]:
    if problem.status_notes:
        yield from problem.status_notes(Lake(settings), problem)


def next_steps(settings: Settings, problem: Problem, statuses: list[StageStatus]) -> str:
    """What a user should do, or what happens by itself and when."""
    if not any(status.days for status in statuses):
        return f"Nothing is stored yet. Run {problem.how_to_begin}."
    behind = [status.stage for status in statuses if status.state in ("missing", "stale")]
    failed = [status.stage for status in statuses if status.state == "failed"]
    lines = []
    if failed:
        lines.append(f"Failed: {', '.join(failed)}; the reason is in the UI (`ghstars up`).")
    if behind:
        first = min(status.behind_since for status in statuses if status.behind_since)
        last = plan_of(settings, problem).newest_day
        lines.append(
            f"Behind: {', '.join(behind)}; `ghstars backfill {problem.name} --from {first} --to "
            f"{last}` catches up."
        )
    lines.append(
        f"While `ghstars up` runs: the next day at `{settings.daily_cron}` and the next candidate "
        f"at `{settings.weekly_cron}` (cron, UTC)."
    )
    return "\n".join(lines)


@click.command()
@click.option("--json", "is_json", is_flag=True)
@pass_settings
def status(settings: Settings, *, is_json: bool) -> None:
    """Show what is fresh, damaged, missing, stale or failed, and what comes next."""
    sys.exit(show_status(settings, "json" if is_json else "table"))
