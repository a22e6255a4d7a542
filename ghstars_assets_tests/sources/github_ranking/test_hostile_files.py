"""Files that no honest archive has: a sentence says what is wrong, and what is right comes."""

import gzip
import io
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import utc_today
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.invented_rankings import (
    CAPTURED,
    COLUMNS,
    DAY,
    RANKING,
    bring,
    lists,
    row,
    stars_by_name,
    write,
)

NAME = f"github-ranking-{DAY}.csv"
GOOD = row("good/one", 7)
REFUSED = "1 left out, such as octo/cat with {} stars"


def _parquet(**columns: object) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


def _condensed(stars: pl.Series) -> bytes:
    names = [f"octo/cat{place or ''}" for place in range(len(stars) - 1)] + ["good/one"]
    return _parquet(snapshot_date=[DAY] * len(stars), full_name=names, stars=stars)


@pytest.mark.parametrize(
    ("stars", "shown"),
    [("-5", "-5"), ("1e400", "1e400"), (str(2**63), str(2**63)), ("many", "many"), ("", "no")],
)
def test_stars_that_cannot_be_are_refused_named_and_counted(
    lake: Lake, tmp_path: Path, stars: str, shown: str
) -> None:
    write(tmp_path / "files" / NAME, lists(row("octo/cat", stars=stars), GOOD))  # type: ignore[arg-type]
    report = bring(lake, tmp_path / "files")
    assert stars_by_name(lake, DAY) == {"good/one": 7}
    assert report.odd["rows that say nothing"][DAY] == REFUSED.format(shown)


@pytest.mark.parametrize(
    ("stars", "shown"),
    [
        (pl.Series([-1, 7]), "-1"),
        (pl.Series(["many", "7"]), "many"),
        (pl.Series([2**64 - 1, 7], dtype=pl.UInt64), str(2**64 - 1)),
        (pl.Series([float("inf"), 7.0]), "inf"),
        (pl.Series([1.5, 7.0]), "1.5"),
        (pl.Series([None, 7]), "no"),
    ],
)
def test_the_same_in_a_table_of_parquet(
    lake: Lake, tmp_path: Path, stars: pl.Series, shown: str
) -> None:
    write(tmp_path / "files/table.parquet", _condensed(stars))
    report = bring(lake, tmp_path / "files")
    assert stars_by_name(lake, DAY) == {"good/one": 7}
    assert report.odd["rows that say nothing"][DAY] == REFUSED.format(shown)


@pytest.mark.parametrize(
    "name", ["oc\0to/cat", "octo/cat?x=1", "[red]/x%00", "\ufffd/cat", "a/b/c"]
)
def test_a_name_that_no_repository_has_is_refused(lake: Lake, tmp_path: Path, name: str) -> None:
    write(tmp_path / "files" / NAME, lists(row(name), GOOD))
    report = bring(lake, tmp_path / "files")
    assert stars_by_name(lake, DAY) == {"good/one": 7}
    assert name in report.odd["rows that say nothing"][DAY]


@pytest.mark.parametrize("cell", ["forks", "issues"])
def test_a_row_with_a_negative_count_is_refused(lake: Lake, tmp_path: Path, cell: str) -> None:
    write(tmp_path / "files" / NAME, lists(row("octo/cat", **{cell: -3}), GOOD))
    bring(lake, tmp_path / "files")
    assert stars_by_name(lake, DAY) == {"good/one": 7}


HEADER = ",".join(COLUMNS).encode()
A_THOUSAND_MORE = HEADER + b"".join(b",c%d" % place for place in range(1000)) + b"\n1\n"
A_BOMB = gzip.compress(HEADER + b"\n" + b"0" * 70_000_000, 1)
UNUSABLE = {
    "a header alone": (NAME, HEADER + b"\n", "holds a header and no row"),
    "a column twice": (NAME, HEADER + b",stars\n1\n", "has the column stars twice"),
    "a million columns": (NAME, A_THOUSAND_MORE, "has more than 1,000 columns"),
    "a quote that does not close": (NAME, HEADER + b'\n1,"x\n1,2\n', "cannot be read as CSV"),
    "nothing that can be": (NAME, lists(row(stars=-1)), "holds no row that says anything (1 left"),
    "no day at all": ("github-ranking-2024-13-45.csv", lists(GOOD), "a day that no calendar has"),
    "a bomb": (
        f"{NAME}.gz",
        A_BOMB,
        "unpacks to far",
    ),
    "half a gzip": (f"{NAME}.gz", gzip.compress(lists(GOOD))[:-9], "is cut short or damaged"),
    "days as numbers": (
        "table.parquet",
        _parquet(snapshot_date=[20240305], full_name=["a/b"], stars=[1]),
        "snapshot_date is of the type Int64",
    ),
    "stars as a structure": (
        "table.parquet",
        _parquet(snapshot_date=[DAY], full_name=["a/b"], stars=[{"a": 1}]),
        "stars is of the type Struct",
    ),
    "names as lists": (
        "table.parquet",
        _parquet(snapshot_date=[DAY], full_name=[["a/b"]], stars=[1]),
        "table.parquet is damaged or has columns of another type",
    ),
    "no name": (
        "table.parquet",
        _parquet(snapshot_date=[DAY], full_name=["nobody"], stars=[1]),
        "no row says anything",
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_read_is_one_sentence(lake: Lake, tmp_path: Path, name: str) -> None:
    file, content, complaint = UNUSABLE[name]
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / file).write_bytes(content)
    with pytest.raises(SourceError) as refused:
        bring(lake, tmp_path / "files")
    assert complaint in str(refused.value)
    assert "left out" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert lake.days(RANKING) == []


def test_days_that_cannot_be_are_left_out_and_counted(lake: Lake, tmp_path: Path) -> None:
    ahead = date(utc_today().year + 2, 1, 1)
    days = [date(1, 1, 1), date(9999, 12, 31), date(1999, 1, 1), ahead, DAY]
    table = _parquet(snapshot_date=days, full_name=["a/b"] * 5, stars=[1] * 5)
    write(tmp_path / "files/table.parquet", table)
    report = bring(lake, tmp_path / "files")
    assert lake.days(RANKING) == [DAY]
    assert sorted(report.unusable) == [
        "1999-01-01 is no day that an archive can have by now; it was left out.",
        f"{ahead} is no day that an archive can have by now; it was left out.",
        "table.parquet has 2 rows of days that no calendar has; they were left out.",
    ]


def test_a_push_that_cannot_be_does_not_decide_the_day(lake: Lake, tmp_path: Path) -> None:
    odd = datetime(9999, 12, 31, tzinfo=UTC)
    write(tmp_path / "files" / NAME, lists(row("octo/cat", pushed_at=odd), GOOD))
    bring(lake, tmp_path / "files")
    assert lake.read(RANKING, DAY)["observed_at"].unique().to_list() == [CAPTURED]
