"""What every test stands on: no developer's settings, and a lake of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.stars.sources import SOURCES
from ghstars_assets.settings import SQL_ROOT, Settings
from ghstars_assets.sql_tables.graph import SqlGraph, load_sql_graph
from ghstars_assets_tests.support import small_world
from ghstars_assets_tests.support.filled_home import (  # noqa: F401 - fixtures: every stage, filled
    filled_home,
    filled_home_copy,
    filled_lake,
)
from ghstars_assets_tests.support.tides_fixtures import (  # noqa: F401 - fixtures: the tides
    candidate,
    columns,
    mlflow_home,
    tides,
    tides_home,
    versions,
)

# The same examples on every machine and every run, however slow the machine.
hypothesis.settings.register_profile("house", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("house")

_NOT_FOR_TESTS = ("GHSTARS_", "DAGSTER_", "MLFLOW_", "AWS_", "AZURE_", "GOOGLE_")


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_developers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither their environment nor their `.env`, which is looked for in the working folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(_NOT_FOR_TESTS):
                patch.delenv(name)
        patch.chdir(tmp_path_factory.mktemp("working_folder"))
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", threads=1, memory_gb=1)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings)


@pytest.fixture(scope="session")
def stars_graph() -> SqlGraph:
    return load_sql_graph([SQL_ROOT / "stars"], [source.table for source in SOURCES])


@pytest.fixture(scope="session")
def _small_world_lake(tmp_path_factory: pytest.TempPathFactory, stars_graph: SqlGraph) -> Lake:
    home = tmp_path_factory.mktemp("small_world")
    lake = Lake(Settings(home=home, threads=1, memory_gb=1))
    small_world.settle(lake, stars_graph)
    return lake


@pytest.fixture
def world_lake(_small_world_lake: Lake, tmp_path: Path) -> Lake:
    """The small world with its snapshots, to do with as a test likes."""
    return small_world.copy_of(_small_world_lake, tmp_path / "world")
