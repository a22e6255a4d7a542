"""Serves the sandbox on loopback, until somebody ends it."""

import asyncio
import json
import socket
import sys
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

LOOPBACK = "127.0.0.1"


def bound_socket(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 lets the machine choose one."""
    # Only for a socket that says it is TCP does asyncio send small packets at once; without, each
    # answer waits 40 ms for an acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((LOOPBACK, port))
    listening.listen(128)
    return listening


def serve(app: Starlette, listening: socket.socket, *, ends_with_stdin: bool = False) -> None:
    """Serve until interrupted, or until whoever holds the other end of stdin is gone."""
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        date_header=False,  # the date is that of the sandbox's clock
        server_header=False,
    )
    server = uvicorn.Server(config)

    async def run() -> None:
        if ends_with_stdin:
            _when_stdin_closes(lambda: setattr(server, "should_exit", True))
        await server.serve([listening])

    asyncio.run(run())


def say_ready(listening: socket.socket) -> None:
    """One line for the process that waits for us."""
    _, port = listening.getsockname()[:2]
    sys.stdout.write(json.dumps({"url": f"http://{LOOPBACK}:{port}"}) + "\n")
    sys.stdout.flush()


def _when_stdin_closes(end: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not sys.stdin.buffer.raw.read(1024):  # pyright: ignore[reportAttributeAccessIssue]
            loop.remove_reader(sys.stdin)
            end()

    loop.add_reader(sys.stdin, look)
