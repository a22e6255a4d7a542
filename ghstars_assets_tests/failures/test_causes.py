"""Failures: which cause an error has, and which sentence of it a user reads."""

import errno
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import httpx
import obstore
import polars as pl
import pytest
from obstore.fsspec import FsspecStore
from obstore.store import S3Store, from_url
from pydantic import SecretStr

from ghstars_assets.errors import (
    BudgetError,
    Cause,
    GhstarsError,
    LogMovedError,
    MissingDayError,
    NoChampionError,
    NotEnoughHistoryError,
    QuarantinedDayError,
    SettingsError,
    SourceError,
    SqlAssetError,
    WrongHomeError,
)
from ghstars_assets.failures import causes
from ghstars_assets.failures.causes import classify, returns_in_seconds, sentence, waits
from ghstars_assets.learning.stage import CannotFillError
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.settings import Settings

NOW = datetime(2026, 1, 14, 6, tzinfo=UTC)
PASSWORD = "hunter2-of-the-tests"


def _raised(act: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as raised:  # noqa: PT011 - whatever the library raises
        act()
    return raised.value


def _answer(status: int, headers: dict[str, str] | None = None) -> httpx.HTTPStatusError:
    asked = httpx.Request("GET", f"https://reader:{PASSWORD}@example.org/x?token={PASSWORD}")
    answer = httpx.Response(status, headers=headers, request=asked)
    error = _raised(answer.raise_for_status)
    assert isinstance(error, httpx.HTTPStatusError)
    return error


# ---- errors of our own ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (LogMovedError("read again"), Cause.TRANSIENT),
        (BudgetError("back at 12:00", 60), Cause.BUDGET),
        (SettingsError("mend it"), Cause.BAD_DATA),
        (MissingDayError("fill it"), Cause.BAD_DATA),
        (QuarantinedDayError("release it"), Cause.BAD_DATA),
        (NoChampionError("train one"), Cause.BAD_DATA),
        (NotEnoughHistoryError("wait"), Cause.BAD_DATA),
        (CannotFillError("fill another"), Cause.BAD_DATA),
        (SqlAssetError("mend it"), Cause.BAD_DATA),
        (WrongHomeError("another home"), Cause.BAD_DATA),
        (SourceError("no such file"), Cause.BAD_DATA),
    ],
)
def test_each_error_of_ours_has_its_cause(error: GhstarsError, cause: Cause) -> None:
    assert classify(error) is cause


class _GaugeIsWetError(SourceError):
    cause = Cause.TRANSIENT
    was_tried_again = True


def test_an_error_of_any_source_states_its_cause_itself() -> None:
    error = _wrapped(KeyError("x"), _GaugeIsWetError("it rains"))
    assert (classify(error), waits(error)) == (Cause.TRANSIENT, causes.LATER_SECONDS)


def test_no_error_of_ours_was_forgotten() -> None:
    """One that is new is bad data until somebody thinks about it here."""
    assert build_defs, "importing it imports whatever Dagster runs"
    known = {
        "BadCredentialsError",
        "BadQueryError",
        "BudgetError",
        "BudgetSpentError",
        "CannotFillError",
        "DamagedFileError",
        "DamagedModelError",
        "DiskError",
        "ForbiddenError",
        "ImpossibleAnswerError",
        "LogMovedError",
        "ManualDecisionError",
        "MissingDayError",
        "NoChampionError",
        "NotEnoughHistoryError",
        "QuarantinedDayError",
        "QueryError",
        "RefusedError",
        "RunFailedError",
        "ServesAlreadyError",
        "SettingsError",
        "SourceError",
        "SqlAssetError",
        "TooHeavyError",
        "UnknownNameError",
        "UnreachableError",
        "WrongArgumentError",
        "WrongHomeError",
        "_MidnightError",
    }
    waiting, found = [GhstarsError], set()
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("ghstars_assets.") and ".commands." not in str(kind):
                found.add(kind.__name__)
    assert found - known == set()


# ---- errors of the libraries, as they raise them ------------------------------------------------


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (500, Cause.TRANSIENT), (503, Cause.TRANSIENT), (408, Cause.TRANSIENT),
        (429, Cause.BUDGET), (401, Cause.BAD_DATA), (403, Cause.BAD_DATA), (404, Cause.BUG),
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_its_status(status: int, cause: Cause) -> None:
    assert classify(_answer(status)) is cause


