"""One day as one file of the archive has it: parsed, folded to a row a repository, and checked.

A raw list has a row for each list a repository stands in, with counts some minutes apart. Counts
seldom fall within minutes, so the highest is the latest. No file says when it was captured, but
somewhere on GitHub a repository of the lists is pushed to every few seconds: the newest push is
the moment of capture.
"""

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import polars as pl

from ghstars_assets.calendar import FIRST_DAY, LAST_DAY
from ghstars_assets.errors import SourceError

Form = Literal["csv", "parquet"]

_RAW_COLUMNS = {"stars", "forks", "repo_url", "last_commit"}
_PARQUET_COLUMNS = {"snapshot_date", "full_name", "stars"}
_DAY_IN_NAME = re.compile(r"(20\d\d-\d\d-\d\d)", re.ASCII)
_ADDRESS = r"^https://github\.com/([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+?)/?$"
_FULL_NAME = r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$"
_POSSIBLE_YEARS = (2008, 2999)
"""Of a push: GitHub began in the first, and a calendar ends somewhere."""
_MOST_COLUMNS = 1000
_FULL_LIST = 100
_MEASURES: dict[str, pl.DataType | type[pl.DataType]] = {
    "full_name": pl.String,
    "stars": pl.Int64,
    "stars_lowest": pl.Int64,
    "forks": pl.Int64,
    "open_issues": pl.Int64,
    "language": pl.String,
    "pushed_at": pl.Datetime("us", "UTC"),
    "lists": pl.Int64,
}


@dataclass(frozen=True)
class ArchiveDay:
    """A day of the archive, one row a repository."""

    day: date
    form: Form
    rows: pl.DataFrame
    captured_at: datetime
    odd: dict[str, str] = field(default_factory=dict)
    """What is odd about it: kind and particulars."""
    is_timed: bool = False
    """Whether a table says when it was captured."""

    @property
    def fingerprint(self) -> str:
        """A hash of the content, whatever the file is called; higher where a table has its time."""
        listed = f"{self.rows.write_csv()}{self.captured_at:%Y-%m-%dT%H:%M:%S}".encode()
        return f"{int(self.is_timed)}{hashlib.blake2b(listed, digest_size=8).hexdigest()}"

    @property
    def rank(self) -> tuple[int, int, str]:
        """Of two files of a day the one of the higher rank counts, whichever came first: the
        archive's own before what somebody made of it, then the fuller one."""
        return int(self.form == "csv"), self.rows.height, self.fingerprint


def is_raw(columns: AbstractSet[str]) -> bool:
    return columns >= _RAW_COLUMNS


def is_condensed(columns: AbstractSet[str]) -> bool:
    return columns >= _PARQUET_COLUMNS


def read_raw(content: bytes, name: str) -> ArchiveDay:
    """A file of lists, as the archive has them."""
    lists = _parsed(content, name)
    listed = lists.with_columns(
        full_name=pl.col("repo_url").str.extract(_ADDRESS),
        pushed_at=_possible(
            pl.col("last_commit").str.to_datetime(
                "%Y-%m-%dT%H:%M:%SZ", strict=False, time_unit="us", time_zone="UTC"
            )
        ),
        written=pl.col("stars"),
        stars=pl.col("stars").cast(pl.Int64, strict=False),
        forks=pl.col("forks").cast(pl.Int64, strict=False),
        open_issues=_column(lists, "issues").cast(pl.Int64, strict=False),
        item=_column(lists, "item"),
        language=_column(lists, "language"),
    )
    good, odd = _usable(listed.with_columns(called=pl.coalesce("full_name", "repo_url")))
    if good.is_empty():
        raise SourceError(
            f"{name} holds no row that says anything ({odd['rows that say nothing']}); it was left "
            "out."
        )
    short = Counter(good["item"].drop_nulls().to_list())
    cut = {item: rows for item, rows in short.items() if rows < _FULL_LIST}
    if cut:
        item, rows = min(cut.items(), key=lambda found: (found[1], found[0]))
        odd["short lists"] = f"{len(cut)} of {len(short)} lists, {item} has {rows} rows"
    rows = (
        good.group_by(pl.col("full_name").str.to_lowercase().alias("_name"))
        .agg(
            pl.col("full_name").sort_by("stars", "full_name").last(),
            pl.col("stars").max(),
            pl.col("stars").min().alias("stars_lowest"),
            pl.col("forks").max(),
            pl.col("open_issues").max(),
            pl.col("language").drop_nulls().sort().last(),
            pl.col("pushed_at").max(),
            pl.len().cast(pl.Int64).alias("lists"),
        )
        .select(*_MEASURES)
        .cast(_MEASURES)  # pyright: ignore[reportArgumentType]
    )
    several = rows.filter(pl.col("stars") > pl.col("stars_lowest"))
    if several.height:
        widest = (several["stars"] - several["stars_lowest"]).max()
        odd["several counts"] = f"{several.height:,} repositories, by up to {widest} stars"
    return _dated(rows, name, odd)


