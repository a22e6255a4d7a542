"""The `ghstars` command as a whole: its list, what it imports, and how a fault is shown."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ghstars_assets import settings
from ghstars_assets.cli import cli
from ghstars_assets.cli.entry_point import COMMANDS
from ghstars_assets.cli.lazy_group import load_command
from ghstars_assets.cli.operations import doctor
from ghstars_assets.problems.platform import CommandEntry
from ghstars_assets.problems.registry import problem_commands
from ghstars_assets_tests.support.ghstars_command import Ghstars

ENTRIES = {**COMMANDS, **problem_commands()}
HEAVY = {"dagster", "duckdb", "lightgbm", "mlflow", "polars"}


def modules_loaded_by(*arguments: str) -> set[str]:
    """What a process has imported once it has run the command."""
    program = (
        "import sys\n"
        "from ghstars_assets.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    print(*sys.modules, file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    return set(ran.stderr.split())


def test_the_list_of_commands_is_shown_without_importing_any_of_them() -> None:
    loaded = modules_loaded_by("--help")
    assert not loaded & HEAVY
    assert not loaded & {entry.target.partition(":")[0] for entry in ENTRIES.values()}


def test_one_command_loads_no_other(tmp_path: Path) -> None:
    loaded = modules_loaded_by("sql", "--help")
    commands = {entry.target.partition(":")[0] for entry in ENTRIES.values()}
    assert loaded & commands == {"ghstars_assets.cli.data.sql"}
    assert not loaded & {"dagster", "lightgbm", "mlflow"}


@pytest.mark.parametrize("name", ENTRIES)
def test_a_command_is_listed_with_the_first_sentence_of_its_own_help(name: str) -> None:
    entry = ENTRIES[name]
    command = load_command(entry)
    assert command.name == name
    assert command.hidden == entry.is_hidden
    if not entry.is_hidden:
        assert entry.summary == command.get_short_help_str(limit=1000)


@pytest.mark.parametrize("name", sorted(ENTRIES.keys() - {"import", "replay"}))
def test_a_command_stands_in_the_file_of_its_name(name: str) -> None:
    """`import` is no name that Python allows, and `replay` is an alias."""
    module, _, _ = ENTRIES[name].target.partition(":")
    assert module.rpartition(".")[2] == name.replace("-", "_")


def test_no_problem_takes_the_name_of_a_command_of_the_platform() -> None:
    assert not COMMANDS.keys() & problem_commands().keys()


def test_every_command_is_listed_but_for_those_with_a_new_name() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).output
    listed = {line.split()[0] for line in shown.partition("Commands:")[2].splitlines() if line}
    assert listed >= ENTRIES.keys() - {"replay"}
    assert "replay" not in listed
    assert "Exit codes: 0 done" in shown


def test_an_unknown_command_is_a_misuse(ghstars: Ghstars, tmp_path: Path) -> None:
    ran = ghstars(tmp_path, "forecast")
    assert ran.code == 2
    assert "No such command 'forecast'" in ran.err


def test_settings_are_read_once_in_an_invocation(
    ghstars: Ghstars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[settings.Settings] = []
    load = settings.load_settings

    def counted() -> settings.Settings:
        read.append(load())
        return read[-1]

    monkeypatch.setattr(settings, "load_settings", counted)
    for home in (tmp_path / "one", tmp_path / "two"):
        assert ghstars(home, "sql", "--csv", "select 1 as one").out == "one\n1\n"
    assert [each.home for each in read] == [tmp_path / "one", tmp_path / "two"]


def test_a_wrong_setting_is_one_sentence_and_keeps_nobody_from_the_help(
    ghstars: Ghstars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_WEB_PORT", "eighty")
    ran = ghstars(tmp_path, "predict", "stars")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("ghstars: GHSTARS_WEB_PORT cannot be used")
    assert ghstars(tmp_path, "predict", "--help").code == 0


def test_commands_of_a_problem_are_entries_that_can_be_loaded() -> None:
    for entry in problem_commands().values():
        assert isinstance(entry, CommandEntry)
        assert isinstance(load_command(entry), click.Command)


def test_a_lake_that_cannot_be_opened_is_one_sentence(ghstars: Ghstars, tmp_path: Path) -> None:
    file = tmp_path / "a_file"
    file.write_text("no folder")
    ran = ghstars(file, "predict", "stars")
    assert ran.code == 1
    assert ran.err.startswith(f"ghstars: The lake {file}/lake cannot be opened")


def test_a_command_that_meets_a_bug_shows_one_sentence_and_no_traceback(
    ghstars: Ghstars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_settings: settings.Settings) -> None:
        raise LookupError("a fault of ours")

    monkeypatch.setattr(doctor, "_examine", broken)
    ran = ghstars(tmp_path, "doctor")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("ghstars: This is a bug in ghstars 0.")
    assert len(ran.err.splitlines()) == 1
    (report,) = (tmp_path / "bugs").iterdir()
    assert "ghstars doctor" in report.read_text(encoding="utf-8")


def test_an_error_of_a_library_is_one_sentence_and_no_bug(
    ghstars: Ghstars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_settings: settings.Settings) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(doctor, "_examine", broken)
    ran = ghstars(tmp_path, "doctor")
    assert ran.code == 1
    assert ran.err.startswith("ghstars: A database of Dagster or MLflow in")
    assert not (tmp_path / "bugs").exists()


WRITTEN_WRONGLY = [
    "predict",
    "predict nothing",
    "predict stars --date 0000-00-00",
    "predict stars --date 9999-12-31",
    "predict stars --date 2026-02-30",
    "predict stars --date tomorrow",
    "predict stars --top 0",
    "predict stars --top many",
    "predict stars --csv --json",
    "coverage stars --json --csv",
    "sql --csv --json",
    "backfill stars --from 2026-11-20 --to 2026-11-01",
    "backfill stars --from yesteryear",
    "backfill stars --stages nothing",
    "gap stars 2026-11-20 2026-11-01 --why x",
    "gap stars 2026-11-20",
    "release stars x --why x",
    "promote stars 0 --why x",
    "promote stars 1.5 --why x",
    "rollback stars --to -1 --why x",
    "drift stars --against x",
    "backtest stars --retrain sometimes",
    "export-duckdb /nowhere/at/all/x.duckdb",
    "sandbox --port 99999",
    "sandbox --at 2026-13-01",
    "start --days 5",
]


@pytest.mark.parametrize("written", WRITTEN_WRONGLY)
def test_a_command_that_is_written_wrongly_ends_with_2(
    ghstars: Ghstars, tmp_path: Path, written: str
) -> None:
    ran = ghstars(tmp_path, *written.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(("Usage: ghstars", "ghstars: "))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["sql", "--csv", "select * from range(200000)"], ["status"]]
)
def test_whoever_reads_no_further_is_no_fault(tmp_path: Path, arguments: list[str]) -> None:
    program = "import sys; from ghstars_assets.cli import main; main(sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "GHSTARS_HOME": str(tmp_path)},
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read().decode()
    assert (process.returncode, said) == (0, "")
