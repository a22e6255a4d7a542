"""The one runner that fills a stage, day by day.

It does what every stage needs: it looks whether the inputs of the day are there, whether the day
is a gap or in quarantine, whether a champion serves and the inputs were made for it, and writes the
result whole.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date, timedelta
from functools import cached_property
from typing import Any, TypeVar

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import DamagedFileError, DamagedModelError, MissingDayError
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.holes import Hole, Holes, declared_gaps
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.stage import (
    CHAMPION,
    SAME_DAY,
    CannotFillError,
    Champion,
    Stage,
    StageDay,
)
from ghstars_assets.learning.tables import loop_tables

T = TypeVar("T")


class InputDays:
    """The days that a stage's inputs have around a range, listed once for the whole range."""

    def __init__(self, lake: Lake, problem: Problem, stage: Stage, days: DayRange) -> None:
        self.lake = lake
        self.problem = problem
        self.windows = stage.inputs
        self.span = days
        self._days: dict[str, list[date]] = {}
        self._once: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        if key not in self._once:
            self._once[key] = make()
        return self._once[key]

    def listed(self, table: str) -> list[date]:
        """The days of an input that any day of the range may read."""
        if table not in self._days:
            window = self.windows.get(table, SAME_DAY)
            self._days[table] = self.lake.days(
                table,
                DayRange(
                    self.span.first + timedelta(days=window.first_offset),
                    self.span.last + timedelta(days=window.last_offset),
                ),
            )
        return self._days[table]

    def has(self, table: str, day: date) -> bool:
        return day in self._holes(table).stored

    def require_whole(self, table: str, day: date) -> None:
        """Raise an error if a partition of the day is not what was written."""
        if day in self._holes(table).damage:
            self.lake.require_whole(self.lake.partitions(table, DayRange(day, day)))

    def hole(self, table: str, day: date) -> Hole | None:
        return self._holes(table).on(day)

    def _holes(self, table: str) -> Holes:
        gaps = self.once("gaps", lambda: declared_gaps(self.lake, self.problem.name))
        return self.once(("holes", table), lambda: Holes.of(self.lake, table, self.span, gaps))

    def within_window(self, table: str, day: date) -> list[date]:
        window = self.windows[table]
        first, last = (
            day + timedelta(days=offset) for offset in (window.first_offset, window.last_offset)
        )
        return [found for found in self.listed(table) if first <= found <= last]

    @cached_property
    def versions(self) -> dict[date, int]:
        """Who serves on each day of the range, as `champion` has it."""
        table = self.problem.table(CHAMPION)
        if not self._holes(table).stored:
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
            try:
                outcome = self._fill_day(day, inputs)
            except (
                CannotFillError,
                MissingDayError,
                DamagedFileError,
                DamagedModelError,
            ) as error:
                outcome = _failed(day, str(error))
            yield outcome
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
        filled = stage.fill(made)
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
        inputs.require_whole(table, day)
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


def _backfill_of(table: str, day: date) -> str:
    problem, _, stage = table.partition(".")
    return f"`ghstars backfill {problem} --from {day} --to {day} --stages {stage}`"


def _failed(day: date, reason: str) -> DayOutcome:
    return DayOutcome(day, Status.FAILED, reason=reason)
