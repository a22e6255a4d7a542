"""The logs of the services: readable by their owner alone, and bounded."""

import os
import shutil
from pathlib import Path

MOST_BYTES = 10_000_000
KEPT = 3
"""Beside the log itself, `.1` the newest: 40 MB a service at most, some weeks of an idle home."""
_OWNER_ONLY = 0o600


def open_log(path: Path) -> int:
    """A file descriptor for a service to write to; every write goes to what is then the end."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
    os.fchmod(descriptor, _OWNER_ONLY)
    return descriptor


def rotate(path: Path, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> bool:
    """Set a log aside that has grown too large. A service keeps its file open and cannot be asked
    to open another, so the log is copied and then emptied."""
    if not path.exists() or path.stat().st_size <= most_bytes:
        return False
    for number in range(kept - 1, 0, -1):
        if _aside(path, number).exists():
            _aside(path, number).replace(_aside(path, number + 1))
    copy = os.open(_aside(path, 1), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with path.open("rb") as log, os.fdopen(copy, "wb") as aside:
        shutil.copyfileobj(log, aside)
    os.truncate(path, 0)
    return True


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
