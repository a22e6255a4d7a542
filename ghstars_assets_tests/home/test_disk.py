"""Faults of the disk: known in the words of each library, and said in one sentence."""

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest
from obstore.exceptions import GenericError

from ghstars_assets.errors import Cause
from ghstars_assets.failures.causes import classify, sentence
from ghstars_assets.home import disk
from ghstars_assets.home.disk import DiskError, sentence_of_disk, space_of
from ghstars_assets.home.layout import prepare_home
from ghstars_assets.settings import Settings

FULL = Path("/dev/full")
needs_dev_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def _raised(act: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever the library raises
        act()
    return raised.value


def _fill_sqlite() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("pragma max_page_count = 2")
    connection.execute("create table t (a)")
    connection.execute("insert into t values (zeroblob(100000))")


def _write_unbuffered() -> None:
    with FULL.open("wb", buffering=0) as sink:
        sink.write(b"row")


def _of_obstore() -> None:
    raise GenericError(
        "Generic LocalFileSystem error: Unable to open file /lake/data.parquet#1: "
        "No space left on device (os error 28)\n\nDebug source: ..."
    )


def _of_duckdbs_spill() -> None:
    raise duckdb.OutOfMemoryException(
        "Out of Memory Error: failed to offload data block of size 256.0 KiB (0 bytes used)."
    )


@needs_dev_full
@pytest.mark.parametrize(
    "act",
    [
        _fill_sqlite,
        _write_unbuffered,
        lambda: duckdb.sql(f"copy (select range from range(1000000)) to '{FULL}'"),
        lambda: pl.DataFrame({"a": range(1_000_000)}).write_parquet(FULL),
        _of_obstore,
        _of_duckdbs_spill,
    ],
    ids=["sqlite", "python", "duckdb", "polars", "obstore", "spill"],
)
def test_a_full_disk_is_a_sentence_with_a_path_and_is_not_tried_again(
    act: Callable[[], object], settings: Settings
) -> None:
    error = _raised(act)
    assert classify(error) is Cause.BAD_DATA
    words = sentence(error, settings)
    assert words.startswith("The disk is full under /")
    assert "free 2 GB" in words
    assert "\n" not in words


def test_what_led_to_an_error_counts_and_what_a_user_was_told_already_does_not(
    settings: Settings,
) -> None:
    wrapped = RuntimeError("MLflow failed")
    wrapped.__cause__ = sqlite3.OperationalError("database or disk is full")
    assert classify(wrapped) is Cause.BAD_DATA
    assert "The disk is full" in (sentence_of_disk(wrapped, settings) or "")
    assert sentence_of_disk(DiskError("No space left on device"), settings) is None
    assert sentence_of_disk(ValueError("database is locked"), settings) is None


def test_sqlites_input_output_error_is_a_full_disk_where_nothing_is_left(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    assert "fails to read or write" in (sentence_of_disk(error, settings) or "")
    monkeypatch.setattr(disk, "_free_bytes", lambda _settings: 1000)
    assert "The disk is full" in (sentence_of_disk(error, settings) or "")


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EROFS, "is read-only; make it"), (errno.EACCES, "You may not write")],
)
def test_a_home_that_cannot_be_written_is_named_with_what_to_do(
    number: int, words: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_given: object, **_named: object) -> None:
        raise OSError(number, "refused", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DiskError) as caught:
        prepare_home(settings)
    assert str(settings.dagster_home) in str(caught.value)
    assert words in str(caught.value)
    assert "set GHSTARS_HOME" in str(caught.value)


def test_space_is_measured_where_a_home_would_be_made(settings: Settings) -> None:
    assert not settings.home_path.exists()
    assert space_of(settings).free_gb > 0
