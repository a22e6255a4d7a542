"""What a stage is: a table, what a day of it is made from, and how one day is computed.

A stage's `fill` only computes. What every stage needs besides stands once, in `stage_runner.py`.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.outcomes import Fact
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.decisions import model_row
from ghstars_assets.sources.source import Source
from ghstars_assets.sql_tables.checks import DayCheck
from ghstars_assets.sql_tables.header import Window

if TYPE_CHECKING:
    from ghstars_assets.learning.stage_runner import InputDays

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
    without_arrow: tuple[str, ...] = ()
    """Inputs that change together with another one of the same days, whose arrow in the graph
    stands for both: two arrows would have the automation ask for a day twice."""
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
    same_rows_as: tuple[str, ...] = ()
    """Earlier code versions whose rows are the same."""
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
