import os
import stat
import subprocess
import sys

from ghstars_assets.home.layout import prepare_home
from ghstars_assets.settings import Settings


def test_what_a_killed_process_spilled_is_cleared_and_what_a_living_one_spills_is_left(
    settings: Settings,
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        check=True,
        capture_output=True,
        text=True,
    )
    orphan = settings.spill_path / f"{ended.stdout.strip()}-abc"
    alive = settings.spill_path / f"{os.getpid()}-abc"
    for folder in (orphan, alive):
        folder.mkdir(parents=True)
        (folder / "block.tmp").write_bytes(b"spilled")

    prepare_home(settings)

    assert alive.exists()
    assert not orphan.exists()


def test_what_dagster_keeps_is_its_owners_alone_also_in_a_home_of_an_earlier_release(
    settings: Settings,
) -> None:
    settings.dagster_home.mkdir(parents=True, mode=0o755)
    prepare_home(settings)
    assert stat.S_IMODE(settings.dagster_home.stat().st_mode) == 0o700
    assert stat.S_IMODE((settings.dagster_home / "dagster.yaml").stat().st_mode) == 0o600


def test_preparing_a_home_twice_leaves_its_dagster_yaml_alone(settings: Settings) -> None:
    prepare_home(settings)
    first = (settings.dagster_home / "dagster.yaml").stat().st_mtime_ns
    prepare_home(settings)
    assert (settings.dagster_home / "dagster.yaml").stat().st_mtime_ns == first
