"""Gzip files as blocks of whole lines, read once and in bounded memory."""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from ghstars_assets.errors import SourceError

BLOCK_BYTES = 1 << 18
"""Larger ones take longer: the system hands out and takes back fresh memory for each."""
MOST_LINE_BYTES = 16 << 20
"""No event is that long: what goes on beyond it is no line of an archive, and is cut."""
_GZIP_MAGIC = b"\x1f\x8b"
_EDGE_BYTES = 1 << 16


def blocks(path: Path, shown_as: str = "") -> Iterator[bytes]:
    """The lines of a gzip, many at a time, each with its line end."""
    # zlib takes three times as long, and that would be most of the time an hour takes.
    from isal import igzip
    from isal.igzip_lib import IsalError

    name = shown_as or path.name
    try:
        with path.open("rb") as compressed:
            _require_gzip(compressed, name)
            with igzip.open(compressed, "rb") as stream:
                yield from _whole_lines(stream)  # pyright: ignore[reportArgumentType] - binary
    except EOFError:
        raise SourceError(
            f"{name} ends in the middle of its gzip stream; fetch that hour again."
        ) from None
    except (OSError, IsalError) as error:  # pyright: ignore[reportGeneralTypeIssues] - its stub errs
        why = getattr(error, "strerror", None) or "it is damaged inside"
        raise SourceError(f"{name} cannot be read ({why}); fetch that hour again.") from None


def fingerprint(path: Path) -> str:
    """Which file this is, by its size and both its ends: the end holds the checksum of the whole,
    so a file need not be read to be known again."""
    size = path.stat().st_size
    digest = blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as compressed:
        digest.update(compressed.read(_EDGE_BYTES))
        compressed.seek(max(0, size - _EDGE_BYTES))
        digest.update(compressed.read(_EDGE_BYTES))
    return digest.hexdigest()


def _require_gzip(compressed: BinaryIO, name: str) -> None:
    magic = compressed.read(len(_GZIP_MAGIC))
    if magic != _GZIP_MAGIC:
        what = "is no gzip file" if magic else "is empty"
        raise SourceError(f"{name} {what}; an hour of GH Archive is YYYY-MM-DD-H.json.gz.")
    compressed.seek(0)


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    begun = b""
    while chunk := stream.read(BLOCK_BYTES):
        end = chunk.rfind(b"\n") + 1
        if end:
            yield begun + chunk[:end]
            begun = chunk[end:]
        elif len(begun) < MOST_LINE_BYTES:
            begun += chunk
    if begun:
        yield begun + b"\n"
