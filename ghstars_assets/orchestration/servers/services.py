"""Which services `ghstars up` runs: their commands, ports and environments."""

import socket
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ghstars_assets.errors import GhstarsError
from ghstars_assets.settings import PROJECT_ROOT, Settings

LOOPBACK, MLFLOW = "127.0.0.1", "MLflow"
WORKSPACE = PROJECT_ROOT / "workspace.yaml"
_LOOPBACK_NAMES = ("localhost", LOOPBACK, "[::1]")

NO_TELEMETRY = {"DAGSTER_DISABLE_TELEMETRY": "yes", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Dagster's is off by `dagster.yaml` too; this keeps its upload from being looked for at all."""
NO_JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
"""MLflow's jobs judge answers of language models. Their eight processes took 1.4 GB and did
nothing for us."""


@dataclass(frozen=True)
class Service:
    name: str
    command: tuple[str, ...]
    port: int | None = None
    port_setting: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: NO_TELEMETRY)
    writes_lake: bool = False

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def file_name(self) -> str:
        """What its log and its lock are called, without their endings."""
        return self.name.lower().replace(" ", "-")


def services_of(settings: Settings) -> list[Service]:
    programs = Path(sys.executable).parent
    daemon = (str(programs / "dagster-daemon"), "run", "-w", str(WORKSPACE))
    services = [
        Service(
            "Dagster",
            (sys.executable, "-m", "ghstars_assets.orchestration.servers.webserver"),
            settings.web_port,
            "GHSTARS_WEB_PORT",
        ),
        Service("Dagster daemon", daemon, writes_lake=True),
    ]
    if not settings.mlflow_tracking_uri:
        services.append(_mlflow(settings, programs))
    return services


def _mlflow(settings: Settings, programs: Path) -> Service:
    store = ("--backend-store-uri", settings.mlflow_uri)
    artifacts = ("--default-artifact-root", (settings.mlflow_home / "artifacts").as_uri())
    where = ("--host", LOOPBACK, "--port", str(settings.mlflow_port), "--workers", "1")
    guarded = ("--allowed-hosts", ",".join(mlflow_hosts(settings)))
    origins = [f"https://{name}{end}" for name in settings.allowed_host_names for end in ("", ":*")]
    if origins:
        guarded += ("--cors-allowed-origins", ",".join(origins))
    return Service(
        MLFLOW,
        (str(programs / "mlflow"), "server", *store, *artifacts, *where, *guarded),
        settings.mlflow_port,
        "GHSTARS_MLFLOW_PORT",
        NO_TELEMETRY | NO_JOBS,
    )


def mlflow_hosts(settings: Settings) -> list[str]:
    """The names that MLflow's own guard lets in. By default it lets in private networks too, as
    `10.*`, and thereby whoever owns the name `10.example.org`."""
    names = (*_LOOPBACK_NAMES, *settings.allowed_host_names)
    # It compares with shell patterns, in which a bracket begins a set of characters.
    return [*names, *(f"{name.replace('[', '[[]')}:*" for name in names)]


def page_of(service: Service) -> str:
    """Where a browser begins. MLflow's first page is about language models, so its runs are shown,
    or its experiments where there is more than one, or none yet."""
    if service.name != MLFLOW:
        return service.url
    search = f"{service.url}/api/2.0/mlflow/experiments/search"
    try:
        found = httpx.get(search, params={"max_results": 100}, timeout=10).json()
        ours = [e["experiment_id"] for e in found["experiments"] if e["experiment_id"] != "0"]
    except (httpx.HTTPError, ValueError, KeyError):
        ours = []  # it serves all the same
    return f"{service.url}/#/experiments" + (f"/{ours[0]}/runs" if len(ours) == 1 else "")


def require_ports_of_their_own(services: Sequence[Service]) -> None:
    """Two services on one port would end each other in turn, with a message in a log alone."""
    [(port, uses)] = Counter(s.port for s in services if s.port).most_common(1)
    if uses > 1:
        settings = " and ".join(s.port_setting for s in services if s.port == port)
        raise GhstarsError(f"{settings} are both {port}; give each a port of its own.")


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
