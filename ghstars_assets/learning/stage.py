"""A stage of the learning loop, and the one runner that fills a stage day by day.

A `Stage` declares what a table is made from and how one day of it is computed. `StageRunner` does
what every stage needs: it looks whether the inputs of the day are there, whether the day is a gap
or in quarantine, whether a champion serves and the inputs were made for it, and writes the result
whole. A stage's `fill` therefore only computes.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Literal, TypeVar

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError, MissingDayError
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.holes import Hole, holes_in
from ghstars_assets.lake.outcomes import DayOutcome, Fact, Status
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.decisions import model_row
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.sources.source import Source
from ghstars_assets.sql_tables.checks import DayCheck
from ghstars_assets.sql_tables.header import Window

T = TypeVar("T")

SAME_DAY = Window(0, 0)
CHAMPION = "champion"
"""The stage that a stage reads when it requires a champion."""
KEPT_BETWEEN_DAYS = 8
"""So many things a runner keeps from one day to the next: a loaded version, its forecasts."""


class CannotFillError(GhstarsError):
    """A day of a stage cannot be computed from the inputs that are there."""


@dataclass(frozen=True)
class Champion:
    """The version that serves on a day."""

    version: int
    lake: Lake = field(repr=False)
    problem: Problem = field(repr=False)

    @cached_property
    def row(self) -> Mapping[str, Any]:
        """Its row in the `model` table."""
        return model_row(self.lake, self.problem, self.version)

    @cached_property
    def served(self) -> ServedModel:
        return ServedModel.from_row(self.problem, self.row)


@dataclass(frozen=True)
class Event:
    """A row for the audit log, recorded once the day is written."""

    event: str
    cause: str
    subject: str
    detail: str


@dataclass(frozen=True)
class Filled:
    """One day of a stage, computed."""

    rows: pl.DataFrame
    events: Sequence[Event] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What is shown of the day beside its rows."""


@dataclass(frozen=True)
class StageDay:
    """Everything that a `fill` may use: the day, the frames of the day, the champion."""

    lake: Lake
    problem: Problem
    columns: LearningColumns
    day: date
    inputs: "InputDays"
    _champion: Champion | None
    _kept: "OrderedDict[Hashable, Any]" = field(repr=False)

    def frame(self, stage: str) -> pl.DataFrame:
        """The rows that an input has on this day."""
        return self.lake.read(self.problem.table(stage), self.day)

    def days(self, stage: str) -> list[date]:
        """The days within its window that an input has, in order."""
        return self.inputs.within_window(self.problem.table(stage), self.day)

    @property
    def champion(self) -> Champion:
        """The version that serves on this day; only for a stage that requires one."""
        if self._champion is None:
            raise ValueError("this stage does not require a champion")
        return self._champion

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, made once for all days of a range."""
        return self.inputs.once(key, make)

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, kept from range to range: what hangs on a version alone."""
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > KEPT_BETWEEN_DAYS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


Fill = Callable[[StageDay], Filled]
"""Computes one day of a stage from its inputs."""


@dataclass(frozen=True)
class Partitions:
    """Which days a stage has."""

    looks_ahead_days: int = 0
    """A day exists once so many days after it are over."""
    on: Literal["every day", "training days"] = "every day"
    """On training days alone, that is when the weekly schedule runs, or on every day."""


@dataclass(frozen=True)
class StageCheck:
    """A check of a stage's days, shown beside the asset; it stops nothing."""

    name: str
    describe: Callable[[Problem], str]
    evaluate: Callable[[Problem, date, pl.DataFrame], DayCheck]
    """Looks at the rows that were written for a day."""


