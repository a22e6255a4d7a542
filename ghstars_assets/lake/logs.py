"""Append-only logs: numbered entries, and compacted files that make a long log quick to read.

A log is a folder. `entry-000007.parquet` is its seventh entry; it is written once, is never deleted
and its number is never used again, so of two writers that looked at the same log one wins. The
entries are the record. `compacted-000128.parquet` holds the rows of the entries 1 to 128 once more:
a reader takes the newest of these files and the entries after it. Whoever appends to a log with
many entries after its newest compacted file writes the next one first.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import polars as pl

from ghstars_assets.errors import DamagedFileError, LogMovedError
from ghstars_assets.lake.footers import frame_of
from ghstars_assets.lake.parquet import parquet_bytes
from ghstars_assets.lake.store import Store, StoredFile

COMPACTED_FROM = 64
"""Entries after the newest compacted file. A reader fetches so many small files in four rounds."""
LISTED_AT_ONCE = 1000
"""Files that a bucket lists in one request."""

_KEY = re.compile(r"/(entry|compacted)-(\d+)\.parquet$")


@dataclass(frozen=True)
class LogListing:
    """Which files make up the whole log."""

    compacted: int
    """The entries that the newest compacted file holds: the first so many. 0 without one."""
    entries: tuple[int, ...]
    """The numbers of the entries after these."""

    @property
    def last(self) -> int:
        """The number of the last entry; 0 where nothing was ever appended."""
        return self.entries[-1] if self.entries else self.compacted


class Log:
    """One log of a lake."""

    def __init__(self, store: Store, table: str, folder: str) -> None:
        self._store = store
        self._table = table
        self._folder = folder

    def entries(self) -> list[tuple[int, str]]:
        """Every entry's number with its key, in order."""
        numbers, _ = _numbers(self._store.files(f"{self._folder}/"))
        return [(number, self._entry_key(number)) for number in sorted(numbers)]

    def listing(self) -> LogListing:
        """One request for a log of up to a thousand files, two for a longer one that is compacted:
        a bucket lists in the order of the alphabet, so compacted files come before entries."""
        listed = self._store.files(f"{self._folder}/")
        seen = list(islice(listed, LISTED_AT_ONCE))
        numbers, compacted = _numbers(seen)
        newest = max(compacted, default=0)
        if len(seen) == LISTED_AT_ONCE and newest:
            listed = self._store.files(f"{self._folder}/", after=self._entry_key(newest))
        later, _ = _numbers(listed)
        return LogListing(
            newest, tuple(sorted(number for number in numbers | later if number > newest))
        )

    def keys(self, listing: LogListing) -> list[str]:
        """The files to read, oldest first."""
        compacted = [self._compacted_key(listing.compacted)] if listing.compacted else []
        return [*compacted, *map(self._entry_key, listing.entries)]

    def read(self, listing: LogListing | None = None) -> pl.DataFrame | None:
        """The whole log, oldest first; None where nothing was ever appended."""
        frames = [rows for rows in self._read(listing or self.listing()) if rows is not None]
        return _joined(frames)

    def _read(self, listing: LogListing) -> list[pl.DataFrame | None]:
        """The rows of each file; None where there is none any more. A damaged one is an error: to
        leave an entry out would be to decide without it."""
        keys = self.keys(listing)
        return [
            None if content is None else frame_of(self._store, key, content)
            for key, content in zip(keys, self._store.get_many(keys), strict=True)
        ]

    def append(self, frame: pl.DataFrame, *, after: int | None = None) -> int:
        """Append one entry and return its number. With `after`, only if that is still the last
        entry's number: of two writers that looked at the same log one wins, and the other gets a
        `LogMovedError`."""
        while True:
            listing = self.listing()
            if len(listing.entries) >= COMPACTED_FROM:
                # Before the entry: if this fails, nothing was appended either.
                self._compact(listing)
            number = (listing.last if after is None else after) + 1
            key = self._entry_key(number)
            if self._store.put(key, parquet_bytes(frame, {}, key), only_if_absent=True):
                return number
            if after is not None:
                raise LogMovedError(
                    f"{self._table} has gained an entry since it was read; read it again and "
                    "decide anew."
                )

    def close_gap(self, key: str) -> None:
        """Put an entry without rows in the place of one that was set aside, so that its number is
        never used again."""
        match = _KEY.search(key)
        if match and match[1] == "entry":
            self._store.put(key, parquet_bytes(pl.DataFrame(), {}, key), only_if_absent=True)

    def _compact(self, listing: LogListing) -> None:
        """Write the rows of all entries as one file. Two writers write the same, and the first
        write counts."""
        first = listing.compacted + 1
        is_whole = listing.entries == tuple(range(first, first + len(listing.entries)))
        try:
            rows = self._read(listing) if is_whole else []
        except DamagedFileError:
            return  # whoever reads the log hears of it; to append to it is no harm
        # What somebody removed by hand is not made permanent.
        found = [frame for frame in rows if frame is not None]
        joined = _joined(found) if len(found) == len(rows) else None
        if joined is not None:
            key = self._compacted_key(listing.last)
            self._store.put(key, parquet_bytes(joined, {}, key), only_if_absent=True)

    def _entry_key(self, number: int) -> str:
        return f"{self._folder}/entry-{number:06d}.parquet"

    def _compacted_key(self, number: int) -> str:
        return f"{self._folder}/compacted-{number:06d}.parquet"


def _numbers(files: Iterable[StoredFile]) -> tuple[set[int], set[int]]:
    """The numbers of entries, and those of compacted files."""
    found: dict[str, set[int]] = {"entry": set(), "compacted": set()}
    for file in files:
        if match := _KEY.search(file.key):
            found[match[1]].add(int(match[2]))
    return found["entry"], found["compacted"]


def _joined(frames: Iterable[pl.DataFrame]) -> pl.DataFrame | None:
    """An entry without columns stands for one that was set aside."""
    filled = [frame for frame in frames if frame.width]
    return pl.concat(filled, how="diagonal_relaxed") if filled else None
