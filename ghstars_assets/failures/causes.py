"""Finds out why a step failed, and whether trying again can help.

An error of ours states its cause itself, in its class. What the errors of foreign libraries mean is
decided here, and nowhere else; how a user reads them stands in `foreign_errors.py`.
"""

import errno
import re
import socket
import sqlite3
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import duckdb
import httpx
from obstore.exceptions import BaseError, GenericError

from ghstars_assets.errors import BudgetError, Cause, GhstarsError, chain_of
from ghstars_assets.failures.foreign_errors import first_line, in_our_words
from ghstars_assets.failures.masked_secrets import without_secrets
from ghstars_assets.home.disk import fault_of
from ghstars_assets.settings import Settings

SOON_SECONDS = (5.0, 20.0, 80.0)
"""Before each new try of something that nobody tried again so far."""
LATER_SECONDS = (60.0,)
"""Before the one new try of what its own client has tried for half a minute or longer."""
MOST_WAITS_FOR_A_BUDGET = 2
LONGEST_WAIT_SECONDS = 366 * 86400.0
"""Who asks for more means never, and a clock has no such time."""

_PASSING_ERRNOS = {
    errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT,
    errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH,
}  # fmt: skip
_LASTING_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
_STORE_STATUS = re.compile(r"non-2xx status code: (\d{3})")


def classify(error: BaseException) -> Cause:
    """The cause of the first error that has one of its own, from the outermost inwards. A fault of
    the disk is none that passes, whatever its library makes of it."""
    chain = list(chain_of(error))
    if any(fault_of(link) for link in chain):
        return Cause.BAD_DATA
    for link in chain:
        cause = _own_cause(link)
        if cause:
            return cause
    # It has a remedy in its sentence, and no sign that the remedy is to wait.
    return Cause.BAD_DATA if any(isinstance(link, GhstarsError) for link in chain) else Cause.BUG


def waits(error: BaseException) -> tuple[float, ...]:
    """Seconds before each new try of something transient."""
    return LATER_SECONDS if any(map(_was_tried_again, chain_of(error))) else SOON_SECONDS


def returns_in_seconds(error: BaseException, now: datetime) -> float | None:
    """When a budget that is used up returns; None where nobody says so."""
    for link in chain_of(error):
        if isinstance(link, BudgetError):
            return link.returns_in_seconds
        if isinstance(link, httpx.HTTPStatusError):
            return _retry_after(link.response.headers.get("retry-after", ""), now)
    return None


def sentence(error: BaseException, settings: Settings) -> str:
    """What a user reads: our own sentence, else what is known of the library's error, else its name
    and first line. Nothing of it is a secret, for it stands in Dagster's records."""
    ours = next((link for link in chain_of(error) if isinstance(link, GhstarsError)), None)
    message = str(ours) if ours else in_our_words(error, settings)
    message = message or f"{type(error).__name__}: {first_line(error)}"
    return without_secrets(message, settings)


def is_bug(error: BaseException, settings: Settings) -> bool:
    """Whether nothing that a user does would help: neither we nor a library can name a remedy."""
    is_ours = any(isinstance(link, GhstarsError) for link in chain_of(error))
    return not is_ours and in_our_words(error, settings) is None


def _own_cause(error: BaseException) -> Cause | None:
    """What an error means by itself; None where it means nothing, or only passes another on."""
    if isinstance(error, GhstarsError):
        return error.cause
    if isinstance(error, httpx.HTTPError):
        return _of_http(error)
    if isinstance(error, BaseError | duckdb.Error) or "object-store error" in str(error):
        return _of_store(error)
    if isinstance(error, sqlite3.OperationalError):
        is_busy = "locked" in str(error) or "busy" in str(error)
        return Cause.TRANSIENT if is_busy else None
    if isinstance(error, OSError):
        return _of_system(error)
    return _of_mlflow(error)


def _of_http(error: httpx.HTTPError) -> Cause | None:
    if isinstance(error, httpx.HTTPStatusError):
        return _of_status(error.response.status_code)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return Cause.BUG
    return Cause.TRANSIENT if isinstance(error, httpx.TransportError) else None


def _of_status(status: int) -> Cause:
    if status == 429:
        return Cause.BUDGET
    if status in (408, 425) or status >= 500:
        return Cause.TRANSIENT
    return Cause.BAD_DATA if status in (401, 403, 407) else Cause.BUG


def _of_store(error: BaseException) -> Cause | None:
    """The clients of the bucket: obstore, and DuckDB and Polars which ask through one."""
    words = str(error)
    status = _STORE_STATUS.search(words)
    if status:
        return _of_status(int(status[1]))
    if isinstance(error, duckdb.HTTPException | GenericError):
        return Cause.TRANSIENT
    # It never got an answer: no name, no connection, no time.
    return Cause.TRANSIENT if "Generic" in words and "HTTP error" in words else None


def _of_system(error: OSError) -> Cause | None:
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return Cause.TRANSIENT
    if error.errno in _PASSING_ERRNOS:
        return Cause.TRANSIENT
    return Cause.BAD_DATA if error.errno in _LASTING_ERRNOS else None


def _of_mlflow(error: BaseException) -> Cause | None:
    """By name: importing MLflow takes seconds, and who has not imported it raises none of this."""
    if type(error).__module__ != "mlflow.exceptions" or error.__cause__ or error.__context__:
        return None
    code = getattr(error, "error_code", "")
    if code == "REQUEST_LIMIT_EXCEEDED":
        return Cause.BUDGET
    # This is for its server's errors; raised in this process the code stands for any fault.
    is_servers = type(error).__name__ == "RestException" and code == "INTERNAL_ERROR"
    return Cause.TRANSIENT if is_servers or code == "TEMPORARILY_UNAVAILABLE" else None


def _was_tried_again(error: BaseException) -> bool:
    return (
        (isinstance(error, GhstarsError) and error.was_tried_again)
        or isinstance(error, BaseError | duckdb.Error)
        or "object-store error" in str(error)
        or type(error).__module__ in ("mlflow.exceptions", "requests.exceptions")
    )


def _retry_after(text: str, now: datetime) -> float | None:
    """Seconds, or a date: servers send both."""
    if text.isdecimal():
        return min(float(text), LONGEST_WAIT_SECONDS)
    try:
        seconds = (parsedate_to_datetime(text).astimezone(UTC) - now).total_seconds()
    except (ValueError, OverflowError):  # no date, or one that no calendar has
        return None
    return min(max(0.0, seconds), LONGEST_WAIT_SECONDS)
