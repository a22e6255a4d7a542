"""`ghstars doctor`: whether this machine and these settings can run the platform."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

import click

from ghstars_assets.cli.console import print_line
from ghstars_assets.cli.operations.home_checks import (
    check_dagster,
    check_home,
    check_lake,
    check_mlflow,
)
from ghstars_assets.cli.parameters import pass_settings
from ghstars_assets.errors import GhstarsError
from ghstars_assets.failures.foreign_errors import in_our_words
from ghstars_assets.home.secret_files import open_secrets
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.servers.services import Service, require_free_port, services_of
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import SQL_ROOT, Settings

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
    problems = list(all_problems().values())
    yield _attempt(settings, "home", lambda: check_home(settings))
    yield from (Finding("secrets", False, sentence) for sentence in open_secrets(settings))
    yield _attempt(settings, "lake", lambda: check_lake(settings))
    yield _attempt(settings, "SQL files", _sql_files)
    # Two problems may live on the same service, which is looked at once.
    checks = {
        subject: check for problem in problems for subject, check in problem.doctor_checks.items()
    }
    for subject, check in checks.items():
        yield _attempt(settings, subject, lambda check=check: check(settings))
    yield _attempt(settings, "Dagster", lambda: check_dagster(settings, problems))
    yield _attempt(settings, "MLflow", lambda: check_mlflow(settings, problems))
    for service in services_of(settings):
        if service.port:
            yield _attempt(settings, f"port {service.port}", lambda service=service: _port(service))


def _attempt(settings: Settings, subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except GhstarsError as error:
        return Finding(subject, False, str(error))
    except Exception as error:
        # One thing that is broken keeps nobody from seeing how the others are.
        words = in_our_words(error, settings)
        if words is None:
            raise
        return Finding(subject, False, words)


def _sql_files() -> str:
    return f"{len(wire(list(all_problems().values()), SQL_ROOT).graph.files)} files agree"


def _port(service: Service) -> str:
    require_free_port(service)
    return f"free for {service.name}"
