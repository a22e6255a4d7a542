"""Mends what a check has found: sets damaged files aside and fills again what can be made again."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

from ghstars_assets.calendar import DayRange, consecutive, utc_now
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.footers import name_of
from ghstars_assets.lake.holes import declare_gaps
from ghstars_assets.lake.logs import Log
from ghstars_assets.lake.marker import require_marker
from ghstars_assets.learning.checking import Checked, Finding, Kind
from ghstars_assets.learning.plan import Plan
from ghstars_assets.learning.stage import Stage
from ghstars_assets.orchestration.backfill import backfill
from ghstars_assets.orchestration.runs import Runner

SET_ASIDE_EVENT = "set aside"


def mend(plan: Plan, runner: Runner, checked: Checked) -> Iterator[str]:
    """Mend in the order of the stages, so that each is made from what is whole again; yields a line
    for everything that is done. Nothing is deleted: what is damaged is kept aside."""
    moved = {finding.key: _set_aside(plan, finding) for finding in checked.of(Kind.DAMAGED)}
    for key, place in moved.items():
        yield f"{name_of(key)}: set aside as {place}"
    lost = _days_by_table([*checked.of(Kind.DAMAGED), *checked.of(Kind.MISSING)])
    for stage in plan.stages:
        days = lost.get(stage.table.name, [])
        if stage.source:
            set_aside = {found.day for found in checked.of(Kind.DAMAGED)}
            yield from _ask_again(plan, runner, stage, [day for day in days if day in set_aside])
        elif days:
            yield from _fill_again(plan, runner, stage, days)
    yield from _beside_the_stages(plan, checked)


def _days_by_table(findings: Sequence[Finding]) -> dict[str, list[date]]:
    days: dict[str, set[date]] = defaultdict(set)
    for finding in findings:
        if finding.day:
            days[finding.table].add(finding.day)
    return {table: sorted(found) for table, found in days.items()}


def _set_aside(plan: Plan, finding: Finding) -> str:
    lake = plan.lake
    place = lake.store.set_aside(finding.key)
    Log(lake.store, finding.table, lake.folder(finding.table)).close_gap(finding.key)
    record_event(
        lake,
        problem=plan.problem.name,
        event=SET_ASIDE_EVENT,
        cause=finding.why,
        subject=name_of(finding.key),
        detail=place,
    )
    return place


def _fill_again(plan: Plan, runner: Runner, stage: Stage, days: list[date]) -> Iterator[str]:
    for span in consecutive(days):
        try:
            reports = list(backfill(plan, runner, span, [stage.name], force=True))
        except GhstarsError as error:
            yield f"{stage.table.name} of {span} was not made again: {error}"
            continue
        yield from (f"{stage.table.name} of {span}: {report}" for report in reports)


def _ask_again(plan: Plan, runner: Runner, stage: Stage, days: list[date]) -> Iterator[str]:
    """A source that still knows a day gives it again. Of a day that no source has any more, a gap
    is declared; what was made from it before stays."""
    if stage.source is None or not days:
        return
    marker = require_marker(plan.lake, stage.source.kinds)
    known = set(stage.source.known_days(plan.lake, marker, utc_now()))
    for day in days:
        if day in known and _is_taken(plan, runner, stage, day):
            yield f"{stage.table.name} of {day}: taken again"
            continue
        merged = plan.wired.graph.files[plan.problem.table("snapshots")].reads
        if stage.table.name not in merged:
            yield f"{stage.table.name} of {day}: it cannot be asked for again, and nothing needs it"
            continue
        others = [table for table in merged if plan.lake.days(table, DayRange(day, day))]
        if others:
            yield f"{stage.table.name} of {day}: not known any more; {others[0]} has the day"
            continue
        reason = (
            f"the file of {stage.table.name} was damaged, and the day cannot be asked for again"
        )
        declare_gaps(plan.lake, plan.problem.name, DayRange(day, day), reason)
        yield f"{stage.table.name} of {day}: declared a gap, for nobody knows the day any more"


def _is_taken(plan: Plan, runner: Runner, stage: Stage, day: date) -> bool:
    try:
        runner.run(stage.table.name, DayRange(day, day), lambda _day: None)
    except GhstarsError as error:
        runner.say(str(error))
    return bool(plan.lake.days(stage.table.name, DayRange(day, day)))


def _beside_the_stages(plan: Plan, checked: Checked) -> Iterator[str]:
    """What no stage makes cannot be made here."""
    made = {stage.table.name for stage in plan.stages}
    tables = {found.table for found in checked.of(Kind.DAMAGED) if found.day} - made
    for table in sorted(tables):
        yield f"{table}: run again what has written it (an import, a backtest or a simulation)"
