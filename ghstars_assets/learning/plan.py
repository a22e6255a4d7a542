"""What is due, what is stale and what can be had: planned here for every command and report."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.holes import declared_gaps, holes_in
from ghstars_assets.lake.marker import Marker, require_marker
from ghstars_assets.lake.tables import CODE_VERSION, QUARANTINED, Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import first_championed_day
from ghstars_assets.learning.stage import Stage
from ghstars_assets.learning.stages import CHAMPION, stages_of
from ghstars_assets.learning.wiring import Wired
from ghstars_assets.sources.source import Source
from ghstars_assets.sql_tables.header import Window

TrainingDays = Callable[[DayRange], Collection[date]]
"""The days of a range on which the weekly schedule trains a candidate."""


@dataclass(frozen=True)
class ChosenDays:
    """Days of a range that a stage can have, and in words how many it cannot have and why."""

    days: Sequence[date]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """One problem in one lake, as it stands."""

    lake: Lake
    problem: Problem
    wired: Wired
    marker: Marker | None
    training_days: TrainingDays

    @cached_property
    def stages(self) -> list[Stage]:
        return stages_of(self.problem, self.wired, self.marker)

    @cached_property
    def newest_day(self) -> date:
        """The newest day that any source of the lake's kind can give now."""
        return newest_day(self.lake, self.problem, self.marker)

    @cached_property
    def first_day(self) -> date:
        """Where this lake begins."""
        marked = self.marker and self.marker.first_day
        return marked or first_stored_day(self.lake, self.problem) or self.problem.first_day

    # ---- what can be had ----------------------------------------------------------------------

    def possible_days(self, stage: Stage, days: DayRange, *, is_strict: bool = False) -> list[date]:
        """The days of a range that a stage can have now; see `choose_days`."""
        return list(self.choose_days(stage, days, is_strict=is_strict).days)

    def choose_days(self, stage: Stage, days: DayRange, *, is_strict: bool = False) -> ChosenDays:
        """Choose the days of a range that a stage can have now, and leave out those in quarantine
        and those on which nobody serves. With `is_strict` such days are chosen too where all would
        be left out: asking for them is then a failure that names its cause."""
        last = min([days.last, *self._last_possible(stage)])
        listed = list(DayRange(days.first, last)) if last >= days.first else []
        listed = own_days(self.lake, stage.inputs, listed)
        if stage.source:
            return ChosenDays(listed if is_strict else self._known_to(stage.source, listed))
        if stage.is_of_training_days:
            trained = set(self.training_days(DayRange(days.first, last))) if listed else set()
            return ChosenDays([day for day in listed if day in trained])
        if not listed:
            return ChosenDays([])
        needs_a_champion = self.needs_a_champion(stage)
        unserved = [day for day in listed if needs_a_champion and not self._is_served(day)]
        quarantined = self.quarantined_days(stage, DayRange(days.first, last))
        held_back = [day for day in listed if day in quarantined and day not in unserved]
        chosen = [day for day in listed if day not in {*unserved, *held_back}]
        if is_strict and not chosen:
            return ChosenDays(listed)
        return ChosenDays(chosen, tuple(self._why_left_out(unserved, held_back)))

    def _why_left_out(self, unserved: list[date], held_back: list[date]) -> Iterator[str]:
        if unserved and self._first_served is None:
            yield f"{_counted(unserved)} left out: no version serves yet"
        elif unserved:
            yield (
                f"{_counted(unserved)} left out, before the first version, which serves from "
                f"{self._first_served}"
            )
        if held_back:
            yield f"{_counted(held_back)} left out, whose snapshots wait in quarantine"

    def _last_possible(self, stage: Stage) -> list[date]:
        """Bounds on the days of what looks ahead: its future must have been stored."""
        bounds: list[date] = []
        if stage.looks_ahead_days:
            snapshots = self.lake.days(self.problem.table("snapshots"))[-1:]
            bounds += [day - timedelta(days=stage.looks_ahead_days) for day in snapshots]
        for table in stage.required_inputs:
            made_by = self._by_table.get(table)
            if made_by and made_by.looks_ahead_days:
                bounds += self.lake.days(table)[-1:]
        return bounds

    def _known_to(self, source: Source, days: list[date]) -> list[date]:
        """What the source can give now, and what it gave before."""
        marker = require_marker(self.lake, source.kinds)
        known = set(source.known_days(self.lake, marker, utc_now()))
        known.update(self.lake.days(source.table.name))
        return [day for day in days if day in known]

    def quarantined_days(self, stage: Stage, days: DayRange) -> set[date]:
        """Days that this stage cannot have while their snapshots wait in quarantine."""
        snapshots = self.problem.table("snapshots")
        if stage.source or stage.is_of_training_days or stage.table.name == snapshots:
            return set()
        holes = holes_in(self.lake, snapshots, days)
        return {day for day, hole in holes.items() if hole.is_quarantine}

    def needs_a_champion(self, stage: Stage) -> bool:
        """Whether a day of it cannot be made unless some version served, by itself or by what it
        is made from."""
        inputs = (self._by_table.get(table) for table in stage.required_inputs)
        return stage.requires_champion or any(
            self.needs_a_champion(made_by) for made_by in inputs if made_by
        )

    # ---- what is due --------------------------------------------------------------------------

    def due_days(self, stage: Stage, recent_days: int) -> list[date]:
        """The latest days that this stage should hold by now."""
        last = self.newest_day - timedelta(days=stage.looks_ahead_days)
        marked = self.marker and self.marker.first_day
        begins = marked or first_stored_day(self.lake, self.problem)
        if begins is None:
            return []
        first = max(last - timedelta(days=recent_days - 1), begins)
        if first > last:
            return []
        days = list(DayRange(first, last))
        if stage.is_of_training_days:
            stored, trained = (
                self.lake.days(stage.table.name),
                self.training_days(DayRange(first, last)),
            )
            return [day for day in days if day in set(trained) and stored and day >= stored[0]]
        if stage.name == CHAMPION or self.needs_a_champion(stage):
            return [day for day in days if self._is_served(day)]
        if not stage.source:
            return own_days(self.lake, stage.inputs, days)
        # What a source had before it began, and after a history ended, was never due.
        stored = self.lake.days(stage.table.name)
        if stage.source.is_history or not stored:
            return []
        if stage.source.answers_the_past:
            return days[-1:]
        gaps = declared_gaps(self.lake, self.problem.name)
        return [day for day in days if day not in gaps and day >= stored[0]]

    def recent_damage(
        self, stage: Stage, stored: Sequence[date], recent_days: int
    ) -> dict[date, str]:
        """Of the latest of the days that a stage holds, those whose partition is not what was
        written, and what is wrong with each. Sizes and footers are looked at, not rows."""
        if not stored:
            return {}
        first = stored[-1] - timedelta(days=recent_days - 1)
        return self.lake.damage(stage.table.name, DayRange(first, stored[-1]))

    def _is_served(self, day: date) -> bool:
        return self._first_served is not None and day >= self._first_served

    @cached_property
    def _first_served(self) -> date | None:
        return first_championed_day(self.lake, self.problem)

    @cached_property
    def _by_table(self) -> dict[str, Stage]:
        return {stage.table.name: stage for stage in self.stages}


