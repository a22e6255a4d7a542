"""A day's snapshot as a process of its own, killed on its way, beside a log of what GitHub told.

Used by the tests and by `bench/ingest_kills.py`.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.child import running_sandbox
from ghstars_assets.sandbox.world import WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.batching import MOST_AT_ONCE
from ghstars_assets.sources.github.daily.intake import Intake
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets.sources.github.tracking.tracking_rules import parse_tracking_rule, record

DAY = date(2026, 6, 1)
TABLES = tables_of("stars")
REPOSITORIES = 1500
_SIDE_BY_SIDE = 2
_POLL_SECONDS = 0.002
_NOT_INHERITED = ("GHSTARS_", "DAGSTER_", "MLFLOW_")
_PROGRAM = f"""
from ghstars_assets.calendar import DayRange, parse_day
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import load_settings
from ghstars_assets.sources.github.daily.capture import take_github_days
from ghstars_assets.sources.github.daily.discovery import take_discovered_days
from ghstars_assets.sources.github.tables import tables_of

lake, tables, day = Lake(load_settings()), tables_of("stars"), parse_day("{DAY}")
for source in (take_discovered_days, take_github_days):
    for outcome in source(lake, read_marker(lake), tables, DayRange(day, day), lambda _told: None):
        print(outcome.reason)
"""


@dataclass(frozen=True)
class ServedGitHub:
    url: str
    token: str
    log: Path

    def told(self) -> list[list[int]]:
        """The repositories of each answer, in the order of the answers."""
        if not self.log.exists():
            return []
        return [json.loads(line)["repositories"] for line in self.log.read_text().splitlines()]


@contextmanager
def serving_github(folder: Path) -> Iterator[ServedGitHub]:
    """An invented GitHub whose clock stands still on the day, for all processes of a test."""
    log = folder / "served.jsonl"
    with running_sandbox(WorldSpec(5, REPOSITORIES, DAY), served_log=log) as sandbox:
        yield ServedGitHub(sandbox.url, sandbox.token, log)


class Ingest:
    """A home that takes the day, in processes of its own."""

    most_in_flight = _SIDE_BY_SIDE * MOST_AT_ONCE

    def __init__(self, home: Path, github: ServedGitHub) -> None:
        self.home = home
        self.github = github
        self.lake = Lake(Settings(home=home, threads=1, memory_gb=1))
        mark_lake(self.lake, Marker("sandbox", DAY))
        everything = [(parse_tracking_rule("stars", "0.."), None)]
        record(self.lake, TABLES, "track", everything, "a test", datetime(2026, 6, 1, tzinfo=UTC))
        self._began_at = len(github.told())
        self._stored_at: list[tuple[int, set[int]]] = []

    def run(self) -> str:
        process = self._start()
        told, complained = process.communicate(timeout=120)
        assert process.returncode == 0, complained
        return told

    def run_and_kill_after(self, answers: int) -> set[int]:
        """SIGKILL once so many more answers are stored. Returns all that are stored by then."""
        goal = self._files() + answers
        process = self._start()
        while process.poll() is None and self._files() < goal:
            time.sleep(_POLL_SECONDS)
        process.kill()
        process.communicate()
        stored = self.stored()
        self._stored_at.append((len(self.github.told()), stored))
        return stored

    def stored(self) -> set[int]:
        """The repositories whose answers are stored and not part of a partition yet."""
        return set(Intake(self.lake, TABLES.github, DAY).rows()["repo_id"])

    def rows(self) -> pl.DataFrame:
        return self.lake.read(TABLES.github.name, DAY)

    def is_done(self) -> bool:
        return bool(self.lake.days(TABLES.github.name))

    def asked_again(self) -> set[int]:
        """Repositories that GitHub told of after they had been stored at some kill."""
        again: set[int] = set()
        for answers, stored in self._stored_at:
            again.update(*(set(told) & stored for told in self.github.told()[answers:]))
        return again

    def told_more_than_once(self) -> int:
        counts = Counter(one for told in self.github.told()[self._began_at :] for one in told)
        return sum(count - 1 for count in counts.values())

    def _files(self) -> int:
        folder = Path(self.lake.store.root, "_intake")
        return sum(len(names) for _, _, names in os.walk(folder))

    def _start(self) -> subprocess.Popen[str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
        }
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            env={
                **inherited,
                "GHSTARS_HOME": str(self.home),
                "GHSTARS_GITHUB_API": self.github.url,
                "GHSTARS_GITHUB_TOKEN": self.github.token,
            },
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
