"""The snapshot's query against GitHub's own schema, and its points by GitHub's formula."""

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from ghstars_assets.sandbox.github.graphql_api import schema
from ghstars_assets.settings import PROJECT_ROOT
from ghstars_assets.sources.github.api.query import BY_IDS, CONNECTIONS, FIELDS, by_names, points_of

GITHUBS_SCHEMA = PROJECT_ROOT.parent / "shared" / "data" / "github" / "schema.graphql"
ODD_NAMES = ["a/b", 'x/"}){hack}', "c/d"]


@pytest.fixture(scope="module")
def githubs_schema_file() -> Path:
    if not GITHUBS_SCHEMA.exists():
        pytest.skip("GitHub's public schema is not at hand")
    return GITHUBS_SCHEMA


def test_every_query_is_valid_in_githubs_public_schema(githubs_schema_file: Path) -> None:
    github = build_schema(githubs_schema_file.read_text(encoding="utf-8"), assume_valid=True)
    for query in (BY_IDS, by_names(ODD_NAMES)[0]):
        assert validate(github, parse(query)) == []
    misspelt = BY_IDS.replace("stargazerCount", "stargazersCount")
    assert validate(github, parse(misspelt)) != []


def test_every_query_is_valid_in_the_sandboxs_schema() -> None:
    for query in (BY_IDS, by_names(ODD_NAMES)[0]):
        assert validate(schema(), parse(query)) == []


def test_names_are_variables_and_never_part_of_the_query() -> None:
    query, variables = by_names(ODD_NAMES)
    assert "hack" not in query
    assert variables["o1"] == "x"
    assert variables["n1"] == '"}){hack}'


def test_the_closed_list_of_stargazers_is_not_asked_for() -> None:
    assert "stargazers" not in FIELDS


@pytest.mark.parametrize(("repositories", "points"), [(1, 1), (6, 1), (25, 2), (50, 4), (100, 8)])
def test_points_are_requests_of_connections_by_the_hundred(repositories: int, points: int) -> None:
    assert CONNECTIONS == 8
    assert points_of(repositories) == points
