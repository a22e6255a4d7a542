"""Hours over HTTP: each is fetched once; a server's faults are reported, never stored."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.gharchive.downloading import hours_over_http
from ghstars_assets.sources.gharchive.importing import HoursReport, import_hours
from ghstars_assets.sources.gharchive.tables import LAST_TRUSTED, gharchive_tables
from ghstars_assets_tests.support.invented_hours import DAY, SEVEN, hour_of

TABLES = gharchive_tables("stars")
SEVEN_OCLOCK, EIGHT_OCLOCK = "/2021-07-21-7.json.gz", "/2021-07-21-8.json.gz"


class Archive:
    """A server of files, of which some can be made to fail."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.failing: dict[str, int] = {}
        self.broken_off: set[str] = set()
        self.asked: list[str] = []
        self.url = ""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    served = Archive()
    for number, path in enumerate((SEVEN_OCLOCK, EIGHT_OCLOCK)):
        file = hour_of(tmp_path / "served", SEVEN + timedelta(hours=number), 1, 2)
        served.files[path] = file.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            body = served.files.get(self.path)
            status = served.failing.get(self.path, 200 if body else 404)
            self.send_response(status)
            sent = body if body and status == 200 else b""
            self.send_header("content-length", str(len(sent)))
            if self.path.endswith("8.json.gz"):
                self.send_header("content-encoding", "gzip")  # as some servers call a .gz
            self.end_headers()
            self.wfile.write(sent[:50] if self.path in served.broken_off else sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    serving.join()
    server.server_close()


def fetch(lake: Lake, archive: Archive, days: DayRange | None = None) -> HoursReport:
    return hours_over_http(
        lake, TABLES, archive.url + "/", days or DayRange(DAY, DAY), lambda _message: None
    )


def test_what_is_fetched_is_what_importing_the_files_gives(
    lake: Lake, archive: Archive, tmp_path: Path
) -> None:
    report = fetch(lake, archive)
    assert [(hour.hour, hour.is_new) for hour in report.hours] == [(7, True), (8, True)]
    local = sorted((tmp_path / "served").iterdir())
    assert len(import_hours(lake, TABLES, local, None, lambda _message: None).kept) == 2
    assert lake.read(TABLES.hours.name, DAY)["stars_gained"].sum() == 4


def test_an_hour_that_the_server_has_not_is_reported_as_missing(
    lake: Lake, archive: Archive
) -> None:
    report = fetch(lake, archive)
    assert len(report.absent) == 22
    assert report.absent[0] == f"{archive.url}/2021-07-21-0.json.gz"
    assert report.lacking == {DAY: tuple(hour for hour in range(24) if hour not in (7, 8))}


def test_a_stored_hour_is_not_fetched_again(lake: Lake, archive: Archive) -> None:
    fetch(lake, archive)
    archive.asked.clear()
    report = fetch(lake, archive)
    assert len(archive.asked) == 22
    assert [hour.hour for hour in report.kept] == [7, 8]


def test_a_failing_hour_is_reported_and_fetched_the_next_time(lake: Lake, archive: Archive) -> None:
    archive.failing[SEVEN_OCLOCK] = 503
    report = fetch(lake, archive)
    assert [(hour.hour, hour.is_new) for hour in report.hours] == [(8, True)]
    (refused,) = report.refused
    assert refused.name == archive.url + SEVEN_OCLOCK
    assert refused.reason == "the server answered 503; fetch it again later."
    archive.failing.clear()
    assert [hour.hour for hour in fetch(lake, archive).taken] == [7]


def test_a_download_that_breaks_off_leaves_nothing(lake: Lake, archive: Archive) -> None:
    archive.broken_off.add(SEVEN_OCLOCK)
    report = fetch(lake, archive)
    assert "the answer broke off" in report.refused[0].reason
    assert [part.part for part in lake.partitions(TABLES.hours.name)] == ["hour-08"]
    assert list(lake.settings.spill_path.iterdir()) == []


def test_a_page_in_place_of_an_hour_is_refused_by_its_address(lake: Lake, archive: Archive) -> None:
    archive.files[SEVEN_OCLOCK] = b"<html>Please wait</html>"
    (refused,) = fetch(lake, archive).refused
    assert refused.reason.startswith(f"{archive.url}{SEVEN_OCLOCK} is no gzip file")


def test_days_from_june_2025_on_are_not_even_asked_for(lake: Lake, archive: Archive) -> None:
    days = DayRange(LAST_TRUSTED, LAST_TRUSTED + timedelta(days=30))
    report = fetch(lake, archive, days)
    assert {path[:11] for path in archive.asked} == {"/2025-05-31"}
    (refused,) = report.refused
    assert refused.name == f"2025-06-01 to 2025-06-30 at {archive.url}"
    assert "cannot be trusted" in refused.reason
    assert list(report.lacking) == [date(2025, 5, 31)]


def test_a_server_that_is_not_there_is_one_sentence(lake: Lake) -> None:
    nobody = "http://127.0.0.1:9"  # the discard port
    with pytest.raises(SourceError, match=r"2021-07-21-0\.json\.gz cannot be reached; what was"):
        hours_over_http(lake, TABLES, nobody, DayRange(DAY, DAY), lambda _message: None)


@pytest.mark.parametrize(
    "url",
    [
        "http://data.example.org",
        "ftp://127.0.0.1",
        "https://user:secret@data.example.org",
        "https://data.example.org/?of=2021",
        "https://data example.org",
        "https://data.example.org:99999",
        "https://[::1",
        "",
    ],
)
def test_an_address_that_others_could_alter_is_refused(lake: Lake, url: str) -> None:
    with pytest.raises(SourceError, match="must be https://") as caught:
        hours_over_http(lake, TABLES, url, DayRange(DAY, DAY), lambda _message: None)
    assert "secret" not in str(caught.value)
