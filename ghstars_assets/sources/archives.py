"""Imports history from where a user says: a folder, a file, or an address on the web.

What lies in a folder is handed to the archives that recognise it, an address to the archive that it
belongs to. Which archives there are stands with the problem; none is named here.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Protocol

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.tables import Lake

PARQUET_MAGIC = b"PAR1"
GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 4096

Progress = Callable[[str, int, int], None]
"""What is done, how much of it, of how much."""


@dataclass(frozen=True)
class ImportResult:
    """What came of an import."""

    lines: tuple[str, ...] = ()
    """The report, a line a thing."""
    changed: Mapping[str, frozenset[date]] = field(default_factory=dict)
    """By table, the days that were written."""

    def __add__(self, other: "ImportResult") -> "ImportResult":
        return ImportResult(self.lines + other.lines, {**self.changed, **other.changed})


class FileUse(StrEnum):
    """What an archive can do with a file."""

    DAYS = "it holds counts of days"
    HELP = "it helps to read the others, and is of no use alone"


@dataclass(frozen=True)
class FoundFile:
    """A file that lies in the folder."""

    path: Path

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns of a Parquet or CSV file, packed or not; none where it is neither."""
        try:
            with self.path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
                if head.startswith(PARQUET_MAGIC):
                    file.seek(0)
                    return frozenset(pl.read_parquet_schema(file))
            if head.startswith(GZIP_MAGIC):
                head = zlib.decompressobj(wbits=31).decompress(head, _HEAD_BYTES)
        except (OSError, zlib.error, pl.exceptions.PolarsError):
            return frozenset()
        first_line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
        names = first_line.decode(errors="replace").split(",")
        return frozenset(name.strip().strip('"') for name in names)


@dataclass(frozen=True)
class FilesOfArchive:
    """What one archive gets to import of a folder."""

    folder: Path
    own: tuple[FoundFile, ...]
    unknown: tuple[Path, ...]
    """Files that no archive recognises."""
    is_alone: bool
    """Whether no other archive has files there: then to import nothing is an error."""


class Archive(Protocol):
    """Somebody's records of past days, in files or on the web."""

    @property
    def file_kinds(self) -> tuple[str, ...]:
        """What its files are called where none of them was found."""
        ...

    def recognise(self, file: FoundFile, /) -> FileUse | None:
        """What a file is good for, by its content; None where it is not this archive's."""
        ...

    def is_at(self, address: str, /) -> bool:
        """Whether an address on the web is surely this archive's."""
        ...

    def import_files(
        self, lake: Lake, files: FilesOfArchive, days: DayRange | None, progress: Progress, /
    ) -> ImportResult: ...

    def import_from_web(
        self, lake: Lake, address: str, days: DayRange | None, progress: Progress, /
    ) -> ImportResult: ...


def import_from_archives(
    archives: Sequence[Archive],
    lake: Lake,
    place: str,
    days: DayRange | None,
    progress: Progress,
) -> ImportResult:
    """Import what the archives know of the place. A mirror's address may say nothing of whose it
    is: the first archive, which is trusted most, is asked there."""
    if "://" in place:
        known = [archive for archive in archives if archive.is_at(place)]
        return (known or archives)[0].import_from_web(lake, place, days, progress)
    folder = Path(place).expanduser().resolve()
    own: list[list[FoundFile]] = [[] for _ in archives]
    useful: set[int] = set()
    unknown: list[Path] = []
    for file in files_in(folder):
        at, use = _recognised(archives, file)
        if at is None:
            unknown.append(file.path)
            continue
        own[at].append(file)
        if use is FileUse.DAYS:
            useful.add(at)
    if not useful:
        total = len(unknown) + sum(map(len, own))
        raise SourceError(
            f"{folder} holds {total:,} files and none that we know: {_none_of(archives)}; name "
            "another folder."
        )
    result = ImportResult()
    for at in sorted(useful):
        files = FilesOfArchive(folder, tuple(own[at]), tuple(unknown), is_alone=len(useful) == 1)
        result += archives[at].import_files(lake, files, days, progress)
    return result


def files_in(place: Path) -> list[FoundFile]:
    """Every file below a folder, or the one file, in an order that does not hang on the disk."""
    if not place.exists():
        raise SourceError(
            f"{place} does not exist; name a clone of the archive, a folder with its files, or its "
            "address on the web."
        )
    paths = sorted(place.rglob("*")) if place.is_dir() else [place]
    # git-annex leaves a link to nothing for what it has not fetched.
    return [
        FoundFile(path)
        for path in paths
        if ".git" not in path.relative_to(place).parts
        and (path.is_file() or (path.is_symlink() and not path.exists()))
    ]


def _recognised(
    archives: Sequence[Archive], file: FoundFile
) -> tuple[int, FileUse] | tuple[None, None]:
    for at, archive in enumerate(archives):
        use = archive.recognise(file)
        if use is not None:
            return at, use
    return None, None


def _none_of(archives: Sequence[Archive]) -> str:
    *most, last = [f"no {kind}" for archive in archives for kind in archive.file_kinds]
    return f"{', '.join(most)} and {last}" if most else last
