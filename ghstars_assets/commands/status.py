"""`ghstars status`: what is fresh, missing, stale or failed, and what comes next."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.commands.console import Form, out, say_if_sandbox, show_frame
from ghstars_assets.lake.holes import declared_gaps
from ghstars_assets.lake.marker import Marker, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import first_championed_day
from ghstars_assets.learning.stages import (
    NEED_A_CHAMPION,
    Stage,
    first_told_day,
    held_back_days,
    newest_day,
    stages_of,
    stale_days,
)
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.runs import Recorded, dagster_instance
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import SQL_ROOT, Settings
from ghstars_assets.sources.github.tables import tables_of

RECENT_DAYS = 30
MONTHS_FOR_ALL_FEATURES_DAYS = 91
"""The longest feature looks back 90 days."""


@dataclass(frozen=True)
class StageStatus:
    stage: str
    newest: date | None
    days: int
    missing: int
    stale: int
    failed: int
    state: str


def status_of(settings: Settings, problem: Problem, recorded: Recorded) -> list[StageStatus]:
    """Each stage over the last month, against the newest day that its sources can give."""
    lake = Lake(settings)
    marker = read_marker(lake)
    wired = wire([problem], SQL_ROOT)
    newest = newest_day(lake, problem, marker)
    return [
        _stage_status(lake, problem, stage, newest, marker, recorded)
        for stage in stages_of(problem, wired, marker)
    ]


def status_frame(statuses: list[StageStatus]) -> pl.DataFrame:
    return pl.DataFrame([asdict(status) for status in statuses], infer_schema_length=None)


def _stage_status(
    lake: Lake,
    problem: Problem,
    stage: Stage,
    newest: date,
    marker: Marker | None,
    recorded: Recorded,
) -> StageStatus:
    stored = lake.days(stage.table)
    due = _due_days(lake, problem, stage, newest, marker)
    held_back = held_back_days(lake, problem, stage, DayRange(due[0], due[-1])) if due else set()
    due = [day for day in due if day not in held_back]
    missing = [day for day in due if day not in set(stored)]
    stale = (
        [day for day in stale_days(lake, stage, DayRange(due[0], due[-1])) if day in set(stored)]
        if due and stage.name != "model"
        else []
    )
    failed = recorded.failed_days(stage.table)
    state = "failed" if failed else "missing" if missing else "stale" if stale else "fresh"
    if not due and not stored:
        state = "not due yet"
    return StageStatus(
        stage.name,
        stored[-1] if stored else None,
        len(stored),
        len(missing),
        len(set(stale) & set(due)),
        len(failed),
        state,
    )


def _due_days(
    lake: Lake, problem: Problem, stage: Stage, newest: date, marker: Marker | None
) -> list[date]:
    """The days of the last month that this stage should hold."""
    ahead = problem.horizon_days if stage.name == "scores" else stage.looks_ahead_days
    last = newest - timedelta(days=ahead)
    begins = (marker and marker.first_day) or first_told_day(lake, problem) or last
    first = max(last - timedelta(days=RECENT_DAYS - 1), begins)
    days = list(DayRange(first, last)) if first <= last else []
    if stage.name == "model":
        log = lake.days(stage.table)
        return [
            day
            for day in days
            if day.weekday() == problem.training_weekday and log and day >= log[0]
        ]
    if stage.name in ("champion", *NEED_A_CHAMPION):
        first_served = first_championed_day(lake, problem)
        return [day for day in days if first_served and day >= first_served]
    if not stage.source:
        return stage.own_days(lake, days)
    # What a source had before it began, and after a history ended, was never due.
    stored = lake.days(stage.table)
    if stage.source.is_history or not stored:
        return []
    gaps = declared_gaps(lake, problem.name)
    return [day for day in days if day not in gaps and day >= stored[0]]


def show_status(settings: Settings, form: Form) -> int:
    """Print it; 3 when something is missing, stale or failed."""
    needs_attention = False
    say_if_sandbox(Lake(settings))
    with dagster_instance(settings) as instance:
        recorded = Recorded(instance)
        for problem in all_problems().values():
            statuses = status_of(settings, problem, recorded)
            needs_attention |= any(
                status.state in ("failed", "missing", "stale") for status in statuses
            )
            show_frame(status_frame(statuses), form, f"{problem.name}: {problem.question}")
            if form == "table":
                for line in _told_by_sources(settings, problem):
                    out().print(line, highlight=False)
                for line in thin_forecasts(Lake(settings), problem):
                    out().print(line, highlight=False)
                out().print(next_steps(settings, problem, statuses), highlight=False)
    return 3 if needs_attention else 0


def _told_by_sources(settings: Settings, problem: Problem) -> Iterator[str]:
    lake = Lake(settings)
    marker = read_marker(lake)
    for source in problem.sources:
        if marker and marker.kind in source.kinds and source.status_line:
            told = source.status_line(lake, marker)
            if told:
                yield told


def thin_forecasts(lake: Lake, problem: Problem) -> Iterator[str]:
    """What the forecasts for the tracked rest on as long as their own past is short, and when that
    will be better."""
    if not lake.days(tables_of(problem.name).github.name):
        return
    own = lake.days(tables_of(problem.name).github.name)
    first, days = own[0], len(own)
    if days >= MONTHS_FOR_ALL_FEATURES_DAYS:
        return
    horizon = problem.horizon_days
    milestones = [
        (first + timedelta(days=horizon), "the first of them can be checked against the truth"),
        (first + timedelta(days=28), "four weeks of their own carry the forecasts"),
        (first + timedelta(days=MONTHS_FOR_ALL_FEATURES_DAYS), "every feature is their own"),
    ]
    ahead = [f"{day} {what}" for day, what in milestones if day > own[-1]]
    yield (
        f"Thin: the tracked repositories have {days} {'day' if days == 1 else 'days'} of their own "
        f"snapshots, since {first}; before that their past is what star history tells. "
        f"Better: {'; '.join(ahead)}."
    )


def next_steps(settings: Settings, problem: Problem, statuses: list[StageStatus]) -> str:
    """What a user should do, or what happens by itself and when."""
    if not any(status.days for status in statuses):
        return (
            "Nothing is stored yet. Run `ghstars demo` for the sandbox, or `ghstars track "
            "OWNER/NAME` for GitHub."
        )
    behind = [status.stage for status in statuses if status.state in ("missing", "stale")]
    failed = [status.stage for status in statuses if status.state == "failed"]
    lines = []
    if failed:
        lines.append(f"Failed: {', '.join(failed)}; the reason is in the UI (`ghstars up`).")
    if behind:
        newest = max(status.newest for status in statuses if status.newest)
        first = newest - timedelta(days=RECENT_DAYS - 1)
        lines.append(
            f"Behind: {', '.join(behind)}; `ghstars backfill {problem.name} --from {first} --to "
            "yesterday` catches up."
        )
    lines.append(
        f"While `ghstars up` runs: the next day at `{settings.daily_cron}` and the next candidate "
        f"at `{settings.weekly_cron}` (cron, UTC)."
    )
    return "\n".join(lines)