def read_condensed(rows: pl.DataFrame, day: date, captured_at: datetime | None) -> ArchiveDay:
    """A day of a table that somebody made of such files, one row a repository and day."""
    absent = [column for column in _MEASURES if column not in rows.columns]
    listed = rows.with_columns(pl.lit(None).alias(column) for column in absent)
    is_name = pl.col("full_name").cast(pl.String).str.contains(_FULL_NAME)
    listed, odd = _usable(
        listed.select(
            called=pl.col("full_name").cast(pl.String),
            written=pl.col("stars").cast(pl.String),
            full_name=pl.when(is_name).then(pl.col("full_name").cast(pl.String)),
            **{name: _whole(rows, name) for name, kind in _MEASURES.items() if kind == pl.Int64},
            language=pl.col("language").cast(pl.String),
            pushed_at=_possible(pl.col("pushed_at").cast(_MEASURES["pushed_at"], strict=False)),
        )
    )
    listed = listed.select(*_MEASURES).cast(_MEASURES)  # pyright: ignore[reportArgumentType]
    if listed.is_empty():
        raise SourceError(f"Of {day} no row says anything, so the day was left out.")
    once = (
        listed.sort("stars", "full_name")
        .unique(pl.col("full_name").str.to_lowercase(), keep="last", maintain_order=True)
        .sort("full_name")
    )
    if once.height < listed.height:
        odd["twice in a day"] = f"{listed.height - once.height:,} rows, the lower count left out"
    newest = _newest_push(once, day)
    if captured_at and newest and abs(captured_at - newest) > timedelta(minutes=30):
        odd["capture time"] = (
            f"the quality table says {captured_at:%H:%M}, the newest push {newest:%H:%M}; "
            "the table was taken"
        )
    moment = captured_at or newest
    if moment is None:
        # Nothing shows the hour. The day's end cannot make a count known too early.
        odd["capture time"] = "unknown; the end of the day was taken"
        moment = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)
    return ArchiveDay(day, "parquet", once, moment, odd, is_timed=captured_at is not None)


def _dated(rows: pl.DataFrame, name: str, odd: dict[str, str]) -> ArchiveDay:
    """The newest push shows the day, too: a file of another day under this name is found out."""
    rows = rows.sort("full_name")
    named = _DAY_IN_NAME.search(name)
    newest = rows["pushed_at"].max()
    if not isinstance(newest, datetime):
        raise SourceError(
            f"{name} holds no repository with a push, so its day is unknown; it was left out."
        )
    day = newest.date()
    meant = _day_of(named[1], name) if named else day
    if meant != day:
        newest = _newest_push(rows, meant)
        if newest is None:
            raise SourceError(
                f"{name} holds the lists of {day}, its newest push, and not of the day in its "
                "name; it was left out."
            )
        later = rows.filter(pl.col("pushed_at") > newest).height
        odd["pushes of a later day"] = f"{later:,} repositories, up to {day}"
        day = meant
    return ArchiveDay(day, "csv", rows, newest, odd)


