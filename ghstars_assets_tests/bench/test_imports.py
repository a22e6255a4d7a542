"""The tests may use what the benches share; a bench that used the tests would need pytest."""

import ast
from pathlib import Path

import pytest

from ghstars_assets.settings import PROJECT_ROOT

BENCH = PROJECT_ROOT / "bench"


def imported(file: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize(
    "file", sorted(BENCH.rglob("*.py")), ids=lambda file: str(file.relative_to(BENCH))
)
def test_a_bench_does_not_import_the_tests(file: Path) -> None:
    assert imported(file).isdisjoint({"ghstars_assets_tests", "pytest"})
