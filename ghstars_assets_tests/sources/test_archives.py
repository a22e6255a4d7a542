"""Whose files lie in a folder and who is asked at an address, whatever archives there are."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.archives import (
    FilesOfArchive,
    FileUse,
    FoundFile,
    ImportResult,
    Progress,
    import_from_archives,
)

DAY = date(2024, 3, 5)


@dataclass
class Diary:
    """An archive that knows its files by a column."""

    name: str
    file_kinds: tuple[str, ...]
    files: list[FilesOfArchive] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def recognise(self, file: FoundFile) -> FileUse | None:
        if f"{self.name}_help" in file.columns:
            return FileUse.HELP
        return FileUse.DAYS if self.name in file.columns else None

    def is_at(self, address: str) -> bool:
        return self.name in address

    def import_files(
        self, _lake: Lake, files: FilesOfArchive, _days: DayRange | None, _progress: Progress
    ) -> ImportResult:
        self.files.append(files)
        return ImportResult((f"{len(files.own)} of {self.name}",), {self.name: frozenset({DAY})})

    def import_from_web(
        self, _lake: Lake, address: str, _days: DayRange | None, _progress: Progress
    ) -> ImportResult:
        self.addresses.append(address)
        return ImportResult((self.name,))


@pytest.fixture
def tides() -> Diary:
    return Diary("tides", ("tide table", "page of a log"))


@pytest.fixture
def winds() -> Diary:
    return Diary("winds", ("wind rose",))


def _bring(lake: Lake, place: object, *archives: Diary) -> ImportResult:
    return import_from_archives(archives, lake, str(place), None, lambda *_done: None)


def test_each_archive_gets_its_own_files_and_hears_of_those_that_nobody_knows(
    lake: Lake, tmp_path: Path, tides: Diary, winds: Diary
) -> None:
    (tmp_path / "b.csv").write_text("day,tides\n")
    (tmp_path / "a.csv").write_text("day,winds\n")
    (tmp_path / "c.csv").write_text("tides_help\n")
    (tmp_path / "README").write_text("hello\n")
    result = _bring(lake, tmp_path, tides, winds)
    # In the order of trust, not of the files.
    assert result.lines == ("2 of tides", "1 of winds")
    assert result.changed == {"tides": {DAY}, "winds": {DAY}}
    (given,) = tides.files
    assert [file.path.name for file in given.own] == ["b.csv", "c.csv"]
    assert ([path.name for path in given.unknown], given.is_alone) == (["README"], False)


def test_an_archive_whose_files_only_help_is_not_asked(
    lake: Lake, tmp_path: Path, tides: Diary, winds: Diary
) -> None:
    (tmp_path / "a.csv").write_text("winds\n")
    (tmp_path / "c.csv").write_text("tides_help\n")
    assert _bring(lake, tmp_path, tides, winds).lines == ("1 of winds",)
    assert (tides.files, winds.files[0].is_alone) == ([], True)


def test_a_folder_with_nothing_of_use_says_what_was_looked_for(
    lake: Lake, tmp_path: Path, tides: Diary, winds: Diary
) -> None:
    (tmp_path / "c.csv").write_text("tides_help\n")
    (tmp_path / "README").write_text("hello\n")
    message = (
        r"holds 2 files and none that we know: no tide table, no page of a log and no wind rose; "
        "name another folder"
    )
    with pytest.raises(SourceError, match=message):
        _bring(lake, tmp_path, tides, winds)


def test_an_address_is_asked_by_whose_it_is_and_a_strange_one_by_the_most_trusted(
    lake: Lake, tides: Diary, winds: Diary
) -> None:
    assert _bring(lake, "https://winds.example/2024", tides, winds).lines == ("winds",)
    assert _bring(lake, "https://mirror.example/", tides, winds).lines == ("tides",)
    assert (winds.addresses, tides.addresses) == (
        ["https://winds.example/2024"],
        ["https://mirror.example/"],
    )
