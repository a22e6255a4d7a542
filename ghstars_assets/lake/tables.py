"""Tables as folders of Parquet partitions, one a UTC day, and append-only logs beside them.

A partition is `problem/table/date=YYYY-MM-DD/data.parquet` (or one file a part). Its footer may
carry notes: why it is empty (`gap`, `quarantined`), what its gate warned of (`warned`) and which
code wrote it (`code_version`). Whoever reads rows or notes of a partition that is not what was
written gets a `DamagedFileError`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError, MissingDayError
from ghstars_assets.lake.catalog import folder_of, problem_of
from ghstars_assets.lake.footers import UNREADABLE_ROWS, damaged, footers_of, frame_of
from ghstars_assets.lake.logs import Log
from ghstars_assets.lake.parquet import TAIL_BYTES, UNREADABLE, Footer, parquet_bytes
from ghstars_assets.lake.store import SMALL_BYTES, Store, StoredFile
from ghstars_assets.settings import Settings

GAP = "gap"
QUARANTINED = "quarantined"
WARNED = "warned"
CODE_VERSION = "code_version"
MODELS_FOLDER = "models"
"""Beside the tables: the champions as files, see `learning/registry/champion_files.py`."""

_PARTITION_KEY = re.compile(r"/date=(\d{4}-\d{2}-\d{2})/([^/]+)\.parquet$")


@dataclass(frozen=True)
class Partition:
    day: date
    part: str
    key: str
    size_bytes: int
    modified: datetime
    etag: str

    @property
    def file(self) -> StoredFile:
        return StoredFile(self.key, self.size_bytes, self.modified, self.etag)


@dataclass(frozen=True)
class Written:
    """Says what a write left behind."""

    day: date
    rows: int
    size_bytes: int
    is_new: bool
    """False: only the first write counts, and it came earlier."""


class Lake:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings)

    def folder(self, table: str) -> str:
        """Where a table lies under the root."""
        return folder_of(table)

    def _key(self, table: str, day: date, part: str) -> str:
        return f"{self.folder(table)}/date={day}/{part}.parquet"

    # ---- partitions -------------------------------------------------------------------------

    def write(
        self,
        table: str,
        day: date,
        frame: pl.DataFrame,
        *,
        part: str = "data",
        notes: Mapping[str, str] | None = None,
        only_if_absent: bool = False,
    ) -> Written:
        """Write one partition whole."""
        key = self._key(table, day, part)
        content = parquet_bytes(frame, notes or {}, key)
        is_new = self.store.put(key, content, only_if_absent=only_if_absent)
        return Written(day, frame.height, len(content), is_new)

    def url(self, table: str, day: date, part: str = "data") -> str:
        """Where a partition is, or would be."""
        return self.store.url(self._key(table, day, part))

    def delete(self, table: str, day: date) -> None:
        for partition in self.partitions(table, DayRange(day, day)):
            self.store.delete(partition.key)

    def partitions(self, table: str, days: DayRange | None = None) -> list[Partition]:
        """The partitions that exist, by day and part."""
        prefix = self.folder(table) + "/"
        after = f"{prefix}date={days.first}" if days else None
        if days and len(days) == 1:
            prefix, after = f"{prefix}date={days.first}/", None
        found: list[Partition] = []
        for file in self.store.files(prefix, after=after):
            match = _PARTITION_KEY.search(file.key)
            if not match:
                continue
            day = date.fromisoformat(match[1])
            if days is None or day in days:
                found.append(
                    Partition(day, match[2], file.key, file.size_bytes, file.modified, file.etag)
                )
        return sorted(found, key=lambda partition: (partition.day, partition.part))

    def days(self, table: str, days: DayRange | None = None) -> list[date]:
        return sorted({partition.day for partition in self.partitions(table, days)})

    def urls(self, table: str, days: DayRange | None = None) -> list[str]:
        """The files of whole partitions, for a query."""
        return self.urls_of(self.partitions(table, days))

    def urls_of(self, partitions: Sequence[Partition]) -> list[str]:
        """The same of some of them. What is small is fetched now, several at once, and not again
        by the query."""
        self.require_whole(partitions, read_next=True)
        return [self.store.url(partition.key) for partition in partitions]

    def footers(self, partitions: Sequence[Partition], *, read_next: bool = False) -> list[Footer]:
        """What each partition says of itself, the damaged ones too; of a bucket several at once."""
        files = [partition.file for partition in partitions]
        return footers_of(self.store, files, SMALL_BYTES if read_next else TAIL_BYTES)

    def notes(self, partition: Partition) -> dict[str, str]:
        """What the partition's footer says of it; only the footer is read."""
        return self.notes_of([partition])[0]

    def notes_of(self, partitions: Sequence[Partition]) -> list[dict[str, str]]:
        """The notes of several partitions, in their order."""
        return [dict(footer.notes) for footer in self.require_whole(partitions)]

    def require_whole(
        self, partitions: Sequence[Partition], *, read_next: bool = False
    ) -> list[Footer]:
        """Their footers, or an error about the first partition that is not what was written, as
        far as its size and its footer show that."""
        footers = self.footers(partitions, read_next=read_next)
        for partition, footer in zip(partitions, footers, strict=True):
            if footer.damage:
                raise damaged(partition.key, footer.damage)
        return footers

    def damage(self, table: str, days: DayRange | None = None) -> dict[date, str]:
        """The days with a damaged partition, and what is wrong with it."""
        listed = self.partitions(table, days)
        return {
            partition.day: footer.damage
            for partition, footer in zip(listed, self.footers(listed), strict=True)
            if footer.damage
        }

    def row_count(self, partition: Partition) -> int:
        """As the partition's footer has it."""
        (footer,) = self.require_whole([partition])
        if footer.rows is not None:
            return footer.rows
        url = self.store.url(partition.key)
        counted = pl.scan_parquet(url, storage_options=self.store.options, glob=False)
        return counted.select(pl.len()).collect().item()

    def scan(self, table: str, days: DayRange | None = None) -> pl.LazyFrame:
        """Many partitions as one lazy frame, with the columns that the first of them has."""
        return self._scanned(table, days, self.partitions(table, days))

    def _scanned(
        self, table: str, days: DayRange | None, partitions: Sequence[Partition]
    ) -> pl.LazyFrame:
        if not partitions:
            wanted = f" for {days}" if days else ""
            raise MissingDayError(
                f"{table} holds nothing{wanted}; fill it with "
                f"`ghstars backfill {problem_of(table)}`."
            )
        self.require_whole(partitions)
        return pl.scan_parquet(
            [self.store.url(partition.key) for partition in partitions],
            storage_options=self.store.options,
            glob=False,
            hive_partitioning=False,
            missing_columns="insert",
            extra_columns="ignore",
        )

    def read(self, table: str, day: date) -> pl.DataFrame:
        """One partition, with every column that any of its parts has."""
        days = DayRange(day, day)
        return self._read_parts(table, days, self.partitions(table, days))

    def read_days(self, table: str, days: DayRange) -> Iterator[tuple[date, pl.DataFrame]]:
        """The partitions that exist of a range, one after the other, with one listing for all."""
        listed = groupby(self.partitions(table, days), key=attrgetter("day"))
        for day, parts in listed:
            yield day, self._read_parts(table, DayRange(day, day), list(parts))

    def _read_parts(self, table: str, days: DayRange, parts: Sequence[Partition]) -> pl.DataFrame:
        is_mapped = self.store.scheme == "file" and len(parts) == 1
        contents = [] if is_mapped else self.store.get_many([part.key for part in parts])
        frames = [
            frame_of(self.store, part.key, content)
            for part, content in zip(parts if contents else [], contents, strict=True)
            if content is not None
        ]
        if not frames:
            try:
                return self._scanned(table, days, parts).collect()
            except UNREADABLE:
                raise damaged(parts[0].key, UNREADABLE_ROWS, is_deep=True) from None
        return pl.concat(frames, how="diagonal_relaxed") if len(frames) > 1 else frames[0]

    # ---- logs -------------------------------------------------------------------------------

    def log(self, table: str) -> Log:
        """A log, to be read or appended to."""
        return Log(self.store, table, self.folder(table))

    def log_entries(self, table: str) -> list[tuple[int, str]]:
        """Entry numbers with their keys, in order."""
        return self.log(table).entries()

    def read_log(self, table: str) -> pl.DataFrame | None:
        """The whole log, oldest first; None where nothing was ever appended."""
        return self.log(table).read()

    def append(self, table: str, frame: pl.DataFrame, *, after: int | None = None) -> int:
        """Append one entry and return its number; see `Log.append`."""
        return self.log(table).append(frame, after=after)

    # ---- the whole --------------------------------------------------------------------------

    def tables(self) -> list[str]:
        """Every table that holds something."""
        return [
            f"{problem}.{table}"
            for problem in self.store.folders()
            if problem != MODELS_FOLDER and not problem.startswith(("_", "."))
            for table in self.store.folders(problem)
        ]


def split_by_day(frame: pl.DataFrame, days: Iterable[date]) -> dict[date, pl.DataFrame]:
    """A frame cut at its `day` column, with an empty frame for a day that has no row."""
    parts = {
        key[0]: part
        for key, part in frame.partition_by("day", as_dict=True, maintain_order=True).items()
    }
    wanted = list(days)
    strangers = sorted(str(day) for day in parts.keys() - set(wanted))
    if strangers:
        raise GhstarsError(f"Rows of days that were not asked for: {', '.join(strangers[:3])}.")
    return {day: parts.get(day, frame.clear()) for day in wanted}
