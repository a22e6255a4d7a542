"""Puts into our words what the errors of libraries and of the system mean for a user.

Each is one sentence that names the thing and the remedy. An error that has no words here is a bug,
unless it led to one of ours. Libraries that take long to import are known by their names: who has
not imported them raises none of their errors.
"""

import errno
import re
import sqlite3
from pathlib import Path

import duckdb
import httpx
from obstore.exceptions import BaseError

from ghstars_assets.errors import chain_of
from ghstars_assets.home.disk import sentence_of_disk
from ghstars_assets.settings import Settings

_STORE_ERROR = re.compile(r"^(\w+Error: .+)$", re.MULTILINE)
"""DuckDB hands on what its file system raised as the text of a traceback."""
_STORE_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_MOST_CHARACTERS = 300
"""Of what a library says; a plan of a query can have thousands."""


def first_line(error: BaseException) -> str:
    words = str(error)
    raised = _STORE_ERROR.search(words) if words.startswith("Traceback") else None
    lines = (raised[1] if raised else words).strip().splitlines()
    line = lines[0] if lines else "it gave no reason"
    return line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]}…"


def in_our_words(error: BaseException, settings: Settings) -> str | None:
    """One sentence with the remedy; None for what only whoever wrote the code can mend."""
    of_disk = sentence_of_disk(error, settings)
    if of_disk:
        return of_disk
    for link in chain_of(error):
        words = _words(link, settings)
        if words:
            return words
    return None


def _words(error: BaseException, settings: Settings) -> str | None:
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
        return (
            f"A step needs more memory than it has ({first_line(error)}); raise GHSTARS_MEMORY_GB "
            f"(now {settings.memory_gb:g}) or lower GHSTARS_THREADS (now {settings.threads})."
        )
    if isinstance(error, httpx.HTTPError | httpx.InvalidURL):
        return _of_http(error)
    if isinstance(error, BaseError) or _is_of_a_store(error):
        return _of_store(error, settings)
    if isinstance(error, duckdb.Error):
        return _of_duckdb(error, settings)
    if isinstance(error, sqlite3.Error) or _is_from(error, "sqlalchemy.exc"):
        return _of_database(error, settings)
    if isinstance(error, UnicodeEncodeError):
        return _of_terminal(error)
    if isinstance(error, OSError) and not _is_from(error, "requests"):
        return _of_system(error, settings)
    return _of_slow_to_import(error, settings)


def _is_of_a_store(error: BaseException) -> bool:
    """Polars names the store that it asked through; obstore raises Python's own error for what is
    not there."""
    said = str(error)
    return "object-store error" in said or (
        isinstance(error, FileNotFoundError) and said.startswith("Object at location")
    )


def _is_from(error: BaseException, package: str) -> bool:
    """Whether the class, or one that it is made from, is defined there."""
    modules = (kind.__module__ for kind in type(error).__mro__)
    return any(module == package or module.startswith(f"{package}.") for module in modules)


def _of_http(error: httpx.HTTPError | httpx.InvalidURL) -> str | None:
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return f"An address cannot be asked ({first_line(error)}); mend it in the settings."
    try:
        asked = str(error.request.url.copy_with(query=None, userinfo=b""))
    except RuntimeError:  # nobody said which request it was
        asked = "A server"
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        return f"{asked} answered with {status}; look at the address and run the same again later."
    return (
        f"{asked} does not answer as it should ({type(error).__name__}: {first_line(error)}); look "
        "at the connection and run the same again."
    )


def _of_store(error: BaseException, settings: Settings) -> str:
    """The store's own message spans many lines and may repeat the request."""
    root, status = settings.lake_root, _STORE_STATUS.search(str(error))
    if status and status[1] in ("401", "403"):
        return (
            f"The store refuses the lake at {root} to these credentials ({status[1]}); mend them "
            "(see .env.example) and look with `ghstars doctor`."
        )
    never_answered = "HTTP error" in str(error) or "error sending request" in str(error)
    why = "it does not answer" if never_answered else type(error).__name__
    why = f"it answered {status[1]}" if status else why
    return f"The lake at {root} failed ({why}); `ghstars doctor` looks at it."


def _of_duckdb(error: duckdb.Error, settings: Settings) -> str | None:
    status = _STORE_STATUS.search(str(error))
    if status:
        return _of_store(error, settings)
    is_of_a_file = isinstance(error, duckdb.IOException) or ".parquet" in str(error)
    if not is_of_a_file:
        return None
    return (
        f"DuckDB cannot use a file of the lake at {settings.lake_root} ({first_line(error)}); "
        "`ghstars doctor` looks at the lake, and `ghstars backfill` makes what is missing again."
    )


def _of_database(error: BaseException, settings: Settings) -> str | None:
    origin = getattr(error, "orig", None) or error
    said = first_line(origin)
    if "syntax error" in said:
        return None
    if "locked" in said or "busy" in said:
        return (
            f"A database in {settings.home_path} is in use by another process ({said}); wait for "
            "it, or end it, and run the same again."
        )
    return (
        f"A database of Dagster or MLflow in {settings.home_path} cannot be used ({said}); "
        "`ghstars doctor` looks at both."
    )


def _of_terminal(error: UnicodeEncodeError) -> str:
    shown = str(error.object)[error.start : error.end][:8]
    return (
        f"The output is written as {error.encoding}, which has no {shown!a}; set PYTHONUTF8=1 in "
        "the environment."
    )


def _of_system(error: OSError, settings: Settings) -> str | None:
    path = str(error.filename) if error.filename is not None else ""
    named, why = path or "A file", error.strerror or type(error).__name__
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{named} may not be read or written ({why}); give it to whoever runs this, or set "
            "GHSTARS_HOME to a folder of yours."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{named} cannot be written ({why}); free some space and run the same again."
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{named} cannot be opened ({why}); raise the limit with `ulimit -n`."
    if error.errno in (errno.ENAMETOOLONG, errno.ELOOP, errno.EIO):
        return f"{named} cannot be used ({why}); look at the disk, or use another path."
    is_of_this_home = path.startswith((str(settings.home_path), settings.lake_root))
    if is_of_this_home and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
        return (
            f"{named} is not as it was left ({why}); if somebody moved it put it back, else run "
            "the same again."
        )
    if isinstance(error, ConnectionError | TimeoutError):
        return (
            f"A connection broke ({first_line(error)}); look at the network and run the same again."
        )
    return None


def _of_slow_to_import(error: BaseException, settings: Settings) -> str | None:
    if _is_from(error, "requests.exceptions") or _is_from(error, "mlflow.exceptions"):
        return f"MLflow failed ({first_line(error)}); `ghstars doctor` looks at it."
    if _is_from(error, "lightgbm"):
        return (
            f"LightGBM refuses the model or its rows ({first_line(error)}); `ghstars models "
            "PROBLEM` lists the versions, and `ghstars retrain PROBLEM --why …` makes a new one."
        )
    if _is_from(error, "polars") and "parquet" in str(error).lower():
        return (
            f"A Parquet file cannot be read ({first_line(error)}); `ghstars doctor` looks at the "
            f"lake at {Path(settings.lake_root)}."
        )
    if type(error).__name__ == "DagsterInvalidConfigError":
        return f"dagster.yaml cannot be used ({first_line(error)}); mend it where it lies."
    return None
