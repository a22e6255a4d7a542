from datetime import date, timedelta
from typing import Any

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)

from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.github.graphql_api import GraphQLAnswer, answer, schema
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.sources.github.api.query import BY_IDS, by_names, points_of, row_of

SPEC = WorldSpec(seed=12, repositories=300, first_day=date(2026, 1, 1))
NAMES_OF = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { nameWithOwner } } }"
NOBODY = "R_kgDOAAAAAAAB"


@pytest.fixture
def state() -> GitHubState:
    at = capture_moment(SPEC.seed, SPEC.first_day + timedelta(days=10))
    return GitHubState(SPEC, SandboxClock.fixed(at))


def some(state: GitHubState, count: int) -> list[dict[str, Any]]:
    rows = [state.repository(repo_id) for repo_id in state.table()["repo_id"].head(count)]
    return [row for row in rows if row]


def node_ids(state: GitHubState, count: int) -> list[str]:
    return [row["node_id"] for row in some(state, count)]


def asked(state: GitHubState, query: str, **variables: Any) -> GraphQLAnswer:
    return answer(state, {"query": query, "variables": variables})


def connections(count: int, selection: str = "watchers { totalCount }") -> str:
    """A query for repositories by id with some connections."""
    fields = " ".join(f"c{number}: {selection}" for number in range(count))
    return f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Repository {{ {fields} }} }} }}"


def of_one(selection: str) -> str:
    return f"query ($id: ID!) {{ node(id: $id) {{ ... on Repository {{ {selection} }} }} }}"


# ---- what is shown ------------------------------------------------------------------------------


def test_the_snapshots_query_shows_every_repository_as_the_state_knows_it(
    state: GitHubState,
) -> None:
    rows = some(state, 60)
    answered = asked(state, BY_IDS, ids=[row["node_id"] for row in rows])
    assert "errors" not in answered.body
    assert answered.repositories == [row["repo_id"] for row in rows]
    nodes = answered.body["data"]["nodes"]
    for node, row in zip(nodes, rows, strict=True):
        shown = row_of(node)
        expected = {name: row[name] for name in shown}
        # GitHub shows whole seconds.
        for name in ("latest_release_at", "created_at", "pushed_at", "updated_at"):
            expected[name] = expected[name] and expected[name].replace(microsecond=0)
        assert shown == expected


def test_by_name_each_answer_stands_under_its_own_alias(state: GitHubState) -> None:
    rows = some(state, 3)
    query, variables = by_names([row["full_name"] for row in rows])
    data = asked(state, query, **variables).body["data"]
    assert [row_of(data[f"r{place}"])["repo_id"] for place in range(3)] == [
        row["repo_id"] for row in rows
    ]


def test_every_field_of_the_schema_has_an_answer(state: GitHubState) -> None:
    repository = schema().type_map["Repository"]
    fields = all_of(repository)
    viewer = all_of(schema().type_map["User"])
    query = f"{{ node(id: %s) {{ ... on Repository {{ {fields} }} }} viewer {{ {viewer} }} }}"
    row = next(row for row in some(state, 100) if row["latest_release"] and row["topics"])
    for node_id in (row["node_id"], *node_ids(state, 40)):
        body = asked(state, query % f'"{node_id}"').body
        assert "errors" not in body
        assert body["data"]["node"].keys() == repository.fields.keys()  # type: ignore[attr-defined]


def all_of(found: Any) -> str:
    """A selection of every field of a type, and of theirs, down to the leaves."""
    if isinstance(found, GraphQLInterfaceType):
        mine = [
            f"... on {kind.name} {{ {all_of(kind)} }}"
            for kind in schema().get_possible_types(found)
        ]
        return f"__typename {' '.join(mine)}"
    assert isinstance(found, GraphQLObjectType)
    fields = []
    for name, field in found.fields.items():
        kind = get_named_type(field.type)
        first = "(first: 10)" if name == "repositoryTopics" else ""
        fields.append(name + first + ("" if is_leaf_type(kind) else f" {{ {all_of(kind)} }}"))
    return " ".join(fields)


