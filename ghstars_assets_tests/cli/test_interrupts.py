"""Ctrl-C, sent to real processes: 130, one sentence, at once, and nothing that looks failed."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from dagster import DagsterRunStatus

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.lazy_group import INTERRUPTED
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.runs import Recorded, dagster_instance
from ghstars_assets_tests.support.filled_home import DAYS, begin_world, settings_of

ENDLESS = "select count(*) from range(1_000_000_000_000) as numbers(n) where hash(n) % 7 = 3"
PATIENCE_SECONDS = 60
"""Of a test; what it waits for comes within a few."""
AT_ONCE_SECONDS = 30
"""A busy machine's at once. The query would take hours."""
GHSTARS = (sys.executable, "-c", "from ghstars_assets.cli import main; main()")


def environment_of(home: Path) -> dict[str, str]:
    return {**os.environ, "GHSTARS_HOME": str(home), "GHSTARS_THREADS": "2", "NO_COLOR": "1"}


def wait_until(came: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not came():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def started(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a group of its own, as a shell starts it."""
    process = subprocess.Popen(
        [*GHSTARS, *arguments],
        env=environment_of(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Press Ctrl-C, which every process of the group gets."""
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=AT_ONCE_SECONDS)
    return process.returncode, out, err


def test_a_query_is_cancelled_at_once(tmp_path: Path) -> None:
    with started(tmp_path, "sql", ENDLESS) as process:
        wait_until(lambda: any(tmp_path.glob("spill/*")))
        assert interrupt(process) == (130, "", f"\n{INTERRUPTED}\n")
    assert not any(tmp_path.glob("spill/*"))


def test_an_interrupted_backfill_is_no_failure_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(settings_of(tmp_path))
    begin_world(lake)
    wanted = DayRange(DAYS.first, DAYS.first + timedelta(days=9))
    days = ("--from", str(wanted.first), "--to", str(DAYS.last), "--stages", "discovered")
    with started(tmp_path, "backfill", "stars", *days) as process:
        wait_until(lambda: bool(lake.days("stars.discovered", wanted)))
        code, _, err = interrupt(process)
    assert (code, err) == (130, f"\n{INTERRUPTED}\n")
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("GHSTARS_HOME", "")
    with dagster_instance(settings_of(tmp_path)) as instance:
        newest, *_ = instance.get_runs(limit=1)
        assert newest.status is DagsterRunStatus.CANCELED
        assert Recorded(instance).failed_days("stars.discovered") == set()
    again = (*days[:3], str(wanted.last), *days[4:])
    with started(tmp_path, "backfill", "stars", *again) as process:
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err
    assert lake.days("stars.discovered", wanted) == list(wanted)


class Prompt:
    """`ghstars sql` on a terminal of its own."""

    def __init__(self, home: Path) -> None:
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.execve(GHSTARS[0], [*GHSTARS, "sql"], environment_of(home) | {"TERM": "dumb"})
        self.shown = ""

    def type(self, keys: str) -> None:
        os.write(self.end, keys.encode())

    def wait_for(self, pattern: str, keys_while_silent: str = "") -> None:
        """Read on until it is shown."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not re.search(pattern, self.shown):
            ready, _, _ = select.select([self.end], [], [], 2)
            assert time.monotonic() < deadline, self.shown
            if ready:
                self.shown += os.read(self.end, 10_000).decode(errors="replace")
            else:
                self.type(keys_while_silent)
        self.shown = ""

    def interrupt_line(self) -> None:
        """Press Ctrl-C while a line is typed. Python's readline notices one that comes just as it
        begins to wait only with the next key."""
        self.type("\x03")
        self.wait_for("ghstars> ", keys_while_silent="\x03")


def test_at_the_prompt_ctrl_c_cancels_the_query_and_keeps_the_prompt(tmp_path: Path) -> None:
    prompt = Prompt(tmp_path)
    try:
        prompt.wait_for("ghstars> ")
        begun = tmp_path / "begun.csv"
        prompt.type(f"copy (select 1) to '{begun}'; {ENDLESS};\n")
        wait_until(begun.exists)
        prompt.type("\x03")
        prompt.wait_for(r"The query was cancelled\.[\s\S]*ghstars> ")
        prompt.type("select 6 * 7 as answer;\n")
        prompt.wait_for(r"answer[\s\S]*42[\s\S]*ghstars> ")
        prompt.type("half a statement\n")
        prompt.wait_for(r"\.\.\.> ")
        prompt.interrupt_line()
        prompt.type("stars.snapshots_\t")
        prompt.wait_for("stars.snapshots_quarantine")
        prompt.interrupt_line()
        prompt.type("\x04")
        _, status = os.waitpid(prompt.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
    finally:
        with suppress(ProcessLookupError):
            os.kill(prompt.pid, signal.SIGKILL)
        os.close(prompt.end)
