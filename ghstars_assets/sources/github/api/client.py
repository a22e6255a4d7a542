"""The one client that talks to GitHub: sends, waits out limits, tries again, and says what it got.

GitHub's own clock is the clock: `now()` is the Date of its newest answer plus what has passed since
on the loop, so the day that rows belong to does not hang on this machine's time.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from ghstars_assets.calendar import utc_now
from ghstars_assets.errors import WrongHomeError
from ghstars_assets.sources.github.api.answer_fields import (
    ImpossibleAnswerError,
    as_mapping,
    count_in,
    moment_in,
    text_in,
)
from ghstars_assets.sources.github.api.answers import (
    LEAST_SECONDARY_WAIT_SECONDS,
    BadCredentialsError,
    BudgetSpentError,
    GraphError,
    Limited,
    RefusedError,
    TooHeavyError,
    UnreachableError,
    graph_errors,
    limited,
    raise_for,
    raise_for_graph,
)
from ghstars_assets.sources.github.api.endpoint import Endpoint
from ghstars_assets.sources.github.api.governor import CORE, FREE, GRAPHQL, Budget, Governor
from ghstars_assets.sources.github.api.reading import (
    as_json,
    asked_of,
    is_web_page,
    on_same_host,
    stated_time,
    whole_answer,
)

SANDBOX_HEADER = "x-ghstars-sandbox"
MOST_TRIES = 6
_FIRST_PAUSE_SECONDS = 1.0
_MOST_REDIRECTS = 3
_TELLING_STATUSES = {200, 304, 404, 410, 451}
"""What `get` hands back as an answer about the thing that was asked for."""
_HEADERS = {
    "User-Agent": "ghstars",
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    # Without it some nodes still answer with ids of the old form.
    "X-Github-Next-Global-ID": "1",
}
# GitHub itself gives up after ten seconds; a connection that says nothing for longer is dead.
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


@dataclass(frozen=True)
class GraphReply:
    """An answer to a query: what there is, and what each missing node is missing for."""

    data: Mapping[str, Any]
    errors: tuple[GraphError, ...]
    observed_at: datetime
    seconds: float


@dataclass(frozen=True)
class RestReply:
    status: int
    body: Any
    headers: httpx.Headers
    observed_at: datetime
    next_url: str | None
    moved_to: str | None
    """Where a redirect led, if one did."""


class _PassingFaultError(Exception):
    """No token for now; the same question may well be answered in a second."""


class GitHub:
    def __init__(
        self, endpoint: Endpoint, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.endpoint = endpoint
        self.governor = Governor(endpoint.limits, self.now)
        self.requests = 0
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._date: tuple[datetime, float] | None = None
        self._signing_in = asyncio.Lock()
        self._holds_in_a_row = 0
        self._world: str | None = None

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(
            base_url=self.endpoint.url,
            headers=_HEADERS,
            timeout=_TIMEOUT,
            transport=self._transport,
            trust_env=self._transport is None and self.endpoint.kind == "real",
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client:
            await self._client.aclose()

    # ---- time -------------------------------------------------------------------------------

    def now(self) -> datetime:
        """GitHub's time. Before its first answer there is only ours."""
        if self._date is None:
            return utc_now()
        stated, at = self._date
        return stated + timedelta(seconds=asyncio.get_running_loop().time() - at)

    async def today(self) -> date:
        """The UTC day on GitHub's clock; asks for it where no answer has shown it yet."""
        if self._date is None:
            await self.budgets()
        return self.now().date()

    async def travel_to(self, day: date) -> datetime:
        """Set a sandbox's clock to the moment at which its snapshot of a day is taken."""
        if not self.endpoint.can_travel:
            raise RefusedError(f"GitHub cannot be asked what it was like on {day}.")
        try:
            response = await self._opened.put("/sandbox/clock", json={"day": str(day)})
        except httpx.RequestError as error:
            raise UnreachableError(
                f"The sandbox does not answer ({type(error).__name__}); run the same again."
            ) from None
        if response.status_code != 200:
            raise RefusedError(f"The sandbox cannot show {day}: {response.text[:200]}")
        self._learn(response)
        # What was spent was spent on another day.
        self.governor.budgets.clear()
        return self.now()

    # ---- asking -----------------------------------------------------------------------------

    async def graphql(
        self, query: str, variables: Mapping[str, object], *, points: float = 1
    ) -> GraphReply:
        """Ask a query. Limits are waited out and network faults tried again; what GitHub finds too
        heavy is raised at once, for only the caller can ask for less."""
        sent = {"query": query, "variables": dict(variables)}
        response, body, seconds = await self._ask(
            "POST", "/graphql", "the batch", GRAPHQL, points, json=sent
        )
        raise_for(response, body, "the batch")
        errors = graph_errors(body)
        data = body.get("data") if isinstance(body, dict) else None
        raise_for_graph(errors, data)
        if not isinstance(data, dict):
            # Neither data nor a reason: it was cut off on its way.
            raise TooHeavyError("GitHub answered the batch with nothing; ask for less at once.")
        return GraphReply(data, errors, self._observed(response), seconds)

    async def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        resource: str = CORE,
    ) -> RestReply:
        """Ask REST. That a thing is not there, or is taken down, is an answer, not an error."""
        moved_to = None
        response, body, _ = await self._ask("GET", path, path, resource, 1, params=params)
        for _ in range(_MOST_REDIRECTS):
            if response.status_code not in (301, 302, 307, 308):
                break
            moved_to = on_same_host(response, response.headers.get("location", ""))
            response, body, _ = await self._ask("GET", moved_to, path, resource, 1)
        if response.status_code not in _TELLING_STATUSES:
            raise_for(response, body, path)
        linked = response.links.get("next", {}).get("url")
        next_url = on_same_host(response, linked) if linked else None
        return RestReply(
            response.status_code,
            body,
            response.headers,
            self._observed(response),
            next_url,
            moved_to,
        )

    async def budgets(self) -> dict[str, Budget]:
        """What is left of each budget; asking is free."""
        reply = await self.get("/rate_limit", resource=FREE)
        if reply.status != 200:
            return {}
        try:
            body = as_mapping(reply.body, "the answer")
            resources = as_mapping(body.get("resources"), "resources")
            return {name: _budget(stated) for name, stated in resources.items()}
        except ImpossibleAnswerError as error:
            raise RefusedError(
                f"{self.endpoint.url}/rate_limit is not answered as GitHub does ({error}); mend "
                "GHSTARS_GITHUB_API, or look at what stands between here and there."
            ) from None

    def sandbox_world(self) -> str | None:
        """Which invented world answers, None where it is GitHub itself."""
        return self._world

    # ---- one request ------------------------------------------------------------------------

    async def _ask(
        self,
        method: str,
        url: str,
        shown_as: str,
        resource: str,
        points: float,
        **content: Any,
    ) -> tuple[httpx.Response, Any, float]:
        """Send until there is an answer that is neither a limit nor a fault on the way."""
        pause_seconds, fault = _FIRST_PAUSE_SECONDS, ""
        for tries_left in reversed(range(MOST_TRIES)):
            try:
                response, seconds = await self._send(method, url, resource, points, content)
            except _PassingFaultError as error:
                fault = str(error)
            except httpx.InvalidURL as error:
                raise RefusedError(
                    f"GitHub leads on to an address that is none ({error}); run the same again."
                ) from None
            except httpx.RequestError as error:
                if method == "POST" and isinstance(error, httpx.ReadTimeout):
                    words = f"GitHub did not answer {shown_as} in time; ask for less at once."
                    raise TooHeavyError(words) from None
                fault = type(error).__name__
            else:
                body = as_json(response)
                if response.status_code == 200 and body is None and is_web_page(response):
                    raise RefusedError(
                        f"{asked_of(response)} answers with a web page and not "
                        "with data; mend GHSTARS_GITHUB_API, or sign in to the network."
                    )
                limit = limited(response, body, self.now())
                if limit:
                    self._hold(limit)
                    fault = "rate limits again and again"
                    continue
                if not _is_broken(method, response, body):
                    self._holds_in_a_row = 0
                    return response, body, seconds
                fault = f"an unusable answer ({response.status_code})"
            if tries_left:
                await asyncio.sleep(pause_seconds)
            pause_seconds *= 2
        raise UnreachableError(
            f"GitHub could not be asked for {shown_as} in {MOST_TRIES} tries: {fault}; look at the "
            "connection and run the same again, it goes on where it stopped."
        )

    async def _send(
        self, method: str, url: str, resource: str, points: float, content: Mapping[str, Any]
    ) -> tuple[httpx.Response, float]:
        """One request, when the governor lets it go, and how long its answer took."""
        loop = asyncio.get_running_loop()
        async with self.governor.turn(resource, points):
            # Only now: an App's token may have ended while this waited for its turn.
            headers = {"Authorization": await self._authorization()}
            self.requests += 1
            started = loop.time()
            response = await whole_answer(self._opened, method, url, headers, content)
            seconds = loop.time() - started
        self._learn(response)
        self.governor.learn(response.headers)
        return response, seconds

    def _hold(self, limit: Limited) -> None:
        """Wait as long as GitHub says; where it does not say, a minute, and each time longer."""
        if not self.governor.is_held:
            # Those that were under way together meet the same limit, each of them.
            self._holds_in_a_row += 1
        seconds = limit.wait_seconds
        if seconds is None:
            seconds = LEAST_SECONDARY_WAIT_SECONDS * 2 ** max(0, self._holds_in_a_row - 1)
        if seconds > self.endpoint.limits.patience_seconds:
            returns = self.now() + timedelta(seconds=seconds)
            raise BudgetSpentError(
                f"GitHub's budget is spent and returns at {returns:%H:%M} UTC, longer off than "
                "GHSTARS_GITHUB_PATIENCE_MINUTES; run the same again then, it goes on where it "
                "stopped.",
                returns_in_seconds=seconds,
            )
        self.governor.hold(seconds)

    async def _authorization(self) -> str:
        async with self._signing_in:
            if self.endpoint.credentials.is_dated and self._date is None:
                # What is signed holds for minutes by GitHub's clock; ours may be wrong by more.
                await self._unsigned("/rate_limit")
            return await self.endpoint.credentials.authorization(self._exchange, self.now())

    async def _exchange(self, path: str, signed: str) -> tuple[str, datetime]:
        """An App's signed request for a token of an hour."""
        headers = {"Authorization": f"Bearer {signed}"}
        response = await self._unsigned(path, "POST", headers)
        body = as_json(response)
        limit = limited(response, body, self.now())
        if limit:
            self._hold(limit)
        if limit or response.status_code >= 500:
            raise _PassingFaultError(f"no token for the App ({response.status_code})")
        if response.status_code == 404:
            raise BadCredentialsError(
                "GitHub knows no such installation of this App; mend "
                "GHSTARS_GITHUB_APP_INSTALLATION."
            )
        raise_for(response, body, "a token for the App's installation")
        if body is None:
            raise _PassingFaultError("a token for the App, cut short")
        try:
            token, ends_at = text_in(body, "token"), moment_in(body, "expires_at")
        except ImpossibleAnswerError as error:
            raise UnreachableError(
                f"GitHub gave the App no token that can be used ({error}); try again later."
            ) from None
        if not (token.isascii() and token.isprintable()):
            raise UnreachableError("GitHub gave the App a token that is none; try again later.")
        return token, ends_at

    async def _unsigned(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A request that needs no token of ours, or brings its own proof. The budget that its
        answer shows is not ours either."""
        try:
            response = await whole_answer(self._opened, method, path, headers or {}, {})
        except httpx.RequestError as error:
            raise _PassingFaultError(type(error).__name__) from None
        self._learn(response)
        return response

    def _learn(self, response: httpx.Response) -> None:
        """Take over the clock, and whether this is GitHub or an invented one."""
        at = stated_time(response)
        if at:
            self._date = (at, asyncio.get_running_loop().time())
        self._world = response.headers.get(SANDBOX_HEADER)
        is_sandbox = self._world is not None
        if is_sandbox != (self.endpoint.kind == "sandbox") and response.status_code < 400:
            found = "an invented GitHub" if is_sandbox else "GitHub itself"
            raise WrongHomeError(
                f"{self.endpoint.url} is {found}, but this home holds {self.endpoint.kind} data; "
                "set GHSTARS_GITHUB_API or GHSTARS_HOME to match."
            )

    def _observed(self, response: httpx.Response) -> datetime:
        return stated_time(response) or self.now()

    @property
    def _opened(self) -> httpx.AsyncClient:
        assert self._client is not None, "use GitHub in `async with`"  # noqa: S101
        return self._client


def _is_broken(method: str, response: httpx.Response, body: object) -> bool:
    """A server's passing fault, or a body that was cut short. A query that runs into a timeout
    would run into it again; a single thing asked of REST need not."""
    if response.status_code in (500, 503) or (method == "GET" and response.status_code >= 500):
        return True
    return response.status_code == 200 and body is None


def _budget(stated: object) -> Budget:
    """One entry of the answer about budgets."""
    reset = count_in(stated, "reset")
    try:
        returns = datetime.fromtimestamp(reset, UTC)
    except (ValueError, OverflowError, OSError):
        raise ImpossibleAnswerError(f"reset is {reset}, and no moment") from None
    return Budget(count_in(stated, "limit"), count_in(stated, "remaining"), returns)
