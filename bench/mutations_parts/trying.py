"""Tries mutants out: a copy of the project in which mutmut runs, and what it found."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mutations_parts.mutants import Mutant, mutants_of

PROJECT = Path(__file__).parents[2]
COPIED = (
    *("ghstars_assets", "ghstars_assets_tests", "bench", "sql", "docs", "tools"),
    *(".env.example", "dagster.yaml", "workspace.yaml", "pyproject.toml", "Makefile", "README.md"),
)
"""What the code finds beside itself, and the tests with it."""
TIMES_AS_LONG = 60
"""A mutant whose tests take so many times as long will never end; other processes may slow us."""
_OUT_OF_TIME = {36, 24, -24, 152, 255}
_SURVIVED = {0, 5, 33}
"""mutmut's codes: the tests passed, or none reaches the function."""


@dataclass(frozen=True)
class Room:
    name: str

    @property
    def code(self) -> str:
        return f"ghstars_assets/{self.name}"

    @property
    def tests(self) -> str:
        """The folder of the tests that mirrors it."""
        return f"ghstars_assets_tests/{self.name}"


ROOMS = {name: Room(name) for name in ("lake", "learning/promotion", "learning/monitoring")}


@dataclass(frozen=True)
class TriedMutant:
    mutant: Mutant
    is_caught: bool
    is_out_of_time: bool


class WorkingCopy:
    """The project in a folder of its own, as mutmut wants it for one room."""

    def __init__(self, folder: Path, room: Room) -> None:
        self._folder = folder
        self._room = room
        for name in COPIED:
            source, target = PROJECT / name, folder / name
            if source.is_dir():
                no_code = shutil.ignore_patterns("__pycache__", "results")
                shutil.copytree(source, target, ignore=no_code)
            elif source.exists():
                shutil.copy2(source, target)
        with (folder / "pyproject.toml").open("a", encoding="utf-8") as settings:
            settings.write(_mutmut_settings(room))

    def mutants(self) -> list[Mutant]:
        """Make all of them, and find out which tests reach which function."""
        # It makes the mutants and runs the tests once before it finds none of this name.
        ended = self._mutmut("run", "--max-children", "1", "no-mutant-has-this-name")
        files = sorted((self._folder / "mutants" / self._room.code).glob("*.py"))
        found = [
            mutant
            for file in files
            for mutant in mutants_of(file, f"{self._room.code.replace('/', '.')}.{file.stem}")
        ]
        if not found or "nothing matches" not in ended:
            raise SystemExit(f"mutmut made no mutants: {ended[-3000:]}")
        return found

    def try_out(self, mutants: Sequence[Mutant]) -> list[TriedMutant]:
        ended = self._mutmut("run", "--max-children", "1", *(one.name for one in mutants))
        codes: dict[str, int | None] = {}
        for file in (self._folder / "mutants" / self._room.code).glob("*.py.meta"):
            codes |= json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        tried: list[TriedMutant] = []
        for mutant in mutants:
            code = codes.get(mutant.name)
            if code is None:
                raise SystemExit(f"mutmut did not try {mutant.name}: {ended[-3000:]}")
            tried.append(TriedMutant(mutant, code not in _SURVIVED, code in _OUT_OF_TIME))
        return tried

    def _mutmut(self, *arguments: str) -> str:
        """What it printed; nothing of the user's settings reaches it."""
        kept = {name: value for name, value in os.environ.items() if "GHSTARS" not in name}
        ended = subprocess.run(
            [sys.executable, "-m", "mutmut", *arguments],
            cwd=self._folder,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.stdout + ended.stderr


def _mutmut_settings(room: Room) -> str:
    copied = [name for name in COPIED if name not in ("ghstars_assets", "pyproject.toml")]
    return f"""
[tool.mutmut]
source_paths = ["ghstars_assets"]
only_mutate = ["{room.code}/*.py"]
also_copy = {json.dumps(copied)}
pytest_add_cli_args = ["-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = ["{room.tests}"]
process_isolation = "forkserver"
timeout_multiplier = {TIMES_AS_LONG}.0
use_git_change_detection = false
track_dependencies = false
"""
