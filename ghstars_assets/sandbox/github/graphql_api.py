"""GitHub's GraphQL over the invented state: real queries, executed over a subset of its schema.

A query costs what GitHub's formula says, is refused where it is too heavy, and names what is
missing in GitHub's words. graphql-core resolves rows that are plain dictionaries.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionContext,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
)
from graphql.pyutils import Path

from ghstars_assets.sandbox.github.graphql_cost import MOST_WEIGHT, Demand, demand_of, too_heavy
from ghstars_assets.sandbox.github.state import GitHubState, Row

SCHEMA_FILE = FilePath(__file__).with_name("schema.graphql")

_UNKNOWN_FIELD = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")


@dataclass(frozen=True)
class GraphQLAnswer:
    body: dict[str, Any]
    points: int
    repositories: list[int] = field(default_factory=list)
    """The ids of those that it shows."""


def answer(
    state: GitHubState, payload: Mapping[str, Any], budget: Mapping[str, int] | None = None
) -> GraphQLAnswer:
    """Answer a query; `budget` is for `rateLimit`: limit, remaining, used and reset."""
    query = payload.get("query") if isinstance(payload, Mapping) else None
    if not isinstance(query, str):
        return _refused({"message": "A query attribute must be specified and must be a string."})
    variables, operation = payload.get("variables") or {}, payload.get("operationName")
    if not isinstance(variables, Mapping):
        return _refused({"message": "Variables are invalid JSON."})
    document, faults = _parsed(query)
    if document is None:
        return _refused(*map(_worded, faults))
    demand = demand_of(document, variables, operation)
    if demand.refusals:
        return _refused(*demand.refusals, points=demand.points)
    if demand.weight > MOST_WEIGHT:
        return GraphQLAnswer(too_heavy(demand), demand.points)
    context = _Context(state, demand, budget)
    result = execute_sync(
        schema(),
        document,
        root_value=context,
        context_value=context,
        variable_values=dict(variables),
        operation_name=operation,
        field_resolver=_resolve,
        execution_context_class=_ShortCut,
    )
    errors = context.errors + [_worded(fault) for fault in result.errors or []]
    body: dict[str, Any] = {"data": result.data}
    if errors:
        body["errors"] = errors
    return GraphQLAnswer(body, demand.points, context.shown)


def _refused(*errors: dict[str, Any], points: int = 1) -> GraphQLAnswer:
    return GraphQLAnswer({"errors": list(errors)}, points)


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    built = build_schema(SCHEMA_FILE.read_text(encoding="utf-8"))
    for name in ("Node", "RepositoryOwner", "GitObject"):
        built.type_map[name].resolve_type = _type_of  # pyright: ignore[reportAttributeAccessIssue]
    return built


@lru_cache(maxsize=256)
def _parsed(query: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    try:
        document = parse(query)
    except GraphQLError as fault:
        return None, [fault]
    faults = validate(schema(), document)
    return (None, faults) if faults else (document, [])


# ---- what it shows ------------------------------------------------------------------------------


@dataclass
class _Context:
    state: GitHubState
    demand: Demand
    budget: Mapping[str, int] | None
    errors: list[dict[str, Any]] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    if isinstance(source, _Context):
        return _ROOTS[info.field_name](source, info, **arguments)
    resolver = _FIELDS.get(info.field_name)
    if resolver and "repo_id" in source:
        return resolver(source, arguments)
    return source[info.field_name]


class _ShortCut(ExecutionContext):
    """Scalars of a plain row, which are two thirds of an answer, at half the cost of the long way.
    What is null where it must not be takes that way, which complains."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_nodes: list[FieldNode],
        path: Path,
    ) -> Any:
        name = field_nodes[0].name.value
        serialize = _scalar(parent_type, name)
        if serialize and isinstance(source, dict):
            resolver = _FIELDS.get(name) if "repo_id" in source else None
            value = resolver(source, {}) if resolver else source[name]
            if value is not None:
                return serialize(value)
        return super().execute_field(parent_type, source, field_nodes, path)


@lru_cache(maxsize=1024)
def _scalar(parent_type: GraphQLObjectType, name: str) -> Callable[[Any], Any] | None:
    """How a field is written that has neither arguments nor fields of its own."""
    field_type = parent_type.fields.get(name)
    if field_type is None or field_type.args:
        return None
    named = get_named_type(field_type.type)
    is_list = "[" in str(field_type.type)
    return named.serialize if isinstance(named, GraphQLScalarType) and not is_list else None


def _type_of(value: Row, *_: Any) -> str:
    return value.get("__typename", "Repository")


def _nodes(context: _Context, info: GraphQLResolveInfo, ids: list[str]) -> list[Row | None]:
    return [
        _visible(context, context.state.by_node_id(node_id), [info.path.key, place], node_id)
        for place, node_id in enumerate(ids)
    ]


def _node(context: _Context, info: GraphQLResolveInfo, id: str) -> Row | None:  # noqa: A002 - GitHub's own name
    return _visible(context, context.state.by_node_id(id), [info.path.key], id)


def _repository(
    context: _Context,
    info: GraphQLResolveInfo,
    owner: str,
    name: str,
    followRenames: bool = True,  # noqa: N803 - GitHub's own name
) -> Row | None:
    row, is_redirect = context.state.by_name(f"{owner}/{name}")
    row = None if is_redirect and not followRenames else row
    words = f"Could not resolve to a Repository with the name '{owner}/{name}'."
    return _visible(context, row, [info.path.key], words=words)


