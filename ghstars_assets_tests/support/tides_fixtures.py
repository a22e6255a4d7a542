"""The tides, filled once in a test run, and a tracking server that is only a list."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.registry.mlflow_tracking import Registration, Tracking
from ghstars_assets.learning.registry.restoring import KnownVersion
from ghstars_assets.learning.training import candidates_on_record
from ghstars_assets.learning.training.candidate import Candidate, plan_candidate, train_candidate
from ghstars_assets_tests.support import tides_lake


@pytest.fixture(scope="session")
def tides_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read it, change nothing."""
    home = tmp_path_factory.mktemp("tides")
    tides_lake.fill_tides(Lake(tides_lake.settings_of(home)))
    return home


@pytest.fixture
def tides(tides_home: Path, tmp_path: Path) -> Lake:
    """A lake of tides to do with as a test likes."""
    return Lake(tides_lake.settings_of(tides_lake.copied(tides_home, tmp_path / "home")))


@pytest.fixture(scope="session")
def columns() -> LearningColumns:
    return tides_lake.tides_columns()


class ListedVersions:
    """Stands for MLflow where a test is about something else; MLflow takes seconds."""

    def __init__(self) -> None:
        self.fingerprints: list[str] = []
        self.champion: int | None = None

    def registered(self, fingerprint: str) -> Registration | None:
        if fingerprint not in self.fingerprints:
            return None
        return Registration(self.fingerprints.index(fingerprint) + 1, "an earlier run")

    def register(self, candidate: Candidate, card: str, dagster_run_id: str) -> Registration:
        assert card.startswith("# tides as of ")
        self.fingerprints.append(candidate.fingerprint)
        return Registration(len(self.fingerprints), dagster_run_id)

    def newest_version(self) -> int:
        return len(self.fingerprints)

    def enter_again(self, number: int, version: KnownVersion | None) -> None:
        """Somebody else trained it: only its number counts here."""
        self.fingerprints.append(version.fingerprint if version else f"unknown {number}")

    def set_champion(self, version: int) -> None:
        self.champion = version


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> ListedVersions:
    listed = ListedVersions()
    stand_in: Callable[..., ListedVersions] = lambda *_given: listed  # noqa: E731
    monkeypatch.setattr(candidates_on_record, "Tracking", stand_in)
    return listed


@pytest.fixture(scope="session")
def candidate(tides_home: Path, columns: LearningColumns) -> Candidate:
    lake = Lake(tides_lake.settings_of(tides_home))
    training, as_of = tides_lake.PROBLEM.training, tides_lake.AS_OF
    planned = plan_candidate(lake, tides_lake.PROBLEM, columns, training, as_of)
    return train_candidate(lake, tides_lake.PROBLEM, columns, planned)


@pytest.fixture(scope="session")
def mlflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with nothing in it: making one takes seconds, copying it does not."""
    settings = tides_lake.settings_of(tmp_path_factory.mktemp("tracking"))
    Tracking(settings, "nothing")
    return settings.mlflow_home
