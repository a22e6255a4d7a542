"""Why a step failed, in a word, and whether trying again can help: decided here, nowhere else."""

import errno
import re
import socket
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import duckdb
import httpx
from obstore.exceptions import BaseError, GenericError
from pydantic import SecretStr

from ghstars_assets.errors import GhstarsError, LogMovedError
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.answers import (
    BadCredentialsError,
    BadQueryError,
    BudgetSpentError,
    ForbiddenError,
    RefusedError,
    TooHeavyError,
    UnreachableError,
)


class Cause(StrEnum):
    TRANSIENT = "transient"
    """The network, a server or a busy file: it passes by itself."""
    BUDGET = "budget"
    """What somebody allows us is used up; it returns at a time."""
    BAD_DATA = "bad data"
    """Data, a setting or a credential is not as it must be: the same again would fail the same."""
    BUG = "bug"
    """None of these: a fault of the code."""


SOON_SECONDS = (5.0, 20.0, 80.0)
"""Before each new try of something that nobody tried again so far."""
LATER_SECONDS = (60.0,)
"""Before the one new try of what its own client has tried for half a minute or longer."""
MOST_WAITS_FOR_A_BUDGET = 2

_OURS: tuple[tuple[type[GhstarsError], Cause], ...] = (
    # A subclass stands before its base.
    (BudgetSpentError, Cause.BUDGET),
    (RefusedError, Cause.BAD_DATA),
    (BadCredentialsError, Cause.BAD_DATA),
    (ForbiddenError, Cause.BAD_DATA),
    (BadQueryError, Cause.BUG),
    (UnreachableError, Cause.TRANSIENT),
    (TooHeavyError, Cause.TRANSIENT),
    (LogMovedError, Cause.TRANSIENT),
)
_PASSING_ERRNOS = {
    errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT,
    errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH,
}  # fmt: skip
_LASTING_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
_STORE_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_STORE_ERROR = re.compile(r"^(\w+Error: .+)$", re.MULTILINE)
"""DuckDB hands on what its file system raised as the text of a traceback."""
_CREDENTIALS_IN_ADDRESS = re.compile(r"//[^@/\s]*@")
_QUERY_OF_ADDRESS = re.compile(r"(//[^\s?'\"]+)\?[^\s'\"]*")


def classify(error: BaseException) -> Cause:
    """What the first error says that has a cause of its own, from the outermost inwards."""
    chain = list(_chain(error))
    for link in chain:
        cause = _own_cause(link)
        if cause:
            return cause
    # It has a remedy in its sentence, and no sign that the remedy is to wait.
    return Cause.BAD_DATA if any(isinstance(link, GhstarsError) for link in chain) else Cause.BUG


def waits(error: BaseException) -> tuple[float, ...]:
    """Seconds before each new try of something transient."""
    return LATER_SECONDS if any(map(_was_tried_again, _chain(error))) else SOON_SECONDS


def returns_in_seconds(error: BaseException, now: datetime) -> float | None:
    """When a spent budget returns, as far as anybody said."""
    for link in _chain(error):
        if isinstance(link, BudgetSpentError):
            return link.returns_in_seconds
        if isinstance(link, httpx.HTTPStatusError):
            return _retry_after(link.response.headers.get("retry-after", ""), now)
    return None


def sentence(error: BaseException, settings: Settings) -> str:
    """What a user is told: our own sentence, else the error's name and first line. Nothing of it
    is a secret, for it stands in Dagster's records."""
    ours = next((link for link in _chain(error) if isinstance(link, GhstarsError)), None)
    told = str(ours) if ours else f"{type(error).__name__}: {_first_line(error)}"
    return _without_secrets(told, settings)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it. What Python itself raised while another error was being handled
    is a fault of the handling, not of that other error."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        is_pythons = type(error).__module__ == "builtins"
        error = error.__cause__ or (None if is_pythons else error.__context__)


def _own_cause(error: BaseException) -> Cause | None:
    """What an error means by itself; None where it says nothing of that, or only passes it on."""
    if isinstance(error, GhstarsError):
        return next((cause for kind, cause in _OURS if isinstance(error, kind)), None)
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
    # Of its server's errors; raised in this process it stands for any fault.
    is_servers = type(error).__name__ == "RestException" and code == "INTERNAL_ERROR"
    return Cause.TRANSIENT if is_servers or code == "TEMPORARILY_UNAVAILABLE" else None


def _was_tried_again(error: BaseException) -> bool:
    return (
        isinstance(error, UnreachableError | BaseError | duckdb.Error)
        or "object-store error" in str(error)
        or type(error).__module__ in ("mlflow.exceptions", "requests.exceptions")
    )


def _retry_after(text: str, now: datetime) -> float | None:
    """Seconds, or a date: servers send both."""
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - now).total_seconds())


def _first_line(error: BaseException) -> str:
    words = str(error)
    raised = _STORE_ERROR.search(words) if words.startswith("Traceback") else None
    lines = (raised[1] if raised else words).strip().splitlines()
    return lines[0] if lines else "it gave no reason"


def _without_secrets(text: str, settings: Settings) -> str:
    for name in type(settings).model_fields:
        secret = getattr(settings, name)
        if isinstance(secret, SecretStr) and secret.get_secret_value():
            text = text.replace(secret.get_secret_value(), "***")
    text = _CREDENTIALS_IN_ADDRESS.sub("//", text)
    return _QUERY_OF_ADDRESS.sub(r"\1", text)
