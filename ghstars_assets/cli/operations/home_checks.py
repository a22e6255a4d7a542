"""What `ghstars doctor` looks at in the home: its space, Dagster's records and MLflow's.

What it can mend without losing anything it mends, and says so.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ghstars_assets.errors import GhstarsError
from ghstars_assets.home.databases import Database, State
from ghstars_assets.home.disk import space_of
from ghstars_assets.home.layout import prepare_home
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.registry.mlflow_home import count_records, mlflow_database, was_moved
from ghstars_assets.learning.registry.mlflow_tracking import Tracking, check_reachable
from ghstars_assets.learning.registry.restoring import known_versions, restore_versions
from ghstars_assets.orchestration.runs import dagster_instance
from ghstars_assets.orchestration.storage import databases_of
from ghstars_assets.settings import Settings


def check_home(settings: Settings) -> str:
    prepare_home(settings)
    space = space_of(settings)
    if not space.is_enough:
        raise GhstarsError(f"{space}; free some, or set GHSTARS_HOME to a folder on another disk.")
    bounds = f"{settings.threads} threads and {settings.memory_gb} GB a step"
    return f"{space.path}, writable, {space.free_gb:.0f} GB free; {bounds}"


def check_lake(settings: Settings) -> str:
    lake = Lake(settings)
    lake.store.check_writable()
    marker = read_marker(lake)
    kind = f"{marker.kind} data" if marker else "empty"
    return f"{lake.store.root}, reachable and writable, {kind}"


def check_dagster(settings: Settings, problems: Iterable[Problem]) -> str:
    """Opening the instance makes what is missing and sets aside what is half-made."""
    databases = list(databases_of(settings.dagster_home).values())
    was_there = databases[0].state() is State.WHOLE
    mended = _mended(databases, lambda: _count_runs(settings))
    runs = _count_runs(settings)
    words = f"{settings.dagster_home}, {runs} runs on record"
    if not runs and not was_there and _holds_days(settings, problems):
        words = (
            f"{settings.dagster_home} is new, and the lake is older: the records of its runs are "
            "gone, and `ghstars backfill` makes them again from what the lake holds"
        )
    return "; ".join([words, *mended, *_earlier(databases)])


def check_mlflow(settings: Settings, problems: Iterable[Problem]) -> str:
    """With a server of one's own: whether it answers. Otherwise the home's database."""
    if settings.mlflow_tracking_uri:
        return check_reachable(settings)
    database = mlflow_database(settings)
    lake = Lake(settings)
    known = {problem.name: known_versions(lake, problem) for problem in problems}
    if database.state() is State.ABSENT and not any(known.values()):
        return f"{settings.mlflow_home}, made when the first model is trained"
    moved = was_moved(settings)
    restored: list[str] = []

    def restore() -> None:
        for name, versions in known.items():
            if versions:
                numbers = restore_versions(Tracking(settings, name), versions)
                restored.extend(f"{name} {number}" for number in numbers)

    mended = _mended([database], restore)
    if moved:
        mended.append("it lay elsewhere before, and its artifacts are now those of this home")
    if restored:
        mended.append(f"entered again from the lake: {', '.join(restored)}")
    counts = count_records(settings)
    words = f"{settings.mlflow_home}, {counts.versions} versions and {counts.runs} runs"
    if counts.without_artifacts:
        mended.append(f"{counts.without_artifacts} of its runs have lost their artifacts")
    return "; ".join([words, *mended, *_earlier([database])])


def _mended(databases: Sequence[Database], mend: Callable[[], object]) -> list[str]:
    """Say of what was set aside while something was opened."""
    before = {path for database in databases for path in database.earlier_ones()}
    mend()
    after = {path for database in databases for path in database.earlier_ones()}
    return [f"one was unusable and is made anew ({path.name})" for path in sorted(after - before)]


def _earlier(databases: Sequence[Database]) -> list[str]:
    kept: list[Path] = [path for database in databases for path in database.earlier_ones()]
    return [f"{path} was set aside and may be deleted" for path in kept]


def _count_runs(settings: Settings) -> int:
    with dagster_instance(settings) as instance:
        return instance.get_runs_count()


def _holds_days(settings: Settings, problems: Iterable[Problem]) -> bool:
    lake = Lake(settings)
    return any(lake.days(problem.table("snapshots")) for problem in problems)
