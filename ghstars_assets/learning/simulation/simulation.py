"""`ghstars simulate`: past days lived in order, as production would have lived them.

Each day the champion forecasts, what has come due is scored, drift and health are looked at, and
where health says so a candidate is trained and decided on. Snapshots, features and labels are those
of the lake; all that the loop makes lies apart, in tables named `<problem>_simulation`.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.monitoring.retraining import (
    Ask,
    Evaluation,
    Verdict,
    record_answers,
    versions_asked_for,
    what_to_ask,
)
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.decisions import champions_of, decide, model_row
from ghstars_assets.learning.registry.mlflow_tracking import Registration
from ghstars_assets.learning.simulation.simulation_lake import ABOUT, SimulationLake
from ghstars_assets.learning.stage import Stage
from ghstars_assets.learning.stage_runner import StageRunner
from ghstars_assets.learning.stages import daily_stages, due_stages
from ghstars_assets.learning.training.candidate import Candidate
from ghstars_assets.learning.training.candidates_on_record import (
    REMEMBERED,
    Card,
    obtain_candidate,
)

ACTOR = "simulation"


class Numbers:
    """Numbers versions in the order of their training: MLflow has no part in a simulation."""

    def __init__(self, lake: Lake, problem: Problem) -> None:
        self.lake = lake
        self.table = problem.table("model")

    def registered(self, _fingerprint: str) -> Registration | None:
        return None

    def register(self, _candidate: Candidate, _card: str, _run_id: str) -> Registration:
        return Registration(len(self.lake.partitions(self.table)) + 1, "")


@dataclass(frozen=True)
class LivedDay:
    """What a day came to."""

    day: date
    champion: int | None
    decision: str
    skill: float | None
    drifted_share: float | None
    events: str
    """What was asked for, trained and decided; or why the day was not like others."""


@dataclass
class Simulation:
    """A problem's past, to be lived from a day on."""

    lake: SimulationLake
    problem: Problem
    columns: LearningColumns
    progress: Callable[[str], None]
    card: Card
    is_weekly: bool = False
    """A candidate is trained every week besides, as the schedule does."""
    training_days: Callable[[DayRange], Collection[date]] = lambda _days: ()
    """When the weekly schedule trains."""
    _runners: dict[str, StageRunner] = field(default_factory=dict)

    def _runner(self, stage: Stage) -> StageRunner:
        """One runner over all days: it loads a version once, and asks it of a past day once. What
        production does before and after a range concerns MLflow and files, and is left out."""
        if stage.name not in self._runners:
            apart = replace(stage, prepare=None, finish=None)
            self._runners[stage.name] = StageRunner(self.lake, self.problem, self.columns, apart)
        return self._runners[stage.name]

    def _fill(self, stage: Stage, day: date) -> list[str]:
        """The reasons why it could not be filled, or is a hole."""
        return [outcome.reason for outcome in self._runner(stage).fill([day]) if outcome.reason]

    def live(self, days: DayRange) -> Iterator[LivedDay]:
        """Live the days that were not lived yet, after those that were."""
        known = set(self.lake.days(self.problem.table("features"), days))
        if not known:
            raise GhstarsError(
                f"{self.problem.table('features')} holds no day of {days}; fill it with `ghstars "
                f"backfill {self.problem.name} --from {days.first} --to {days.last}`."
            )
        self._begin(days.first)
        lived = set(self.lake.days(self.problem.table("health"), days))
        for day in days:
            if day in known and day not in lived:
                yield self._live(day)

    def _begin(self, first: date) -> None:
        about, wanted = self.lake.read_log(ABOUT), (first, self.is_weekly)
        if about is None or about.row(0) != wanted:
            self.lake.forget()
            row = dict(zip(("first_day", "is_weekly"), wanted, strict=True))
            self.lake.append(ABOUT, pl.DataFrame([row]))

    def _live(self, day: date) -> LivedDay:
        problem, events = self.problem, []
        if champions_of(self.lake, problem, DayRange(day, day)).is_empty():
            events.append(self._train(day, f"the simulation begins on {day}", ""))
        elif self.is_weekly and day in self.training_days(DayRange(day, day)):
            events.append(self._train(day, "the weekly candidate", ""))
        events += self._forecast(day)
        events += self._score(day)
        for stage in daily_stages(problem):
            if stage.name not in {made.name for made in self._forecasting}:
                events += self._fill(stage, day)
        events += self._answer(day)
        return self._lived(day, events)

    @cached_property
    def _forecasting(self) -> list[Stage]:
        """The stages up to the forecasts: made again when another version serves."""
        stages = daily_stages(self.problem)
        last = next(n for n, stage in enumerate(stages) if stage.name == "predictions")
        return stages[: last + 1]

    def _forecast(self, day: date) -> list[str]:
        """The champion's forecasts of the day, with intervals measured on what has come due."""
        return [reason for stage in self._forecasting for reason in self._fill(stage, day)]

    def _score(self, day: date) -> list[str]:
        """What has come due today, if it was forecast."""
        events = []
        for stage in due_stages(self.problem):
            origin = day - timedelta(days=stage.looks_ahead_days)
            origins = DayRange(origin, origin)
            if all(self.lake.days(table, origins) for table in stage.required_inputs):
                events += self._fill(stage, origin)
        return events

    def _train(self, day: date, cause: str, evaluation: str, request: int | None = None) -> str:
        """A candidate as of the day, and the decision on it."""
        lake, problem = self.lake, self.problem
        self.progress(f"{day}: training, because {cause}")
        obtained = obtain_candidate(
            lake,
            problem,
            self.columns,
            problem.training,
            self.card,
            as_of=day,
            dagster_run_id=ACTOR,
            progress=lambda _line: None,
            cause=cause,
            evaluation=evaluation,
            request=request,
            registry=Numbers(lake, problem),
        )
        decisions = decide(lake, problem, self.columns, day)
        lines = [
            f"{taken.decision} version {taken.model_version}: {taken.reason}" for taken in decisions
        ]
        return "; ".join(lines) or f"version {obtained.row['model_version']} was there before"

    def _answer(self, day: date) -> list[str]:
        """What the sensor would do about the health of the day."""
        lake, problem = self.lake, self.problem
        found = self._health(day)
        if not found:
            return []
        evaluation = Evaluation(
            problem.name, day, Verdict(found["decision"]), 0, found["reason"], found["request"]
        )
        events = []
        versions = versions_asked_for(lake, problem, DayRange(day - REMEMBERED, day))
        answers = what_to_ask(problem.gates, [evaluation], today=day, versions=versions)
        record_answers(lake, answers, ACTOR)
        for answer in answers:
            if isinstance(answer, Ask):
                events.append(self._train(day, answer.cause, evaluation.id, evaluation.request))
                events += self._forecast(day)
            else:
                events.append(f"held back: {answer.reason}")
        return events

    def _health(self, day: date) -> dict[str, Any]:
        table = self.problem.table("health")
        rows = self.lake.read(table, day) if self.lake.days(table, DayRange(day, day)) else None
        return rows.row(0, named=True) if rows is not None and rows.height else {}

    def _champions(self, day: date) -> dict[date, int]:
        serving = champions_of(self.lake, self.problem, DayRange(day, day))
        return dict(serving.select("day", "model_version").iter_rows())

    def _lived(self, day: date, events: list[str]) -> LivedDay:
        health = self._health(day)
        return LivedDay(
            day,
            self._champions(day).get(day),
            health.get("decision", ""),
            health.get("skill_vs_naive"),
            health.get("drifted_share"),
            "; ".join(events),
        )


def with_and_without(lake: Lake, problem: Problem, days: DayRange) -> pl.DataFrame:
    """For each scored day the error of the forecasts that were made, of those that the first
    version would have made had nobody ever trained again, and of the naive ones."""
    log = lake.read_log(problem.table("decisions"))
    if log is None:
        return pl.DataFrame()
    row = model_row(lake, problem, log["model_version"][0])
    first, threads = ServedModel.from_row(problem, row), lake.settings.threads
    found = []
    for day in lake.days(problem.table("scores"), days):
        scores = lake.read(problem.table("scores"), day).drop_nulls(["actual", "naive"])
        if scores.is_empty():
            continue
        features = lake.read(problem.table("features"), day)
        frozen = features.select(
            problem.entity, frozen=pl.Series(first.point_values(features, threads))
        )
        errors = scores.join(frozen, on=problem.entity, how="left").select(
            problem.task.row_error(forecast).mean().alias(f"mae_{forecast}")
            for forecast in ("typical", "frozen", "naive")
        )
        found.append({"day": day, "rows": scores.height, **errors.row(0, named=True)})
    return pl.DataFrame(found)
