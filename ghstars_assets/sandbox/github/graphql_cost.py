"""What a GraphQL query asks of GitHub: points by its formula, its weight, and what it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

MOST_IDS = 100
MOST_WEIGHT = 300.0
"""Beyond it GitHub breaks off with RESOURCE_LIMITS_EXCEEDED: 100 repositories with four connections
of nodes were too many, 50 were not."""
_WEIGHT_OF_NODES, _WEIGHT_OF_A_COUNT = 1.0, 0.4

_CONNECTIONS = frozenset(
    {
        "discussions",
        "issues",
        "pullRequests",
        "releases",
        "repositoryTopics",
        "stargazers",
        "watchers",
    }
)


@dataclass
class Demand:
    requests: int = 0
    """That GitHub's formula counts: each connection, for each of its parents."""
    weight: float = 0.0
    refusals: list[dict[str, Any]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """The names under which the answers will stand."""

    @property
    def points(self) -> int:
        return max(1, (self.requests + 50) // 100)  # halves go up


def demand_of(
    document: DocumentNode, variables: Mapping[str, Any], operation: str | None
) -> Demand:
    demand = Demand()
    fragments = {
        found.name.value: found.selection_set
        for found in document.definitions
        if isinstance(found, FragmentDefinitionNode)
    }

    def walk(selections: SelectionSetNode | None, parents: int) -> None:
        for node in selections.selections if selections else ():
            if isinstance(node, InlineFragmentNode):
                walk(node.selection_set, parents)
            elif isinstance(node, FragmentSpreadNode):
                walk(fragments[node.name.value], parents)
            elif isinstance(node, FieldNode):
                if node.name.value in _CONNECTIONS:
                    _count(demand, node, parents)
                ids = _ids_asked(node, variables)
                if ids > MOST_IDS:
                    words = (
                        f"You may not provide more than {MOST_IDS} node ids; you provided {ids}."
                    )
                    path = [_answer_name(node)]
                    demand.refusals.append(
                        {"type": "ARGUMENT_LIMIT", "path": path, "message": words}
                    )
                walk(node.selection_set, ids or parents)

    for found in document.definitions:
        if isinstance(found, OperationDefinitionNode) and (
            not operation or (found.name and found.name.value == operation)
        ):
            roots = found.selection_set.selections
            demand.answers += [_answer_name(node) for node in roots if isinstance(node, FieldNode)]
            walk(found.selection_set, 1)
    return demand


def _count(demand: Demand, connection: FieldNode, parents: int) -> None:
    is_bounded = any(given.name.value in ("first", "last") for given in connection.arguments)
    demand.requests += parents
    demand.weight += parents * (_WEIGHT_OF_NODES if is_bounded else _WEIGHT_OF_A_COUNT)
    within = connection.selection_set.selections if connection.selection_set else ()
    if not is_bounded and any(isinstance(n, FieldNode) and n.name.value == "nodes" for n in within):
        words = (
            "You must provide a `first` or `last` value to properly paginate the "
            f"`{connection.name.value}` connection."
        )
        path = [_answer_name(connection)]
        demand.refusals.append(
            {"type": "MISSING_PAGINATION_BOUNDARIES", "path": path, "message": words}
        )


def _ids_asked(node: FieldNode, variables: Mapping[str, Any]) -> int:
    """How many ids a field is given, in the query itself or by whichever variable."""
    for argument in node.arguments:
        if argument.name.value == "ids":
            if isinstance(argument.value, ListValueNode):
                return len(argument.value.values)
            name = argument.value.name.value if isinstance(argument.value, VariableNode) else ""
            given = variables.get(name)
            return len(given) if isinstance(given, list) else 1
    return 0


def _answer_name(node: FieldNode) -> str:
    return (node.alias or node.name).value


def too_heavy(demand: Demand) -> dict[str, Any]:
    words = "Resource limits for this query exceeded."
    return {
        "data": dict.fromkeys(demand.answers),
        "errors": [
            {"type": "RESOURCE_LIMITS_EXCEEDED", "path": [name], "message": words}
            for name in demand.answers[:1]
        ],
    }
