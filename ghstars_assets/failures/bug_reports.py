"""Writes what is needed to mend a bug into a file: version, command, machine, traceback.

Only its owner may read it, and no secret stands in it, so that it can be sent as it is.
"""

import os
import platform
import shlex
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from ghstars_assets.calendar import utc_now
from ghstars_assets.failures.foreign_errors import first_line
from ghstars_assets.failures.masked_secrets import without_secrets
from ghstars_assets.settings import Settings

MOST_REPORTS = 20
"""Kept in a home; older ones make room."""
_PACKAGES = ("dagster", "duckdb", "polars", "lightgbm", "mlflow", "obstore", "httpx", "click")


def report_bug(error: BaseException, settings: Settings | None, command: Sequence[str]) -> str:
    """Write the report, and return the sentence that a user reads."""
    name = f"{type(error).__name__}: {first_line(error)}"
    trace = "".join(traceback.format_exception(error))
    return report_traceback(name, trace, settings, command)


def report_traceback(
    name: str, trace: str, settings: Settings | None, command: Sequence[str]
) -> str:
    """The same of an error that is a text by now, because it was raised in another process."""
    ours = version("ghstars-assets")
    lines = [
        f"ghstars {ours}, {utc_now():%Y-%m-%d %H:%M} UTC",
        f"ghstars {shlex.join(command)}",
        f"Python {platform.python_version()} on {platform.platform()}",
        ", ".join(f"{package} {version(package)}" for package in _PACKAGES),
        "",
        trace,
    ]
    text = without_secrets("\n".join(lines), settings)
    shown = without_secrets(name, settings)
    try:
        path = _written(text, settings)
    except OSError:  # no disk has room: whoever sits there must keep it
        return f"This is a bug in ghstars {ours} ({shown}); report it with these lines.\n{text}"
    return (
        f"This is a bug in ghstars {ours} ({shown}); report it with the file {path}, which has the "
        "command and the traceback, no secret, and can be read by you alone."
    )


def _written(text: str, settings: Settings | None) -> Path:
    """In the home; where that cannot be written, in the system's folder for such files."""
    try:
        if settings is None:
            raise FileNotFoundError
        folder = settings.home_path / "bugs"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_room(folder)
        return _private_file(folder, text)
    except OSError:
        return _private_file(Path(tempfile.mkdtemp(prefix="ghstars-bug-")), text)


def _private_file(folder: Path, text: str) -> Path:
    """A new file, never one that somebody has put there."""
    path = folder / f"{utc_now():%Y%m%d-%H%M%S-%f}.txt"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace") as sink:
        sink.write(text)
    return path


def _make_room(folder: Path) -> None:
    for path in sorted(folder.glob("*.txt"))[: -MOST_REPORTS + 1]:
        path.unlink(missing_ok=True)
