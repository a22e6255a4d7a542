"""A command in a process of its own, in a home of its own: started, waited for or killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GHSTARS = str(Path(sys.executable).with_name("ghstars"))
_NOT_INHERITED = ("GHSTARS_", "DAGSTER_", "MLFLOW_")


def start(
    command: Sequence[str],
    home: Path,
    settings: Mapping[str, str] | None = None,
    *,
    shows_progress: bool = False,
) -> subprocess.Popen[str]:
    """Start a command that sees `home` and these settings alone.

    What it writes is kept for `end_of`, or, as far as it is progress, shown at once. Neither the
    environment nor a `.env` in the working folder may lead it to the user's own lake.
    """
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }
    return subprocess.Popen(
        command,
        env={**inherited, "GHSTARS_HOME": str(home), **(settings or {})},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=None if shows_progress else subprocess.PIPE,
        text=True,
    )


@dataclass(frozen=True)
class Ended:
    code: int
    output: str
    """What it wrote, both streams."""


def end_of(process: subprocess.Popen[str], *, timeout_seconds: float | None = None) -> Ended:
    """Wait for the end of a process; one that takes too long is killed."""
    try:
        printed, complained = process.communicate(timeout=timeout_seconds)
    finally:
        process.kill()
    return Ended(process.returncode, printed + (complained or ""))


def finish(process: subprocess.Popen[str]) -> None:
    require_success(end_of(process))


def require_success(ended: Ended) -> None:
    if ended.code:
        raise SystemExit(f"A command that nobody killed failed: {ended.output}")


def kill_when(
    process: subprocess.Popen[str], is_due: Callable[[], bool], *, poll_seconds: float
) -> bool:
    """SIGKILL the process once it is due. False means that it ended before."""
    while process.poll() is None:
        if is_due():
            process.kill()
            process.communicate()
            return True
        time.sleep(poll_seconds)
    return False
