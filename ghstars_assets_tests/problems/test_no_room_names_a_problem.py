"""A problem and its sources are named in their own folders alone: every other room serves them all.

A problem's own are `problems/<name>/`, `sql/<name>/` and the rooms of its sources; the sandbox is
an invented GitHub and names it freely.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "ghstars_assets"
ENDINGS = {".py", ".sql", ".html", ".md", ".yaml", ".json"}

STAYS = {
    "settings.py": "every setting stands here, GHSTARS_GITHUB_* too",
    "cli/entry_point.py": "the command says what the platform is for, with an example of each use",
    "failures/masked_secrets.py": "a token of GitHub's is known by how it begins, and is masked",
    "home/secret_files.py": "the file of a key that a setting names must be its owner's alone",
}
"""What names one, and what for."""
EXAMPLE = re.compile(r":\d+: ghstars ")
"""A line of a command's help that shows how it is typed."""


def _source_rooms(problem: str) -> set[str]:
    """The rooms below `sources/` that a problem's own modules import."""
    imported = re.compile(r"ghstars_assets\.sources\.(\w+)\.")
    modules = (PACKAGE / "problems" / problem).rglob("*.py")
    return {room for path in modules for room in imported.findall(path.read_text("utf-8"))}


def _naming(problem: str) -> Iterator[str]:
    """Files that name the problem or a source of its own, each as often as it does."""
    rooms = _source_rooms(problem)
    words = "|".join(map(re.escape, sorted({problem, *rooms})))
    # An underscore ends a word: `github_token` is GitHub's.
    named = re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])", re.IGNORECASE)
    own = ("sandbox/", f"problems/{problem}/", *(f"sources/{room}/" for room in rooms))
    for path in sorted(PACKAGE.rglob("*")):
        place = path.relative_to(PACKAGE).as_posix()
        if path.suffix in ENDINGS and not place.startswith(own):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                if named.search(line):
                    yield f"{place}:{number}: {line.strip()}"


def _file_of(found: str) -> str:
    return found.partition(":")[0]


def test_a_problem_has_source_rooms_of_its_own() -> None:
    assert _source_rooms("stars") == {"github", "github_ranking", "gharchive"}


@pytest.mark.parametrize("problem", all_problems())
def test_no_room_names_a_problem_or_its_sources(problem: str) -> None:
    found = [
        one for one in _naming(problem) if _file_of(one) not in STAYS and not EXAMPLE.search(one)
    ]
    assert found == [], "name it generally, or let the problem supply the words"


def test_no_exception_is_kept_that_nobody_needs() -> None:
    needed = {_file_of(one) for problem in all_problems() for one in _naming(problem)}
    assert set(STAYS) - needed == set()


def test_a_problem_is_no_longer_than_a_page() -> None:
    for name in all_problems():
        lines = Path(PACKAGE, "problems", name, "problem.py").read_text("utf-8").splitlines()
        assert len(lines) < 60, name
