"""The disk under a home: how much space the home needs, and what went wrong when it takes no more.

Every library has words of its own for a disk that is full or may not be written. None of these
faults passes by itself, and each has a remedy, so each is one sentence.
"""

import errno
import re
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ghstars_assets.errors import Cause, GhstarsError, chain_of
from ghstars_assets.settings import Settings

NEEDED_GB = 2.0
"""Free beside what is stored: a step spills about as much as GHSTARS_MEMORY_GB, and a month of a
thousand repositories takes 30 MB."""
NOTHING_LEFT_BYTES = 4_000_000
"""SQLite asks for less than this at once; with less, its `disk I/O error` means a full disk."""


class DiskError(GhstarsError):
    """The disk takes no more. It does not pass by itself."""

    cause = Cause.BAD_DATA


class Fault(StrEnum):
    FULL = "full"
    READ_ONLY = "read-only"
    FORBIDDEN = "forbidden"
    FAILING = "failing"


_ERRNOS = {
    errno.ENOSPC: Fault.FULL,
    errno.EDQUOT: Fault.FULL,
    errno.EROFS: Fault.READ_ONLY,
    errno.EIO: Fault.FAILING,
}
_WORDS = {
    Fault.FULL: (
        "No space left on device",
        "Disk quota exceeded",
        "database or disk is full",
        "failed to offload data block",  # DuckDB, when it cannot spill
    ),
    Fault.READ_ONLY: ("Read-only file system", "attempt to write a readonly database"),
    Fault.FORBIDDEN: ("unable to open database file",),
    Fault.FAILING: ("disk I/O error", "Input/output error"),
}
_PATH = re.compile(r"(?:^|[\s'\"])(/[^\n:'\"]+?)(?:#\d+)?(?=[\n:'\"]|$)")
"""Up to the number that the lake's client gives to a file under way."""


def fault_of(error: BaseException) -> Fault | None:
    """What of the disk an error means, by itself; None where it means something else."""
    if isinstance(error, GhstarsError):
        return None
    if isinstance(error, OSError) and error.errno:
        return _ERRNOS.get(error.errno)
    words = str(error)
    return next((fault for fault, signs in _WORDS.items() if any(s in words for s in signs)), None)


def sentence_of_disk(error: BaseException, settings: Settings) -> str | None:
    """One sentence with the path and what is needed; None where an error is not of the disk."""
    for link in chain_of(error):
        fault, path = fault_of(link), _path_in(link, settings)
        if fault is Fault.FAILING and _free_bytes(settings) < NOTHING_LEFT_BYTES:
            fault = Fault.FULL
        if isinstance(link, PermissionError) and _is_under(path, settings.home_path):
            fault = Fault.FORBIDDEN
        if fault:
            return _sentence(fault, path, settings)
    return None


@dataclass(frozen=True)
class Space:
    path: Path
    free_gb: float
    needed_gb: float = NEEDED_GB

    @property
    def is_enough(self) -> bool:
        return self.free_gb >= self.needed_gb

    def __str__(self) -> str:
        return f"{self.path} has {self.free_gb:.1f} GB left of the {self.needed_gb:.0f} GB it needs"


def space_of(settings: Settings) -> Space:
    return Space(settings.home_path, _free_bytes(settings) / 1e9)


def _sentence(fault: Fault, path: Path, settings: Settings) -> str:
    is_ours = _is_under(path, settings.home_path)
    elsewhere = "set GHSTARS_HOME to a folder" if is_ours else "name a place"
    if fault is Fault.FULL:
        return (
            f"The disk is full under {path}; free {NEEDED_GB:.0f} GB, or {elsewhere} on another "
            "disk, and run the same again: nothing is half written, and it goes on where it ended."
        )
    if fault is Fault.READ_ONLY:
        return f"The disk of {path} is read-only; make it writable, or {elsewhere} elsewhere."
    if fault is Fault.FORBIDDEN:
        return f"You may not write {path}; make it yours, or {elsewhere} that is."
    return (
        f"The disk of {path} fails to read or write (an input/output error); look at the disk, "
        "or restore the home on another one."
    )


def _path_in(error: BaseException, settings: Settings) -> Path:
    """What the error names; where it names nothing, the home."""
    if isinstance(error, OSError) and error.filename:
        return Path(str(error.filename))
    named = _PATH.search(str(error).partition("\n")[0])
    return Path(named[1].strip()) if named else settings.home_path


def _is_under(path: Path, folder: Path) -> bool:
    return path.absolute().is_relative_to(folder)


def _free_bytes(settings: Settings) -> int:
    """Of the home's disk, or of the one on which the home would be made."""
    place = settings.home_path
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
