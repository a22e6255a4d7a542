"""The processes of the services: started, watched, ended, and found again when `up` was killed."""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ghstars_assets.errors import GhstarsError
from ghstars_assets.home.layout import make_private
from ghstars_assets.orchestration.servers.log_files import open_log, rotate
from ghstars_assets.orchestration.servers.services import LOOPBACK, Service
from ghstars_assets.settings import Settings, child_environment

START_SECONDS = 120
STOP_SECONDS = 20
LINGER_SECONDS = 5
"""For what a service itself has started, after it ended."""
LOOK_SECONDS = 0.3
_PRIVATE, _AS_USER = 0o077, -1
"""Who may read the lake is for the user's own umask to say."""
_SET_PARENT_DEATH_SIGNAL = 1

Stop = Callable[[], bool]
"""Whether somebody asked us to end."""


@dataclass(frozen=True)
class Running:
    service: Service
    process: subprocess.Popen[bytes]
    log: Path

    def require_alive(self) -> None:
        if self.process.poll() is not None:
            raise GhstarsError(
                f"{self.service.name} ended by itself with code {self.process.returncode}; its "
                f"last words are in {self.log}."
            )


@contextmanager
def the_only_up(settings: Settings, services: Sequence[Service]) -> Iterator[None]:
    """Held while `up` runs, and released by the system when it is killed."""
    path = _lock_folder(settings) / "up.lock"
    with path.open("a+") as lock:
        if not _took_lock(lock):
            lock.seek(0)
            raise GhstarsError(
                f"`ghstars up` runs already for {settings.home_path}: {lock.read()}; use that one, "
                "or end it first."
            )
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {services[0].url}")
        lock.flush()
        yield


def end_orphans(settings: Settings, services: Sequence[Service]) -> list[str]:
    """End what an `up` that was killed left running, and name it.

    Each service holds the lock of a file with its number in it for as long as it lives, so this
    number is its own and nobody else's.
    """
    ended = []
    for service in services:
        with _lock_path(settings, service).open("a+") as lock:
            if _took_lock(lock):
                continue
            lock.seek(0)
            number = lock.read()
            if number.isdecimal():
                _end_group(int(number), lambda lock=lock: _took_lock(lock))
                ended.append(service.name)
    return ended


@contextmanager
def running(services: Sequence[Service], settings: Settings) -> Iterator[list[Running]]:
    """The services, all of them started, and all of them ended with everything they started."""
    started: list[Running] = []
    try:
        for service in services:
            started.append(_start(service, settings))  # noqa: PERF401 - ended if the next fails
        yield started
    finally:
        _end(started)


def wait_until_open(one: Running, stop: Stop) -> None:
    """Until a service takes connections; one without a port needs no waiting."""
    deadline = time.monotonic() + START_SECONDS
    while one.service.port and not stop():
        one.require_alive()
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, one.service.port)) == 0:
                return
        if time.monotonic() > deadline:
            raise GhstarsError(
                f"{one.service.name} did not come up in {START_SECONDS} seconds; its last words "
                f"are in {one.log}."
            )
        time.sleep(LOOK_SECONDS)


def watch(services: Sequence[Running], stop: Stop) -> None:
    """Until somebody asks to end; a service that ends by itself is an error."""
    while not stop():
        for one in services:
            one.require_alive()
            # A full disk: the log stays, and is tried again at the next look.
            with suppress(OSError):
                rotate(one.log)
        time.sleep(LOOK_SECONDS)


def _start(service: Service, settings: Settings) -> Running:
    """A child in a group of its own, so that its children end with it."""
    log = settings.home_path / "logs" / f"{service.file_name}.log"
    make_private(log.parent)
    rotate(log)
    sink = open_log(log)
    with _lock_path(settings, service).open("a+") as lock:
        if not _took_lock(lock):
            raise GhstarsError(
                f"{service.name} of an earlier `ghstars up` still runs for {settings.home_path} "
                "and did not end when asked; end it, then try again."
            )
        lock.truncate(0)
        process = subprocess.Popen(  # noqa: S603
            service.command,
            stdout=sink,
            stderr=sink,
            stdin=subprocess.DEVNULL,
            env={**child_environment(settings), **service.environment},
            start_new_session=True,
            umask=_AS_USER if service.writes_lake else _PRIVATE,
            pass_fds=[lock.fileno()],
            preexec_fn=_ends_with_parent(),  # noqa: PLW1509 - there are no threads here
        )
        lock.write(str(process.pid))
    os.close(sink)
    return Running(service, process, log)


def _ends_with_parent() -> Callable[[], object] | None:
    """Linux ends a child when `up` is killed; elsewhere the next `up` does."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return lambda: library.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _end(services: Sequence[Running]) -> None:
    """All at once, and by force where that takes too long."""
    for one in services:
        one.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for one in services:
        with suppress(subprocess.TimeoutExpired):
            one.process.wait(max(0.0, deadline - time.monotonic()))
    deadline = time.monotonic() + LINGER_SECONDS
    for one in services:
        _signal_group(one.process.pid, signal.SIGTERM)
        while _group_lives(one.process.pid) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        _signal_group(one.process.pid, signal.SIGKILL)
        one.process.wait()


def _end_group(leader: int, is_over: Callable[[], bool]) -> None:
    """End a process that is no child of ours, and what it started."""
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, LINGER_SECONDS)):
        _signal_group(leader, number)
        deadline = time.monotonic() + seconds
        while not is_over() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)


def _signal_group(leader: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _group_lives(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _took_lock(file: TextIO) -> bool:
    """Whether it is ours now; else a living process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_folder(settings: Settings) -> Path:
    return make_private(settings.home_path / "logs")


def _lock_path(settings: Settings, service: Service) -> Path:
    return _lock_folder(settings) / f"{service.file_name}.lock"
