"""`ghstars doctor`: whether this machine and these settings can run the platform."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from ghstars_assets.commands.up import Service, require_free_port, services_of
from ghstars_assets.errors import GhstarsError
from ghstars_assets.home import prepare_home
from ghstars_assets.lake.marker import Marker, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.registry.mlflow_tracking import check_reachable
from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import SQL_ROOT, Settings

if TYPE_CHECKING:
    from ghstars_assets.sources.github.api.governor import Budget

FEWEST_FREE_GB = 2.0
SHOWN_BUDGETS = ("graphql", "core", "search")
SHOWN_PACKAGES = ("dagster", "duckdb", "polars", "lightgbm", "mlflow", "pydantic", "obstore")


@dataclass(frozen=True)
class Finding:
    subject: str
    is_well: bool
    told: str


def examine(settings: Settings) -> Iterator[Finding]:
    is_new_enough = sys.version_info >= (3, 11)
    yield Finding("Python", is_new_enough, f"{sys.version.split()[0]} (needs 3.11 or later)")
    installed = ", ".join(f"{name} {version(name)}" for name in SHOWN_PACKAGES)
    yield Finding("packages", True, installed)
    yield _attempt("home", lambda: _home(settings))
    yield _attempt("lake", lambda: _lake(settings))
    yield _attempt("SQL files", _sql_files)
    yield _attempt("GitHub", lambda: _github(settings))
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


def _github(settings: Settings) -> str:
    """Whether the token is good, and what is left of its budgets."""
    from ghstars_assets.sources.github.api.credentials import credentials_of, has_credentials
    from ghstars_assets.sources.github.api.endpoint import own_world

    marker = read_marker(Lake(settings))
    if marker and own_world(settings, marker):
        return "this home has an invented one of its own, which needs no token"
    if marker is None and not has_credentials(settings):
        return "no token set; GitHub itself needs one in GHSTARS_GITHUB_TOKEN, the sandbox does not"
    kind = credentials_of(settings).kind
    budgets = asyncio.run(_budgets(settings, marker))
    told = [
        f"{name}: {budget.remaining:,} of {budget.limit:,} left, full again at "
        f"{budget.resets_at:%H:%M} UTC"
        for name, budget in budgets.items()
        if name in SHOWN_BUDGETS
    ]
    kept = settings.github_points_kept
    points = budgets.get("graphql")
    if points and points.remaining <= min(kept, points.limit // 2):
        raise GhstarsError(
            f"The {kind} is good, but its points are spent ({told[0]}); snapshots go on then, or "
            "lower GHSTARS_GITHUB_POINTS_KEPT."
        )
    return f"{kind}; {'; '.join(told)}; {kept:,} of each hour are kept for other uses"


async def _budgets(settings: Settings, marker: Marker | None) -> "dict[str, Budget]":
    from ghstars_assets.sources.github.api.client import GitHub
    from ghstars_assets.sources.github.api.endpoint import open_endpoint, world_behind

    known = marker or Marker(await world_behind(settings))
    with open_endpoint(settings, known) as endpoint:
        async with GitHub(endpoint) as github:
            return await github.budgets()


def _port(service: Service) -> str:
    require_free_port(service)
    return f"free for {service.name}"