def _counted(days: Sequence[date]) -> str:
    return f"{len(days):,} day{'s' * (len(days) != 1)}"


def own_days(lake: Lake, reads: Mapping[str, Window], days: Sequence[date]) -> list[date]:
    """Those that are days of a table at all: where one that it reads decides, those which that
    has."""
    deciding = [table for table, window in reads.items() if window.decides]
    if not days or not deciding:
        return list(days)
    span = DayRange(days[0], days[-1])
    there = set.intersection(*(set(lake.days(table, span)) for table in deciding))
    return [day for day in days if day in there]


def newest_day(lake: Lake, problem: Problem, marker: Marker | None) -> date:
    """The newest day that any source of the lake's kind can give now."""
    now = utc_now()
    known = [
        source.known_days(lake, marker, now)[-1:]
        for source in problem.sources
        if marker and marker.kind in source.kinds
    ]
    return max((day for days in known for day in days), default=now.date())


def first_stored_day(lake: Lake, problem: Problem) -> date | None:
    """The first that any source has stored: where a home begins that no world was made for."""
    return min(
        (day for source in problem.sources for day in lake.days(source.table.name)[:1]),
        default=None,
    )


def lead_days(stages: Sequence[Stage]) -> dict[str, int]:
    """By table, how many days before a range must be filled too, because a later one of these
    stages looks back on them."""
    leads = {stage.table.name: 0 for stage in stages}
    for stage in reversed(stages):
        if not stage.code_version:
            continue
        for table, window in stage.inputs.items():
            if table in leads:
                reaches_back = max(0, -window.first_offset)
                leads[table] = max(leads[table], leads[stage.table.name] + reaches_back)
    return leads


def days_in_range(plan: Plan, first: date | None, last: date | None) -> DayRange:
    """The days that were asked for; what was left out is the lake's first day, or the newest that
    there can be."""
    if last and last > plan.newest_day:
        raise GhstarsError(
            f"No source of {plan.problem.name} knows {last} yet; the newest day is "
            f"{plan.newest_day}."
        )
    if last and not first and last < plan.first_day:
        raise GhstarsError(
            f"{plan.problem.name} begins on {plan.first_day} here, after {last}; name the first "
            "day too, or a later last one."
        )
    if first and not last and first > plan.newest_day:
        raise GhstarsError(
            f"No source of {plan.problem.name} knows {first} yet; the newest day is "
            f"{plan.newest_day}."
        )
    return DayRange(first or plan.first_day, last or plan.newest_day)


def stale_days(lake: Lake, stage: Stage, days: DayRange) -> list[date]:
    """Days whose partition is missing, is not what was written, was written by other code, or is
    older than something it is made from."""
    partitions = lake.partitions(stage.table.name, days)
    footers = list(zip(partitions, lake.footers(partitions), strict=True))
    damaged = {partition.day for partition, footer in footers if footer.damage}
    if stage.source:
        whole = {partition.day for partition in partitions} - damaged
        return [day for day in days if day not in whole]
    written: dict[date, float] = {}
    for partition, footer in footers:
        # Other code, another gate: a day that was held back by it is looked at again.
        same_rows = () if QUARANTINED in footer.notes else stage.same_rows_as
        accepted = (stage.code_version, *same_rows)
        if not stage.code_version or footer.notes.get(CODE_VERSION) in accepted:
            written[partition.day] = partition.modified.timestamp()
    newest_input = dict.fromkeys(days, 0.0)
    for table, window in stage.inputs.items():
        read = DayRange(
            days.first + timedelta(days=window.first_offset),
            days.last + timedelta(days=window.last_offset),
        )
        changed = {
            partition.day: partition.modified.timestamp()
            for partition in lake.partitions(table, read)
        }
        for day in days:
            seen = range(window.first_offset, window.last_offset + 1)
            times = (changed.get(day + timedelta(days=offset), 0.0) for offset in seen)
            newest_input[day] = max(newest_input[day], *times, 0.0)
    return [day for day in days if day in damaged or written.get(day, -1.0) < newest_input[day]]