@dataclass(frozen=True)
class Stage:
    """One table of a problem: what it is made from, when, and how."""

    name: str
    table: Table
    inputs: Mapping[str, Window]
    """By table, the days that a day of this stage is made from, relative to it."""
    fill: Fill | None = None
    """None where a module of its own makes the table: SQL files, sources, and the model."""
    requires_champion: bool = False
    partitions: Partitions = Partitions()
    follows: tuple[str, ...] = ()
    """Tables whose same day is made first though none of it is read."""
    fits: Callable[[Champion], str] = lambda _champion: ""
    """Why the champion cannot be used by this stage; empty where it can."""
    prepare: Callable[[Lake, Problem, LearningColumns, DayRange], Iterator[str]] | None = None
    """Runs before the days of a range; returns lines for the log."""
    finish: Callable[[Lake, Problem], object] | None = None
    """Runs after the days of a range."""
    checks: tuple[StageCheck, ...] = ()
    source: Source | None = None
    """The source whose table this is. A day that was taken is never taken again."""
    code_version: str = ""
    """Of a SQL file: a day that other code has written is stale."""
    kinds: tuple[str, ...] = ("polars", "parquet")
    """What the asset graph shows it is made with."""

    @property
    def required_inputs(self) -> list[str]:
        """The tables that must have the day itself, the one that decides about it first."""
        return [
            table
            for table, window in self.inputs.items()
            if window.last_offset == 0 and not window.optional
        ]

    @property
    def is_of_training_days(self) -> bool:
        return self.partitions.on == "training days"

    @property
    def looks_ahead_days(self) -> int:
        ahead = [window.last_offset for window in self.inputs.values()]
        return max([self.partitions.looks_ahead_days, *ahead])


class InputDays:
    """The days that a stage's inputs have around a range, listed once for the whole range."""

    def __init__(self, lake: Lake, problem: Problem, stage: Stage, days: DayRange) -> None:
        self.lake = lake
        self.problem = problem
        self.windows = stage.inputs
        self.span = days
        self._days: dict[str, list[date]] = {}
        self._sets: dict[str, set[date]] = {}
        self._once: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        if key not in self._once:
            self._once[key] = make()
        return self._once[key]

    def listed(self, table: str) -> list[date]:
        if table not in self._days:
            window = self.windows.get(table, SAME_DAY)
            self._days[table] = self.lake.days(
                table,
                DayRange(
                    self.span.first + timedelta(days=window.first_offset),
                    self.span.last + timedelta(days=window.last_offset),
                ),
            )
            self._sets[table] = set(self._days[table])
        return self._days[table]

    def has(self, table: str, day: date) -> bool:
        self.listed(table)
        return day in self._sets[table]

    def within_window(self, table: str, day: date) -> list[date]:
        window = self.windows[table]
        first, last = (
            day + timedelta(days=offset) for offset in (window.first_offset, window.last_offset)
        )
        return [found for found in self.listed(table) if first <= found <= last]

    def hole(self, table: str, day: date) -> Hole | None:
        return holes_in(self.lake, table, DayRange(day, day)).get(day)

    @cached_property
    def versions(self) -> dict[date, int]:
        """Who serves on each day of the range, as `champion` has it."""
        table = self.problem.table(CHAMPION)
        if not self.listed(table):
            return {}
        rows = self.lake.scan(table, self.span).select("day", "model_version").collect()
        return dict(rows.iter_rows())


