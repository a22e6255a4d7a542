"""`ghstars up`: services on loopback, which end together."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from ghstars_assets.settings import PROJECT_ROOT
from ghstars_assets_tests.support.ghstars_command import Ghstars
from ghstars_assets_tests.support.ports import free_port


def test_a_taken_port_is_named_with_the_setting_that_moves_it(
    ghstars: Ghstars, tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_WEB_PORT", str(taken_port))
    ran = ghstars(tmp_path / "home", "up")
    assert ran.code == 1
    assert f"Port {taken_port}, which Dagster needs, is taken" in ran.err
    assert "GHSTARS_WEB_PORT" in ran.err


def test_up_serves_on_loopback_and_ends_with_all_its_children(tmp_path: Path) -> None:
    web, mlflow = free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", "from ghstars_assets.cli import main; main()", "up"],
        cwd=PROJECT_ROOT,
        env=os.environ
        | {
            "GHSTARS_HOME": str(tmp_path / "home"),
            "GHSTARS_WEB_PORT": str(web),
            "GHSTARS_MLFLOW_PORT": str(mlflow),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        shown = [process.stdout.readline() for _ in range(3)]
        assert shown[0].split() == ["Dagster", f"http://127.0.0.1:{web}"]
        assert shown[1].split() == ["MLflow", f"http://127.0.0.1:{mlflow}"]
        with urllib.request.urlopen(f"http://127.0.0.1:{web}/server_info") as answer:
            assert answer.status == 200
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    assert code == 0
    deadline = time.monotonic() + 10
    while any(_is_open(port) for port in (web, mlflow)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_is_open(port) for port in (web, mlflow))


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
