"""The stages of a problem in the order they are filled in, and which of their days are stale."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.holes import holes_in
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.tables import CODE_VERSION, Lake
from ghstars_assets.learning.forecasting.calibration import CALIBRATION_DAYS
from ghstars_assets.learning.monitoring.drift import drift_windows
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.wiring import Wired
from ghstars_assets.sources.source import Source
from ghstars_assets.sql_tables.header import SqlFile, Window

SAME_DAY = Window(0, 0)
NEED_A_CHAMPION = ("calibration", "predictions", "scores", "drift", "health")


@dataclass(frozen=True)
class Stage:
    name: str
    table: str
    inputs: dict[str, Window]
    """What each day of it is made from."""
    code_version: str = ""
    same_rows_as: tuple[str, ...] = ()
    """Earlier code versions whose rows are the same."""
    source: Source | None = None
    """The source whose table this is. What it took is never taken again."""

    def own_days(self, lake: Lake, days: Sequence[date]) -> list[date]:
        """Those that are days of it at all: where one of its inputs decides, those which that
        has."""
        deciding = [table for table, window in self.inputs.items() if window.decides]
        if not days or not deciding:
            return list(days)
        span = DayRange(days[0], days[-1])
        there = set.intersection(*(set(lake.days(table, span)) for table in deciding))
        return [day for day in days if day in there]

    @property
    def is_sql(self) -> bool:
        return bool(self.code_version)

    @property
    def looks_ahead_days(self) -> int:
        return max([0, *(window.last_offset for window in self.inputs.values())])


def stages_of(problem: Problem, wired: Wired, marker: Marker | None) -> list[Stage]:
    """All stages, each after what it is made from. Of the sources, those whose data the lake
    takes."""
    made_by_loop = {problem.table(name) for name in loop_tables(problem)}
    files = [
        file for name, file in wired.graph.files.items() if name.startswith(f"{problem.name}.")
    ]
    early = [file for file in files if not _depends_on(file, made_by_loop, wired)]
    late = [file for file in files if file not in early]
    sources = [
        Stage(
            source.table.name.split(".")[1],
            source.table.name,
            dict.fromkeys(source.reads, SAME_DAY),
            source=source,
        )
        for source in problem.sources
        if marker is None or marker.kind in source.kinds
    ]
    known = Window(-problem.label_lag_days, -problem.label_lag_days)
    due = Window(-problem.horizon_days - CALIBRATION_DAYS, -problem.horizon_days)
    judged_together = Window(
        -problem.horizon_days - problem.gates.skill_days + 1, -problem.horizon_days
    )
    loop = [
        _stage(problem, "model", {"features": known, "labels": known}),
        _stage(problem, "champion", {}),
        _stage(problem, "calibration", {"champion": SAME_DAY, "features": due, "labels": due}),
        _stage(
            problem,
            "predictions",
            {"features": SAME_DAY, "champion": SAME_DAY, "calibration": SAME_DAY},
        ),
        _stage(problem, "scores", {"predictions": SAME_DAY, "labels": SAME_DAY}),
        _stage(problem, "drift", {"champion": SAME_DAY, **drift_windows(problem)}),
        _stage(
            problem, "health", {"champion": SAME_DAY, "drift": SAME_DAY, "scores": judged_together}
        ),
    ]
    return [*sources, *map(_sql_stage, early), *loop, *map(_sql_stage, late)]


def newest_day(lake: Lake, problem: Problem, marker: Marker | None) -> date:
    """The newest day that any source of the lake's kind can give now."""
    now = utc_now()
    known = [
        source.known_days(lake, marker, now)[-1:]
        for source in problem.sources
        if marker and marker.kind in source.kinds
    ]
    return max((day for days in known for day in days), default=now.date())


def first_told_day(lake: Lake, problem: Problem) -> date | None:
    """The first that any source has stored: where a home begins that no world was made for."""
    return min(
        (day for source in problem.sources for day in lake.days(source.table.name)[:1]),
        default=None,
    )


def chosen_stages(stages: Sequence[Stage], names: Sequence[str]) -> list[Stage]:
    """Those that were named, in their own order."""
    known = {stage.name: stage for stage in stages}
    for name in names:
        if name not in known:
            raise GhstarsError(f"There is no stage {name!r}; choose from {', '.join(known)}.")
    return [stage for stage in stages if not names or stage.name in names]


def lead_days(stages: Sequence[Stage]) -> dict[str, int]:
    """By table, how many days before a range must be filled too, because a later one of these
    stages looks back on them."""
    leads = {stage.table: 0 for stage in stages}
    for stage in reversed(stages):
        for table, window in stage.inputs.items():
            if table in leads and stage.is_sql:
                reaches_back = max(0, -window.first_offset)
                leads[table] = max(leads[table], leads[stage.table] + reaches_back)
    return leads


def held_back_days(lake: Lake, problem: Problem, stage: Stage, days: DayRange) -> set[date]:
    """Days that this stage cannot have while their snapshots wait in quarantine."""
    snapshots = problem.table("snapshots")
    if stage.source or stage.name == "model" or stage.table == snapshots:
        return set()
    holes = holes_in(lake, snapshots, days)
    return {day for day, hole in holes.items() if hole.is_quarantine}


def stale_days(lake: Lake, stage: Stage, days: DayRange) -> list[date]:
    """Days whose partition is missing, was written by other code, or is older than something it
    is made from."""
    if stage.source:
        stored = set(lake.days(stage.table, days))
        return [day for day in days if day not in stored]
    written: dict[date, float] = {}
    partitions = lake.partitions(stage.table, days)
    notes_of_each = lake.notes_of(partitions) if stage.is_sql else [{}] * len(partitions)
    for partition, notes in zip(partitions, notes_of_each, strict=True):
        by_this_code = not stage.code_version or notes.get(CODE_VERSION) in (
            stage.code_version,
            *stage.same_rows_as,
        )
        if by_this_code:
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
    return [day for day in days if written.get(day, -1.0) < newest_input[day]]


def _stage(problem: Problem, name: str, inputs: dict[str, Window]) -> Stage:
    return Stage(name, problem.table(name), {problem.table(k): v for k, v in inputs.items()})


def _sql_stage(file: SqlFile) -> Stage:
    return Stage(
        file.path.stem, file.table.name, dict(file.reads), file.code_version, file.same_rows_as
    )


def _depends_on(file: SqlFile, tables: set[str], wired: Wired) -> bool:
    return any(
        table in tables
        or (table in wired.graph.files and _depends_on(wired.graph.files[table], tables, wired))
        for table in file.reads
    )
