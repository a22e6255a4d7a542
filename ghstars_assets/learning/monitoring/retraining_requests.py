"""Requests to retrain, by a person and whatever the figures say: made, open, and answered."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.errors import GhstarsError, NoChampionError
from ghstars_assets.lake.audit import AUDIT, record_event
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.retraining import Verdict, read_id, versions_asked_for
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import first_championed_day
from ghstars_assets.learning.tables import loop_tables

ANSWERED = "retraining_answered"


@dataclass(frozen=True)
class Request:
    number: int
    day: date
    actor: str
    why: str

    def __str__(self) -> str:
        return f"request {self.number} by {self.actor} of {self.day}: {self.why}"


def request_retraining(lake: Lake, problem: Problem, why: str, actor: str, day: date) -> int:
    """Record that somebody wants a new version, from `day` on. Returns the request's number."""
    why = " ".join(why.split())
    if not why:
        raise GhstarsError(
            f"Nobody will know later why {problem.name} was retrained; say it in a few words."
        )
    table = loop_tables(problem)["retrain_requests"]
    row = {"day": day, "asked_at": utc_now(), "actor": actor, "reason": why}
    number = lake.append(table.name, table.typed(pl.DataFrame([row])))
    record_event(
        lake,
        problem=problem.name,
        event="retrain_requested",
        cause=why,
        subject=f"request {number} of {day}",
        actor=actor,
    )
    return number


def day_of_request(lake: Lake, problem: Problem) -> date:
    """The day a request of now is of: the newest whose health is known."""
    served = first_championed_day(lake, problem)
    if served is None:
        raise NoChampionError(
            f"No version of {problem.name} has served yet, so there is none to train anew; train "
            f"the first with `ghstars backfill {problem.name}`."
        )
    table = problem.table("drift")
    for day in reversed(lake.days(table)):
        if day >= served and lake.read(table, day).height:
            return day
    raise GhstarsError(
        f"{table} holds no day since {served}, so nobody can say how {problem.name} fares; fill "
        f"it with `ghstars backfill {problem.name} --from {served} --stages drift`."
    )


class RetrainRequests:
    """Those that were made so far, and what came of them."""

    def __init__(self, lake: Lake, problem: Problem) -> None:
        self.lake = lake
        self.problem = problem
        self.made = _requests(lake, problem)

    def open_on(self, day: date) -> Request | None:
        """The latest that stands open on a day: made by then, and not answered by a version that
        was trained because of it."""
        made = [request for request in self.made if request.day <= day]
        for answers in (self._versions, self._found) if made else ():
            made = [
                request
                for request in made
                if not any(_is_answer(request, day, answer) for answer in answers)
            ]
            if not made:
                return None
        return made[-1] if made else None

    @cached_property
    def _versions(self) -> list["_Answer"]:
        """The versions that were trained because of an evaluation."""
        since = DayRange(min(request.day for request in self.made), date.max)
        found = versions_asked_for(self.lake, self.problem, since)
        return [_Answer(version.evaluation, version.request) for version in found]

    @cached_property
    def _found(self) -> list["_Answer"]:
        """The same where the version was there before. They stand in a log that grows with all
        that happens, so it is read only for a request that no version answers."""
        audit = self.lake.read_log(AUDIT.name)
        if audit is None:
            return []
        answers = audit.filter(event=ANSWERED, problem=self.problem.name)
        return [
            _Answer(subject, json.loads(detail or "{}").get("request"))
            for subject, detail in answers.select("subject", "detail").iter_rows()
        ]


@dataclass(frozen=True)
class _Answer:
    evaluation: str
    request: int | None
    """None where an earlier release did not record it."""


def record_answer(
    lake: Lake,
    problem: Problem,
    *,
    evaluation: str,
    cause: str,
    request: int | None,
    version: int,
    actor: str,
) -> None:
    """Record that what an evaluation asked for was there before: the same data and parameters had
    made this version, so that none carries the evaluation's name."""
    record_event(
        lake,
        problem=problem.name,
        event=ANSWERED,
        cause=cause,
        subject=evaluation,
        actor=actor,
        detail=json.dumps({"model_version": version, "request": request}),
    )


def _requests(lake: Lake, problem: Problem) -> list[Request]:
    log = lake.read_log(problem.table("retrain_requests"))
    if log is None:
        return []
    rows = log.select("day", "actor", "reason").iter_rows()
    # An entry holds one request, and entries are numbered without a hole.
    return [Request(number, *row) for number, row in enumerate(rows, start=1)]


def _is_answer(request: Request, day: date, answer: _Answer) -> bool:
    """Whether this retraining answers the request, as far as `day` can know. Of two requests of
    one day the second may have been made when the first was answered already."""
    read = read_id(answer.evaluation)
    if read is None or read[1] is not Verdict.FORCE or not request.day <= read[0] <= day:
        return False
    is_later_day = read[0] > request.day
    return is_later_day or answer.request is None or answer.request >= request.number