def _usable(listed: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """The rows that name a repository and counts that can be. What is left out is counted, and the
    first of it named."""
    counts = [name for name, kind in _MEASURES.items() if kind == pl.Int64 and name != "lists"]
    are_counts = [pl.col(name).fill_null(0) >= 0 for name in counts if name in listed.columns]
    is_usable = pl.col("full_name").is_not_null() & pl.col("stars").is_not_null()
    is_usable = pl.all_horizontal(is_usable, *are_counts)
    good = listed.filter(is_usable)
    if good.height == listed.height:
        return good, {}
    first = listed.filter(~is_usable).row(0, named=True)
    example = f"{_shown(first['called'])} with {_shown(first['written'] or 'no')} stars"
    left_out = f"{listed.height - good.height:,} left out, such as {example}"
    return good, {"rows that say nothing": left_out}


def _shown(value: object) -> str:
    text = "a row without a name" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _whole(rows: pl.DataFrame, name: str) -> pl.Expr:
    """A column of counts as whole numbers, null where there is none."""
    if name not in rows.columns:
        return pl.lit(None, pl.Int64)
    kind = rows.schema[name]
    if kind.is_nested() or kind.is_temporal():
        raise pl.exceptions.SchemaError(f"{name} is of the type {kind}")
    value = pl.col(name)
    if kind.is_float():
        value = pl.when(value == value.round()).then(value)
    return value.cast(pl.Int64, strict=False)


def _possible(moment: pl.Expr) -> pl.Expr:
    return pl.when(moment.dt.year().is_between(*_POSSIBLE_YEARS)).then(moment)


def _day_of(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SourceError(f"{name} names a day that no calendar has; it was left out.") from None


def _newest_push(rows: pl.DataFrame, day: date) -> datetime | None:
    on_day = rows.filter(pl.col("pushed_at").dt.date() == day)["pushed_at"].max()
    return on_day if isinstance(on_day, datetime) else None


def _parsed(content: bytes, name: str) -> pl.DataFrame:
    first_line = content[: content.find(b"\n")]
    columns = [one.strip().strip(b'"') for one in first_line.split(b",", _MOST_COLUMNS)]
    twice = [one for one in _RAW_COLUMNS if columns.count(one.encode()) > 1]
    if len(columns) > _MOST_COLUMNS or twice:
        what = f"the column {twice[0]} twice" if twice else f"more than {_MOST_COLUMNS:,} columns"
        raise SourceError(f"{name} has {what}; it was left out.")
    try:
        parsed = pl.read_csv(
            io.BytesIO(content),
            infer_schema=False,
            truncate_ragged_lines=True,
            encoding="utf8-lossy",
        )
    except pl.exceptions.PolarsError as error:
        why = str(error).splitlines()[0]
        raise SourceError(f"{name} cannot be read as CSV ({why}); it was left out.") from None
    if not is_raw(set(parsed.columns)):
        raise SourceError(f"{name} lacks the columns of a ranking list; it was left out.")
    if parsed.is_empty():
        raise SourceError(f"{name} holds a header and no row; it was left out.")
    return parsed


def _column(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, pl.String)


def days_of(listed: pl.LazyFrame) -> Iterator[date]:
    """The days of a condensed table, in order; not those that no calendar has."""
    kind = listed.collect_schema()["snapshot_date"]
    if not kind.is_temporal():
        raise pl.exceptions.SchemaError(f"snapshot_date is of the type {kind}")
    day = pl.col("snapshot_date").cast(pl.Date)
    days = listed.select(day.filter(_is_possible_day(day)).unique()).collect()
    yield from days["snapshot_date"].sort().to_list()


def rows_beyond(listed: pl.LazyFrame) -> int:
    """How many rows of a condensed table are of days that no calendar has."""
    day = pl.col("snapshot_date").cast(pl.Date)
    return listed.select((~_is_possible_day(day)).sum()).collect().item()


def _is_possible_day(day: pl.Expr) -> pl.Expr:
    return day.is_between(FIRST_DAY, LAST_DAY)