def test_stargazers_answer_zero_in_silence_as_githubs_do(state: GitHubState) -> None:
    query = of_one("stargazerCount stargazers { totalCount }")
    row = max(some(state, 50), key=lambda row: row["stars"])
    body = asked(state, query, id=row["node_id"]).body
    assert body == {
        "data": {"node": {"stargazerCount": row["stars"], "stargazers": {"totalCount": 0}}}
    }
    assert row["stars"] > 0


def test_issues_and_pull_requests_are_counted_by_their_states(state: GitHubState) -> None:
    query = of_one("""
        all: issues { totalCount } open: issues(states: [OPEN]) { totalCount }
        both: issues(states: [OPEN, CLOSED]) { totalCount }
        merged: pullRequests(states: MERGED) { totalCount }
        pulls: pullRequests { totalCount }
    """)
    row = some(state, 5)[4]
    shown = asked(state, query, id=row["node_id"]).body["data"]["node"]
    counts = {name: found["totalCount"] for name, found in shown.items()}
    issues = row["open_issues"] + row["closed_issues"]
    assert counts == {
        "all": issues,
        "open": row["open_issues"],
        "both": issues,
        "merged": row["merged_pull_requests"],
        "pulls": row["open_pull_requests"] + row["merged_pull_requests"],
    }


def test_topics_are_shown_as_many_as_asked_for(state: GitHubState) -> None:
    row = next(row for row in some(state, 100) if len(row["topics"]) >= 3)
    for given, expected in (
        ("first: 2", row["topics"][:2]),
        ("last: 2", row["topics"][-2:]),
        ("first: 100", row["topics"]),
    ):
        query = of_one(f"repositoryTopics({given}) {{ totalCount nodes {{ topic {{ name }} }} }}")
        shown = asked(state, query, id=row["node_id"]).body["data"]["node"]["repositoryTopics"]
        assert [found["topic"]["name"] for found in shown["nodes"]] == expected
        assert shown["totalCount"] == len(row["topics"])


def test_nodes_of_a_connection_without_a_page_size_are_refused(state: GitHubState) -> None:
    query = of_one("repositoryTopics { nodes { id } }")
    body = asked(state, query, id=node_ids(state, 1)[0]).body
    assert "data" not in body
    assert body["errors"][0]["type"] == "MISSING_PAGINATION_BOUNDARIES"
    assert "`first` or `last` value to properly paginate" in body["errors"][0]["message"]


def test_a_repository_asked_for_twice_is_shown_twice_and_in_order(state: GitHubState) -> None:
    one, two = some(state, 2)
    ids = [one["node_id"], two["node_id"], one["node_id"]]
    answered = asked(state, NAMES_OF, ids=ids)
    names = [node["nameWithOwner"] for node in answered.body["data"]["nodes"]]
    assert names == [one["full_name"], two["full_name"], one["full_name"]]
    assert answered.repositories == [one["repo_id"], two["repo_id"], one["repo_id"]]


def test_a_query_is_answered_by_the_clock_of_its_own_moment(state: GitHubState) -> None:
    def stars() -> list[int]:
        nodes = asked(state, BY_IDS, ids=node_ids(state, 50)).body["data"]["nodes"]
        return [node["stargazerCount"] for node in nodes]

    before = stars()
    state.travel_to(SPEC.first_day + timedelta(days=11))
    assert stars() != before
    assert stars() == [row["stars"] for row in some(state, 50)]


# ---- names and what has become of repositories --------------------------------------------------


def test_an_unknown_id_is_a_null_node_and_an_error_with_its_path(state: GitHubState) -> None:
    ids = node_ids(state, 2)
    answered = asked(state, NAMES_OF, ids=[ids[0], NOBODY, ids[1]])
    nodes = answered.body["data"]["nodes"]
    assert [node is None for node in nodes] == [False, True, False]
    assert answered.body["errors"] == [
        {
            "type": "NOT_FOUND",
            "path": ["nodes", 1],
            "message": f"Could not resolve to a node with the global id of '{NOBODY}'",
        }
    ]
    assert len(answered.repositories) == 2


