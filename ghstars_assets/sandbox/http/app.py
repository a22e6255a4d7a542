"""The sandbox as a web application: GitHub's paths, limits, headers and faults.

Each request passes the same stations: who asks, whether the limits admit it, whether a fault
befalls it, the answer itself, how long that takes, and what it used up.
"""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.github import rest_api
from ghstars_assets.sandbox.github.graphql_api import answer
from ghstars_assets.sandbox.github.ranking_archive import ARCHIVE_PATH, RankingArchive
from ghstars_assets.sandbox.github.rest_api import RestAnswer
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets.sandbox.http.faults import Faults
from ghstars_assets.sandbox.http.faulty_answers import (
    Answer,
    failed_answer,
    refusal_by,
    spoilt_answer,
    with_holes,
)
from ghstars_assets.sandbox.http.latency import Latency
from ghstars_assets.sandbox.http.limits import Ledger, Refusal, Resource, SandboxLimits
from ghstars_assets.sandbox.http.tokens import Doorkeeper

_TIMEOUT_SECONDS = 10.0
_SLOW_SECONDS = 8.0
_LIMIT_FAULT_SECONDS = 30
_SECONDARY_WORDS = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


@dataclass(frozen=True)
class SandboxOptions:
    token: str = field(repr=False)
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    latency: Latency = field(default_factory=Latency)
    faults: Faults = field(default_factory=Faults)
    app_public_key: str = ""
    served_log: Path | None = None
    """A file that gets a line for each answer with repositories in it, before that is sent."""


_RestWork = Callable[[Request, str | None], RestAnswer]
_Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(state: GitHubState, options: SandboxOptions) -> Starlette:
    return _Sandbox(state, options).app()


