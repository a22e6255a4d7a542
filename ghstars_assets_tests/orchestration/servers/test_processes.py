"""Services started and ended, with small programs in the place of the real ones."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ghstars_assets.errors import GhstarsError
from ghstars_assets.home.layout import is_alive
from ghstars_assets.orchestration.servers import processes
from ghstars_assets.orchestration.servers.processes import (
    end_orphans,
    running,
    the_only_up,
    wait_until_open,
    watch,
)
from ghstars_assets.orchestration.servers.services import Service
from ghstars_assets.settings import Settings

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(60)"
)
PARENT = (
    "import subprocess, sys; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "print(child.pid, flush=True); child.wait()"
)


def _service(program: str) -> Service:
    return Service("Small", (sys.executable, "-c", program))


def _eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(number: int) -> bool:
    """Not counting one that has ended and that nobody has asked about."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists() and is_alive(number)


def test_what_a_service_has_started_ends_with_it(settings: Settings) -> None:
    with running([_service(PARENT)], settings) as [one]:
        _eventually(one.log.read_text)
        grandchild = int(one.log.read_text())
        assert _lives(grandchild)
    assert not _lives(one.process.pid)
    assert not _lives(grandchild)


def test_a_service_that_ends_by_itself_is_an_error_that_names_its_log(settings: Settings) -> None:
    failing = Service("Small", (sys.executable, "-c", "raise SystemExit(3)"), port=1)
    with (
        running([failing], settings) as [one],
        pytest.raises(GhstarsError, match=rf"Small ended by itself with code 3.*{one.log}"),
    ):
        wait_until_open(one, lambda: False)
    with running([failing], settings) as [one], pytest.raises(GhstarsError, match="code 3"):
        watch([one], lambda: False)


def test_a_second_up_of_a_home_is_refused_with_the_first_ones_address(settings: Settings) -> None:
    first = [Service("Small", (), port=4321)]
    with (
        the_only_up(settings, first),
        pytest.raises(GhstarsError, match=rf"process {os.getpid()}, http://127.0.0.1:4321;"),
        the_only_up(settings, [Service("Small", (), port=4322)]),
    ):
        pass
    with the_only_up(settings, first):
        pass


def test_what_a_killed_up_left_is_ended_by_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED_UP, str(settings.home_path), STUBBORN],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert killed.stdout is not None
    orphan = int(killed.stdout.readline())
    killed.wait()
    assert killed.returncode == -signal.SIGKILL
    assert _lives(orphan)

    stubborn = _service(STUBBORN)
    with the_only_up(settings, [Service("Small", (), port=1)]):
        assert end_orphans(settings, [stubborn]) == ["Small"]
        assert end_orphans(settings, [stubborn]) == []
    _eventually(lambda: not _lives(orphan))


KILLED_UP = """
import os, signal, sys, time
from pathlib import Path
from ghstars_assets.orchestration.servers.processes import running, the_only_up
from ghstars_assets.orchestration.servers.services import Service
from ghstars_assets.settings import Settings

settings = Settings(home=Path(sys.argv[1]))
service = Service("Small", (sys.executable, "-c", sys.argv[2]), port=1)
with the_only_up(settings, [service]), running([service], settings) as [one]:
    while not one.log.read_text():
        time.sleep(0.02)
    print(one.process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_lock_whose_process_has_ended_names_nobody_to_end(settings: Settings) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        check=True,
        capture_output=True,
        text=True,
    )
    path = settings.home_path / "logs" / "small.lock"
    path.parent.mkdir(parents=True)
    path.write_text(ended.stdout.strip())
    assert end_orphans(settings, [_service(STUBBORN)]) == []