def test_an_unknown_name_is_null_under_its_alias(state: GitHubState) -> None:
    row = some(state, 1)[0]
    query, variables = by_names([row["full_name"], "nobody/nothing"])
    body = asked(state, query, **variables).body
    assert body["data"]["r0"]
    assert body["data"]["r1"] is None
    assert body["errors"] == [
        {
            "type": "NOT_FOUND",
            "path": ["r1"],
            "message": "Could not resolve to a Repository with the name 'nobody/nothing'.",
        }
    ]


@pytest.mark.parametrize(
    ("verb", "kind", "words"),
    [
        ("delete", "NOT_FOUND", "Could not resolve to a"),
        ("private", "NOT_FOUND", "Could not resolve to a"),
        ("block", "NOT_FOUND", "Could not resolve to a"),
        ("forbid", "FORBIDDEN", "Resource protected by organization SAML enforcement"),
    ],
)
def test_a_repository_that_may_not_be_seen_is_null_with_the_reason(
    state: GitHubState, verb: str, kind: str, words: str
) -> None:
    row, other = some(state, 2)
    state.happen({verb: row["repo_id"]})
    by_id = asked(state, NAMES_OF, ids=[row["node_id"], other["node_id"]])
    assert by_id.body["data"]["nodes"] == [None, {"nameWithOwner": other["full_name"]}]
    assert by_id.repositories == [other["repo_id"]]
    query, variables = by_names([row["full_name"]])
    by_name = asked(state, query, **variables)
    assert by_name.body["data"] == {"r0": None}
    for answered, path in ((by_id, ["nodes", 0]), (by_name, ["r0"])):
        (error,) = answered.body["errors"]
        assert (error["type"], error["path"]) == (kind, path)
        assert error["message"].startswith(words)


def test_an_old_name_is_followed_unless_asked_not_to(state: GitHubState) -> None:
    row = some(state, 1)[0]
    state.happen({"rename": row["repo_id"], "to": "elsewhere/other"})
    query = """query ($o: String!, $n: String!, $f: Boolean) {
        repository(owner: $o, name: $n, followRenames: $f) { databaseId nameWithOwner }
    }"""
    found = asked(state, query, o=row["owner"], n=row["name"], f=True).body
    shown = {"databaseId": row["repo_id"], "nameWithOwner": "elsewhere/other"}
    assert found == {"data": {"repository": shown}}
    unfollowed = asked(state, query, o=row["owner"], n=row["name"], f=False).body
    assert unfollowed["data"] == {"repository": None}
    assert unfollowed["errors"][0]["type"] == "NOT_FOUND"


# ---- what it costs and what is too much ---------------------------------------------------------


@pytest.mark.parametrize(
    ("repositories", "fields", "points"),
    [(100, 0, 1), (1, 1, 1), (50, 3, 2), (100, 1, 1), (100, 2, 2), (50, 5, 3), (98, 5, 5)],
)
def test_points_are_requests_for_connections_by_the_hundred(
    state: GitHubState, repositories: int, fields: int, points: int
) -> None:
    # 50 repositories with five connections: 250 requests, 2.5 points, rounded as at school.
    query = connections(fields) if fields else NAMES_OF
    assert asked(state, query, ids=node_ids(state, repositories)).points == points


def test_a_list_of_ids_in_the_query_itself_or_under_another_name_costs_the_same(
    state: GitHubState,
) -> None:
    ids = node_ids(state, 60)
    listed = ", ".join(f'"{node_id}"' for node_id in ids)
    query = connections(4)
    expected = asked(state, query, ids=ids)
    assert expected.points == 2
    named = answer(state, {"query": query.replace("$ids", "$batch"), "variables": {"batch": ids}})
    written = asked(state, query.replace("query ($ids: [ID!]!)", "").replace("$ids", f"[{listed}]"))
    assert named == written == expected


@pytest.mark.parametrize("repositories", [1, 10, 50, 75])
def test_the_snapshots_own_reckoning_of_points_is_the_sandboxs(
    state: GitHubState, repositories: int
) -> None:
    assert asked(state, BY_IDS, ids=node_ids(state, repositories)).points == points_of(repositories)
    query, variables = by_names([row["full_name"] for row in some(state, repositories)])
    assert asked(state, query, **variables).points == points_of(repositories)


