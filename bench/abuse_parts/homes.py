"""Homes to be hurt: copies of one that is filled, and what must hold of any home afterwards."""

import io
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import mkdtemp

import polars as pl

from bench_support.equal_lakes import SAME_BYTES, SAME_MODELS, SAME_NUMBERS, differences
from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings

_SHARED = ("lake", "mlflow/artifacts")
"""Folders whose files are replaced and never changed, so that a copy may link to them."""
_IN_WRITING = "#"
"""Stands in the name under which obstore writes a file before it has its own."""


class BrokenError(Exception):
    """Something that must hold of a home does not."""


def lake_of(home: Path) -> Lake:
    return Lake(Settings(home=home, threads=1, memory_gb=1))


class Homes:
    """Makes copies of a filled home, which itself is never touched."""

    def __init__(self, filled: Path) -> None:
        self.filled = filled
        self._folder = Path(mkdtemp(prefix="ghstars-homes-"))
        self._made = 0

    def copy(self, of: Path | None = None) -> Path:
        source = of or self.filled
        self._made += 1
        home = self._folder / f"home-{self._made}"
        for folder, _, names in os.walk(source):
            inside = Path(folder).relative_to(source)
            (home / inside).mkdir(parents=True, exist_ok=True)
            link = os.link if inside.as_posix().startswith(_SHARED) else shutil.copy2
            for name in names:
                link(Path(folder, name), home / inside / name)
        for database in home.rglob("*.db"):
            _move(database, str(source), str(home))
        return home

    def empty(self) -> Path:
        self._made += 1
        home = self._folder / f"home-{self._made}"
        home.mkdir()
        return home

    def without_days_from(self, first: date) -> Path:
        """A copy whose lake ends before a day."""
        home = self.copy()
        for folder in (home / "lake").glob("*/*/date=*"):
            if folder.name.removeprefix("date=") >= str(first):
                shutil.rmtree(folder)
        return home

    def remove(self, home: Path) -> None:
        shutil.rmtree(home, ignore_errors=True)


def _move(database: Path, before: str, now: str) -> None:
    """MLflow writes down where its artifacts lie: the copy must not write to the original's."""
    with sqlite3.connect(database) as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        for (table,) in tables.fetchall():
            for column in connection.execute(f'pragma table_info("{table}")').fetchall():
                if any(kind in column[2].upper() for kind in ("CHAR", "TEXT")):
                    connection.execute(
                        f'update "{table}" set "{column[1]}" = replace("{column[1]}", ?, ?) '  # noqa: S608
                        f'where instr("{column[1]}", ?) > 0',
                        (before, now, before),
                    )
    connection.close()


# ---- what must hold -------------------------------------------------------------------------


def require_whole(home: Path) -> None:
    """Every file of the lake and of the models can be read to its end."""
    lake = home / "lake"
    for file in sorted(lake.rglob("*")) if lake.exists() else []:
        if file.is_dir() or _IN_WRITING in file.name:
            continue
        try:
            _read(file)
        except Exception as error:  # noqa: BLE001 - whatever it is, the file is not whole
            raise BrokenError(f"{file.relative_to(home)} is half a file ({error})") from None


def _read(file: Path) -> None:
    content = file.read_bytes()
    if file.suffix == ".parquet":
        pl.read_parquet(io.BytesIO(content))
    elif file.suffix == ".json":
        json.loads(content)
    elif not content:
        raise ValueError("it is empty")


def require_no_run_left(home: Path) -> None:
    """No run of Dagster's waits for a process that is gone."""
    left = dict(_unfinished_runs(home))
    if left:
        raise BrokenError(f"runs were left behind: {left}")


def _unfinished_runs(home: Path) -> Iterator[tuple[str, str]]:
    database = home / "dagster" / "history" / "runs.db"
    if not database.exists():
        return
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        yield from connection.execute(
            "select run_id, status from runs where status in "
            "('STARTED', 'STARTING', 'NOT_STARTED', 'QUEUED', 'CANCELING')"
        )
    finally:
        connection.close()


def require_equal(undisturbed: Path, home: Path, days: DayRange) -> None:
    """The rows are those of a home in which nothing happened."""
    expected = lake_of(undisturbed)
    stages = [
        stage
        for stage in (*SAME_BYTES, *SAME_NUMBERS, *SAME_MODELS)
        if expected.days(f"stars.{stage}", days)
    ]
    found = list(differences(expected, lake_of(home), days, stages))
    if found:
        raise BrokenError("; ".join(found)[:600])


def require_same_log(undisturbed: Path, home: Path, table: str, columns: list[str]) -> None:
    """A log says the same, whatever the moments at which it was written."""
    frames: list[pl.DataFrame] = []
    for lake in map(lake_of, (undisturbed, home)):
        log = lake.read_log(table)
        frames.append(pl.DataFrame() if log is None else log.select(columns).unique().sort(columns))
    if not frames[0].equals(frames[1]):
        raise BrokenError(f"{table} says {frames[1].rows()} in place of {frames[0].rows()}")


def require_sentence(output: str) -> None:
    """What went wrong is said in a sentence, and never by a traceback."""
    if "Traceback (most recent call last)" in output:
        last = [line for line in output.strip().splitlines() if line.strip()][-1]
        raise BrokenError(f"a traceback was shown: {last[:300]}")
