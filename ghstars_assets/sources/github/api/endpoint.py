"""Which GitHub a home talks to: github.com, another one, or an invented one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from ghstars_assets.errors import SettingsError, SourceError
from ghstars_assets.lake.marker import Kind, Marker
from ghstars_assets.settings import Settings
from ghstars_assets.sources.addresses import is_safe
from ghstars_assets.sources.github.api.credentials import Credentials, Token, credentials_of
from ghstars_assets.sources.github.api.governor import Limits

GITHUB = "https://api.github.com"


@dataclass(frozen=True)
class Endpoint:
    url: str
    credentials: Credentials
    limits: Limits
    kind: Kind
    can_travel: bool = False
    """A sandbox of our own shows any day of its past; GitHub shows only today."""


@contextmanager
def open_endpoint(settings: Settings, marker: Marker | None) -> Iterator[Endpoint]:
    """The GitHub of a home; a sandbox home's own one runs for as long as this is open."""
    kind = marker.kind if marker else "real"
    if kind == "sandbox" and not settings.github_api:
        if marker is None or marker.world is None:
            raise SettingsError(
                "The lake's mark names no sandbox world; run `ghstars demo` on an empty home, or "
                "set GHSTARS_GITHUB_API to a served sandbox."
            )
        with _own_sandbox(marker) as endpoint:
            yield endpoint
        return
    url = (settings.github_api or GITHUB).rstrip("/")
    _require_safe(url)
    yield Endpoint(url, credentials_of(settings), Limits.github(settings), kind)


def own_world(settings: Settings, marker: Marker) -> bool:
    """Whether the home has an invented GitHub of its own, whose past can be visited."""
    return marker.kind == "sandbox" and not settings.github_api


async def world_behind(settings: Settings) -> Kind:
    """Whether an empty home's GitHub is an invented one: its answers say so."""
    import httpx

    if not settings.github_api:
        return "real"
    _require_safe(settings.github_api)
    try:
        # A proxy is for the world outside, not for a sandbox on this machine.
        is_outside = settings.github_api.startswith("https:")
        async with httpx.AsyncClient(trust_env=is_outside) as client:
            address = settings.github_api.rstrip("/") + "/rate_limit"
            async with client.stream("GET", address) as answer:
                return "sandbox" if "x-ghstars-sandbox" in answer.headers else "real"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(
            f"{settings.github_api} does not answer as GitHub does ({type(error).__name__}); mend "
            "GHSTARS_GITHUB_API, or start `ghstars sandbox`."
        ) from None


@contextmanager
def _own_sandbox(marker: Marker) -> Iterator[Endpoint]:
    # numpy and the server come with the world.
    from ghstars_assets.sandbox.http.child import running_sandbox
    from ghstars_assets.sandbox.world.world import WorldSpec

    assert marker.world is not None  # noqa: S101 - the caller looked
    world = WorldSpec(**asdict(marker.world))
    with running_sandbox(world) as sandbox:
        credentials = Token(sandbox.token, "the sandbox's own token")
        yield Endpoint(sandbox.url, credentials, Limits.generous(), "sandbox", can_travel=True)


def _require_safe(url: str) -> None:
    """A token goes over the wire encrypted, or it stays on this machine."""
    if not is_safe(url):
        raise SettingsError(
            "GHSTARS_GITHUB_API must be https://HOST[/PATH], or http:// on this very machine; a "
            "token would travel in the open otherwise."
        )