def test_more_ids_than_a_hundred_are_refused(state: GitHubState) -> None:
    ids = node_ids(state, 101)
    assert "errors" not in asked(state, NAMES_OF, ids=ids[:100]).body
    for answered in (
        asked(state, NAMES_OF, ids=ids),
        answer(state, {"query": NAMES_OF.replace("$ids", "$batch"), "variables": {"batch": ids}}),
    ):
        assert "data" not in answered.body
        assert answered.repositories == []
        assert "may not provide more than 100 node ids" in answered.body["errors"][0]["message"]


def test_a_hundred_repositories_with_four_connections_of_nodes_are_too_heavy_and_fifty_are_not(
    state: GitHubState,
) -> None:
    query = connections(4, "watchers(last: 1) { totalCount }")
    assert "errors" not in asked(state, query, ids=node_ids(state, 50)).body
    heavy = asked(state, query, ids=node_ids(state, 100))
    assert heavy.body["data"] == {"nodes": None}
    assert heavy.body["errors"][0]["type"] == "RESOURCE_LIMITS_EXCEEDED"
    assert heavy.repositories == []
    assert heavy.points == 4  # it costs all the same


def test_a_heavy_query_by_names_has_null_under_each_of_its_aliases(state: GitHubState) -> None:
    query, variables = by_names([row["full_name"] for row in some(state, 100)])
    body = asked(state, query, **variables).body
    assert body["data"] == {f"r{place}": None for place in range(100)}
    assert {error["type"] for error in body["errors"]} == {"RESOURCE_LIMITS_EXCEEDED"}


# ---- what is no query ---------------------------------------------------------------------------


def test_a_field_that_does_not_exist_is_refused_in_githubs_words(state: GitHubState) -> None:
    body = asked(state, "{ viewer { login shoeSize } }").body
    (error,) = body["errors"]
    assert "data" not in body
    assert error["message"] == "Field 'shoeSize' doesn't exist on type 'User'"
    assert error["extensions"] == {
        "code": "undefinedField",
        "typeName": "User",
        "fieldName": "shoeSize",
    }
    assert error["locations"] == [{"line": 1, "column": 18}]


@pytest.mark.parametrize(
    "query",
    [
        "{ viewer { ",
        "mutation { addStar(input: {starrableId: 1}) { clientMutationId } }",
        "query ($ids: [ID!]!) { nodes(ids: $ids) }",
        "{ nodes { id } }",
        "{ viewer }",
        "fragment a on Repository { ...a } { viewer { login } }",
    ],
)
def test_what_cannot_be_answered_is_an_error_without_data(state: GitHubState, query: str) -> None:
    answered = asked(state, query)
    assert answered.body["errors"][0]["message"]
    assert not answered.body.get("data")
    assert answered.repositories == []
    assert answered.points == 1


@pytest.mark.parametrize("payload", [{}, [], "query", 5, None, {"query": None}, {"query": 5}])
def test_a_body_without_a_query_is_refused(state: GitHubState, payload: Any) -> None:
    body = answer(state, payload).body
    assert body == {
        "errors": [{"message": "A query attribute must be specified and must be a string."}]
    }


@pytest.mark.parametrize("variables", ["ids", ["a"], 5])
def test_variables_that_are_no_object_are_refused(state: GitHubState, variables: Any) -> None:
    body = answer(state, {"query": NAMES_OF, "variables": variables}).body
    assert body == {"errors": [{"message": "Variables are invalid JSON."}]}


@pytest.mark.parametrize("variables", [{}, {"ids": None}, {"ids": [None]}, {"ids": 5.5}])
def test_a_variable_of_the_wrong_kind_is_refused(
    state: GitHubState, variables: dict[str, Any]
) -> None:
    body = asked(state, NAMES_OF, **variables).body
    assert not body.get("data")
    assert "$ids" in body["errors"][0]["message"]


def test_of_several_operations_the_one_named_is_done(state: GitHubState) -> None:
    query = "query one { viewer { login } } query two { viewer { id } }"
    answered = answer(state, {"query": query, "operationName": "two"})
    assert answered.body == {"data": {"viewer": {"id": "U_sandbox"}}}
    unnamed = answer(state, {"query": query}).body
    assert "operation name" in unnamed["errors"][0]["message"]
