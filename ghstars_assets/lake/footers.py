"""Reads the ends of files, where each says what it is: several at once, and each version once."""

import io
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl
from obstore.exceptions import PermissionDeniedError

from ghstars_assets.errors import DamagedFileError
from ghstars_assets.lake.parquet import (
    TAIL_BYTES,
    UNREADABLE,
    Footer,
    footer_bytes,
    read_footer,
    why_bytes_differ,
)
from ghstars_assets.lake.store import GETS_AT_ONCE, Store, StoredFile

NO_CHECKSUM = "it has no checksum, so ghstars did not write it"
UNREADABLE_ROWS = "its rows cannot be read"
MAY_NOT_BE_READ = "this user may not read it"

_NAMES = re.compile(
    r"(?P<problem>[^/]+)/(?P<table>[^/]+)/"
    r"(?:date=(?P<day>[\d-]{10})/(?P<part>.+)|(?P<kind>entry|compacted)-(?P<number>\d+))\.parquet$"
)
_MOST_KEPT = 50_000
_kept: dict[tuple[str, str], Footer] = {}
"""By URL and etag: a version of a file never changes."""


def footer_of(store: Store, file: StoredFile, most: int = TAIL_BYTES) -> Footer:
    """What a file says of itself. In a home that was filled by this release from the beginning a
    file without a checksum is damaged; in an older one it is not. A file of a bucket that has no
    more than so many bytes is fetched whole, for the query that comes next."""
    version = (store.url(file.key), file.etag)
    footer = _kept.get(version)
    if footer is None:
        footer = _read(store, file, most if file.size_bytes <= most else TAIL_BYTES)
        if file.etag:
            if len(_kept) >= _MOST_KEPT:
                _kept.clear()
            _kept[version] = footer
    if not (footer.damage or footer.has_checksum) and store.requires_checksums():
        return replace(footer, damage=NO_CHECKSUM)
    return footer


def footers_of(store: Store, files: Sequence[StoredFile], most: int = TAIL_BYTES) -> list[Footer]:
    """The same of several files, in their order; of a bucket several at once."""
    if store.scheme == "file" or len(files) < 2:
        return [footer_of(store, file) for file in files]
    with ThreadPoolExecutor(min(GETS_AT_ONCE, len(files))) as pool:
        return list(pool.map(lambda file: footer_of(store, file, most), files))


def require_written(store: Store, key: str, content: bytes) -> None:
    """Raise an error if the bytes of a whole file are not those that were written."""
    footer = read_footer(content[-max(TAIL_BYTES, footer_bytes(content)) :], len(content), key)
    if not footer.damage and not footer.has_checksum and store.requires_checksums():
        raise damaged(key, NO_CHECKSUM)
    if footer.damage:
        raise damaged(key, footer.damage)
    if footer.has_checksum and (why := why_bytes_differ(content)):
        raise damaged(key, why, is_deep=True)


def frame_of(store: Store, key: str, content: bytes) -> pl.DataFrame:
    """The rows of a file whose bytes are in hand and must be those that were written."""
    require_written(store, key, content)
    try:
        return pl.read_parquet(io.BytesIO(content))
    except UNREADABLE:
        raise damaged(key, UNREADABLE_ROWS, is_deep=True) from None


def damaged(key: str, why: str, *, is_deep: bool = False) -> DamagedFileError:
    """Names what is damaged as a user knows it: the table with the day, or the entry of a log.
    `is_deep` says that the size and the footer do not show it."""
    command = "ghstars check --deep --mend" if is_deep else "ghstars check --mend"
    return DamagedFileError(
        f"{name_of(key)} is damaged ({why}); `{command}` makes it again, or sets it aside where "
        "nothing can."
    )


def name_of(key: str) -> str:
    """What a file is called: `x.features of 2026-08-01`, `entry 7 of x.decisions`."""
    match = _NAMES.match(key)
    if match is None:
        return key
    table = f"{match['problem']}.{match['table']}"
    if match["day"]:
        part = "" if match["part"] == "data" else f" ({match['part']})"
        return f"{table} of {match['day']}{part}"
    return f"{match['kind']} {int(match['number'])} of {table}"


def _read(store: Store, file: StoredFile, most: int) -> Footer:
    try:
        tail, size_bytes = store.get_tail(file, most)
        needed = footer_bytes(tail)
        if len(tail) < needed <= size_bytes:
            tail, size_bytes = store.get_tail(file, needed)
    except PermissionDeniedError:
        if store.scheme != "file":  # then it is the credentials
            raise
        return Footer({}, damage=MAY_NOT_BE_READ)
    return read_footer(tail, size_bytes, file.key)
