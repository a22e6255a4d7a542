"""What can happen to a file: each kind of damage, done to a partition of a lake in a folder."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from ghstars_assets.lake.tables import Lake

Damage = Callable[[Path], None]


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def filled_with_garbage(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * (file.stat().st_size // 256 + 1))


def garbage_between_magic_numbers(file: Path) -> None:
    """What begins and ends as Parquet does."""
    file.write_bytes(b"PAR1" + b"\x07" * 200 + (100).to_bytes(4, "little") + b"PAR1")


def given_another_days_file(file: Path) -> None:
    file.write_bytes(_day_before(file).read_bytes())


def given_another_days_rows(file: Path) -> None:
    pl.read_parquet(_day_before(file), hive_partitioning=False).write_parquet(file)


def doubled(file: Path) -> None:
    rows = pl.read_parquet(file, hive_partitioning=False)
    pl.concat([rows, rows]).write_parquet(file)


def without_a_column(file: Path) -> None:
    rows = pl.read_parquet(file, hive_partitioning=False)
    rows.drop(rows.columns[-1]).write_parquet(file)


def with_a_retyped_column(file: Path) -> None:
    rows = pl.read_parquet(file, hive_partitioning=False)
    rows.with_columns(pl.col(rows.columns[1]).cast(pl.String)).write_parquet(file)


def doubled_with_its_notes(file: Path) -> None:
    """By somebody who takes care to copy the notes of the footer."""
    notes = pl.read_parquet_metadata(file)
    notes.pop("ARROW:schema", None)
    rows = pl.read_parquet(file, hive_partitioning=False)
    buffer = io.BytesIO()
    pl.concat([rows, rows]).write_parquet(buffer, metadata=notes)
    file.write_bytes(buffer.getvalue())


def a_folder_in_its_place(file: Path) -> None:
    file.unlink()
    (file / "something").mkdir(parents=True)


def one_bit_flipped(file: Path) -> None:
    """In its rows: neither the size nor the footer shows that."""
    content = bytearray(file.read_bytes())
    content[12] ^= 4
    file.write_bytes(content)


SEEN_AT_ONCE: tuple[Damage, ...] = (
    cut_short,
    emptied,
    filled_with_garbage,
    garbage_between_magic_numbers,
    given_another_days_file,
    given_another_days_rows,
    doubled,
    doubled_with_its_notes,
    without_a_column,
    with_a_retyped_column,
)
"""The size and the footer show these; no row is read."""


def partition_file(lake: Lake, table: str, day: date) -> Path:
    (partition,) = [one for one in lake.partitions(table) if one.day == day]
    return Path(lake.store.root, partition.key)


def _day_before(file: Path) -> Path:
    day = date.fromisoformat(file.parent.name.removeprefix("date="))
    return file.parent.with_name(f"date={day - timedelta(days=1)}") / file.name
