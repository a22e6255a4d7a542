"""The tiny problem, captured for ten days."""

import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets.sql_tables import inputs
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets_tests.support.tiny_days import on
from ghstars_assets_tests.support.tiny_problem import FILES, capture, load


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> SqlGraph:
    return load(tmp_path_factory.mktemp("tiny"), **FILES)


@pytest.fixture
def captured(lake: Lake, graph: SqlGraph) -> Lake:
    """Days 0 to 9: entity 1 has ten times the day's number and entity 2 a hundred times."""
    for number in range(10):
        capture(lake, on(number), 10 * number, 100 * number)
    return lake


@pytest.fixture
def months_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two months in one batch, as where there are many rows."""
    monkeypatch.setattr(inputs, "MOST_DAYS", 1)
