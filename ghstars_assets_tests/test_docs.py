"""What the documents point at is there: links, and paths of files and folders."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ghstars_assets.settings import PROJECT_ROOT

PAGES = sorted(
    [*PROJECT_ROOT.glob("*.md"), *(PROJECT_ROOT / "docs").rglob("*.md")],
    key=lambda page: page.relative_to(PROJECT_ROOT),
)
ROOTS = (PROJECT_ROOT, PROJECT_ROOT / "ghstars_assets")
OUR_FOLDERS = {
    path.name
    for root in ROOTS
    for path in root.iterdir()
    if path.is_dir() and not path.name.startswith(".")
}

PAST = PROJECT_ROOT / "docs" / "changelog.md"
"""It names what is no more."""
every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT))
)


def links_in(text: str) -> Iterator[str]:
    """Targets within the repository, without their anchors."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target) and not target.startswith("#"):
            yield target.split("#")[0]


def paths_in(text: str) -> Iterator[str]:
    """Files and folders of the repository that are named in backticks: those whose first part is a
    folder of ours, and modules by their name alone."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for path in re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", prose):
        is_ours = "/" in path and path.split("/")[0] in OUR_FOLDERS
        is_file_or_folder = path.endswith("/") or "." in path.split("/")[-1]
        if (is_ours and is_file_or_folder) or re.fullmatch(r"\w+\.py", path):
            yield path


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = [target for target in links_in(page.read_text()) if not (page.parent / target).exists()]
    assert lost == []


@every_page
def test_every_path_that_is_named_exists(page: Path) -> None:
    lost = [
        path
        for path in paths_in(page.read_text())
        if page != PAST and not any((root / path).exists() for root in ROOTS)
    ]
    assert lost == []


def test_a_page_that_points_at_nothing_is_found() -> None:
    text = (
        "[gone](gone.md#part) and `lake/gone.py`, `gone.py`, `sql/gone/`, `a/b`, `<problem>/x.py`"
    )
    assert list(links_in(text)) == ["gone.md"]
    assert list(paths_in(text)) == ["lake/gone.py", "gone.py", "sql/gone/"]
