"""The sandbox's GraphQL schema is a true subset of GitHub's."""

import tomllib
from functools import lru_cache

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    parse,
    specified_scalar_types,
    validate,
)

from ghstars_assets.sandbox.github.graphql_api import SCHEMA_FILE, schema
from ghstars_assets.settings import PROJECT_ROOT
from ghstars_assets.sources.github.api.query import BY_IDS, by_names
from ghstars_assets_tests.support.shared_data import real_data


@lru_cache(maxsize=1)
def githubs() -> GraphQLSchema:
    """GitHub's public schema, as the npm package @octokit/graphql-schema has it."""
    sdl = real_data() / "github" / "schema.graphql"
    if not sdl.is_file():
        pytest.skip(f"GitHub's public schema is not at {sdl}")
    return build_schema(sdl.read_text(encoding="utf-8"), assume_valid=True)


def differences(ours: GraphQLSchema, theirs: GraphQLSchema) -> list[str]:
    """All that ours has and theirs has not, or has otherwise."""
    found = []
    for name, ours_named in ours.type_map.items():
        if name.startswith("__") or name in specified_scalar_types:
            continue
        theirs_named = theirs.type_map.get(name)
        if type(theirs_named) is not type(ours_named):
            found.append(f"{name} is no such type of GitHub's")
        elif theirs_named is not None:
            found += _within(ours_named, theirs_named)
    return found


def _within(ours: GraphQLNamedType, theirs: GraphQLNamedType) -> list[str]:
    if isinstance(ours, GraphQLScalarType):
        return []
    if isinstance(ours, GraphQLEnumType) and isinstance(theirs, GraphQLEnumType):
        return [f"{ours.name}.{value}" for value in ours.values if value not in theirs.values]
    fielded = (GraphQLObjectType, GraphQLInterfaceType)
    if not (isinstance(ours, fielded) and isinstance(theirs, fielded)):
        return [f"{ours.name} is of a kind this test does not know"]
    interfaces = {found.name for found in theirs.interfaces}
    found = [
        f"{ours.name} is no {mine.name}" for mine in ours.interfaces if mine.name not in interfaces
    ]
    for name, field in ours.fields.items():
        path = f"{ours.name}.{name}"
        if name not in theirs.fields:
            found.append(path)
            continue
        other = theirs.fields[name]
        if str(field.type) != str(other.type):
            found.append(f"{path} is {other.type}, not {field.type}")
        for argument, given in field.args.items():
            known = other.args.get(argument)
            if known is None or (str(known.type), known.default_value) != (
                str(given.type),
                given.default_value,
            ):
                found.append(f"{path}({argument})")
        # What GitHub demands, ours must not let go by.
        found += [
            f"{path} lacks ({argument})"
            for argument, given in other.args.items()
            if str(given.type).endswith("!") and argument not in field.args
        ]
    return found


def test_every_type_field_and_argument_is_githubs_own() -> None:
    assert differences(schema(), githubs()) == []


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("stargazerCount: Int!", "stargazerCount: Int"),
        ("stargazerCount: Int!", "starCount: Int!"),
        ("diskUsage: Int", "diskUsage: Int!"),
        ("dryRun: Boolean = false", "dryRun: Boolean = true"),
        ("owner: String!", "owner: String"),
        ("  MERGED", "  ABANDONED"),
        ("IssueState", "StateOfAnIssue"),
        ("[RepositoryTopic]", "[RepositoryTopic!]"),
        ("type Topic implements Node", "type Topic implements Node & RepositoryOwner"),
    ],
)
def test_whatever_differs_is_seen(was: str, becomes: str) -> None:
    sdl = SCHEMA_FILE.read_text(encoding="utf-8")
    assert was in sdl
    changed = build_schema(sdl.replace(was, becomes), assume_valid=True)
    assert differences(changed, githubs())


def test_a_field_whose_argument_github_demands_cannot_do_without_it() -> None:
    sdl = "interface Node { id: ID! } type Query { node: Node }"
    assert differences(build_schema(sdl), githubs()) == ["Query.node lacks (id)"]


@pytest.mark.parametrize("query", [BY_IDS, by_names(["one/a", "two/b"])[0]])
def test_the_snapshots_query_holds_in_the_sandbox(query: str) -> None:
    assert validate(schema(), parse(query)) == []


@pytest.mark.parametrize("query", [BY_IDS, by_names(["one/a", "two/b"])[0]])
def test_the_snapshots_query_holds_at_github(query: str) -> None:
    assert validate(githubs(), parse(query)) == []


def test_a_wheel_brings_the_schema_along() -> None:
    declared = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packaged = declared["tool"]["setuptools"]["package-data"]
    assert packaged["ghstars_assets.sandbox.github"] == [SCHEMA_FILE.name]
    assert SCHEMA_FILE.parent == PROJECT_ROOT / "ghstars_assets" / "sandbox" / "github"
