"""The `ghstars` command inside a test: its exit code, and what it printed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ghstars_assets.cli import main


@dataclass(frozen=True)
class Printed:
    code: int
    out: str
    err: str


_WRITTEN_WRONGLY = re.compile(
    r"ends before it starts|is not a day|There is no (problem|stage|folder)|is no window of days"
)


def code_of(message: str) -> int:
    """How a command ends that shows this: with 2 where it was written wrongly, else with 1."""
    return 2 if _WRITTEN_WRONGLY.search(message) else 1


Ghstars = Callable[..., Printed]


@pytest.fixture
def ghstars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ghstars:
    """The command in this process: `ghstars(home, "sql", "select 1")`."""

    def run(home: Path, *arguments: str) -> Printed:
        monkeypatch.setenv("GHSTARS_HOME", str(home))
        monkeypatch.setenv("GHSTARS_THREADS", "1")
        # Assets that a command runs in this process still read them there.
        capsys.readouterr()
        try:
            main(list(arguments))
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Printed(code, captured.out, captured.err)

    return run
