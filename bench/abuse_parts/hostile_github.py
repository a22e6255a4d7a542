"""GitHub answers with what it should never answer: the day is refused in a sentence, or whole."""

import json
import random
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from abuse_parts.homes import BrokenError, lake_of, require_whole
from abuse_parts.scenario import Ground, Scenario, refused_or_done
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.sandbox.http.child import RunningSandbox, running_sandbox
from ghstars_assets.sandbox.world.world import WorldSpec

DAY = date(2026, 6, 1)
WORLD = WorldSpec(5, 60, DAY)
_HANDED_ON = ("content-type", "date", "x-ghstars-sandbox", "link")
_LONGEST_SECONDS = 180


def _changed(name: str, value: str) -> Callable[[bytes], bytes]:
    """Every count of this name in the answer is another; `value` is JSON."""

    def change(body: bytes) -> bytes:
        text = body.decode()
        for part in text.split(f'"{name}":')[1:]:
            old = part.lstrip().split(",")[0].split("}")[0]
            text = text.replace(f'"{name}":{old}', f'"{name}":{value}').replace(
                f'"{name}": {old}', f'"{name}":{value}'
            )
        return text.encode()

    return change


ANSWERS: Mapping[str, Callable[[bytes], bytes]] = {
    "HTML with status 200": lambda _body: b"<html><body>Please sign in</body></html>",
    "nothing": lambda _body: b"",
    "half of it": lambda body: body[: len(body) // 2],
    "null": lambda _body: b"null",
    "a list": lambda _body: b"[]",
    "data that is null": lambda _body: b'{"data": null}',
    "data of another shape": lambda _body: b'{"data": {"nodes": "none"}}',
    "nesting without end": lambda _body: b"[" * 200_000,
    "bytes that are no text": lambda _body: b"\xff\xfe\x00" * 100,
    "a number too large": _changed("stargazerCount", "1e400"),
    "a count below zero": _changed("stargazerCount", "-7"),
    "a count that is text": _changed("stargazerCount", '"many"'),
    "a count past 64 bits": _changed("stargazerCount", "9" * 30),
    "a time that is none": _changed("createdAt", '"yesterday"'),
    "a name with markup": _changed("nameWithOwner", '"[bold]/[/red]"'),
    "an identity that is text": _changed("databaseId", '"one"'),
}


def _answer(ground: Ground, dice: random.Random) -> str:
    kind = dice.choice(list(ANSWERS))
    home = ground.homes.empty()
    mark_lake(lake_of(home), Marker("sandbox", DAY))
    with running_sandbox(WORLD) as sandbox, _between(sandbox, ANSWERS[kind]) as address:
        running = ground.commands.start(
            home,
            *("backfill", "stars", f"--from={DAY}", f"--to={DAY}", "--stages=discovered,github"),
            settings={
                "GHSTARS_GITHUB_API": address,
                "GHSTARS_GITHUB_TOKEN": sandbox.token,
                "GHSTARS_TRACK_STARS": "0..",
                "GHSTARS_GITHUB_PATIENCE_MINUTES": "0.01",
            },
        )
        running.process.join(_LONGEST_SECONDS)
        is_waiting = running.process.is_alive()
        if is_waiting:
            running.process.kill()
        ran = running.end()
    require_whole(home)
    if sandbox.token in ran.output:
        raise BrokenError(f"{kind}: the token was shown")
    if is_waiting:
        # It says what it waits for, and ends after a bounded number of tries.
        if "tries again" not in ran.output and "waits" not in ran.output:
            raise BrokenError(f"{kind}: it waits and does not say for what")
        return "waits and says so"
    try:
        return refused_or_done(ran, (0, 1))
    except BrokenError as error:
        raise BrokenError(f"{kind}: {error}") from None


@contextmanager
def _between(sandbox: RunningSandbox, change: Callable[[bytes], bytes]) -> Iterator[str]:
    """A server that hands GraphQL's answers on changed, and all else as it is."""

    class Between(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Nobody reads it."""

        def _hand_on(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = urllib.request.Request(  # noqa: S310 - our own child, on loopback
                sandbox.url + self.path,
                data=sent or None,
                method=self.command,
                headers={
                    "Authorization": self.headers.get("authorization", ""),
                    "Content-Type": "application/json",
                },
            )
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with opener.open(asked, timeout=20) as answered:
                    code, headers, body = answered.status, answered.headers, answered.read()
            except urllib.error.HTTPError as refused:
                code, headers, body = refused.code, refused.headers, refused.read()
            if self.path.endswith("/graphql"):
                body = change(json.dumps(json.loads(body)).encode())
            self.send_response_only(code)
            for name, value in headers.items():
                if name.lower() in _HANDED_ON or name.lower().startswith("x-"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _hand_on  # noqa: N815 - as http.server names them

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever asked has gone."""

    with Quiet(("127.0.0.1", 0), Between) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


SCENARIOS = [
    Scenario("Hostile input", "an answer of GitHub's of sixteen kinds", _answer, 0, 48),
]
