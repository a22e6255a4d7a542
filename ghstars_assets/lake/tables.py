"""Tables as folders of Parquet partitions, one a UTC day, and append-only logs beside them.

A partition is `problem/table/date=YYYY-MM-DD/data.parquet` (or one file a part). Its footer may
carry notes: why it is empty (`gap`, `quarantined`), what its gate warned of (`warned`) and which
code wrote it (`code_version`).
"""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError, LogMovedError, MissingDayError
from ghstars_assets.lake.catalog import folder_of, problem_of
from ghstars_assets.lake.store import Store
from ghstars_assets.settings import Settings

GAP = "gap"
QUARANTINED = "quarantined"
WARNED = "warned"
CODE_VERSION = "code_version"
MODELS_FOLDER = "models"
"""Beside the tables: the champions as files, see `learning/registry/champion_files.py`."""

_PARTITION_KEY = re.compile(r"/date=(\d{4}-\d{2}-\d{2})/([^/]+)\.parquet$")
_ENTRY_KEY = re.compile(r"/entry-(\d+)\.parquet$")
_NOTE_PREFIX = "ghstars:"


@dataclass(frozen=True)
class Partition:
    day: date
    part: str
    key: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True)
class Written:
    """What a write left behind."""

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
        content = _parquet_bytes(frame, notes or {})
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
                found.append(Partition(day, match[2], file.key, file.size_bytes, file.modified))
        return sorted(found, key=lambda partition: (partition.day, partition.part))

    def days(self, table: str, days: DayRange | None = None) -> list[date]:
        return sorted({partition.day for partition in self.partitions(table, days)})

    def urls(self, table: str, days: DayRange | None = None) -> list[str]:
        return [self.store.url(partition.key) for partition in self.partitions(table, days)]

    def notes(self, partition: Partition) -> dict[str, str]:
        """What the partition's footer says of it; only the footer is read."""
        stored = pl.read_parquet_metadata(
            self.store.url(partition.key), storage_options=self.store.options
        )
        return {
            name.removeprefix(_NOTE_PREFIX): value
            for name, value in stored.items()
            if name.startswith(_NOTE_PREFIX)
        }

    def row_count(self, partition: Partition) -> int:
        """As the partition's footer has it."""
        url = self.store.url(partition.key)
        counted = pl.scan_parquet(url, storage_options=self.store.options, glob=False)
        return counted.select(pl.len()).collect().item()

    def scan(self, table: str, days: DayRange | None = None) -> pl.LazyFrame:
        """Many partitions as one lazy frame, with the columns that the first of them has."""
        urls = self.urls(table, days)
        if not urls:
            wanted = f" for {days}" if days else ""
            raise MissingDayError(
                f"{table} holds nothing{wanted}; fill it with "
                f"`ghstars backfill {problem_of(table)}`."
            )
        return pl.scan_parquet(
            urls,
            storage_options=self.store.options,
            glob=False,
            hive_partitioning=False,
            missing_columns="insert",
            extra_columns="ignore",
        )

    def read(self, table: str, day: date) -> pl.DataFrame:
        """One partition, with every column that any of its parts has."""
        parts = self.partitions(table, DayRange(day, day))
        if len(parts) < 2:
            return self.scan(table, DayRange(day, day)).collect()
        contents = (self.store.get(part.key) for part in parts)
        frames = [pl.read_parquet(io.BytesIO(content)) for content in contents if content]
        return pl.concat(frames, how="diagonal_relaxed")

    # ---- logs -------------------------------------------------------------------------------

    def log_entries(self, table: str) -> list[tuple[int, str]]:
        """Entry numbers with their keys, in order."""
        matches = (
            (_ENTRY_KEY.search(file.key), file.key)
            for file in self.store.files(self.folder(table) + "/")
        )
        return sorted((int(match[1]), key) for match, key in matches if match)

    def read_log(self, table: str) -> pl.DataFrame | None:
        """The whole log, oldest first; None where nothing was ever appended."""
        contents = (self.store.get(key) for _, key in self.log_entries(table))
        frames = [pl.read_parquet(io.BytesIO(content)) for content in contents if content]
        return pl.concat(frames, how="diagonal_relaxed") if frames else None

    def append(self, table: str, frame: pl.DataFrame, *, after: int | None = None) -> int:
        """Append one entry. With `after`, only if that is still the last entry's number: of two
        writers that looked at the same log one wins and the other is told."""
        while True:
            entries = self.log_entries(table)
            last = entries[-1][0] if entries else 0
            number = (last if after is None else after) + 1
            key = f"{self.folder(table)}/entry-{number:06d}.parquet"
            if self.store.put(key, _parquet_bytes(frame, {}), only_if_absent=True):
                return number
            if after is not None:
                raise LogMovedError(
                    f"{table} has gained an entry since it was read; read it again and decide anew."
                )

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


def _is_mostly_floats(frame: pl.DataFrame) -> bool:
    """Such hardly shrink: zstd takes twice as long as lz4 and saves an eleventh. Of all else it
    saves a quarter at its first level, and a hundredth more at its third in half as long again."""
    return 2 * sum(kind.is_float() for kind in frame.dtypes) > frame.width


def _parquet_bytes(frame: pl.DataFrame, notes: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    is_hard = _is_mostly_floats(frame)
    # A frame in several chunks would be cut into other pages, and so into other bytes.
    frame.rechunk().write_parquet(
        buffer,
        compression="lz4" if is_hard else "zstd",
        compression_level=None if is_hard else 1,
        metadata={f"{_NOTE_PREFIX}{name}": value for name, value in sorted(notes.items())},
    )
    return buffer.getvalue()
