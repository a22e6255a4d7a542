"""Which evaluation of `health` leads to a retraining, and why the others do not.

Only the newest day's is acted on, and only while that day is current: what an old day that is
filled in later says was true then. One evaluation asks once, whoever reads it again. After a
version that was trained because of an evaluation there is a cooldown, and a training that keeps
failing is given up.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.audit import AUDIT, record_event
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.gates import Gates
from ghstars_assets.learning.problem import Problem

ASKED, HELD_BACK = "retraining_asked", "retraining_held_back"
"""Events of the audit log."""
CURRENT = timedelta(days=1)
"""Some sources give a day only when it is over, so yesterday may be the newest there is."""


class Verdict(StrEnum):
    """The decision of a day, the most pressing first."""

    FORCE = "force"
    REACTIVE = "reactive"
    PROACTIVE = "proactive"
    WAIT = "wait"
    HEALTHY = "healthy"

    @property
    def is_due(self) -> bool:
        return self in (Verdict.FORCE, Verdict.REACTIVE, Verdict.PROACTIVE)


@dataclass(frozen=True)
class Evaluation:
    """One reading of a day's health, as it was recorded."""

    problem: str
    day: date
    verdict: Verdict
    number: int
    """Of its record: a later one has a higher number."""
    reason: str
    request: int | None = None
    """The number of the request to retrain that it is about, if it is about one."""

    @property
    def id(self) -> str:
        return f"{self.problem}:{self.day}:{self.verdict}:{self.number}"


@dataclass(frozen=True)
class Version:
    """A version that was trained because of an evaluation."""

    number: int
    as_of: date
    evaluation: str
    """The evaluation's id."""
    request: int | None = None
    """The number of the request that it answers, if that is known."""


@dataclass(frozen=True)
class Attempt:
    """A run that was asked for because of an evaluation."""

    evaluation: str
    as_of: date
    is_under_way: bool = False


@dataclass(frozen=True)
class Ask:
    """Train and decide as of this day, because of this evaluation."""

    evaluation: Evaluation
    as_of: date

    @property
    def cause(self) -> str:
        return self.evaluation.reason


@dataclass(frozen=True)
class HeldBack:
    """Retraining is due by this evaluation, and yet nothing is asked for."""

    evaluation: Evaluation
    reason: str


def read_id(evaluation: str) -> tuple[date, Verdict] | None:
    """The day and the verdict in an evaluation's id; None for a text that is none."""
    try:
        _, day, verdict, _ = evaluation.split(":")
        return date.fromisoformat(day), Verdict(verdict)
    except ValueError:
        return None


def what_to_ask(
    gates: Gates,
    evaluations: Sequence[Evaluation],
    *,
    today: date,
    versions: Collection[Version] = (),
    attempts: Collection[Attempt] = (),
    newest_day: date | None = None,
) -> list[Ask | HeldBack]:
    """What these evaluations lead to, in their order; those that pass lead to nothing.

    `newest_day` is the newest that was evaluated at all, where that may be another than the newest
    of these. Of all that is returned at most one is an `Ask`.
    """
    if not evaluations:
        return []
    newest = max([*(one.day for one in evaluations), *([newest_day] if newest_day else [])])
    last_of_newest = max(
        (one.number for one in evaluations if one.day == newest),
        default=None,
    )
    found: list[Ask | HeldBack] = []
    for one in sorted(evaluations, key=lambda one: one.number):
        if not one.verdict.is_due:
            continue
        if one.day != newest:
            why_not = f"{one.day} is not the newest day that was looked at, {newest} is"
        elif one.number != last_of_newest:
            why_not = f"{one.day} was looked at again since"
        else:
            why_not = _why_not_now(gates, one, today, versions, attempts)
        found.append(HeldBack(one, why_not) if why_not else Ask(one, today))
    return found


def _why_not_now(
    gates: Gates,
    one: Evaluation,
    today: date,
    versions: Collection[Version],
    attempts: Collection[Attempt],
) -> str:
    """Why the newest evaluation is not acted on; empty where it is."""
    if not today - CURRENT <= one.day <= today:
        return f"{one.day} is a past day on {today}, and what it says was true then"
    if answer := [version for version in versions if version.evaluation == one.id]:
        return f"version {answer[0].number} was trained because of it"
    if any(attempt.evaluation == one.id for attempt in attempts):
        return "a retraining was asked for because of it"
    pause = timedelta(days=gates.cooldown_days.value)
    trained = {version.evaluation for version in versions}
    in_vain = [
        attempt
        for attempt in attempts
        if attempt.evaluation not in trained and today < attempt.as_of + pause
    ]
    if one.verdict is not Verdict.FORCE:
        if under_way := [attempt for attempt in in_vain if attempt.is_under_way]:
            return f"the retraining as of {under_way[0].as_of} is still under way"
        latest = max(versions, key=lambda version: version.as_of, default=None)
        if latest and today < latest.as_of + pause:
            return (
                f"version {latest.number} was trained because of an evaluation on {latest.as_of}, "
                f"and its forecasts have until {latest.as_of + pause} to show what that did"
            )
    if len(in_vain) >= gates.most_attempts.value:
        return (
            f"{len(in_vain)} retrainings since {min(attempt.as_of for attempt in in_vain)} came to "
            "no version; see their runs, then try it by hand with "
            f"`ghstars retrain {one.problem} --why …`"
        )
    return ""


def record_answers(lake: Lake, found: Sequence[Ask | HeldBack], actor: str) -> None:
    """A row of the audit log for each, but none again for an evaluation that has one: a reader
    that lost its place reads everything once more."""
    if not found:
        return
    log = lake.read_log(AUDIT.name)
    recorded = set() if log is None else set(log.select("event", "subject").iter_rows())
    for one in found:
        subject = one.evaluation.id
        is_asked = isinstance(one, Ask)
        if (ASKED, subject) in recorded or (not is_asked and (HELD_BACK, subject) in recorded):
            continue
        record_event(
            lake,
            problem=one.evaluation.problem,
            event=ASKED if is_asked else HELD_BACK,
            cause=one.cause if is_asked else one.reason,
            subject=subject,
            actor=actor,
            detail=f"as of {one.as_of}" if is_asked else one.evaluation.reason,
        )


def versions_asked_for(lake: Lake, problem: Problem, days: DayRange) -> list[Version]:
    """The versions that were trained on these days because of an evaluation, in their order."""
    table = problem.table("model")
    wanted = ("model_version", "day", "evaluation")
    found: list[Version] = []
    for day in lake.days(table, days):
        # Beside these a row holds the text of every tree.
        rows = lake.scan(table, DayRange(day, day))
        stored = rows.collect_schema().names()
        if not set(wanted) <= set(stored):
            continue
        # Versions of an earlier release do not name the request.
        request = pl.col("request") if "request" in stored else pl.lit(None, pl.Int64)
        asked_for = rows.filter(pl.col("evaluation") != "").select(*wanted, request).collect()
        found += [Version(*row) for row in asked_for.sort("model_version").iter_rows()]
    return found