def test_a_connection_that_cannot_be_made_is_transient() -> None:
    def asks_nobody() -> None:
        with httpx.Client(trust_env=False) as client:
            client.get("http://127.0.0.1:9/")

    assert classify(_raised(asks_nobody)) is Cause.TRANSIENT
    assert classify(httpx.ReadTimeout("slow")) is Cause.TRANSIENT
    assert classify(httpx.UnsupportedProtocol("ftp")) is Cause.BUG


def test_a_database_that_is_locked_is_transient_and_a_wrong_statement_is_a_bug(
    tmp_path: Path,
) -> None:
    with (
        sqlite3.connect(tmp_path / "x.db", timeout=0) as holder,
        sqlite3.connect(tmp_path / "x.db", timeout=0) as other,
    ):
        holder.execute("create table t (a)")
        holder.commit()
        holder.execute("begin exclusive")
        locked = _raised(lambda: other.execute("insert into t values (1)"))
        wrong = _raised(lambda: other.execute("selec"))
    assert (classify(locked), waits(locked)) == (Cause.TRANSIENT, causes.SOON_SECONDS)
    assert classify(wrong) is Cause.BUG


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionResetError(errno.ECONNRESET, "reset"), Cause.TRANSIENT),
        (TimeoutError(), Cause.TRANSIENT),
        (OSError(errno.EHOSTUNREACH, "no route"), Cause.TRANSIENT),
        (OSError(errno.ENOSPC, "No space left on device"), Cause.BAD_DATA),
        (PermissionError(errno.EACCES, "Permission denied"), Cause.BAD_DATA),
        (FileNotFoundError(errno.ENOENT, "No such file"), Cause.BUG),
        (KeyError("day"), Cause.BUG),
        (duckdb.ConversionException("no number"), Cause.BUG),
    ],
)
def test_the_rest_is_judged_by_what_the_system_says(error: Exception, cause: Cause) -> None:
    assert classify(error) is cause


