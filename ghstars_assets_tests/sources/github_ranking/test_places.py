"""Which files are of use, known by their columns, and how an archive on the web is asked."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SourceError
from ghstars_assets.sources.archives import FoundFile
from ghstars_assets.sources.github_ranking import places
from ghstars_assets.sources.github_ranking.identity import Rename
from ghstars_assets.sources.github_ranking.places import (
    capture_times,
    describe_unknown,
    files_over_http,
    is_sandbox_address,
    table_in,
    unpacked,
)
from ghstars_assets_tests.support.invented_rankings import (
    CAPTURED,
    COLUMNS,
    DAY,
    condensed,
    found_in,
    lists,
    quality_table,
    renames_table,
    row,
    write,
    write_parquet,
)

NEXT_DAY = DAY + timedelta(days=1)
LISTS = lists(row())
RENAMES = renames_table([Rename(DAY, "octo/kitten", "octo/cat")])


# ---- in a folder --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "github-ranking-2024-03-05.csv",
        "github-ranking-2024-03-05.csv.gz",
        "Data/github-ranking-2024-03-05.csv",
        "2024/march/tuesday",
        "renames.parquet",
        ".hidden",
    ],
)
def test_lists_are_known_by_their_columns_whatever_they_are_called(
    tmp_path: Path, name: str
) -> None:
    path = write(tmp_path / name, LISTS)
    found = found_in(tmp_path)
    assert (found.raw, found.unknown) == ([path], [])
    assert unpacked(path) == LISTS
    assert found_in(path).raw == [path]


def test_packed_or_not_is_known_by_the_content(tmp_path: Path) -> None:
    packed = write(tmp_path / "packed.gz", LISTS).read_bytes()
    path = write(tmp_path / "github-ranking-2024-03-05.csv", packed)
    assert found_in(tmp_path).raw == [path, tmp_path / "packed.gz"]
    assert unpacked(path) == LISTS


def test_tables_beside_the_lists_are_known_by_their_columns(tmp_path: Path) -> None:
    table = write_parquet(tmp_path / "a", condensed(DAY, cat=1))
    renames = write_parquet(tmp_path / "stars.parquet", RENAMES)
    listed = tmp_path / "more.csv"
    pl.DataFrame(RENAMES).write_csv(listed)
    quality = write_parquet(tmp_path / "c", quality_table({DAY: CAPTURED}))
    found = found_in(tmp_path)
    assert (found.condensed, found.renames, found.qualities) == (
        [table],
        [listed, renames],
        [quality],
    )
    assert found.unknown == []


@pytest.mark.parametrize("folder", ["stars [old]", "stars*", "{stars}", "year=2024"])
def test_a_folder_may_have_any_name(tmp_path: Path, folder: str) -> None:
    table = write_parquet(tmp_path / folder / "day.parquet", condensed(DAY, cat=1))
    renames = write_parquet(tmp_path / folder / "names.parquet", RENAMES)
    found = found_in(tmp_path / folder)
    assert (found.condensed, found.renames) == ([table], [renames])
    assert table_in(renames)["old_name"].to_list() == ["octo/kitten"]


def test_a_clone_is_its_data_and_nothing_of_git_itself(tmp_path: Path) -> None:
    clone = tmp_path / "Github-Ranking"
    path = write(clone / "Data/github-ranking-2024-03-05.csv", LISTS)
    write(clone / ".git/objects/github-ranking-2024-03-06.csv", LISTS)
    readme = write(clone / "README.md", b"# Github Ranking\n")
    source = write(clone / "source/process.py", b"import this\n")
    found = found_in(clone)
    assert (found.raw, found.unknown) == ([path], [readme, source])


def test_a_clone_below_a_folder_called_git_is_a_clone(tmp_path: Path) -> None:
    path = write(tmp_path / ".git/modules/Data/day.csv", LISTS)
    assert found_in(tmp_path / ".git/modules").raw == [path]


_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 733204\n"
_ANNEX_POINTER = b"/annex/objects/SHA256E-s733204--4d7a.csv\n"


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\n",
        _LFS_POINTER,
        _ANNEX_POINTER,
        b"PAR1",
        b"PAR1" + bytes(100) + b"PAR1",
        b"\x1f\x8b",
        b"\x1f\x8b" + b"\xff" * 100,
        bytes(range(256)),
        "rank,item,stars\n".encode("utf-16"),
        b"stars,forks\n1,2\n",
    ],
)
def test_junk_is_unknown_and_does_no_harm(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "github-ranking-2024-03-05.csv"
    path.write_bytes(junk)
    good = write(tmp_path / "good.csv", LISTS)
    found = found_in(tmp_path)
    assert (found.raw, found.unknown) == ([good], [path])
    assert describe_unknown(found.unknown) == ["1 × .csv, such as github-ranking-2024-03-05.csv"]


def test_a_link_into_an_annex_that_was_not_fetched_is_unknown(tmp_path: Path) -> None:
    link = tmp_path / "github-ranking-2024-03-05.csv"
    link.symlink_to(tmp_path / ".git/annex/objects/SHA256E-s733204--4d7a.csv")
    found = found_in(tmp_path)
    assert (found.raw, found.unknown) == ([], [link])


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent does not exist; name a clone of the archive"):
        found_in(tmp_path / "absent")


def test_unknown_files_are_listed_by_their_ending_with_an_example() -> None:
    paths = [Path(name) for name in ("b.md", "a.md", "LICENSE", *(f"{n}.py" for n in range(1200)))]
    assert describe_unknown(paths) == [
        "2 × .md, such as b.md",
        "1,200 × .py, such as 0.py",
        "1 × no ending, such as LICENSE",
    ]


# ---- a file's content ---------------------------------------------------------------------------


@pytest.mark.parametrize("left", [0.5, 0.95])
def test_a_packed_file_that_was_cut_short_is_refused_by_name(tmp_path: Path, left: float) -> None:
    rows = [row(f"octo/cat{n}", n * n) for n in range(300)]
    path = write(tmp_path / "day.csv.gz", lists(*rows))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * left)])
    assert found_in(tmp_path).raw == [path]
    with pytest.raises(SourceError, match=r"day\.csv\.gz is cut short or damaged \(EOFError\)"):
        unpacked(path)


def test_a_packed_file_with_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "day.csv.gz", LISTS)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # in its checksum
    path.write_bytes(content)
    with pytest.raises(SourceError, match="is cut short or damaged"):
        unpacked(path)


def test_a_file_that_unpacks_to_far_more_than_lists_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "bomb.gz", LISTS)
    monkeypatch.setattr(places, "MOST_CSV_BYTES", len(LISTS))
    assert unpacked(path) == LISTS
    monkeypatch.setattr(places, "MOST_CSV_BYTES", len(LISTS) - 1)
    with pytest.raises(SourceError, match=r"bomb\.gz unpacks to far more than a day's lists"):
        unpacked(path)


def test_columns_are_read_through_a_byte_order_mark_quotes_and_carriage_returns(
    tmp_path: Path,
) -> None:
    header = ",".join(f'"{name}"' for name in COLUMNS)
    path = write(tmp_path / "x", b"\xef\xbb\xbf" + header.encode() + b"\r\n1\r\n")
    assert FoundFile(path).columns == set(COLUMNS)


def test_capture_times_are_utc_however_they_were_written(tmp_path: Path) -> None:
    moments = {
        "naive": CAPTURED.replace(tzinfo=None),
        "utc": CAPTURED,
        "paris": CAPTURED.astimezone(ZoneInfo("Europe/Paris")),
    }
    for name, moment in moments.items():
        path = write_parquet(tmp_path / name, quality_table({DAY: moment}))
        assert capture_times(path) == {DAY: CAPTURED}
    listed = write(
        tmp_path / "csv", b"snapshot_date,capture_utc\n2024-03-05,2024-03-05T04:03:00Z\n"
    )
    assert capture_times(listed) == {DAY: CAPTURED}


def test_a_day_without_a_capture_time_has_none(tmp_path: Path) -> None:
    rows = [*quality_table({DAY: CAPTURED}), {"snapshot_date": NEXT_DAY, "capture_utc": None}]
    assert capture_times(write_parquet(tmp_path / "q", rows)) == {DAY: CAPTURED}


# ---- the web ------------------------------------------------------------------------------------


class Archive:
    """A server of files, of which some can be made to fail."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.failing: dict[str, list[int]] = {}
        self.is_sandbox = False
        self.asked: list[str] = []
        self.url = ""

    def path(self, day: date, folder: str = "") -> str:
        return f"{folder}/github-ranking-{day}.csv"