def _visible(
    context: _Context, row: Row | None, path: list[Any], node_id: str = "", words: str = ""
) -> Row | None:
    fate = context.state.fate(row["repo_id"]) if row else "gone"
    if row and fate == "live":
        context.shown.append(row["repo_id"])
        return row
    if fate == "forbidden":
        kind = "FORBIDDEN"
        words = (
            "Resource protected by organization SAML enforcement. You must grant your Personal "
            "Access token access to this organization."
        )
    else:
        kind = "NOT_FOUND"
        words = words or f"Could not resolve to a node with the global id of '{node_id}'"
    context.errors.append({"type": kind, "path": path, "message": words})
    return None


def _rate_limit(context: _Context, _info: GraphQLResolveInfo, **_arguments: Any) -> Row | None:
    if context.budget is None:
        return None
    points, budget = context.demand.points, context.budget
    return {
        "__typename": "RateLimit",
        "cost": points,
        "limit": budget["limit"],
        "remaining": max(0, budget["remaining"] - points),
        "used": budget["used"] + points,
        "resetAt": _moment(datetime.fromtimestamp(budget["reset"], UTC)),
        "nodeCount": context.demand.requests,
    }


def _viewer(_context: _Context, _info: GraphQLResolveInfo) -> Row:
    return {"__typename": "User", "id": "U_sandbox", "login": "sandbox", "databaseId": 1}


_ROOTS = {
    "nodes": _nodes,
    "node": _node,
    "repository": _repository,
    "rateLimit": _rate_limit,
    "viewer": _viewer,
}


def _count_of_states(row: Row, arguments: Mapping[str, Any], counts: dict[str, str]) -> Row:
    states = arguments.get("states") or list(counts)
    return {"totalCount": sum(row[counts[state]] for state in states if state in counts)}


def _moment(value: datetime | None) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def _release(row: Row) -> Row | None:
    if not row["latest_release"]:
        return None
    published = _moment(row["latest_release_at"])
    return {
        "id": f"RE_{row['repo_id']}",
        "tagName": row["latest_release"],
        "publishedAt": published,
        "createdAt": published,
        "isPrerelease": False,
    }


def _licence(row: Row) -> Row | None:
    name = row["licence"]
    return name and {"id": f"L_{name}", "key": name.lower(), "name": name, "spdxId": name}


def _topics(row: Row, arguments: Mapping[str, Any]) -> Row:
    topics = row["topics"]
    named = [{"id": f"RT_{name}", "topic": {"id": f"T_{name}", "name": name}} for name in topics]
    first, last = arguments.get("first"), arguments.get("last")
    shown = named[:first] if first else named[-last:] if last else []
    return {"totalCount": len(topics), "nodes": shown}


def _branch(row: Row) -> Row:
    commit = {
        "__typename": "Commit",
        "id": f"C_{row['head_sha']}",
        "oid": row["head_sha"],
        "committedDate": _moment(row["head_committed_at"]),
    }
    return {"id": f"REF_{row['repo_id']}", "name": "main", "target": commit}


_ISSUES = {"OPEN": "open_issues", "CLOSED": "closed_issues"}
_PULLS = {"OPEN": "open_pull_requests", "MERGED": "merged_pull_requests"}

_FIELDS = {
    "id": lambda row, _: row["node_id"],
    "databaseId": lambda row, _: row["repo_id"],
    "nameWithOwner": lambda row, _: row["full_name"],
    "owner": lambda row, _: {
        "__typename": "User",
        "id": f"U_{row['owner']}",
        "login": row["owner"],
        "databaseId": None,
    },
    "stargazerCount": lambda row, _: row["stars"],
    # The list is closed to all but the repository's own people since 2026-06-30, and shows 0.
    "stargazers": lambda _row, _: {"totalCount": 0},
    "forkCount": lambda row, _: row["forks"],
    "watchers": lambda row, _: {"totalCount": row["watchers"]},
    "issues": lambda row, given: _count_of_states(row, given, _ISSUES),
    "pullRequests": lambda row, given: _count_of_states(row, given, _PULLS),
    "releases": lambda row, _: {"totalCount": row["releases"]},
    "latestRelease": lambda row, _: _release(row),
    "discussions": lambda row, _: {"totalCount": row["discussions"]},
    "diskUsage": lambda row, _: row["size_kb"],
    "primaryLanguage": lambda row, _: (
        row["language"] and {"id": f"LA_{row['language']}", "name": row["language"]}
    ),
    "licenseInfo": lambda row, _: _licence(row),
    "repositoryTopics": _topics,
    "isArchived": lambda row, _: row["is_archived"],
    "isFork": lambda row, _: row["is_fork"],
    "isPrivate": lambda _row, _: False,
    "createdAt": lambda row, _: _moment(row["created_at"]),
    "pushedAt": lambda row, _: _moment(row["pushed_at"]),
    "updatedAt": lambda row, _: _moment(row["updated_at"]),
    "defaultBranchRef": lambda row, _: _branch(row),
    "url": lambda row, _: f"https://github.invalid/{row['full_name']}",
}


def _worded(fault: GraphQLError) -> dict[str, Any]:
    worded: dict[str, Any] = dict(fault.formatted)
    unknown = _UNKNOWN_FIELD.match(fault.message)
    if unknown:
        field_name, type_name = unknown.groups()
        worded["message"] = f"Field '{field_name}' doesn't exist on type '{type_name}'"
        worded["extensions"] = {
            "code": "undefinedField",
            "typeName": type_name,
            "fieldName": field_name,
        }
    return worded