class _Sandbox:
    def __init__(self, state: GitHubState, options: SandboxOptions) -> None:
        self.state = state
        self.options = options
        self.ledger = Ledger(options.limits, state.now)
        self.doorkeeper = Doorkeeper(options.token, options.app_public_key)
        self.archive = RankingArchive(state.spec)
        self.shown: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.numbered = 0

    def app(self) -> Starlette:
        def rest(answered: _RestWork, resource: Resource = "core") -> _Endpoint:
            async def endpoint(request: Request) -> Response:
                return await self._rest(request, answered, resource)

            return endpoint

        app = Starlette(
            routes=[
                Route("/graphql", self._graphql, methods=["POST"]),
                Route("/rate_limit", self._rate_limit),
                Route("/search/repositories", rest(self._search, "search")),
                Route("/repos/{owner}/{name}/stargazers/history", rest(self._history)),
                Route("/repositories/{id:int}/stargazers/history", rest(self._history)),
                Route("/repos/{owner}/{name}/stargazers", rest(self._closed)),
                Route("/repos/{owner}/{name}/issues", rest(self._issues)),
                Route("/repositories/{id:int}/issues", rest(self._issues)),
                Route("/repos/{owner}/{name}", rest(self._repository)),
                Route("/repositories/{id:int}", rest(self._repository)),
                Route(
                    "/app/installations/{id:int}/access_tokens", self._app_token, methods=["POST"]
                ),
                Route(f"{ARCHIVE_PATH}/Data/{{name}}", self._ranking),
                Route("/sandbox/clock", self._set_clock, methods=["PUT"]),
                Route("/sandbox/faults", self._set_faults, methods=["POST"]),
                Route("/sandbox/happenings", self._happen, methods=["POST"]),
                Route("/sandbox/served", self._served),
            ],
            exception_handlers={GhstarsError: self._misused},
        )
        app.state.sandbox = self
        return app

    # ---- GraphQL ----------------------------------------------------------------------------

    async def _graphql(self, request: Request) -> Response:
        try:
            payload = json.loads(await request.body())
        except ValueError:
            payload = {}
        fault = self.options.faults.next(of_rest=False)

        async def work() -> Answer:
            if fault == "rename_midrun":
                self._rename_one()
            answered = answer(self.state, payload, self.ledger.budgets()["graphql"])
            spoilt = spoilt_answer(fault, answered)
            if spoilt is not None:
                return spoilt
            body = with_holes(fault, answered.body)
            if fault != "partial_data":
                self._note(answered.repositories)
            content = json.dumps(body).encode()
            if fault == "truncated_json":
                content = content[: len(content) // 2]
            return Answer(200, content, {"content-type": "application/json"}, answered.points)

        return await self._answered(request, "graphql", fault, work, _repositories_in(payload))

    def _note(self, repositories: list[int]) -> None:
        day = str(self.state.now().date())
        self.shown[day].update(repositories)
        if self.options.served_log and repositories:
            line = json.dumps({"day": day, "repositories": repositories})
            with self.options.served_log.open("a", encoding="utf-8") as log:
                log.write(line + "\n")

    def _rename_one(self) -> None:
        rows = self.state.table()
        row = rows.row(self.numbered % rows.height, named=True)
        to = f"{row['owner']}/renamed-{self.numbered}"
        self.state.happen({"rename": row["repo_id"], "to": to})

    # ---- REST -------------------------------------------------------------------------------

    async def _rest(
        self,
        request: Request,
        answered: _RestWork,
        resource: Resource,
    ) -> Response:
        fault = self.options.faults.next(of_rest=True)

        async def work() -> Answer:
            found = rest_api.with_etag(
                answered(request, fault), request.headers.get("if-none-match")
            )
            content = b"" if found.status == 304 else json.dumps(found.body).encode()
            if fault == "truncated_json":
                content = content[: len(content) // 2]
            headers = {"content-type": "application/json; charset=utf-8", **found.headers}
            # What has not changed is free.
            return Answer(found.status, content, headers, 0 if found.status == 304 else 1)

        return await self._answered(request, resource, fault, work, 1)

    def _repository(self, request: Request, _fault: str | None) -> RestAnswer:
        row, is_redirect = self._asked(request)
        return rest_api.repository(self.state, row, _root(request), is_redirect)

    def _search(self, request: Request, fault: str | None) -> RestAnswer:
        return rest_api.search(
            self.state,
            request.query_params,
            _root(request),
            is_incomplete=fault == "incomplete_results",
            shuffled=self.numbered if fault == "unstable_order" else 0,
        )

    def _history(self, request: Request, _fault: str | None) -> RestAnswer:
        return self._of_a_repository(request, rest_api.star_history)

    def _issues(self, request: Request, _fault: str | None) -> RestAnswer:
        return self._of_a_repository(request, rest_api.issues)

    def _of_a_repository(self, request: Request, work: Callable[..., RestAnswer]) -> RestAnswer:
        row, is_redirect = self._asked(request)
        found = rest_api.repository(self.state, row, _root(request), is_redirect)
        if row is None or found.status != 200:
            if found.status == 301:
                tail = request.url.path.split("/", 4)[-1]
                query = f"?{request.url.query}" if request.url.query else ""
                url = f"{found.headers['location']}/{tail}{query}"
                return RestAnswer(301, {**found.body, "url": url}, {"location": url})
            return found
        url = f"{_root(request)}{request.url.path}"
        return work(self.state, row, request.query_params, url)

    def _closed(self, _request: Request, _fault: str | None) -> RestAnswer:
        """Stargazer lists are closed to all but a repository's own people since 2026-06-30."""
        return RestAnswer(404, {"message": "Not Found"})

    def _asked(self, request: Request) -> tuple[dict[str, Any] | None, bool]:
        given = request.path_params
        if "id" in given:
            return self.state.repository(given["id"]), False
        return self.state.by_name(f"{given['owner']}/{given['name']}")

    # ---- the stations of a request ----------------------------------------------------------

    async def _answered(
        self,
        request: Request,
        resource: Resource,
        fault: str | None,
        work: Callable[[], Awaitable[Answer]],
        repositories: int,
    ) -> Response:
        self.numbered += 1
        if not self.doorkeeper.lets_in(request.headers.get("authorization", ""), self.state.now()):
            return self._sent(401, {"message": "Bad credentials"}, resource)
        refusal = self.ledger.admit(resource) or refusal_by(fault)
        if refusal:
            return self._refused(resource, refusal, fault)
        loop = asyncio.get_running_loop()
        mark, started = self.ledger.begin(resource), loop.time()
        points = 1
        try:
            seconds = self.options.latency.seconds(repositories)
            failed = failed_answer(fault, resource)
            if failed and fault == "gateway_timeout_html":
                seconds = _TIMEOUT_SECONDS
            elif fault == "slow":
                seconds += _SLOW_SECONDS
            made = failed or await work()
            points = made.points
            await asyncio.sleep(max(0.0, seconds - (loop.time() - started)))
        finally:
            self.ledger.end(mark, resource, points)
        headers = {**self._headers(resource), **made.headers}
        if made.promised_bytes:
            headers["content-length"] = str(made.promised_bytes)
        return Response(made.content, made.status, headers)

    def _refused(self, resource: Resource, refusal: Refusal, fault: str | None) -> Response:
        headers: dict[str, str] = {}
        if refusal.is_secondary:
            headers["retry-after"] = str(refusal.retry_after_seconds)
            if fault == "secondary_200":
                body: Any = {"errors": [{"type": "FORBIDDEN", "message": _SECONDARY_WORDS}]}
                return self._sent(200, body, resource, headers)
            return self._sent(403, {"message": _SECONDARY_WORDS}, resource, headers)
        if fault in ("rate_limited", "rate_limit", "rest_limit"):
            reset = int(self.state.now().timestamp()) + _LIMIT_FAULT_SECONDS
            headers |= {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
        words = "API rate limit exceeded for user ID 1."
        if resource == "graphql":
            kind = "RATE_LIMIT" if fault == "rate_limit" else "RATE_LIMITED"
            return self._sent(
                200, {"errors": [{"type": kind, "message": words}]}, resource, headers
            )
        return self._sent(403, {"message": words}, resource, headers)

    def _sent(
        self,
        status: int,
        body: Any,
        resource: Resource = "core",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        sent = {**self._headers(resource), "content-type": "application/json", **(headers or {})}
        return Response(json.dumps(body), status, sent)

    def _headers(self, resource: Resource) -> dict[str, str]:
        return {
            **self._marks(),
            "x-github-request-id": f"SANDBOX:{self.numbered}",
            **self.ledger.headers(resource),
        }

    def _marks(self) -> dict[str, str]:
        spec = self.state.spec
        return {
            "date": _http_date(self.state.now()),
            "x-ghstars-sandbox": f"{spec.seed}/{spec.repositories}/{spec.first_day}",
        }

    # ---- what is free -----------------------------------------------------------------------

    async def _rate_limit(self, request: Request) -> Response:
        if not self.doorkeeper.lets_in(request.headers.get("authorization", ""), self.state.now()):
            return self._sent(401, {"message": "Bad credentials"})
        resources = self.ledger.budgets()
        return self._sent(200, {"resources": resources, "rate": resources["core"]})

    async def _app_token(self, request: Request) -> Response:
        given = self.doorkeeper.installation_token(
            request.headers.get("authorization", ""), self.state.now()
        )
        if given is None:
            return self._sent(401, {"message": "A JSON web token could not be decoded"})
        token, ends_at = given
        return self._sent(
            201, {"token": token, "expires_at": ends_at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        )

    async def _ranking(self, request: Request) -> Response:
        """A file of a public archive, which asks nobody who they are."""
        content = self.archive.file(request.path_params["name"], self.state.now())
        if content is None:
            return Response("404: Not Found", 404, self._marks(), "text/plain")
        return Response(content, 200, self._marks(), "text/csv")

    async def _set_clock(self, request: Request) -> Response:
        wanted = json.loads(await request.body())
        if "day" in wanted:
            now = self.state.travel_to(date.fromisoformat(wanted["day"]))
        else:
            self.state.clock.set(datetime.fromisoformat(wanted["at"]))
            now = self.state.now()
        return self._sent(200, {"now": now.isoformat()})

    async def _set_faults(self, request: Request) -> Response:
        wanted = json.loads(await request.body())
        if "rates" in wanted:
            self.options.faults.set_rates(wanted["rates"])
        else:
            of_rest = wanted.get("of") == "rest"
            self.options.faults.ask_for(wanted["name"], wanted.get("times", 1), of_rest=of_rest)
        return self._sent(200, {})

    async def _happen(self, request: Request) -> Response:
        changed = self.state.happen(json.loads(await request.body()))
        return self._sent(200, json.loads(json.dumps(changed, default=str)))

    async def _served(self, _request: Request) -> Response:
        shown = {day: dict(counts) for day, counts in self.shown.items()}
        return self._sent(200, {"repositories": shown, **self.ledger.record()})

    async def _misused(self, _request: Request, fault: Exception) -> Response:
        return self._sent(400, {"message": str(fault)})


def _repositories_in(payload: object) -> int:
    """How many a query asks for, whatever form it has: by ids, or two variables a name."""
    asked = payload.get("variables") if isinstance(payload, dict) else None
    if not isinstance(asked, dict):
        return 1
    ids = asked.get("ids")
    return max(1, len(ids) if isinstance(ids, list) else len(asked) // 2)


def _root(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _http_date(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0), usegmt=True)
