"""Answers as GitHub spoils them: gateways that give up, limits, batches cut off, holes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ghstars_assets.sandbox.github.graphql_api import GraphQLAnswer
from ghstars_assets.sandbox.http.limits import Refusal, Resource

_HTML = "<html><head><title>502 Bad Gateway</title></head><body>Unicorn!</body></html>"
_SECONDARY_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What is about to be sent."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    points: int = 1
    promised_bytes: int | None = None


def refusal_by(fault: str | None) -> Refusal | None:
    if fault in ("secondary_200", "secondary_403"):
        return Refusal(is_secondary=True, retry_after_seconds=_SECONDARY_SECONDS)
    if fault in ("rate_limited", "rate_limit", "rest_limit"):
        return Refusal(is_secondary=False)
    return None


def failed_answer(fault: str | None, resource: Resource) -> Answer | None:
    """An answer that is none. GitHub counts points for it all the same."""
    html = {"content-type": "text/html"}
    as_json = {"content-type": "application/json"}
    if fault == "bad_gateway_json":
        return Answer(502, b'{"message": "Server Error"}', as_json)
    if fault == "bad_gateway_html":
        return Answer(502, _HTML.encode(), html)
    if fault == "gateway_timeout_html":
        return Answer(504, _HTML.replace("502 Bad Gateway", "504").encode(), html, points=2)
    if fault == "server_error_500":
        return Answer(500, b"", html)
    if fault == "connection_reset":
        # Fewer bytes than were promised: the server ends the connection.
        return Answer(200, b"{", as_json, promised_bytes=1000)
    if fault == "internal_error" and resource == "graphql":
        words = "Something went wrong while executing your query. Please include the request id."
        return Answer(200, json.dumps({"errors": [{"message": words}]}).encode(), as_json)
    return None


def spoilt_answer(fault: str | None, answered: GraphQLAnswer) -> Answer | None:
    as_json = {"content-type": "application/json"}
    if fault == "null_parent":
        error = {"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["nodes"], "message": "Too much."}
        body = {"data": {"nodes": None}, "errors": [error]}
        return Answer(200, json.dumps(body).encode(), as_json, answered.points)
    if fault == "saml":
        words = "Resource protected by organization SAML enforcement."
        body = {"data": None, "errors": [{"type": "FORBIDDEN", "path": [], "message": words}]}
        return Answer(200, json.dumps(body).encode(), as_json, answered.points)
    return None


def with_holes(fault: str | None, body: dict[str, Any]) -> dict[str, Any]:
    """The later half cut off for its weight, or one node missing without a word."""
    data = body.get("data") or {}
    nodes = list(data.get("nodes") or [])
    if not nodes or fault not in ("partial_data", "nulls"):
        return body
    if fault == "nulls":
        nodes[len(nodes) // 2] = None
        return {**body, "data": {**data, "nodes": nodes}}
    kept = len(nodes) // 2
    cut = [
        {"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["nodes", place], "message": "Too much."}
        for place in range(kept, len(nodes))
    ]
    nodes[kept:] = [None] * len(cut)
    return {**body, "data": {**data, "nodes": nodes}, "errors": [*body.get("errors", []), *cut]}
