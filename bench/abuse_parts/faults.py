"""Faults of the machine below a folder: a kill or a full disk at the n-th write, another clock."""

import ctypes
import os
import shutil
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

SOURCE = Path(__file__).with_name("faults.c")
COMPILER = shutil.which("cc") or shutil.which("gcc")
PRELOAD = "LD_PRELOAD"


class Kind(IntEnum):
    """As `faults.c` numbers them."""

    NOTHING = 0
    KILL = 1
    FULL_DISK = 2


class Place(IntEnum):
    """Where in a home something is written; most of the rest is Dagster's records."""

    LAKE = 0
    MLFLOW = 1
    ELSEWHERE = 2


@dataclass(frozen=True)
class Fault:
    kind: Kind = Kind.NOTHING
    place: Place = Place.LAKE
    at_write: int = 0
    """The first write there that fails, counted from 1. A kill leaves half of it behind."""
    clock_offset_seconds: int = 0


NO_FAULT = Fault()


@cache
def preloaded_library() -> Path:
    """Compile it once in a process; whoever has no compiler asks `COMPILER` first."""
    if COMPILER is None:
        raise SystemExit("No C compiler was found, which faults of the disk need.")
    library = Path(mkdtemp(prefix="ghstars-faults-"), "faults.so")
    command = [COMPILER, "-shared", "-fPIC", "-O1", "-w", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


class Counter:
    """How many writes there were, over all processes that were armed with it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.write_bytes(struct.pack("lll", 0, 0, 0))

    def writes(self) -> Mapping[Place, int]:
        return dict(zip(Place, struct.unpack("lll", self.file.read_bytes()), strict=True))


def arm(fault: Fault, folder: Path, counter: Path) -> None:
    """In a process that has the library: count and fail from now on, and in its children."""
    os.environ |= _environment(fault, folder, counter)
    ctypes.CDLL(None).faults_arm(
        str(folder).encode(),
        int(fault.kind),
        int(fault.place),
        ctypes.c_long(fault.at_write),
        str(counter).encode(),
        ctypes.c_long(fault.clock_offset_seconds),
    )


def _environment(fault: Fault, folder: Path, counter: Path) -> Mapping[str, str]:
    return {
        "FAULTS_FOLDER": str(folder),
        "FAULTS_KIND": str(int(fault.kind)),
        "FAULTS_PLACE": str(int(fault.place)),
        "FAULTS_AT": str(fault.at_write),
        "FAULTS_COUNTER": str(counter),
        "FAULTS_CLOCK": str(fault.clock_offset_seconds),
    }
