"""MLflow's database in the home: made whole or not at all, and pointed at where the home lies.

MLflow writes down where artifacts lie by their whole path, and takes no other. A home that was
moved or copied would therefore read from where it lay before, and write there.
"""

import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ghstars_assets.home.databases import BUSY_SECONDS, Database, State
from ghstars_assets.settings import Settings, sqlite_address

ARTIFACTS = "/mlflow/artifacts"
"""How the address of the artifacts of every home ends."""

LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
)
"""Tables and columns in which MLflow writes down whole paths."""


def mlflow_database(settings: Settings) -> Database:
    return Database(
        settings.mlflow_database,
        rows_of_use=("runs", "registered_models"),
        # The experiment that MLflow begins with is written when all tables are there.
        proof="select exists (select 1 from experiments)",
    )


def artifacts_address(settings: Settings) -> str:
    return (settings.mlflow_home / "artifacts").as_uri()


def prepare_mlflow(settings: Settings) -> None:
    """Have the home's database there, whole, with its artifacts in this home."""
    mlflow_database(settings).ensure_whole(lambda made: _make(made, settings))
    follow_home(settings)


def was_moved(settings: Settings) -> bool:
    """Whether the artifacts are those of another place, as in a copy that was not opened yet."""
    if mlflow_database(settings).state() is not State.WHOLE:
        return False
    with closing(_opened(settings)) as connection:
        return bool(former_addresses(connection, artifacts_address(settings)))


def follow_home(settings: Settings) -> None:
    """Point what lies in the home's artifacts folder at where the home lies now."""
    here = artifacts_address(settings)
    with closing(_opened(settings)) as connection:
        elsewhere = former_addresses(connection, here)
        with connection:
            for before in elsewhere:
                for table, column in LOCATIONS:
                    _point_at(connection, table, column, before, here)


@dataclass(frozen=True)
class Records:
    runs: int
    versions: int
    without_artifacts: int
    """Runs whose folder is gone."""


def count_records(settings: Settings) -> Records:
    with closing(_opened(settings)) as connection:
        query = "select artifact_uri from runs where lifecycle_stage = 'active'"
        folders = [local_path(address) for (address,) in connection.execute(query)]
        (versions,) = connection.execute("select count(*) from model_versions").fetchone()
    lost = sum(folder is not None and not folder.exists() for folder in folders)
    return Records(len(folders), versions, lost)


def local_path(address: str) -> Path | None:
    """The folder of a file's address; None of any other."""
    parts = urlsplit(address)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _opened(settings: Settings) -> sqlite3.Connection:
    return sqlite3.connect(settings.mlflow_database, timeout=BUSY_SECONDS)


def former_addresses(connection: sqlite3.Connection, here: str) -> list[str]:
    """Where the artifacts of this home lay before, by the experiments."""
    stored = connection.execute("select distinct artifact_location from experiments")
    homes = {
        location[: location.rindex(ARTIFACTS) + len(ARTIFACTS)]
        for (location,) in stored
        if location and f"{ARTIFACTS}/" in f"{location}/"
    }
    return sorted(homes - {here})


def _point_at(
    connection: sqlite3.Connection, table: str, column: str, before: str, here: str
) -> None:
    length = len(before)
    connection.execute(
        f"update {table} set {column} = ? || substr({column}, ?) "  # noqa: S608 - names from above
        f"where {column} = ? or substr({column}, 1, ?) = ?",
        (here, length + 1, before, length + 1, f"{before}/"),
    )


def _make(made: Path, settings: Settings) -> None:
    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(sqlite_address(made), artifacts_address(settings))
    store.engine.dispose()
