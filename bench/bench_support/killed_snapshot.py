"""A day's snapshot as a process of its own, killed on its way, beside a log of GitHub's answers."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from bench_support.equal_lakes import TAKEN_IN_AT
from bench_support.processes import finish, kill_when, start
from bench_support.sandbox_home import TRACK_EVERYTHING
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.http.child import running_sandbox
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.batching import MOST_AT_ONCE
from ghstars_assets.sources.github.daily.intake import Intake
from ghstars_assets.sources.github.tables import tables_of

DAY = date(2026, 6, 1)
REPOSITORIES = 1500
MOST_IN_FLIGHT = 2 * MOST_AT_ONCE
"""Repositories that may be on their way when a process dies: two batches are asked side by side."""

_TABLE = tables_of("stars").github
_PROGRAM = Path(__file__).with_name("take_one_day.py")
_POLL_SECONDS = 0.002


@dataclass(frozen=True)
class ServedGitHub:
    url: str
    token: str
    log: Path

    def answers(self) -> list[list[int]]:
        """The repositories of each answer, in the order of the answers."""
        if not self.log.exists():
            return []
        return [json.loads(line)["repositories"] for line in self.log.read_text().splitlines()]


@contextmanager
def serving_github(folder: Path) -> Iterator[ServedGitHub]:
    """Serve an invented GitHub whose clock stands still on the day."""
    log = folder / "served.jsonl"
    with running_sandbox(WorldSpec(5, REPOSITORIES, DAY), served_log=log) as sandbox:
        yield ServedGitHub(sandbox.url, sandbox.token, log)


class KilledSnapshot:
    """A home that takes the day, in one process after the other."""

    def __init__(self, home: Path, github: ServedGitHub) -> None:
        self.home = home
        self.github = github
        self.lake = Lake(Settings(home=home, threads=1, memory_gb=1))
        mark_lake(self.lake, Marker("sandbox", DAY))
        self._began_at = len(github.answers())
        self._stored_at: list[tuple[int, set[int]]] = []

    def run(self) -> None:
        finish(self._start())

    def run_and_kill_after(self, answers: int) -> set[int]:
        """SIGKILL once so many more answers are stored. Returns all that are stored by then."""
        goal = self._files() + answers
        kill_when(self._start(), lambda: self._files() >= goal, poll_seconds=_POLL_SECONDS)
        stored = self.stored()
        self._stored_at.append((len(self.github.answers()), stored))
        return stored

    def stored(self) -> set[int]:
        """The repositories whose answers are stored and not part of a partition yet."""
        return set(Intake(self.lake, _TABLE, DAY).rows()["repo_id"])

    def rows(self) -> pl.DataFrame:
        """The day without the moments at which we took it in, which follow from how fast we are."""
        return self.lake.read(_TABLE.name, DAY).drop(TAKEN_IN_AT)

    def is_done(self) -> bool:
        return bool(self.lake.days(_TABLE.name))

    def asked_again(self) -> set[int]:
        """Repositories that GitHub answered for after they had been stored at some kill."""
        again: set[int] = set()
        for number, stored in self._stored_at:
            again.update(*(set(answer) & stored for answer in self.github.answers()[number:]))
        return again

    def answered_more_than_once(self) -> int:
        answers = self.github.answers()[self._began_at :]
        counts = Counter(repo_id for answer in answers for repo_id in answer)
        return sum(count - 1 for count in counts.values())

    def _files(self) -> int:
        folder = Path(self.lake.store.root, "_intake")
        return sum(len(names) for _, _, names in os.walk(folder))

    def _start(self) -> subprocess.Popen[str]:
        settings = {
            "GHSTARS_GITHUB_API": self.github.url,
            "GHSTARS_GITHUB_TOKEN": self.github.token,
            **TRACK_EVERYTHING,
        }
        return start([sys.executable, str(_PROGRAM), str(DAY)], self.home, settings)
