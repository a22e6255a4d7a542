"""`ghstars up`: services on loopback, for their own pages only, which end together."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from ghstars_assets.settings import PROJECT_ROOT
from ghstars_assets_tests.support.ghstars_command import Ghstars
from ghstars_assets_tests.support.ports import free_port

MUTATION = "mutation { setNuxSeen }"


@dataclass(frozen=True)
class Up:
    """A `ghstars up` that serves."""

    home: Path
    web: int
    mlflow: int
    shown: list[str]

    def own(self, port: int) -> str:
        return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Ended by Ctrl-C after the last test, which is looked at too: starting takes ten seconds."""
    home, web, mlflow = tmp_path_factory.mktemp("up") / "home", free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", "from ghstars_assets.cli import main; main()", "up"],
        cwd=PROJECT_ROOT,
        env=os.environ
        | {
            "GHSTARS_HOME": str(home),
            "GHSTARS_WEB_PORT": str(web),
            "GHSTARS_MLFLOW_PORT": str(mlflow),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Up(home, web, mlflow, [process.stdout.readline() for _ in range(3)])
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "Interrupted; all services have ended."
    assert not any(_is_open(port) for port in (web, mlflow))
    assert not _processes_of(home)


def _ask(
    port: int, method: str, path: str, body: object = None, **headers: str
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    own = {"host": f"127.0.0.1:{port}", "content-type": "application/json"}
    sent = None if body is None else json.dumps(body)
    connection.request(method, path, sent, own | headers)
    return connection.getresponse()


def _processes_of(home: Path) -> list[str]:
    """The commands of what runs for a home, wherever it was started from; Linux shows them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            if f"GHSTARS_HOME={home}".encode() in environment:
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended, or is somebody else's
    return [command for command in found if command]


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_taken_port_is_named_with_the_setting_that_moves_it(
    ghstars: Ghstars, tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_WEB_PORT", str(taken_port))
    ran = ghstars(tmp_path / "home", "up")
    assert ran.code == 1
    assert f"Port {taken_port}, which Dagster needs, is taken" in ran.err
    assert "GHSTARS_WEB_PORT" in ran.err


def test_one_port_for_two_services_is_refused_at_once(
    ghstars: Ghstars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_WEB_PORT", "5000")
    ran = ghstars(tmp_path / "home", "up")
    assert ran.code == 1
    assert ran.err == (
        "ghstars: GHSTARS_WEB_PORT and GHSTARS_MLFLOW_PORT are both 5000; "
        "give each a port of its own.\n"
    )


def test_up_shows_where_its_services_are(up: Up) -> None:
    assert up.shown[0].split() == ["Dagster", up.own(up.web)]
    # This home has no experiment yet.
    assert up.shown[1].split() == ["MLflow", f"{up.own(up.mlflow)}/#/experiments"]


def test_a_second_up_of_the_same_home_is_refused_at_once(
    up: Up, ghstars: Ghstars, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_WEB_PORT", str(free_port()))
    ran = ghstars(up.home, "up")
    assert ran.code == 1
    assert f"`ghstars up` runs already for {up.home}: process " in ran.err
    assert up.own(up.web) in ran.err


def test_dagsters_page_shows_itself_and_may_ask_and_change(up: Up) -> None:
    page = _ask(up.web, "GET", "/")
    assert page.status == 200
    assert b"<html" in page.read()
    own = {"origin": up.own(up.web)}
    version = _ask(up.web, "POST", "/graphql", {"query": "{version}"}, **own)
    assert json.load(version)["data"]["version"]
    changed = _ask(up.web, "POST", "/graphql", {"query": MUTATION}, **own)
    assert json.load(changed) == {"data": {"setNuxSeen": True}}
    playground = _ask(up.web, "GET", "/graphql", accept="text/html")
    assert b"graphiql" in playground.read().lower()


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:{port}", "origin": "http://evil.example:{port}"},
        {"origin": "http://evil.example"},
        {"origin": "null", "content-type": "text/plain"},
    ],
)
def test_dagster_answers_no_other_page(up: Up, headers: dict[str, str]) -> None:
    forged = {name: value.format(port=up.web) for name, value in headers.items()}
    assert _ask(up.web, "POST", "/graphql", {"query": MUTATION}, **forged).status == 403


def test_no_picture_on_another_page_launches_anything(up: Up) -> None:
    address = "/graphql?query=mutation%7BsetNuxSeen%7D"
    assert _ask(up.web, "GET", address, accept="image/png").status == 405
    assert _ask(up.web, "POST", address, origin="http://evil.example").status == 403


def test_a_preflight_gets_no_permission(up: Up) -> None:
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    for port, path in ((up.web, "/graphql"), (up.mlflow, "/api/2.0/mlflow/runs/create")):
        answer = _ask(port, "OPTIONS", path, **asked)
        assert answer.status >= 400
        assert not answer.getheader("access-control-allow-origin")


def test_dagsters_subscriptions_are_open_to_its_own_page_alone(up: Up) -> None:
    address, protocol = f"ws://127.0.0.1:{up.web}/graphql", [Subprotocol("graphql-ws")]
    with connect(address, origin=Origin(up.own(up.web)), subprotocols=protocol) as subscribed:
        subscribed.send(json.dumps({"type": "connection_init"}))
        assert json.loads(subscribed.recv(timeout=30)) == {"type": "connection_ack"}
    with pytest.raises(InvalidStatus, match="403"):
        connect(address, origin=Origin("http://evil.example"), subprotocols=protocol)


def test_mlflow_answers_its_own_names_alone(up: Up) -> None:
    experiments = "/ajax-api/2.0/mlflow/experiments/search?max_results=1"
    for host in (f"127.0.0.1:{up.mlflow}", "localhost:8080", f"[::1]:{up.mlflow}"):
        assert _ask(up.mlflow, "GET", experiments, host=host).status == 200, host
    # By default it takes the last two for addresses of a private network.
    for host in ("evil.example", "10.evil.example", "192.168.evil.example:5000"):
        assert _ask(up.mlflow, "GET", experiments, host=host).status == 403, host


def test_mlflow_takes_no_change_from_another_page(up: Up) -> None:
    create, experiment = "/api/2.0/mlflow/experiments/create", {"name": "forged"}
    forged = _ask(up.mlflow, "POST", create, experiment, origin="http://evil.example")
    assert forged.status == 403


def test_mlflow_sends_no_telemetry(up: Up) -> None:
    answer = json.load(_ask(up.mlflow, "GET", "/ajax-api/3.0/mlflow/ui-telemetry"))
    assert answer["disable_ui_telemetry"] is True


def test_what_the_services_write_is_their_owners_alone(up: Up) -> None:
    for folder in (up.home / "logs", up.home / "dagster"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    logs = [*(up.home / "logs").glob("*.log")]
    assert {log.name for log in logs} == {"dagster.log", "dagster-daemon.log", "mlflow.log"}
    assert {stat.S_IMODE(log.stat().st_mode) for log in logs} == {0o600}


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc")
def test_code_servers_listen_on_no_port_and_mlflow_runs_no_idle_workers(up: Up) -> None:
    deadline = time.monotonic() + 60
    while len(servers := [c for c in _processes_of(up.home) if "api grpc" in c]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert all(" --socket " in command for command in servers)
    assert not [command for command in _processes_of(up.home) if "huey" in command]
