"""The SQLite databases of a home: made whole or not at all, and set aside where one is half-made.

Dagster and MLflow each make their databases in many steps, and neither bears it when a process was
killed between two of them, or when two processes make the same database at once. Here a database is
made in a folder of its own and put in its place when it is complete.
"""

import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from ghstars_assets.calendar import utc_now

SET_ASIDE = ".set-aside-"
HAS_ROWS = "select exists (select 1 from {})"
BUSY_SECONDS = 30
BESIDE = ("-wal", "-shm", "-journal")

logger = logging.getLogger(__name__)


class State(StrEnum):
    ABSENT = "absent"
    WHOLE = "whole"
    HALF_MADE = "half-made"
    """Making it was interrupted. It holds nothing, so nothing is lost with it."""
    DAMAGED = "damaged"
    """It is no SQLite database, or SQLite finds it malformed."""


@dataclass(frozen=True)
class Database:
    path: Path
    rows_of_use: Sequence[str]
    """Tables that have rows once it was used. Then it is whole, by whatever version it was made."""
    proof: str
    """A query that is true of a new one from the moment at which it is complete."""

    def state(self) -> State:
        if not self.path.exists():
            return State.ABSENT
        try:
            with closing(_opened(self.path)) as connection:
                is_whole = self._was_used(connection) or _is_true(connection, self.proof)
        except sqlite3.DatabaseError as error:
            if "malformed" in str(error) or "not a database" in str(error):
                return State.DAMAGED
            raise
        return State.WHOLE if is_whole else State.HALF_MADE

    def _was_used(self, connection: sqlite3.Connection) -> bool:
        return any(_is_true(connection, HAS_ROWS.format(table)) for table in self.rows_of_use)

    def ensure_whole(self, make: Callable[[Path], object]) -> None:
        """Have it there, whole. `make` writes a new one at the path that it is given. A half-made
        or damaged one is set aside, and its new name is said."""
        if self.state() is State.WHOLE:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(self.path):
            state = self.state()
            if state is State.WHOLE:
                return
            with TemporaryDirectory(prefix="ghstars-") as folder:
                made = Path(folder, self.path.name)
                make(made)
                if state is not State.ABSENT:
                    aside = _set_aside(self.path)
                    logger.warning(
                        f"{self.path} was {state}: it is now {aside.name}, and a new one is made."
                    )
                _put_in_place(made, self.path)

    def earlier_ones(self) -> list[Path]:
        """Those that were set aside and still lie there."""
        if not self.path.parent.exists():
            return []
        prefix = f"{self.path.name}{SET_ASIDE}"
        found = (path for path in self.path.parent.iterdir() if path.name.startswith(prefix))
        return sorted(path for path in found if not path.name.endswith(BESIDE))


def _set_aside(database: Path) -> Path:
    """Rename a database, with the files that belong to it, so that another can be made."""
    aside = database.with_name(f"{database.name}{SET_ASIDE}{utc_now():%Y%m%dT%H%M%S%f}")
    for suffix in BESIDE:
        beside = database.with_name(database.name + suffix)
        if beside.exists():
            beside.replace(aside.with_name(aside.name + suffix))
    return database.replace(aside)


def _put_in_place(made: Path, target: Path) -> None:
    """A copy beside the target and a rename: the folder that it was made in may lie on another
    disk."""
    beside = target.with_name(f".{target.name}.new")
    try:
        shutil.copyfile(made, beside)
        with beside.open("rb") as copied:
            os.fsync(copied.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _one_at_a_time(database: Path) -> Iterator[None]:
    """The lock ends with the process that holds it."""
    with database.with_name(f".{database.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _opened(database: Path) -> sqlite3.Connection:
    """An existing one. To write, too: who only reads leaves the files of a write-ahead log."""
    return sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)


def _is_true(connection: sqlite3.Connection, query: str) -> bool:
    """False where the tables are not even there."""
    try:
        return bool(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return False
        raise
