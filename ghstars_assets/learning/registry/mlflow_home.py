"""MLflow's database in the home: made whole or not at all, and pointed at where the home lies.

MLflow writes down where artifacts lie by their whole path, and takes no other. A home that was
moved or copied would therefore read from where it lay before, and write there.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from ghstars_assets.databases import BUSY_SECONDS, Database
from ghstars_assets.settings import Settings, sqlite_address

ARTIFACTS = "/mlflow/artifacts"
"""How the address of the artifacts of every home ends."""

LOCATIONS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
"""Where MLflow writes down whole paths: a column of each of these tables."""


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


def follow_home(settings: Settings) -> bool:
    """Point what lies in the home's artifacts folder at where the home lies now, if it was moved or
    copied. Returns whether it was."""
    here = artifacts_address(settings)
    if not settings.mlflow_database.exists():
        return False
    with closing(sqlite3.connect(settings.mlflow_database, timeout=BUSY_SECONDS)) as connection:
        elsewhere = former_addresses(connection, here)
        with connection:
            for before in elsewhere:
                for table, column in LOCATIONS.items():
                    _point_at(connection, table, column, before, here)
    return bool(elsewhere)


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
