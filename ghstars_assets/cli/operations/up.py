"""`ghstars up`: Dagster's webserver and daemon and MLflow's UI, on loopback, until interrupted."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from ghstars_assets.cli.console import print_line, say
from ghstars_assets.cli.parameters import pass_settings
from ghstars_assets.errors import GhstarsError
from ghstars_assets.orchestration.runs import dagster_instance
from ghstars_assets.settings import PROJECT_ROOT, Settings, child_environment

LOOPBACK = "127.0.0.1"
START_SECONDS = 90
STOP_SECONDS = 20


@dataclass(frozen=True)
class Service:
    name: str
    command: tuple[str, ...]
    port: int | None = None
    port_setting: str = ""

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


def services_of(settings: Settings) -> list[Service]:
    programs = Path(sys.executable).parent
    workspace = str(PROJECT_ROOT / "workspace.yaml")
    web, daemon = str(programs / "dagster-webserver"), str(programs / "dagster-daemon")
    services = [
        Service(
            "Dagster",
            (web, "-h", LOOPBACK, "-p", str(settings.web_port), "-w", workspace),
            settings.web_port,
            "GHSTARS_WEB_PORT",
        ),
        Service("Dagster daemon", (daemon, "run", "-w", workspace)),
    ]
    if not settings.mlflow_tracking_uri:
        store = ("--backend-store-uri", settings.mlflow_uri)
        artifacts = ("--default-artifact-root", (settings.mlflow_home / "artifacts").as_uri())
        where = ("--host", LOOPBACK, "--port", str(settings.mlflow_port), "--workers", "1")
        services.append(
            Service(
                "MLflow",
                (str(programs / "mlflow"), "server", *store, *artifacts, *where),
                settings.mlflow_port,
                "GHSTARS_MLFLOW_PORT",
            )
        )
    return services


@click.command()
@pass_settings
def up(settings: Settings) -> None:
    """Serve Dagster's UI and daemon and MLflow's UI on loopback until interrupted."""
    sys.exit(_serve(settings))


def _serve(settings: Settings) -> int:
    """Serve until interrupted. The exit code is 0 then, and 1 when a service ended by itself."""
    # Opening the home ends the runs of commands that were killed, before the daemon counts them.
    with dagster_instance(settings):
        services = services_of(settings)
    for service in services:
        require_free_port(service)
    with ExitStack() as stack:
        running = {
            service.name: stack.enter_context(_started(service, settings)) for service in services
        }
        stop = _StopSignal()
        say("Starting; this takes some ten seconds ...")
        for service in services:
            if service.port:
                _wait_until_open(service, running[service.name], settings, stop)
        if not stop.is_asked:
            for service in services:
                if service.port:
                    print_line(f"{service.name:<8} {service.url}")
            print_line("Interrupt (Ctrl-C) to stop.")
        while not stop.is_asked:
            for name, process in running.items():
                if process.poll() is not None:
                    raise GhstarsError(
                        f"{name} ended by itself with code {process.returncode}; its last words "
                        f"are in {_log_path(settings, name)}."
                    )
            time.sleep(0.5)
    return 0


def require_free_port(service: Service) -> None:
    if service.port is None:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, service.port))
        except OSError:
            raise GhstarsError(
                f"Port {service.port}, which {service.name} needs, is taken; end what listens "
                f"there, or set {service.port_setting} to another port."
            ) from None


class _StopSignal:
    """Remembers that somebody asked us to end."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.is_asked = True


@contextmanager
def _started(service: Service, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a group of its own, so that its children end with it."""
    log = _log_path(settings, service.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = subprocess.Popen(  # noqa: S603
            service.command,
            stdout=sink,
            stderr=sink,
            stdin=subprocess.DEVNULL,
            env=child_environment(settings),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_open(
    service: Service,
    process: subprocess.Popen[bytes],
    settings: Settings,
    stop: _StopSignal,
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not stop.is_asked and time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, service.port or 0)) == 0:
                return
        time.sleep(0.3)
    if not stop.is_asked:
        raise GhstarsError(
            f"{service.name} did not come up; its last words are in "
            f"{_log_path(settings, service.name)}."
        )


def _log_path(settings: Settings, name: str) -> Path:
    return settings.home_path / "logs" / f"{name.lower().replace(' ', '-')}.log"
