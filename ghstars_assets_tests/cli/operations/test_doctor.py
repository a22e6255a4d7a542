"""`ghstars doctor`: what is wrong is found and named."""

from pathlib import Path

import pytest

from ghstars_assets_tests.support.ghstars_command import Ghstars
from ghstars_assets_tests.support.ports import free_port


def test_what_is_wrong_is_named_and_seen_in_the_exit_code(
    ghstars: Ghstars, tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_MLFLOW_PORT", str(taken_port))
    monkeypatch.setenv("GHSTARS_WEB_PORT", str(free_port()))
    ran = ghstars(tmp_path / "home", "doctor")
    assert ran.code == 3
    (bad,) = [line for line in ran.out.splitlines() if line.startswith("BAD")]
    assert f"Port {taken_port}, which MLflow needs, is taken" in bad
    assert "GHSTARS_MLFLOW_PORT" in bad
