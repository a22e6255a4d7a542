"""`ghstars backfill` as a process of its own, killed on its way, and the lakes compared.

Used by the tests and by `bench/kills.py`.
"""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.stars.problem import PROBLEM

SAME_BYTES = ("discovered", "github", "repositories", "snapshots", "snapshots_quarantine", "labels")
SAME_NUMBERS = ("features", "predictions", "scores")
SAME_MODELS = ("model", "champion")
ALL_STAGES = (*SAME_BYTES, *SAME_NUMBERS, *SAME_MODELS)
LOOKS_AHEAD = ("labels", "scores")
TOLERANCE = 1e-9
"""Floating sums depend on how a range was cut into batches, and a killed backfill cuts it anew."""

_COMMAND = [sys.executable, "-c", "from ghstars_assets.cli import main; main()"]
_NOT_INHERITED = ("GHSTARS_", "DAGSTER_", "MLFLOW_")
_POLL_SECONDS = 0.02


def start_backfill(home: Path, days: DayRange, *options: str) -> subprocess.Popen[str]:
    """Start `ghstars backfill stars` over a range, on one thread."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }
    return subprocess.Popen(
        [*_COMMAND, "backfill", "stars", f"--from={days.first}", f"--to={days.last}", *options],
        env={
            **environment,
            "GHSTARS_HOME": str(home),
            "GHSTARS_THREADS": "1",
            "GHSTARS_MEMORY_GB": "1",
        },
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass(frozen=True)
class Ended:
    code: int
    told: str
    """What it wrote, both streams."""


def end_of(process: subprocess.Popen[str], timeout_seconds: float = 300) -> Ended:
    try:
        told, complained = process.communicate(timeout=timeout_seconds)
    finally:
        process.kill()
    return Ended(process.returncode, told + complained)


def progress(home: Path) -> int:
    """How far a home has come: files written plus events recorded. Unlike the clock it does not
    depend on the machine, so a moment that is drawn from it is the same moment everywhere."""
    folders = (home / "lake", home / "mlflow" / "artifacts")
    files = sum(len(names) for folder in folders for _, _, names in os.walk(folder))
    return files + _events_recorded(home)


def _events_recorded(home: Path) -> int:
    database = home / "dagster" / "history" / "runs" / "index.db"
    if not database.exists():
        return 0
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return connection.execute("select count(*) from event_logs").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # its tables are being made
    finally:
        connection.close()


def kill_after(process: subprocess.Popen[str], home: Path, steps: int) -> bool:
    """SIGKILL the process once it has come so many steps further. False: it ended before."""
    goal = progress(home) + steps
    while process.poll() is None:
        if progress(home) >= goal:
            process.kill()
            process.communicate()
            return True
        time.sleep(_POLL_SECONDS)
    return False


def differences(
    expected: Lake, found: Lake, days: DayRange, stages: Collection[str] = ALL_STAGES
) -> Iterator[str]:
    """Where two lakes that were filled over the same days are not equal, as DESIGN defines equal:
    bytes where a row is copied or counted, numbers where sums are floating, and models by the day
    they are of, because versions are numbered as they come."""
    for stage in stages:
        if stage in SAME_BYTES:
            yield from _byte_differences(expected, found, stage, _days_of(stage, days))
        elif stage in SAME_NUMBERS:
            yield from _number_differences(expected, found, stage, _days_of(stage, days))
        else:
            yield from _model_differences(expected, found, stage, days)


def _days_of(stage: str, days: DayRange) -> DayRange:
    ahead = PROBLEM.horizon_days if stage in LOOKS_AHEAD else 0
    return DayRange(days.first, days.last - timedelta(days=ahead))


def _byte_differences(expected: Lake, found: Lake, stage: str, days: DayRange) -> Iterator[str]:
    table = PROBLEM.table(stage)
    contents = [
        {file.key: lake.store.get(file.key) for file in lake.partitions(table, days)}
        for lake in (expected, found)
    ]
    for key in sorted(contents[0].keys() | contents[1].keys()):
        if contents[0].get(key) != contents[1].get(key):
            yield f"{key} is not the same byte for byte"


def _number_differences(expected: Lake, found: Lake, stage: str, days: DayRange) -> Iterator[str]:
    table = PROBLEM.table(stage)
    stored = [lake.days(table, days) for lake in (expected, found)]
    if stored[0] != stored[1]:
        yield f"{table} has other days: {sorted(map(str, set(stored[0]) ^ set(stored[1])))}"
        return
    if not stored[0]:
        return
    frames = [_comparable(lake, lake.scan(table, days).collect()) for lake in (expected, found)]
    numbers = [name for name, kind in frames[0].schema.items() if kind.is_float()]
    exact = [frame.drop(numbers) for frame in frames]
    if not exact[0].equals(exact[1]):
        yield f"{table} has other rows"
        return
    for name in numbers:
        distance = (frames[0][name] - frames[1][name]).abs()
        allowed = TOLERANCE * (1 + frames[0][name].abs())
        are_known_alike = frames[0][name].is_null().equals(frames[1][name].is_null())
        if not are_known_alike or (distance > allowed).any():
            yield f"{table}.{name} differs by up to {distance.max()}"


def _comparable(lake: Lake, frame: pl.DataFrame) -> pl.DataFrame:
    """Without nested values, and with the day that a version is of in place of its number."""
    if "drivers" in frame.columns:
        frame = frame.explode("drivers").unnest("drivers")
    if "model_version" in frame.columns:
        versions = pl.col("model_version").replace_strict(_days_of_versions(lake))
        frame = frame.with_columns(versions)
    return frame


def _days_of_versions(lake: Lake) -> dict[int, date]:
    models = lake.scan(PROBLEM.table("model")).select("model_version", "day")
    return dict(models.collect().iter_rows())


def _model_differences(expected: Lake, found: Lake, stage: str, days: DayRange) -> Iterator[str]:
    table = PROBLEM.table(stage)
    columns = {
        "model": ["day", "trained_from", "trained_through", "holdout_through", "rows"],
        "champion": ["day", "model_version", "decision", "effective_from"],
    }[stage]
    told = [
        _comparable(lake, lake.scan(table, days).select(columns).collect()).rows()
        for lake in (expected, found)
    ]
    for row in told[0]:
        if row not in told[1]:
            yield f"{table} lacks {row}"
    for row in told[1]:
        if row not in told[0] or told[1].count(row) > 1:
            yield f"{table} has {told[1].count(row)} of {row}, instead of {told[0].count(row)}"
