"""A guard before a web application on loopback: only its own pages may ask it for anything.

Loopback keeps other machines out, but not the pages that a user's browser shows. A page can let
its own name point to 127.0.0.1 (DNS rebinding) and then asks as if it were ours; the `Host` header
still says that name. A page can also send a form to 127.0.0.1 or load a picture from there: the
`Origin` header says which page it is, and a GET, which has no such header, must change nothing.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCALHOST = "localhost"
_READING_METHODS = ("GET", "HEAD")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ADDRESS = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_REFUSED_BY_WEBSOCKET = 1008
"""Policy violation (RFC 6455); sent before the handshake it reaches the client as a 403."""


@dataclass(frozen=True)
class Address:
    """A host name, in lower case and without the trailing dot, and the port where one is named."""

    name: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Address | None":
        found = _ADDRESS.fullmatch(text.strip().lower())
        if found is None:
            return None
        port = int(found["port"]) if found["port"] else None
        return cls(found["name"].removesuffix("."), port)

    @property
    def is_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.name.strip("[]")).is_loopback
        except ValueError:
            return self.name == LOCALHOST


class HostGuard:
    """ASGI middleware for HTTP and websockets. It answers 403 to a name that is not allowed and to
    whatever another page sends, and grants nobody else's page anything (CORS)."""

    def __init__(
        self,
        app: ASGIApp,
        allowed_hosts: Iterable[str] = (),
        changes_by_get: Callable[[Scope], bool] = lambda _scope: False,
    ) -> None:
        """`allowed_hosts` are names besides those of loopback; `changes_by_get` says of a GET
        whether the application would change something for it."""
        self.app = app
        self.allowed_names = {name.lower().removesuffix(".") for name in allowed_hosts}
        self.changes_by_get = changes_by_get

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _REFUSED_BY_WEBSOCKET})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        host = Address.parse(hosts[0]) if len(hosts) == 1 else None
        if host is None:
            return _refuse(400, "A request must name one host, in one Host header.")
        if not (host.is_loopback or host.name in self.allowed_names):
            return _refuse(
                403,
                f"Only loopback names are answered here, and {host.name} is none; if it is yours, "
                "add it to GHSTARS_ALLOWED_HOSTS and start `ghstars up` again.",
            )
        if scope["type"] == "http" and scope["method"] in _READING_METHODS:
            if self.changes_by_get(scope):
                return _refuse(405, "A GET changes nothing here; use POST.", allow="POST")
            return None
        origins = headers.getlist("origin")
        if origins and not (len(origins) == 1 and self._is_own_page(origins[0], host)):
            return _refuse(403, "Another page's request is not answered here.")
        return None

    def _is_own_page(self, origin: str, host: Address) -> bool:
        """Whether a page came from here: from the very address that is asked (loopback on another
        port is somebody else's), or, for a proxy that changes Host, from an allowed name."""
        scheme, _, netloc = origin.partition("://")
        default_port = _DEFAULT_PORTS.get(scheme.lower())
        page = Address.parse(netloc)
        if page is None or default_port is None:
            return False
        if page.name in self.allowed_names:
            return True
        ports = (page.port or default_port, host.port or default_port)
        return page.name == host.name and ports[0] == ports[1]


def _refuse(status: int, sentence: str, **headers: str) -> PlainTextResponse:
    headers |= {"x-content-type-options": "nosniff", "cache-control": "no-store"}
    return PlainTextResponse(sentence, status, headers)


def _unframed(send: Send) -> Send:
    """No other page shows ours in a frame, where a user would click what he does not see."""

    async def send_unframed(message: Message) -> None:
        if message["type"] == "http.response.start":
            extra = [(b"x-frame-options", b"SAMEORIGIN")]
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        await send(message)

    return send_unframed
