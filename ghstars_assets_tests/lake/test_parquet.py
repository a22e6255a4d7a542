"""A file says of itself whether it is what was written."""

import io
import random
from datetime import date

import polars as pl
import pytest

from ghstars_assets.lake.parquet import (
    TAIL_BYTES,
    footer_bytes,
    parquet_bytes,
    read_footer,
    why_bytes_differ,
)

KEY = "stars/counts/date=2026-01-02/data.parquet"
ROWS = pl.DataFrame({"day": [date(2026, 1, 2)] * 50, "stars": range(50)})


def damage_of(content: bytes, key: str = KEY) -> str:
    """What the cheap look finds, or else the deep one."""
    footer = read_footer(content[-TAIL_BYTES:], len(content), key)
    return footer.damage or (why_bytes_differ(content) if footer.has_checksum else "")


def test_the_same_rows_are_the_same_bytes_and_whole() -> None:
    content = parquet_bytes(ROWS, {"gap": "none"}, KEY)
    assert content == parquet_bytes(ROWS, {"gap": "none"}, KEY)
    footer = read_footer(content[-TAIL_BYTES:], len(content), KEY)
    assert (footer.notes, footer.rows, footer.damage) == ({"gap": "none"}, 50, "")
    assert damage_of(content) == ""


@pytest.mark.parametrize("place", ["rows", "footer"])
def test_no_flipped_bit_goes_unseen(place: str) -> None:
    content = parquet_bytes(ROWS, {"gap": "none"}, KEY)
    begins = len(content) - footer_bytes(content)
    span = range(4, begins) if place == "rows" else range(begins, len(content))
    for at in random.Random(7).sample(span, min(150, len(span))):
        flipped = bytearray(content)
        flipped[at] ^= 1 << at % 8
        assert damage_of(bytes(flipped)), f"a bit of byte {at}"


def test_a_flipped_bit_of_the_footer_is_seen_without_reading_a_row() -> None:
    content = parquet_bytes(ROWS, {}, KEY)
    at = content.index(b"stars", len(content) - footer_bytes(content))
    flipped = content[:at] + b"stairs"[:5] + content[at + 5 :]
    footer = read_footer(flipped[-TAIL_BYTES:], len(flipped), KEY)
    assert footer.damage == "its footer is not the one that was written"


def test_a_file_in_another_ones_place_is_known() -> None:
    content = parquet_bytes(ROWS, {}, KEY)
    other = KEY.replace("01-02", "01-03")
    assert damage_of(content, other) == f"it was written as {KEY}"


def test_bytes_put_before_the_footer_are_counted() -> None:
    content = parquet_bytes(ROWS, {}, KEY)
    longer = content[:4] + b"\0" + content[4:]
    assert "bytes, and" in damage_of(longer)


def test_a_file_of_the_first_release_has_no_checksum_and_is_read() -> None:
    buffer = io.BytesIO()
    ROWS.write_parquet(buffer, metadata={"ghstars:gap": "none"})
    content = buffer.getvalue()
    footer = read_footer(content[-TAIL_BYTES:], len(content), KEY)
    assert (footer.has_checksum, footer.damage) == (False, "")
    assert (footer.notes, footer.rows) == ({"gap": "none"}, None)
