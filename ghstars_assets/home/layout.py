"""The home folder: where everything lies by default, laid out before anything runs."""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ghstars_assets.errors import SettingsError
from ghstars_assets.home.disk import DiskError, sentence_of_disk
from ghstars_assets.settings import PROJECT_ROOT, Settings


def prepare_home(settings: Settings) -> None:
    """Make the folders, put the project's `dagster.yaml` where Dagster looks for it, and clear
    what killed processes have spilled."""
    try:
        for folder in (settings.dagster_home, settings.mlflow_home, settings.spill_path):
            folder.mkdir(parents=True, exist_ok=True)
        # Logs, settings and what runs were given.
        make_private(settings.dagster_home)
        with home_lock(settings):
            _copy_if_changed(PROJECT_ROOT / "dagster.yaml", settings.dagster_home / "dagster.yaml")
            _remove_orphans(settings.spill_path)
    except OSError as error:
        if words := sentence_of_disk(error, settings):
            raise DiskError(words) from None
        raise SettingsError(
            f"The home {settings.home_path} cannot be written ({error.strerror}); set GHSTARS_HOME "
            "to a folder of yours."
        ) from None


@contextmanager
def home_lock(settings: Settings) -> Iterator[None]:
    """Held while the home is laid out. The lock ends with the process that holds it."""
    with (settings.home_path / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def make_private(folder: Path) -> Path:
    """A folder that its owner alone can look into, whatever the files in it allow."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def _copy_if_changed(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        beside = target.with_name(f".{target.name}.new")
        beside.write_bytes(content)
        beside.chmod(0o600)
        beside.replace(target)


def _remove_orphans(spill: Path) -> None:
    """Folders of processes that are no more; each begins with its process's number."""
    for folder in spill.iterdir():
        process, _, _ = folder.name.partition("-")
        if process.isdecimal() and not is_alive(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def is_alive(process: int) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