class StageRunner:
    """Fills one stage; what it loads for one day it keeps for the next."""

    def __init__(
        self, lake: Lake, problem: Problem, columns: LearningColumns, stage: Stage
    ) -> None:
        self.lake = lake
        self.problem = problem
        self.columns = columns
        self.stage = stage
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._champions: OrderedDict[int, Champion] = OrderedDict()

    def fill(
        self, days: Iterable[date], log: Callable[[str], None] = lambda _line: None
    ) -> Iterator[DayOutcome]:
        """Fill these days in order, one outcome a day."""
        wanted = list(days)
        if not wanted:
            return
        span = DayRange(wanted[0], wanted[-1])
        if self.stage.prepare:
            for line in self.stage.prepare(self.lake, self.problem, self.columns, span):
                log(line)
        inputs = InputDays(self.lake, self.problem, self.stage, span)
        for day in wanted:
            yield self._fill_day(day, inputs)
        if self.stage.finish:
            self.stage.finish(self.lake, self.problem)

    def _fill_day(self, day: date, inputs: InputDays) -> DayOutcome:
        stage = self.stage
        champion: Champion | None = None
        serving = self.problem.table(CHAMPION)
        required = [table for table in stage.required_inputs if table != serving]
        # The first of them decides whether the day is one at all; then somebody must serve on it.
        for table in required[:1]:
            if blocked := self._blocked(day, table, inputs):
                return blocked
        if stage.requires_champion:
            found = self._champion_of(day, inputs)
            if isinstance(found, DayOutcome):
                return found
            champion = found
        for table in required[1:]:
            if blocked := self._blocked(day, table, inputs):
                return blocked
        if champion and (stale := self._stale_input(day, champion)):
            return _failed(day, stale)
        if stage.fill is None:
            raise ValueError(f"the stage {stage.name} has no fill")
        made = StageDay(self.lake, self.problem, self.columns, day, inputs, champion, self._kept)
        try:
            filled = stage.fill(made)
        except (CannotFillError, MissingDayError) as error:
            return _failed(day, str(error))
        rows = stage.table.conform(filled.rows)
        written = self.lake.write(stage.table.name, day, rows)
        for event in filled.events:
            record_event(
                self.lake,
                problem=self.problem.name,
                event=event.event,
                cause=event.cause,
                subject=event.subject,
                actor=stage.name,
                detail=event.detail,
            )
        return DayOutcome(day, Status.WRITTEN, written.rows, written.size_bytes, facts=filled.facts)

    def _blocked(self, day: date, table: str, inputs: InputDays) -> DayOutcome | None:
        """The outcome of a day that an input lacks, or has as a hole."""
        own = self.stage.table
        if not inputs.has(table, day):
            snapshots = self.problem.table("snapshots")
            hole = inputs.hole(snapshots, day)
            if hole and hole.is_quarantine:
                self.lake.delete(own.name, day)
                reason = f"{snapshots} of {day} is quarantined ({hole.reason})"
                return DayOutcome(day, Status.SKIPPED, reason=reason)
            return _failed(day, f"{table} has no {day}; fill it with {_backfill_of(table, day)}")
        hole = inputs.hole(table, day)
        if hole is None:
            return None
        written = self.lake.write(own.name, day, own.empty(), notes={GAP: hole.reason})
        return DayOutcome(day, Status.GAP, 0, written.size_bytes, reason=hole.reason)

    def _champion_of(self, day: date, inputs: InputDays) -> "Champion | DayOutcome":
        problem = self.problem
        version = inputs.versions.get(day)
        serving = problem.table(CHAMPION)
        if version is None and not inputs.has(serving, day):
            return _failed(
                day, f"{serving} has no {day}; fill it with {_backfill_of(serving, day)}"
            )
        if version is None:
            return _failed(
                day,
                f"no version of {problem.name} served on {day}; train one as of that day or "
                f"before with `ghstars backfill {problem.name} --stages model,champion`",
            )
        champion = self._champion(version)
        unfit = self.stage.fits(champion)
        return _failed(day, unfit) if unfit else champion

    def _champion(self, version: int) -> Champion:
        if version not in self._champions:
            self._champions[version] = Champion(version, self.lake, self.problem)
            while len(self._champions) > 2:
                self._champions.popitem(last=False)
        return self._champions[version]

    def _stale_input(self, day: date, champion: Champion) -> str:
        """Why an input of the day does not count: it was made for another version."""
        for stage in self._made_for_a_version:
            table = self.problem.table(stage)
            versions = set(self.lake.read(table, day)["model_version"]) - {champion.version}
            if versions:
                listed = ", ".join(map(str, sorted(versions)))
                return (
                    f"{table} of {day} is of version {listed}, and version {champion.version} "
                    f"serves; fill it with {_backfill_of(table, day)}"
                )
        return ""

    @cached_property
    def _made_for_a_version(self) -> list[str]:
        """The inputs of the same day whose rows name the version that they were made for."""
        return [
            name
            for name, table in loop_tables(self.problem).items()
            if name != CHAMPION
            and self.stage.inputs.get(table.name) == SAME_DAY
            and "model_version" in table.column_names
        ]


def why_heads_are_missing(champion: Champion) -> str:
    """Why a version cannot forecast: it lacks a head that this release asks for."""
    if not champion.served.missing_heads:
        return ""
    name = champion.problem.name
    return (
        f"version {champion.version} of {name} was trained by an earlier release and has no "
        f"{', '.join(champion.served.missing_heads)}; train anew with `ghstars backfill {name} "
        "--stages model,champion`"
    )


def _backfill_of(table: str, day: date) -> str:
    problem, _, stage = table.partition(".")
    return f"`ghstars backfill {problem} --from {day} --to {day} --stages {stage}`"


def _failed(day: date, reason: str) -> DayOutcome:
    return DayOutcome(day, Status.FAILED, reason=reason)
