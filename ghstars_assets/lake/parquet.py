"""Turns a frame into the bytes of a Parquet file, and finds out later whether they are still those.

The same rows are the same bytes. Each file carries in its footer where it was written and a
checksum of itself: of all its bytes, its schema among them, with the checksum's own place left as
zeros. So a file needs nothing beside it to be known for whole: what is killed half-way, written by
two at once or moved leaves no note that contradicts it.
"""

import hashlib
import io
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

NOTE_PREFIX = "ghstars:"
"""Stands before the names of our notes in a footer, where Polars writes keys of its own."""
CHECKSUM, ROWS, WRITTEN_AS = "checksum", "rows", "written_as"
TAIL_BYTES = 32_768
"""As much of a file's end as is read at once. The footer of 40 columns has 8 kB."""

_NO_CHECKSUM = f"sha256:{'0' * 64} footer:{'0' * 8} size:{'0' * 15}".encode()
_CHECKSUM = re.compile(
    rb"sha256:(?P<whole>[0-9a-f]{64}) footer:(?P<footer>[0-9a-f]{8}) size:(?P<size>\d{15})"
)
_MAGIC = b"PAR1"


def parquet_bytes(frame: pl.DataFrame, notes: Mapping[str, str], key: str) -> bytes:
    """The file that is to be stored at this key."""
    buffer = io.BytesIO()
    is_hard = _is_mostly_floats(frame)
    stored = {
        **notes,
        CHECKSUM: _NO_CHECKSUM.decode(),
        ROWS: str(frame.height),
        WRITTEN_AS: key,
    }
    # A frame in several chunks would be cut into other pages, and so into other bytes.
    frame.rechunk().write_parquet(
        buffer,
        compression="lz4" if is_hard else "zstd",
        compression_level=None if is_hard else 1,
        metadata={f"{NOTE_PREFIX}{name}": value for name, value in sorted(stored.items())},
    )
    content = bytearray(buffer.getbuffer())
    begins = len(content) - footer_bytes(content)
    place = content.index(_NO_CHECKSUM, begins)
    footer, whole = zlib.crc32(content[begins:]), hashlib.sha256(content).hexdigest()
    checksum = f"sha256:{whole} footer:{footer:08x} size:{len(content):015}".encode()
    content[place : place + len(checksum)] = checksum
    return bytes(content)


@dataclass(frozen=True)
class Footer:
    """What the end of a file says of it."""

    notes: Mapping[str, str]
    """Those of whoever wrote it."""
    rows: int | None = None
    """Written where the checksum is."""
    has_checksum: bool = False
    """The first release wrote none."""
    damage: str = ""
    """Why the file is not what was written at its key; empty where nothing speaks for that."""


def footer_bytes(tail: bytes | bytearray) -> int:
    """How much of the end of a file must be read to see its whole footer; 0 if it has none."""
    return int.from_bytes(tail[-8:-4], "little") + 8 if tail[-4:] == _MAGIC else 0


def read_footer(tail: bytes, size_bytes: int, key: str) -> Footer:
    """Look at the end of the file at a key: cheap, for none of its rows are read."""
    if not size_bytes:
        return Footer({}, damage="it is empty")
    if not 0 < footer_bytes(tail) <= len(tail):
        return Footer({}, damage="it is cut short, or no Parquet file")
    footer = tail[-footer_bytes(tail) :]
    checksum = _CHECKSUM.search(footer)
    if checksum and zlib.crc32(_without(checksum, footer)) != int(checksum["footer"], 16):
        return Footer({}, damage="its footer is not the one that was written")
    try:
        stored = pl.read_parquet_metadata(io.BytesIO(tail))
    except UNREADABLE:
        return Footer({}, damage="its footer cannot be read")
    notes = {
        name.removeprefix(NOTE_PREFIX): value
        for name, value in stored.items()
        if name.startswith(NOTE_PREFIX)
    }
    stated = [notes.pop(name, "") for name in (CHECKSUM, ROWS, WRITTEN_AS)]
    if not any(stated):
        return Footer(notes)
    damage, written_as = "", stated[-1]
    if checksum is None or not all(stated):
        damage = "its checksum cannot be read"
    elif written_as != key:
        damage = f"it was written as {written_as}"
    elif int(checksum["size"]) != size_bytes:
        damage = f"it has {size_bytes:,} bytes, and {int(checksum['size']):,} were written"
    rows = int(stated[1]) if stated[1].isdecimal() else None
    return Footer(notes, rows, has_checksum=True, damage=damage)


def why_bytes_differ(content: bytes) -> str:
    """Why a whole file with a checksum is not what was written; empty where it is."""
    checksum = _CHECKSUM.search(content, max(0, len(content) - footer_bytes(content)))
    if checksum is None:
        return "its checksum cannot be read"
    digest = hashlib.sha256(_without(checksum, content)).hexdigest()
    return "" if digest == checksum["whole"].decode() else "its bytes are not those written"


def _without(checksum: re.Match[bytes], content: bytes) -> bytes:
    """The bytes as they were before the checksum was put in."""
    return content[: checksum.start()] + _NO_CHECKSUM + content[checksum.end() :]


UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)
"""What Polars raises when it reads bytes in memory that are no Parquet file; its panics are none of
Python's ordinary errors."""


def _is_mostly_floats(frame: pl.DataFrame) -> bool:
    """Such frames hardly shrink: zstd takes twice as long as lz4 and saves an eleventh. Of all else
    it saves a quarter at its first level, and a hundredth more at its third in half as long
    again."""
    return 2 * sum(kind.is_float() for kind in frame.dtypes) > frame.width
