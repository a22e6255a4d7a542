"""`ghstars backfill stars` as a process of its own, killed on its way."""

import os
import sqlite3
import subprocess
from pathlib import Path

from bench_support.processes import GHSTARS, kill_when, start
from bench_support.sandbox_home import TRACK_EVERYTHING
from ghstars_assets.calendar import DayRange

_POLL_SECONDS = 0.02


def start_backfill(home: Path, days: DayRange, *options: str) -> subprocess.Popen[str]:
    """Start the command over a range of days, on one thread, with the whole world tracked."""
    return start(
        [GHSTARS, "backfill", "stars", f"--from={days.first}", f"--to={days.last}", *options],
        home,
        {"GHSTARS_THREADS": "1", "GHSTARS_MEMORY_GB": "1", **TRACK_EVERYTHING},
    )


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
    return kill_when(process, lambda: progress(home) >= goal, poll_seconds=_POLL_SECONDS)
