"""`ghstars export-duckdb`: a database of views for any client."""

from pathlib import Path

import duckdb
import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.filled_home import GAP_DAY, REPOSITORIES
from ghstars_assets_tests.support.ghstars_command import Ghstars

COUNT = "select count(distinct day) as days from stars.snapshots"


def test_the_exported_database_serves_any_client_and_replaces_an_older_one_whole(
    ghstars: Ghstars, filled_lake: Lake, tmp_path: Path
) -> None:
    target = tmp_path / "ghstars.duckdb"
    target.write_bytes(b"an older file")
    assert ghstars(filled_lake.settings.home, "export-duckdb", str(target)).code == 0
    with duckdb.connect(str(target), read_only=True) as connection:
        (rows,) = connection.sql(
            "select count(*) from stars.snapshots where day = '2026-08-14'"
        ).fetchall()
        gaps = connection.sql("select day from stars.gaps").fetchall()
    assert rows[0] == pytest.approx(REPOSITORIES, rel=0.1)
    assert gaps == [(GAP_DAY,)]
    assert list(tmp_path.iterdir()) == [target]
