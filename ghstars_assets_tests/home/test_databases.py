"""Databases of a home: made whole or not at all, and set aside where one is half-made."""

import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ghstars_assets.home.databases import Database, State


class KilledError(BaseException):
    pass


def _execute(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def _make(path: Path) -> None:
    _execute(path, "create table runs (id)", "create table done (at)", "insert into done values(1)")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    path = tmp_path / "100% of? it" / "a.db"
    path.parent.mkdir()
    return Database(path, rows_of_use=("runs",), proof="select exists (select 1 from done)")


def _visible(database: Database) -> list[str]:
    names = [path.name for path in database.path.parent.iterdir()]
    return sorted(name for name in names if not name.startswith("."))


def test_whoever_is_killed_while_making_one_leaves_nothing(database: Database) -> None:
    def killed(path: Path) -> None:
        _execute(path, "create table runs (id)")
        raise KilledError

    with pytest.raises(KilledError):
        database.ensure_whole(killed)
    assert database.state() is State.ABSENT
    assert _visible(database) == []
    database.ensure_whole(_make)
    assert database.state() is State.WHOLE


def test_a_half_made_one_is_set_aside_and_its_new_name_is_said(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    _execute(database.path, "create table runs (id)")
    assert database.state() is State.HALF_MADE
    with caplog.at_level(logging.WARNING):
        database.ensure_whole(_make)
    (aside,) = database.earlier_ones()
    assert caplog.messages == [
        f"{database.path} was half-made: it is now {aside.name}, and a new one is made."
    ]
    assert database.state() is State.WHOLE
    database.ensure_whole(_make)
    assert _visible(database) == ["a.db", aside.name]


def test_what_is_no_database_is_set_aside_as_it_is(database: Database) -> None:
    database.path.write_bytes(b"something else" * 100)
    assert database.state() is State.DAMAGED
    database.ensure_whole(_make)
    (aside,) = database.earlier_ones()
    assert aside.read_bytes() == b"something else" * 100
    assert database.state() is State.WHOLE


def test_one_that_was_used_is_never_set_aside(database: Database) -> None:
    _execute(database.path, "create table runs (id)", "insert into runs values (1)")
    database.ensure_whole(_make)
    assert database.state() is State.WHOLE
    assert _visible(database) == ["a.db"]


def test_of_several_that_want_it_at_once_one_makes_it(database: Database) -> None:
    made: list[Path] = []

    def make(path: Path) -> None:
        made.append(path)
        _make(path)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: database.ensure_whole(make), range(4)))
    assert len(made) == 1
    assert database.state() is State.WHOLE
