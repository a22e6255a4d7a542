"""`ghstars export-duckdb`: a database of views for any client."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from ghstars_assets.cli.data import export_duckdb
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.filled_home import GAP_DAY, REPOSITORIES
from ghstars_assets_tests.support.ghstars_command import Ghstars

LIKE_OURS = ("create schema platform", "create view platform.audit as select 1")
COUNT = "select count(distinct day) as days from stars.snapshots"


def test_the_exported_database_serves_any_client_and_replaces_an_older_one_whole(
    ghstars: Ghstars, filled_lake: Lake, tmp_path: Path
) -> None:
    target = tmp_path / "ghstars.duckdb"
    for _ in range(2):
        ran = ghstars(filled_lake.settings.home, "export-duckdb", str(target))
        assert (ran.code, ran.out) == (0, "")
        assert "views; DuckDB 2.0.0 or later reads it." in ran.err
    with duckdb.connect(str(target), read_only=True) as connection:
        (rows,) = connection.sql(
            "select count(*) from stars.snapshots where day = '2026-08-14'"
        ).fetchall()
        gaps = connection.sql("select day from stars.gaps").fetchall()
    assert rows[0] == pytest.approx(REPOSITORIES, rel=0.1)
    assert gaps == [(GAP_DAY,)]
    assert list(tmp_path.iterdir()) == [target]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With nothing in it: every view is there all the same."""
    return tmp_path_factory.mktemp("empty-home")


def _database(file: Path, *statements: str) -> bytes:
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)
    return file.read_bytes()


@pytest.mark.parametrize(
    "statements",
    [
        None,
        (),
        ("create table notes (text varchar)",),
        ("create view one as select 1",),
        (*LIKE_OURS, "create table notes (text varchar)"),
    ],
    ids=["no database", "empty", "a table", "a view", "a table beside our view"],
)
def test_a_file_that_somebody_else_made_is_left_alone(
    ghstars: Ghstars, home: Path, tmp_path: Path, statements: tuple[str, ...] | None
) -> None:
    target = tmp_path / "notes.duckdb"
    if statements is None:
        target.write_bytes(b"my notes")
        content = b"my notes"
    else:
        content = _database(target, *statements)
    for name in (target, tmp_path / "link"):
        if name != target:
            name.symlink_to(target)
        ran = ghstars(home, "export-duckdb", str(name))
        assert ran.code == 1
        assert f"{name} is there and no export that ghstars made, so it was left alone" in ran.err
        assert target.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "notes.duckdb"]


def test_an_export_of_the_first_release_is_known_by_its_views(
    ghstars: Ghstars, home: Path, tmp_path: Path
) -> None:
    target = tmp_path / "ghstars.duckdb"
    _database(target, *LIKE_OURS)
    assert ghstars(home, "export-duckdb", str(target)).code == 0


def test_a_link_stays_a_link_and_what_it_leads_to_is_written(
    ghstars: Ghstars, home: Path, tmp_path: Path
) -> None:
    link, target = tmp_path / "link", tmp_path / "ghstars.duckdb"
    link.symlink_to(target)
    for _ in range(2):
        assert ghstars(home, "export-duckdb", str(link)).code == 0
        assert link.is_symlink()
        assert target.is_file()


def test_an_export_that_fails_leaves_what_was_there(
    ghstars: Ghstars, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "ghstars.duckdb"
    assert ghstars(home, "export-duckdb", str(target)).code == 0
    content = target.read_bytes()

    def full(*_given: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(export_duckdb, "_sign", full)
    ran = ghstars(home, "export-duckdb", str(target))
    assert ran.code == 1
    assert "cannot be written (No space left on device)" in ran.err
    assert target.read_bytes() == content
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_came_meanwhile_is_left_alone(
    ghstars: Ghstars, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "ghstars.duckdb"
    sign = export_duckdb._sign

    def meanwhile(*given: Any) -> None:
        sign(*given)
        target.write_bytes(b"my notes")

    monkeypatch.setattr(export_duckdb, "_sign", meanwhile)
    assert "so it was left alone" in ghstars(home, "export-duckdb", str(target)).err
    assert target.read_bytes() == b"my notes"


def test_descriptions_are_comments_and_the_file_says_what_it_is_of(
    ghstars: Ghstars, home: Path, tmp_path: Path
) -> None:
    target = tmp_path / "ghstars.duckdb"
    assert ghstars(home, "export-duckdb", str(target)).code == 0
    with duckdb.connect(str(target), read_only=True) as connection:
        bare = connection.execute(
            "select table_name, column_name from duckdb_columns() "
            "where not internal and comment is null and table_name <> 'ghstars_export'"
        ).fetchall()
        ((comment,),) = connection.execute(
            "select comment from duckdb_views() where view_name = 'gaps'"
        ).fetchall()
        facts = connection.execute("select lake, duckdb from ghstars_export").fetchall()
    assert bare == []
    assert comment == "Days that no source knows, each with its reason."
    assert facts == [(str(home / "lake"), duckdb.__version__)]
