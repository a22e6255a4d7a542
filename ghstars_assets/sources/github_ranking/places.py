"""Where the archive lies: its files in a folder or a clone, by their columns, or on the web."""

import gzip
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import polars as pl

from ghstars_assets.calendar import FIRST_DAY, LAST_DAY, DayRange
from ghstars_assets.errors import SourceError
from ghstars_assets.sources.addresses import is_safe
from ghstars_assets.sources.archives import GZIP_MAGIC, PARQUET_MAGIC, FileUse, FoundFile
from ghstars_assets.sources.github_ranking.archive_days import is_condensed, is_raw

if TYPE_CHECKING:
    import httpx

MOST_CSV_BYTES = 64 * 2**20
"""A day's file has 0.7 MB; what unpacks to far more is none."""

_TRIES = 4
_LONGEST_SECONDS = 300.0
_REPOSITORY_PAGE = "https://github.com/"
_RAW_FILES = "https://raw.githubusercontent.com/{repository}/master/Data"


@dataclass
class FilesFound:
    """What lies in a folder, by what it is."""

    raw: list[Path] = field(default_factory=list)
    condensed: list[Path] = field(default_factory=list)
    renames: list[Path] = field(default_factory=list)
    qualities: list[Path] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


def sorted_files(files: Iterable[FoundFile], unknown: Iterable[Path] = ()) -> FilesFound:
    """The files by their kind, and behind those that are unknown already those that are here."""
    found = FilesFound(unknown=list(unknown))
    for file in files:
        _kind_of(file, found).append(file.path)
    return found


def file_use(file: FoundFile) -> FileUse | None:
    found = sorted_files([file])
    if found.unknown:
        return None
    return FileUse.DAYS if found.raw or found.condensed else FileUse.HELP


def _kind_of(file: FoundFile, found: FilesFound) -> list[Path]:
    if is_raw(file.columns):
        return found.raw
    if is_condensed(file.columns):
        return found.condensed
    if file.columns >= {"first_date_new_name", "old_name", "new_name"}:
        return found.renames
    if file.columns >= {"snapshot_date", "capture_utc"}:
        return found.qualities
    return found.unknown


def unpacked(path: Path) -> bytes:
    """A file's content, unpacked where it is packed; whole, or an error that names it."""
    content = path.read_bytes()
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        with gzip.open(path) as file:
            content = file.read(MOST_CSV_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError(
            f"{path.name} is cut short or damaged ({type(error).__name__}); it was left out: fetch "
            "it again."
        ) from None
    if len(content) > MOST_CSV_BYTES:
        raise SourceError(f"{path.name} unpacks to far more than a day's lists; it was left out.")
    return content


def table_in(path: Path) -> pl.DataFrame:
    """A small table beside the archive's files."""
    with path.open("rb") as file:
        is_parquet = file.read(4) == PARQUET_MAGIC
    return (
        pl.read_parquet(path, glob=False)
        if is_parquet
        else pl.read_csv(unpacked(path), try_parse_dates=True)
    )


def capture_times(path: Path) -> dict[date, datetime]:
    """When each day was captured, by a quality table."""
    rows = table_in(path).select(
        pl.col("snapshot_date").cast(pl.Date),
        pl.col("capture_utc").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
    )
    is_possible = pl.all_horizontal(pl.all().dt.year().is_between(FIRST_DAY.year, LAST_DAY.year))
    return dict(rows.filter(is_possible).iter_rows())


def describe_unknown(paths: list[Path]) -> list[str]:
    """By ending, with an example each: a clone may hold hundreds."""
    by_ending: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_ending[path.suffix or "no ending"].append(path.name)
    return [
        f"{len(names):,} × {ending}, such as {names[0]}"
        for ending, names in sorted(by_ending.items())
    ]


# ---- the web --------------------------------------------------------------------------------


def files_over_http(
    place: str, days: DayRange, is_wanted: Callable[[date], bool]
) -> Iterator[tuple[date, str, bytes | None]]:
    """Each wanted day's file, None where the archive has none; one request at a time."""
    import httpx

    base = _base_of(place)
    is_outside = base.startswith("https:")
    with httpx.Client(timeout=30, trust_env=is_outside) as client:
        folders = _folders(base)
        for day in days:
            if not is_wanted(day):
                continue
            name = f"github-ranking-{day}.csv"
            content = None
            for folder in tuple(folders):
                content = _fetched(client, f"{folder}/{name}")
                if content is not None:
                    # Where one lies, the others do.
                    folders = [folder]
                    break
            yield day, name, content


def is_sandbox_address(place: str) -> bool:
    """Whether an invented world's archive answers."""
    import httpx

    if urlsplit(_base_of(place)).scheme == "https":
        return False
    base, name = _base_of(place), f"github-ranking-{date.min}.csv"
    try:
        with httpx.Client(timeout=30, trust_env=False) as client:
            return any(_is_of_a_sandbox(client, f"{folder}/{name}") for folder in _folders(base))
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise SourceError(
            f"{place} does not answer ({type(error).__name__}); mend the address."
        ) from None


def _is_of_a_sandbox(client: "httpx.Client", url: str) -> bool:
    with client.stream("GET", url) as answer:
        return "x-ghstars-sandbox" in answer.headers


def _folders(base: str) -> list[str]:
    """Where the files may lie: there, or in the folder that the repository keeps them in."""
    return [base, f"{base}/Data"]


def _base_of(place: str) -> str:
    base = place.rstrip("/")
    if base.startswith(_REPOSITORY_PAGE):
        repository = "/".join(base.removeprefix(_REPOSITORY_PAGE).split("/")[:2])
        base = _RAW_FILES.format(repository=repository.removesuffix(".git"))
    if not is_safe(base):
        raise SourceError(
            f"{place} cannot be asked: an archive's address begins with https://, or http:// on "
            "this very machine."
        )
    return base


def _answer(client: "httpx.Client", url: str) -> tuple[int, bytes]:
    """The status and the body, which is no longer and takes no longer than a day's lists can."""
    began, content = time.monotonic(), bytearray()
    with client.stream("GET", url) as answer:
        if answer.status_code != 200:
            return answer.status_code, b""
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > MOST_CSV_BYTES or time.monotonic() - began > _LONGEST_SECONDS:
                raise SourceError(
                    f"{url} is answered with far more than a day's lists; name another address."
                )
    if content[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise SourceError(
            f"{url} is answered with a web page and not with lists; name the folder of the files, "
            "or sign in to the network."
        )
    return 200, bytes(content)


def _fetched(client: "httpx.Client", url: str) -> bytes | None:
    import httpx

    fault = ""
    for tries_left in reversed(range(_TRIES)):
        try:
            status, content = _answer(client, url)
        except httpx.RequestError as error:
            fault = type(error).__name__
        else:
            if status == 200:
                return content
            if status in (404, 410):
                return None
            fault = f"status {status}"
        if tries_left:
            time.sleep(2.0 ** (_TRIES - tries_left) / 4)
    raise SourceError(
        f"{url} could not be fetched in {_TRIES} tries ({fault}); run the same again, it goes on "
        "where it stopped."
    )
