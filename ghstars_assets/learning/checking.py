"""Walks over everything a problem has in a lake and finds what is damaged, missing or surplus."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import DamagedFileError
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.catalog import problem_of
from ghstars_assets.lake.footers import footers_of, name_of
from ghstars_assets.lake.holes import declared_gaps
from ghstars_assets.lake.integrity import read_whole, why_rows_are_wrong
from ghstars_assets.lake.store import StoredFile
from ghstars_assets.learning.plan import Plan
from ghstars_assets.learning.stage import Stage

FOOTERS_AT_ONCE = 500

_FILE = re.compile(
    r"(?P<problem>[^/]+)/(?P<table>[^/]+)/"
    r"(?:date=(?P<day>\d{4}-\d{2}-\d{2})/[^/]+|(?P<kind>entry|compacted)-(?P<number>\d+))\.parquet$"
)
_PLACE_OF_A_FOLDER = re.compile(r"[^/]+/[^/]+(/date=\d{4}-\d{2}-\d{2})?$")


class Kind(StrEnum):
    DAMAGED = "damaged"
    """It cannot be read, or is not what was written."""
    MISSING = "missing"
    """It was written, or could be, and is not there."""
    SURPLUS = "surplus"
    """Nothing reads it."""


@dataclass(frozen=True)
class Finding:
    kind: Kind
    table: str
    day: date | None
    key: str
    """Of the file; empty where there is none."""
    why: str
    remedy: str = ""
    """The command that helps."""

    def __str__(self) -> str:
        name = name_of(self.key) if self.key else f"{self.table} of {self.day}"
        return f"{name} is {self.kind} ({self.why})" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(frozen=True)
class Checked:
    """What a walk has found, and how many files it has looked at."""

    files: int
    files_without_checksum: int
    """The first release added none: their rows and their footers are all that can be looked at."""
    findings: tuple[Finding, ...]

    def of(self, kind: Kind) -> list[Finding]:
        return [finding for finding in self.findings if finding.kind is kind]

    @property
    def is_damaged(self) -> bool:
        return bool(self.of(Kind.DAMAGED))


def check(plan: Plan, *, is_deep: bool = False) -> Checked:
    """Look at the size and the footer of every file; with `is_deep` at every byte and row too."""
    walk = _Walk(plan, is_deep=is_deep)
    findings = [*walk.of_files(), *walk.of_logs(), *walk.of_places(), *walk.of_days()]
    order = list(Kind)
    findings.sort(
        key=lambda found: (order.index(found.kind), found.table, found.day or date.min, found.key)
    )
    return Checked(walk.files, walk.files_without_checksum, tuple(findings))


class _Walk:
    def __init__(self, plan: Plan, *, is_deep: bool) -> None:
        self.plan = plan
        self.lake = plan.lake
        self.is_deep = is_deep
        self.files = 0
        self.files_without_checksum = 0
        self.entries: dict[str, set[int]] = {}
        self.damaged_days: set[tuple[str, date | None]] = set()
        self.stage_of = {stage.table.name: stage for stage in plan.stages}

    # ---- files that are there ------------------------------------------------------------------

    def of_files(self) -> Iterator[Finding]:
        for folder in self._folders():
            listed = sorted(self.lake.store.files(f"{folder}/"), key=lambda file: file.key)
            for first in range(0, len(listed), FOOTERS_AT_ONCE):
                some = listed[first : first + FOOTERS_AT_ONCE]
                yield from self._look_at([file for file in some if _FILE.match(file.key)])
                yield from map(self._stranger, [file for file in some if not _FILE.match(file.key)])

    def _folders(self) -> list[str]:
        """The problem's tables, those of its simulations, and what all problems share."""
        name = self.plan.problem.name
        return [name, f"{name}_simulation", problem_of(AUDIT.name)]

    def _look_at(self, files: list[StoredFile]) -> Iterator[Finding]:
        self.files += len(files)
        for file, footer in zip(files, footers_of(self.lake.store, files), strict=True):
            match = _FILE.match(file.key)
            assert match is not None  # noqa: S101 - for the type checker; the caller looked
            table = f"{match['problem']}.{match['table']}"
            day = date.fromisoformat(match["day"]) if match["day"] else None
            if match["kind"] == "entry":
                self.entries.setdefault(table, set()).add(int(match["number"]))
            why = footer.damage or (self._why_deeply(file, table, day) if self.is_deep else "")
            if why:
                yield self._damage(table, day, file.key, why)
            elif not footer.has_checksum:
                self.files_without_checksum += 1

    def _why_deeply(self, file: StoredFile, table: str, day: date | None) -> str:
        rows = read_whole(self.lake.store, file)
        if isinstance(rows, str) or day is None:
            return rows if isinstance(rows, str) else ""
        return why_rows_are_wrong(rows, day, self.plan.wired.graph.tables.get(table))

    def _stranger(self, file: StoredFile) -> Finding:
        if _PLACE_OF_A_FOLDER.match(file.key):
            problem, table = file.key.split("/")[:2]
            return self._damage(f"{problem}.{table}", None, file.key, "it is a file, not a folder")
        return Finding(Kind.SURPLUS, "", None, file.key, "ghstars knows no such file")

    def _damage(self, table: str, day: date | None, key: str, why: str) -> Finding:
        self.damaged_days.add((table, day))
        stage = self.stage_of.get(table)
        return Finding(Kind.DAMAGED, table, day, key, why, remedy_of(self.plan, stage, day))

    # ---- what is not there ---------------------------------------------------------------------

    def of_logs(self) -> Iterator[Finding]:
        """Entries are numbered without a break and never deleted."""
        for table, numbers in self.entries.items():
            for number in sorted(set(range(1, max(numbers))) - numbers):
                key = f"{self.lake.folder(table)}/entry-{number:06d}.parquet"
                yield Finding(Kind.MISSING, table, None, key, "somebody deleted it")

    def of_days(self) -> Iterator[Finding]:
        """Days between the first and the last of a table that it could have."""
        try:
            gaps = declared_gaps(self.lake, self.plan.problem.name)
            for stage in self.plan.stages:
                yield from self._missing_days(stage, set(gaps))
        except DamagedFileError:
            return  # a log that says which days there are; it is among the findings

    def _missing_days(self, stage: Stage, gaps: set[date]) -> Iterator[Finding]:
        table = stage.table.name
        stored = self.lake.days(table)
        if stage.is_of_training_days or not stored:
            return
        span = DayRange(stored[0], stored[-1])
        for day in self.plan.possible_days(stage, span):
            is_there = day in set(stored) or (table, day) in self.damaged_days
            if not is_there and day not in gaps:
                remedy = remedy_of(self.plan, stage, day)
                yield Finding(Kind.MISSING, table, day, "", "it was not filled", remedy)

    # ---- places of a folder that hold something else -------------------------------------------

    def of_places(self) -> Iterator[Finding]:
        """Folders where files belong, and what a killed write left: no listing shows them."""
        if self.lake.store.scheme != "file":
            return
        root = Path(self.lake.store.root)
        for folder in self._folders():
            for path, folders, files in os.walk(root / folder):
                for name in (*folders, *files):
                    key = (Path(path) / name).relative_to(root).as_posix()
                    if name in folders and (match := _FILE.match(key)):
                        table = f"{match['problem']}.{match['table']}"
                        day = date.fromisoformat(match["day"]) if match["day"] else None
                        yield self._damage(table, day, key, "it is a folder")
                    elif name in files and "#" in name:
                        why = "a write that was killed left it"
                        yield Finding(Kind.SURPLUS, "", None, key, why)


def remedy_of(plan: Plan, stage: Stage | None, day: date | None) -> str:
    """The command that makes a day of a table again."""
    problem = plan.problem.name
    if stage is None or stage.source or day is None:
        return f"`ghstars check {problem} --mend`"
    return f"`ghstars backfill {problem} --from {day} --to {day} --stages {stage.name} --force`"