class _Bucket(BaseHTTPRequestHandler):
    status = 503

    def _answer(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    do_GET = do_HEAD = do_PUT = _answer  # noqa: N815 - the names that http.server asks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def bucket() -> Iterator[dict[str, str]]:
    """How to reach a bucket that answers one status to everything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Bucket) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield {
            "aws_access_key_id": "AKIA",
            "aws_secret_access_key": PASSWORD,
            "aws_region": "us-east-1",
            "aws_endpoint": f"http://127.0.0.1:{server.server_port}",
        }
        server.shutdown()


def _never_again(bucket: dict[str, str]) -> dict[str, Any]:
    """A client of the bucket that tries once."""
    return {
        "config": bucket,
        "client_options": {"allow_http": True},
        "retry_config": {"max_retries": 0},
    }


BY_STORE_STATUS = [
    (503, Cause.TRANSIENT), (403, Cause.BAD_DATA), (401, Cause.BAD_DATA), (400, Cause.BUG),
]  # fmt: skip


@pytest.mark.parametrize(("status", "cause"), BY_STORE_STATUS)
def test_a_bucket_is_judged_by_its_answer(
    bucket: dict[str, str], monkeypatch: pytest.MonkeyPatch, status: int, cause: Cause
) -> None:
    monkeypatch.setattr(_Bucket, "status", status)
    once = _never_again(bucket)
    store = from_url("s3://lake", **once)
    assert isinstance(store, S3Store)
    put = _raised(lambda: obstore.put(store, "a", b"x"))
    with duckdb.connect() as connection:
        connection.register_filesystem(FsspecStore("s3", **once))
        read = _raised(lambda: connection.execute("from read_parquet('s3://lake/x.parquet')"))
    assert (classify(put), classify(read)) == (cause, cause)
    # It tries by itself, for minutes.
    assert waits(put) == waits(read) == causes.LATER_SECONDS


def test_a_bucket_read_by_polars_is_judged_alike(
    bucket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Bucket, "status", 403)
    options = {**bucket, "aws_allow_http": "true"}
    scan = pl.scan_parquet("s3://lake/x.parquet", storage_options=options, glob=False)
    assert classify(_raised(scan.collect)) is Cause.BAD_DATA
    words = "object-store error: Generic S3 error: Error performing GET http://127.0.0.1/x - "
    assert classify(OSError(words + "Server returned non-2xx status code: 503")) is Cause.TRANSIENT
    assert classify(OSError(words + "HTTP error: error sending request")) is Cause.TRANSIENT


def _mlflow_error(kind: str, code: str) -> Exception:
    """As MLflow names them; importing it takes seconds."""
    made = type(kind, (Exception,), {"__module__": "mlflow.exceptions", "error_code": code})
    return made("a message")


@pytest.mark.parametrize(
    ("kind", "code", "cause"),
    [
        ("RestException", "INTERNAL_ERROR", Cause.TRANSIENT),
        ("RestException", "TEMPORARILY_UNAVAILABLE", Cause.TRANSIENT),
        ("RestException", "REQUEST_LIMIT_EXCEEDED", Cause.BUDGET),
        ("RestException", "RESOURCE_DOES_NOT_EXIST", Cause.BUG),
        # Raised in this process, it is the code that stands for anything.
        ("MlflowException", "INTERNAL_ERROR", Cause.BUG),
    ],
)
def test_mlflow_is_judged_by_its_code(kind: str, code: str, cause: Cause) -> None:
    assert classify(_mlflow_error(kind, code)) is cause


# ---- chains -------------------------------------------------------------------------------------


def _wrapped(inner: Exception, outer: Exception, *, is_hidden: bool = False) -> BaseException:
    def act() -> None:
        try:
            raise inner
        except Exception as found:
            if is_hidden:
                raise outer from None
            raise outer from found

    return _raised(act)


def test_the_cause_of_a_wrapped_error_is_found_even_where_it_is_hidden() -> None:
    for is_hidden in (True, False):
        error = _wrapped(
            ConnectionResetError("reset"), GhstarsError("it does not answer"), is_hidden=is_hidden
        )
        assert classify(error) is Cause.TRANSIENT
    assert classify(_wrapped(KeyError("x"), SourceError("unreadable"))) is Cause.BAD_DATA


def test_what_an_error_says_itself_stands_above_what_led_to_it() -> None:
    error = _wrapped(httpx.ConnectError("refused"), BudgetError("back at 12:00"))
    assert classify(error) is Cause.BUDGET


def test_a_fault_of_the_code_that_handled_a_transient_error_is_a_bug() -> None:
    def act() -> None:
        try:
            raise httpx.ConnectError("refused")
        except httpx.ConnectError:
            {}["nothing"]

    assert classify(_raised(act)) is Cause.BUG


def test_an_error_that_leads_to_itself_is_judged_all_the_same() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert classify(first) is Cause.BUG


# ---- what a user reads ---------------------------------------------------------------------------


def test_the_return_of_a_budget_is_read_where_it_is_stated() -> None:
    assert returns_in_seconds(BudgetError("spent", 60.0), NOW) == 60
    assert returns_in_seconds(_answer(429, {"retry-after": "120"}), NOW) == 120
    later = "Wed, 14 Jan 2026 06:05:00 GMT"
    assert returns_in_seconds(_answer(429, {"retry-after": later}), NOW) == 300
    assert returns_in_seconds(_answer(429), NOW) is None
    assert returns_in_seconds(_answer(429, {"retry-after": "soon"}), NOW) is None


def test_a_user_reads_our_sentence_or_the_name_and_first_line_of_a_bug(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    wrapped = _wrapped(httpx.ConnectError("refused"), SourceError("It cannot be reached."))
    assert sentence(wrapped, settings) == "It cannot be reached."
    assert sentence(ValueError("one\nand more"), settings) == "ValueError: one"
    assert sentence(ValueError(), settings) == "ValueError: it gave no reason"


def test_no_secret_is_shown(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, github_token=SecretStr("ghp_known"))
    shown = sentence(_answer(503), settings)
    assert PASSWORD not in shown
    assert "https://example.org/x" in shown
    assert sentence(ValueError("sent ghp_known"), settings) == "ValueError: sent ***"


def test_a_fault_behind_duckdb_is_one_of_the_lake(bucket: dict[str, str], tmp_path: Path) -> None:
    once = _never_again(bucket)
    with duckdb.connect() as connection:
        connection.register_filesystem(FsspecStore("s3", **once))
        error = _raised(lambda: connection.execute("from read_parquet('s3://lake/x.parquet')"))
    settings = Settings(home=tmp_path)
    assert sentence(error, settings) == (
        f"The lake at {tmp_path}/lake failed (it answered 503); `ghstars doctor` looks at it."
    )
