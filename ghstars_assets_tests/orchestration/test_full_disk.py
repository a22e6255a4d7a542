"""A backfill on a disk that is full: one sentence, nothing half written, and on with more space."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError
from polars.testing import assert_frame_equal
from sqlalchemy.exc import OperationalError

from ghstars_assets.failures import causes
from ghstars_assets.lake import store
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.event_log import KeptSqliteEventLogStorage
from ghstars_assets_tests.support.filled_home import settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars, ghstars

__all__ = ["ghstars"]  # a fixture

DAYS = ("--from", "2026-08-12", "--to", "2026-08-14", "--stages", "features")
LAST = date(2026, 8, 14)


def _lake_is_full(patch: pytest.MonkeyPatch) -> None:
    """From the second partition on."""
    put, puts = obstore.put, []

    def full(*given: Any, **named: Any) -> object:
        puts.append(given)
        if len(puts) > 1:
            raise GenericError("Unable to copy data to file: No space left on device (os error 28)")
        return put(*given, **named)

    patch.setattr(store.obstore, "put", full)


def _records_are_full(patch: pytest.MonkeyPatch) -> None:
    """From the third event of the run on."""
    connect, connections = KeptSqliteEventLogStorage._connect, []

    def full(storage: KeptSqliteEventLogStorage, shard: str) -> Any:
        connections.append(shard)
        if len(connections) > 12:
            raise OperationalError("insert", {}, sqlite3.OperationalError("disk I/O error"))
        return connect(storage, shard)

    patch.setattr(KeptSqliteEventLogStorage, "_connect", full)
    patch.setattr("ghstars_assets.home.disk._free_bytes", lambda _settings: 0)


@pytest.fixture
def home(filled_home: Path, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    shutil.copytree(filled_home / "lake", home / "lake", copy_function=os.link)
    lake = Lake(settings_of(home))
    for day in lake.days("stars.features")[-3:]:
        lake.delete("stars.features", day)
    return home


@pytest.mark.parametrize("fill", [_lake_is_full, _records_are_full])
def test_a_backfill_says_it_in_one_sentence_and_goes_on_once_there_is_space(
    ghstars: Ghstars,
    home: Path,
    filled_lake: Lake,
    fill: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Whoever tried again would wait for hours.
    monkeypatch.setattr(causes, "SOON_SECONDS", (9_999.0,))
    with monkeypatch.context() as patch:
        fill(patch)
        ran = ghstars(home, "backfill", "stars", *DAYS)
    assert ran.code == 1
    (line,) = [line for line in ran.err.splitlines() if line.startswith("ghstars: ")]
    assert line.startswith("ghstars: The disk is full under /")
    assert "Traceback" not in ran.err
    assert ghstars(home, "backfill", "stars", *DAYS).code == 0
    again = Lake(settings_of(home)).read("stars.features", LAST)
    whole = filled_lake.read("stars.features", LAST)
    assert_frame_equal(again, whole, check_row_order=False, check_column_order=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, for who may mount one."""
    place = tmp_path / "small_disk"
    place.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if not (mount and unmount):
        pytest.skip("this system mounts nothing")
    command = [mount, "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may mount no disk")
    yield place
    subprocess.run([unmount, "-l", str(place)], check=True)


def test_a_disk_that_is_really_full(ghstars: Ghstars, home: Path, small_disk: Path) -> None:
    moved = small_disk / "home"
    for table in ("snapshots", "features"):
        shutil.copytree(home / "lake" / "stars" / table, moved / "lake" / "stars" / table)
    shutil.copyfile(home / "lake" / "ghstars.json", moved / "lake" / "ghstars.json")
    filling = small_disk / "filling"
    with filling.open("wb") as sink:
        left = shutil.disk_usage(small_disk).free - 450_000
        sink.write(bytes(left))
    before = set((moved / "lake").rglob("*.parquet*"))
    ran = ghstars(moved, "backfill", "stars", *DAYS)
    assert ran.code == 1
    assert f"ghstars: The disk is full under {small_disk}" in ran.err
    assert "Traceback" not in ran.err
    written = set((moved / "lake").rglob("*.parquet*")) - before
    assert {path.name for path in written} <= {"data.parquet"}
    filling.unlink()
    assert ghstars(moved, "backfill", "stars", *DAYS).code == 0
    assert LAST in Lake(settings_of(moved)).days("stars.features")
