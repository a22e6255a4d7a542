"""`ghstars doctor`: whether this machine and these settings can run the platform."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

import click

from ghstars_assets.cli.console import print_line
from ghstars_assets.cli.parameters import pass_settings
from ghstars_assets.errors import GhstarsError
from ghstars_assets.home import prepare_home
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.registry.mlflow_tracking import check_reachable
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.servers.services import Service, require_free_port, services_of
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.secret_files import open_secrets
from ghstars_assets.settings import SQL_ROOT, Settings

FEWEST_FREE_GB = 2.0
SHOWN_PACKAGES = ("dagster", "duckdb", "polars", "lightgbm", "mlflow", "pydantic", "obstore")


@dataclass(frozen=True)
class Finding:
    subject: str
    is_well: bool
    message: str


@click.command()
@pass_settings
def doctor(settings: Settings) -> None:
    """Look at the environment, the storage, the versions and the ports."""
    is_well = True
    for finding in _examine(settings):
        is_well &= finding.is_well
        mark = "ok " if finding.is_well else "BAD"
        print_line(f"{mark}  {finding.subject:<10} {finding.message}")
    sys.exit(0 if is_well else 3)


def _examine(settings: Settings) -> Iterator[Finding]:
    is_new_enough = sys.version_info >= (3, 11)
    yield Finding("Python", is_new_enough, f"{sys.version.split()[0]} (needs 3.11 or later)")
    installed = ", ".join(f"{name} {version(name)}" for name in SHOWN_PACKAGES)
    yield Finding("packages", True, installed)
    yield _attempt("home", lambda: _home(settings))
    yield from (Finding("secrets", False, sentence) for sentence in open_secrets(settings))
    yield _attempt("lake", lambda: _lake(settings))
    yield _attempt("SQL files", _sql_files)
    # Two problems may live on the same service, which is looked at once.
    checks = {
        subject: check
        for problem in all_problems().values()
        for subject, check in problem.doctor_checks.items()
    }
    for subject, check in checks.items():
        yield _attempt(subject, lambda check=check: check(settings))
    yield _attempt("MLflow", lambda: check_reachable(settings))
    for service in services_of(settings):
        if service.port:
            yield _attempt(f"port {service.port}", lambda service=service: _port(service))


def _attempt(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except GhstarsError as error:
        return Finding(subject, False, str(error))


def _home(settings: Settings) -> str:
    prepare_home(settings)
    free_gb = shutil.disk_usage(settings.home_path).free / 1e9
    if free_gb < FEWEST_FREE_GB:
        raise GhstarsError(
            f"{settings.home_path} has {free_gb:.1f} GB left; free some space or set GHSTARS_HOME."
        )
    bounds = f"{settings.threads} threads and {settings.memory_gb} GB a step"
    return f"{settings.home_path}, writable, {free_gb:.0f} GB free; {bounds}"


def _lake(settings: Settings) -> str:
    lake = Lake(settings)
    lake.store.check_writable()
    marker = read_marker(lake)
    kind = f"{marker.kind} data" if marker else "empty"
    return f"{lake.store.root}, reachable and writable, {kind}"


def _sql_files() -> str:
    return f"{len(wire(list(all_problems().values()), SQL_ROOT).graph.files)} files agree"


def _port(service: Service) -> str:
    require_free_port(service)
    return f"free for {service.name}"
