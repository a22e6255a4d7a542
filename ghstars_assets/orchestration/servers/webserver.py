"""Dagster's webserver behind the guard, as a process of its own.

Dagster's own command answers whoever reaches it, under any name: a page that a user visits could
launch runs. It has no place for a middleware, so its application is served from here.
"""

import logging
import signal
from types import FrameType

import uvicorn
from dagster import DagsterInstance
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from ghstars_assets.host_guard import HostGuard
from ghstars_assets.orchestration.dagster_internals import workspace_in
from ghstars_assets.orchestration.servers.services import LOOPBACK, WORKSPACE
from ghstars_assets.settings import Settings, load_settings

POLL_MILLISECONDS = 2000
"""How often the UI asks for news, as with Dagster's command."""
STATEMENT_MILLISECONDS, POOL_SECONDS, POOL_OVERFLOW = 15_000, 3600, 20
"""Dagster's bounds for its database under a webserver."""
GOODBYE_SECONDS = 5
"""An open page holds a websocket for ever."""


def guarded(app: ASGIApp, settings: Settings) -> ASGIApp:
    return HostGuard(app, settings.allowed_host_names, _asks_graphql_by_get)


def _asks_graphql_by_get(scope: Scope) -> bool:
    """Dagster executes mutations that stand in the address of a GET, so a picture's address on any
    page could launch a run. Its playground is shown by GET too, to whoever wants HTML."""
    return scope["path"] == "/graphql" and "text/html" not in Headers(scope=scope).get("accept", "")


def main() -> None:
    settings = load_settings()
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    # As an interrupt, so that the code server is shut down on the way out and not found missing.
    signal.signal(signal.SIGTERM, _interrupt)
    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(STATEMENT_MILLISECONDS, POOL_SECONDS, POOL_OVERFLOW)
        with workspace_in(WORKSPACE, instance, __version__) as workspace:
            app = create_app_from_workspace_process_context(workspace, "", POLL_MILLISECONDS)
            uvicorn.run(
                guarded(app, settings),
                host=LOOPBACK,
                port=settings.web_port,
                log_level="warning",
                timeout_graceful_shutdown=GOODBYE_SECONDS,
            )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