@pytest.fixture
def archive() -> Iterator[Archive]:
    served = Archive()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            failing = served.failing.get(self.path, [])
            body = served.files.get(self.path)
            status = failing.pop(0) if failing else (200 if body is not None else 404)
            sent = body if body is not None and status == 200 else b"a page that says so"
            self.send_response(status)
            self.send_header("content-length", str(len(sent)))
            if served.is_sandbox:
                self.send_header("x-ghstars-sandbox", "5/60/2024-03-01")
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept, without sleeping."""
    slept: list[float] = []
    monkeypatch.setattr(places.time, "sleep", slept.append)
    return slept


def fetch(
    place: str, first: date = DAY, last: date = NEXT_DAY
) -> list[tuple[date, str, bytes | None]]:
    return list(files_over_http(place, DayRange(first, last), lambda _day: True))


@pytest.mark.parametrize("folder", ["", "/Data"])
def test_files_are_found_there_or_in_the_archives_own_folder(archive: Archive, folder: str) -> None:
    for day in (DAY, NEXT_DAY):
        archive.files[archive.path(day, folder)] = f"of {day}".encode()
    assert fetch(archive.url + "/") == [
        (day, f"github-ranking-{day}.csv", f"of {day}".encode()) for day in (DAY, NEXT_DAY)
    ]


def test_where_one_file_lies_the_others_are_looked_for(archive: Archive) -> None:
    archive.files[archive.path(DAY, "/Data")] = LISTS
    fetch(archive.url)
    assert archive.asked == [
        archive.path(DAY),
        archive.path(DAY, "/Data"),
        archive.path(NEXT_DAY, "/Data"),
    ]


def test_a_day_without_a_file_is_reported_as_such(archive: Archive) -> None:
    archive.files[archive.path(NEXT_DAY)] = LISTS
    archive.failing[archive.path(DAY)] = [410] * 9
    assert [content for _, _, content in fetch(archive.url)] == [None, LISTS]


def test_a_day_that_is_not_wanted_is_not_asked_for(archive: Archive) -> None:
    archive.files[archive.path(NEXT_DAY)] = LISTS
    days = DayRange(DAY, NEXT_DAY)
    assert [day for day, _, _ in files_over_http(archive.url, days, lambda day: day > DAY)] == [
        NEXT_DAY
    ]
    assert archive.asked == [archive.path(NEXT_DAY)]


def test_a_passing_fault_is_tried_again(archive: Archive, waited: list[float]) -> None:
    archive.files[archive.path(DAY)] = LISTS
    archive.failing[archive.path(DAY)] = [503, 429]
    assert fetch(archive.url, DAY, DAY) == [(DAY, f"github-ranking-{DAY}.csv", LISTS)]
    assert waited == sorted(waited)
    assert len(waited) == 2


@pytest.mark.parametrize("status", [500, 403, 301])
def test_a_fault_that_stays_ends_it_with_the_remedy(
    archive: Archive, waited: list[float], status: int
) -> None:
    archive.failing[archive.path(DAY)] = [status] * 9
    with pytest.raises(SourceError) as caught:
        fetch(archive.url)
    assert str(caught.value) == (
        f"{archive.url}{archive.path(DAY)} could not be fetched in 4 tries (status {status}); run "
        "the same again, it goes on where it stopped."
    )
    assert (len(archive.asked), len(waited)) == (4, 3)


def test_a_server_that_is_not_there_is_one_sentence(waited: list[float]) -> None:
    nobody = "http://127.0.0.1:9"  # the discard port
    with pytest.raises(SourceError, match=r"could not be fetched in 4 tries \(ConnectError\)"):
        fetch(nobody)
    with pytest.raises(SourceError, match=r"127.0.0.1:9 does not answer \(ConnectError\)"):
        is_sandbox_address(nobody)
    assert len(waited) == 3


@pytest.mark.parametrize(
    "place",
    [
        "http://archive.invalid",
        "http://127.0.0.1.archive.invalid/Data",
        "https://me:secret@archive.invalid",
        "ftp://127.0.0.1/Data",
        "file:///tmp",
        "https://",
    ],
)
def test_an_address_that_others_could_alter_is_refused(place: str) -> None:
    for ask in (fetch, is_sandbox_address):
        with pytest.raises(SourceError, match="an archive's address begins with https://"):
            ask(place)


def test_an_invented_worlds_archive_says_so_itself(archive: Archive) -> None:
    assert not is_sandbox_address(archive.url)
    archive.is_sandbox = True
    assert is_sandbox_address(archive.url)


@pytest.mark.parametrize(
    "page",
    [
        "https://github.com/EvanLi/Github-Ranking",
        "https://github.com/EvanLi/Github-Ranking/",
        "https://github.com/EvanLi/Github-Ranking.git",
        "https://github.com/EvanLi/Github-Ranking/tree/master/Data",
    ],
)
def test_a_repositorys_page_leads_to_its_files(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=LISTS)

    real = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **_given: real(transport=httpx.MockTransport(answer))
    )
    fetch(page, DAY, DAY)
    folder = "https://raw.githubusercontent.com/EvanLi/Github-Ranking/master/Data"
    assert asked == [f"{folder}/github-ranking-2024-03-05.csv"]
    assert not is_sandbox_address(page)
