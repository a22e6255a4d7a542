"""What a user reads of a library's error: one sentence with the thing and the remedy."""

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import httpx
import lightgbm
import obstore
import polars as pl
import pytest
import sqlalchemy
from obstore.exceptions import PermissionDeniedError

from ghstars_assets.failures.causes import is_bug, sentence
from ghstars_assets.settings import Settings

ASKED = httpx.Request("GET", "https://me:hunter2@example.org/x?token=hunter2")


def _raised(act: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as raised:  # noqa: PT011 - whatever the library raises
        act()
    return raised.value


def _damaged_database(tmp_path: Path) -> object:
    file = tmp_path / "x.db"
    file.write_bytes(b"no database" * 100)
    with sqlalchemy.create_engine(f"sqlite:///{file}").connect() as connection:
        return connection.execute(sqlalchemy.text("select 1 from t"))


def _damaged_parquet(tmp_path: Path) -> Path:
    file = tmp_path / "rows.parquet"
    file.write_bytes(b"PAR1 and no more")
    return file


def _named(module: str, kind: str, words: str) -> Exception:
    """An error of what takes seconds to import."""
    return type(kind, (Exception,), {"__module__": module})(words)


FOUND: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a database that is none": (_damaged_database, "A database of Dagster or MLflow in", "doctor"),
    "a database that is locked": (
        lambda _: _throw(sqlite3.OperationalError("database is locked")),
        "is in use by another process",
        "run the same again",
    ),
    "a Parquet file for DuckDB": (
        lambda tmp: duckdb.execute(f"from read_parquet('{_damaged_parquet(tmp)}')"),
        "DuckDB cannot use a file of the lake at",
        "ghstars doctor",
    ),
    "a Parquet file for Polars": (
        lambda tmp: pl.read_parquet(_damaged_parquet(tmp)),
        "A Parquet file cannot be read",
        "ghstars doctor",
    ),
    "too little memory": (
        lambda _: _throw(duckdb.OutOfMemoryException("failed to allocate")),
        "A step needs more memory than it has",
        "raise GHSTARS_MEMORY_GB (now 2)",
    ),
    "a store that refuses": (
        lambda _: _throw(PermissionDeniedError("non-2xx status code: 403 … <many lines>")),
        "The store refuses the lake at",
        "mend them",
    ),
    "a store that is not there": (
        lambda _: obstore.get(obstore.store.from_url("memory:///"), "nothing"),
        "The lake at",
        "ghstars doctor",
    ),
    "a server's status": (
        lambda _: httpx.Response(418, request=ASKED).raise_for_status(),
        "https://example.org/x answered with 418",
        "look at the address",
    ),
    "no server": (
        lambda _: _throw(httpx.ConnectError("refused", request=ASKED)),
        "https://example.org/x does not answer as it should (ConnectError: refused)",
        "look at the connection",
    ),
    "no address": (
        lambda _: httpx.URL("http://[::1"),
        "An address cannot be asked",
        "mend it in the settings",
    ),
    "a model's text": (
        lambda _: lightgbm.Booster(model_str="no model"),
        "LightGBM refuses the model or its rows",
        "ghstars retrain PROBLEM --why …",
    ),
    "MLflow": (
        lambda _: _throw(_named("mlflow.exceptions", "MlflowException", "no such run")),
        "MLflow failed (no such run)",
        "ghstars doctor",
    ),
    "MLflow's server": (
        lambda _: _throw(_named("requests.exceptions", "ConnectionError", "refused")),
        "MLflow failed (refused)",
        "ghstars doctor",
    ),
    "a file of somebody else": (
        lambda _: _throw(PermissionError(errno.EACCES, "Permission denied", "/x")),
        "/x may not be read or written (Permission denied)",
        "give it to whoever runs this",
    ),
    "a name too long": (
        lambda tmp: (tmp / ("x" * 5000)).write_text("x"),
        "cannot be used (File name too long)",
        "use another path",
    ),
    "too many files": (
        lambda _: _throw(OSError(errno.EMFILE, "Too many open files", "/x")),
        "/x cannot be opened",
        "ulimit -n",
    ),
    "a file of the home that went away": (
        lambda tmp: (tmp / "gone").read_text(),
        "is not as it was left",
        "run the same again",
    ),
    "a terminal of few letters": (
        lambda _: "…".encode("ascii"),
        "The output is written as ascii",
        "PYTHONUTF8=1",
    ),
}


def _throw(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("name", FOUND)
def test_a_library_s_error_is_one_sentence_with_the_thing_and_the_remedy(
    name: str, tmp_path: Path
) -> None:
    act, thing, remedy = FOUND[name]
    settings = Settings(home=tmp_path)
    error = _raised(lambda: act(tmp_path))
    said = sentence(error, settings)
    assert thing in said
    assert remedy in said
    assert said.endswith(".")
    assert "\n" not in said
    assert "hunter2" not in said
    assert not is_bug(error, settings)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("day"),
        RecursionError("maximum recursion depth exceeded"),
        duckdb.BinderException("no such column"),
        pl.exceptions.ColumnNotFoundError("stars"),
        FileNotFoundError(errno.ENOENT, "No such file", "/elsewhere"),
    ],
)
def test_what_no_user_can_mend_is_a_bug(error: Exception, tmp_path: Path) -> None:
    assert is_bug(error, Settings(home=tmp_path))
