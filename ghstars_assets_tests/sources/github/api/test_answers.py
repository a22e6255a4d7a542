"""What each of GitHub's refusals and errors means, one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ghstars_assets.errors import Cause, GhstarsError
from ghstars_assets.failures.causes import LATER_SECONDS, classify, returns_in_seconds, waits
from ghstars_assets.sources.github.api.answer_fields import optional_moment_in
from ghstars_assets.sources.github.api.answers import (
    BadCredentialsError,
    BadQueryError,
    BudgetSpentError,
    ForbiddenError,
    Limited,
    RefusedError,
    TooHeavyError,
    UnreachableError,
    graph_errors,
    limited,
    message_of,
    raise_for,
    raise_for_graph,
)
from ghstars_assets.sources.github.api.reading import as_json

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
IN_TEN_MINUTES = str(int((NOW + timedelta(minutes=10)).timestamp()))
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try."
SAML = "Resource protected by organization SAML enforcement. You must grant your token access."
NOT_FOUND = {
    "type": "NOT_FOUND",
    "path": ["nodes", 3],
    "message": "Could not resolve to a node with the global id of 'R_x'.",
}


def _response(status: int, body: object = None, **headers: str) -> tuple[httpx.Response, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named), body


def _graph(*errors: dict[str, Any], data: object = None) -> dict[str, Any]:
    return {"data": data, "errors": list(errors)}


# ---- limits: what can be waited out -------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        # The hour is spent: GraphQL says so under 200, in either spelling.
        (
            _response(
                200,
                _graph({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}),
                x_ratelimit_remaining="0",
                x_ratelimit_reset=IN_TEN_MINUTES,
            ),
            Limited(is_secondary=False, wait_seconds=601),
        ),
        (
            _response(
                200,
                _graph({"type": "RATE_LIMIT", "message": "API rate limit already exceeded"}),
                x_ratelimit_reset=IN_TEN_MINUTES,
            ),
            Limited(is_secondary=False, wait_seconds=601),
        ),
        # REST says so under 403 or 429.
        (
            _response(
                403,
                {"message": "API rate limit exceeded for user ID 1."},
                x_ratelimit_remaining="0",
                x_ratelimit_reset=IN_TEN_MINUTES,
            ),
            Limited(is_secondary=False, wait_seconds=601),
        ),
        (
            _response(429, {}, x_ratelimit_remaining="0", x_ratelimit_reset=IN_TEN_MINUTES),
            Limited(is_secondary=False, wait_seconds=601),
        ),
        # A reset that is past already: our clocks differ by a little.
        (
            _response(
                403,
                {"message": "API rate limit exceeded"},
                x_ratelimit_remaining="0",
                x_ratelimit_reset=str(int(NOW.timestamp()) - 30),
            ),
            Limited(is_secondary=False, wait_seconds=1),
        ),
        # Too much at once: retry-after comes first,
        (
            _response(403, {"message": SECONDARY}, retry_after="17"),
            Limited(is_secondary=True, wait_seconds=17),
        ),
        (
            _response(200, _graph({"type": "FORBIDDEN", "message": SECONDARY}), retry_after="60"),
            Limited(is_secondary=True, wait_seconds=60),
        ),
        (
            _response(
                403,
                {"message": SECONDARY},
                retry_after="17",
                x_ratelimit_remaining="0",
                x_ratelimit_reset=IN_TEN_MINUTES,
            ),
            Limited(is_secondary=True, wait_seconds=17),
        ),
        # then the reset, where nothing remains,
        (
            _response(
                403,
                {"message": SECONDARY},
                x_ratelimit_remaining="0",
                x_ratelimit_reset=IN_TEN_MINUTES,
            ),
            Limited(is_secondary=True, wait_seconds=601),
        ),
        # and where something remains, the reset has nothing to do with it.
        (
            _response(
                403,
                {"message": SECONDARY},
                x_ratelimit_remaining="4000",
                x_ratelimit_reset=IN_TEN_MINUTES,
            ),
            Limited(is_secondary=True, wait_seconds=None),
        ),
        # The words of older answers, and no words at all.
        (
            _response(403, {"message": "You have triggered an abuse detection mechanism."}),
            Limited(is_secondary=True, wait_seconds=None),
        ),
        (_response(429), Limited(is_secondary=True, wait_seconds=None)),
        (_response(403, {}, retry_after="5"), Limited(is_secondary=True, wait_seconds=5)),
        # A time that cannot be read is none.
        (
            _response(403, {"message": SECONDARY}, retry_after="soon"),
            Limited(is_secondary=True, wait_seconds=None),
        ),
    ],
)
def test_a_limit_is_known_and_so_is_its_end(
    answer: tuple[httpx.Response, Any], meaning: Limited
) -> None:
    assert limited(*answer, NOW) == meaning


@pytest.mark.parametrize(
    "answer",
    [
        _response(200, {"data": {"nodes": []}}, x_ratelimit_remaining="0"),
        _response(200, _graph(NOT_FOUND, data={"nodes": [None]}), x_ratelimit_remaining="0"),
        _response(304, None, x_ratelimit_remaining="0"),
        _response(404, {"message": "Not Found"}, x_ratelimit_remaining="0"),
        _response(403, {"message": "Resource not accessible by personal access token"}),
        _response(451, {"message": "Repository access blocked"}),
        _response(502, "<html>"),
    ],
    ids=["the last point", "with errors", "304", "404", "403", "451", "502"],
)
def test_what_is_no_limit_is_not_waited_for(answer: tuple[httpx.Response, Any]) -> None:
    assert limited(*answer, NOW) is None


# ---- the answer as a whole ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words", "meaning", "message"),
    [
        (502, "", TooHeavyError, "gave up on the batch"),
        (504, "", TooHeavyError, "gave up on the batch"),
        (401, "Bad credentials", BadCredentialsError, "GHSTARS_GITHUB_TOKEN"),
        (403, "Resource not accessible", ForbiddenError, "Resource not accessible"),
        (403, "", ForbiddenError, "no reason given"),
        (400, "Problems parsing JSON", BadQueryError, "Problems parsing JSON"),
        (422, "Only the first 1000 results", BadQueryError, "Only the first 1000"),
        (500, "", UnreachableError, "500"),
        (302, "", RefusedError, "302"),
    ],
)
def test_a_status_has_one_meaning(
    status: int, words: str, meaning: type[Exception], message: str
) -> None:
    response, body = _response(status, {"message": words})
    with pytest.raises(meaning, match=message) as raised:
        raise_for(response, body, "the batch")
    assert type(raised.value) is meaning


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_good_status_raises_nothing(status: int) -> None:
    raise_for(*_response(status, {}), "the batch")


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        # Too heavy: a null parent, partial data, a query too wide, an inner timeout.
        (_graph({"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Too much."}), TooHeavyError),
        (
            _graph(
                {"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["nodes", 7], "message": "Too much."},
                data={"nodes": [{"id": "R_1"}, None]},
            ),
            TooHeavyError,
        ),
        (_graph({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "501,000 nodes"}), TooHeavyError),
        (
            _graph({"extensions": {"code": "TIMEOUT"}, "message": "We could not answer."}),
            TooHeavyError,
        ),
        (
            _graph({"message": "Something went wrong while executing your query. Request ID 1."}),
            TooHeavyError,
        ),
        (
            _graph({"message": "We couldn't respond to your request in time. Sorry about that."}),
            TooHeavyError,
        ),
        # Single sign-on for the whole of it, and a query that GitHub does not take.
        (_graph({"type": "FORBIDDEN", "message": SAML}), ForbiddenError),
        (
            _graph(
                {
                    "extensions": {"code": "undefinedField"},
                    "message": "Field 'stars' doesn't exist on type 'Repository'",
                }
            ),
            BadQueryError,
        ),
        ({"errors": [{"extensions": None, "message": "Parse error"}]}, BadQueryError),
    ],
)
def test_an_error_of_the_whole_query_is_raised(
    body: dict[str, Any], meaning: type[Exception]
) -> None:
    with pytest.raises(meaning) as raised:
        raise_for_graph(graph_errors(body), body.get("data"))
    assert type(raised.value) is meaning


@pytest.mark.parametrize(
    "error",
    [NOT_FOUND, {"type": "FORBIDDEN", "path": ["nodes", 1], "message": SAML}],
    ids=["gone", "single sign-on"],
)
def test_an_error_of_one_node_is_left_to_who_asked(error: dict[str, Any]) -> None:
    body = _graph(error, data={"nodes": [{"id": "R_1"}, None]})
    errors = graph_errors(body)
    raise_for_graph(errors, body["data"])
    (found,) = errors
    assert (found.type, found.path, found.message) == (
        error["type"],
        tuple(error["path"]),
        error["message"],
    )


def test_single_sign_on_is_reported_with_githubs_words_and_the_remedy() -> None:
    with pytest.raises(ForbiddenError, match=r"SAML enforcement.*single sign-on, or untrack"):
        raise_for_graph(graph_errors(_graph({"type": "FORBIDDEN", "message": SAML})), None)


# ---- causes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (UnreachableError("six tries"), Cause.TRANSIENT),
        (TooHeavyError("less at once"), Cause.TRANSIENT),
        (BudgetSpentError("back at 12:00", 60), Cause.BUDGET),
        (BadQueryError("what?"), Cause.BUG),
        (RefusedError("another host"), Cause.BAD_DATA),
        (BadCredentialsError("a wrong token"), Cause.BAD_DATA),
        (ForbiddenError("single sign-on"), Cause.BAD_DATA),
    ],
)
def test_each_refusal_states_its_cause(error: GhstarsError, cause: Cause) -> None:
    # Whatever led to it: the refusal is what GitHub meant.
    error.__cause__ = KeyError("x")
    assert classify(error) is cause


def test_what_the_client_tried_again_by_itself_is_tried_once_more_and_late() -> None:
    assert waits(UnreachableError("six tries")) == LATER_SECONDS
    assert returns_in_seconds(BudgetSpentError("spent", 60.0), NOW) == 60


# ---- bodies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, [], "text", {"errors": None}, {"errors": ["text"]}])
def test_a_body_without_errors_has_none(body: object) -> None:
    assert graph_errors(body) == ()


@pytest.mark.parametrize(
    "content", [b"", b"<html>Unicorn!</html>", b'{"data": {"no', b"\xff\xfe\x00"]
)
def test_what_is_no_json_is_no_answer(content: bytes) -> None:
    assert as_json(httpx.Response(200, content=content)) is None


def test_githubs_words_are_found_where_there_are_any() -> None:
    assert message_of({"message": "Not Found"}) == "Not Found"
    assert [message_of(body) for body in ({}, {"message": None}, [], None)] == ["", "", "", ""]


def test_a_moment_is_read_as_github_writes_it() -> None:
    assert optional_moment_in({"at": "2026-06-01T12:00:00Z"}, "at") == NOW
    assert optional_moment_in({"at": "2026-06-01T14:00:00+02:00"}, "at") == NOW
    assert optional_moment_in({"at": None}, "at") is None
