"""Invented files of the archive, in its own columns, and the tables that others made of them."""

import csv
import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets.sources.archives import files_in
from ghstars_assets.sources.github_ranking.identity import Rename
from ghstars_assets.sources.github_ranking.importing import ImportReport, import_files
from ghstars_assets.sources.github_ranking.places import FilesFound, sorted_files
from ghstars_assets.sources.github_ranking.tables import ranking_tables

COLUMNS = (
    *("rank", "item", "repo_name", "stars", "forks", "language", "repo_url", "username"),
    *("issues", "last_commit", "description"),
)
DAY = date(2024, 3, 5)
CAPTURED = datetime(2024, 3, 5, 4, 3, tzinfo=UTC)
TABLES = ranking_tables("stars")
RANKING = TABLES.ranking.name


def captured_on(day: date) -> datetime:
    return datetime.combine(day, time(4, 3), UTC)


def row(full_name: str = "octo/cat", stars: int = 100, **changed: Any) -> dict[str, object]:
    """A row of a list, as text, as the archive has it."""
    owner, _, name = full_name.partition("/")
    pushed_at = changed.pop("pushed_at", CAPTURED)
    cells: dict[str, object] = {
        "rank": 1,
        "item": "Python",
        "repo_name": name,
        "stars": stars,
        "forks": 20,
        "language": "Python",
        "repo_url": f"https://github.com/{full_name}",
        "username": owner,
        "issues": 3,
        "last_commit": f"{pushed_at:%Y-%m-%dT%H:%M:%SZ}" if pushed_at else "",
        "description": 'The "best", of course',
    }
    return cells | changed


def lists(*rows: Mapping[str, object], columns: Sequence[str] = COLUMNS) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def write(path: Path, content: bytes) -> Path:
    """Packed where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def day_file(folder: Path, day: date, ending: str = "csv", /, **stars: int) -> Path:
    """A day's file with these repositories of octo's, by the archive's own name."""
    rows = [row(f"octo/{name}", count, pushed_at=captured_on(day)) for name, count in stars.items()]
    return write(folder / f"github-ranking-{day}.{ending}", lists(*rows))


def condensed(day: date, **stars: int) -> list[dict[str, Any]]:
    """Rows of a table that somebody made of such files, for repositories of octo's."""
    return [
        {
            "snapshot_date": day,
            "full_name": f"octo/{name}",
            "stars": count,
            "forks": 20,
            "open_issues": 3,
            "language": "Python",
            "pushed_at": captured_on(day),
        }
        for name, count in stars.items()
    ]


def write_parquet(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(list(rows)).write_parquet(path)
    return path


def renames_table(renames: Iterable[Rename]) -> list[dict[str, Any]]:
    return [
        {
            "first_date_new_name": rename.first_day,
            "old_name": rename.old_name,
            "new_name": rename.new_name,
            "score": 3,
        }
        for rename in renames
    ]


def quality_table(captured: Mapping[date, datetime]) -> list[dict[str, Any]]:
    return [
        {"snapshot_date": day, "capture_utc": moment, "n_repos": 2}
        for day, moment in captured.items()
    ]


def days_from(first: date, number: int) -> list[date]:
    return [first + timedelta(days=each) for each in range(number)]


# ---- importing ----------------------------------------------------------------------------------


def lake_at(home: Path) -> Lake:
    return Lake(Settings(home=home, threads=1, memory_gb=1))


def found_in(place: Path) -> FilesFound:
    return sorted_files(files_in(place))


def bring(lake: Lake, place: Path, days: DayRange | None = None) -> ImportReport:
    return import_files(lake, TABLES, found_in(place), days, silent)


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def contents_by_day(lake: Lake) -> dict[date, tuple[dict[str, str], list[tuple[object, ...]]]]:
    """All that the lake holds of the archive, but not when it was imported."""
    return {
        partition.day: (
            lake.notes(partition),
            lake.read(RANKING, partition.day).drop("ingested_at").sort("full_name").rows(),
        )
        for partition in lake.partitions(RANKING)
    }


def stars_by_name(lake: Lake, day: date) -> dict[str, int]:
    return dict(lake.read(RANKING, day).select("full_name", "stars").iter_rows())


def ids_by_day(lake: Lake, *names: str) -> dict[date, dict[str, int]]:
    return {
        day: {
            name: repo_id
            for name, repo_id in lake.read(RANKING, day).select("full_name", "repo_id").iter_rows()
            if name in names
        }
        for day in lake.days(RANKING)
    }
