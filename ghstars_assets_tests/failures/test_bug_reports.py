"""A bug is reported by a file that has all it takes, no secret, and one reader."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from ghstars_assets.failures import bug_reports
from ghstars_assets.failures.bug_reports import MOST_REPORTS, report_bug
from ghstars_assets.settings import Settings

TOKEN = "ghp_" + "a1b2" * 9


def _bug(words: str) -> Exception:
    try:
        raise LookupError(words)
    except LookupError as error:
        return error


def _reports(home: Path) -> list[Path]:
    return sorted((home / "bugs").iterdir())


def test_the_report_has_version_command_and_traceback_and_its_owner_alone_reads_it(
    tmp_path: Path,
) -> None:
    said = report_bug(_bug("no such day"), Settings(home=tmp_path), ["sql", "select 'a b'"])
    (report,) = _reports(tmp_path)
    assert said.startswith("This is a bug in ghstars 0.")
    assert "LookupError: no such day" in said
    assert str(report) in said
    assert "\n" not in said
    text = report.read_text(encoding="utf-8")
    assert "ghstars sql 'select '\"'\"'a b'\"'\"''" in text
    assert "raise LookupError(words)" in text
    assert "polars" in text
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert stat.S_IMODE(report.parent.stat().st_mode) == 0o700


def test_no_secret_stands_in_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, github_token=SecretStr("the-secret"))
    key = "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----"
    words = f"the-secret {TOKEN} {key} https://me:hunter2@example.org/x?sig=hunter3"
    said = report_bug(_bug(words), settings, ["track", "--why", TOKEN, "the-secret"])
    (report,) = _reports(tmp_path)
    for text in (said, report.read_text(encoding="utf-8")):
        assert not [one for one in ("the-secret", TOKEN, "MII", "hunter") if one in text]


def test_old_reports_make_room(tmp_path: Path) -> None:
    for number in range(MOST_REPORTS + 3):
        report_bug(_bug(f"number {number}"), Settings(home=tmp_path), [])
    kept = _reports(tmp_path)
    assert len(kept) == MOST_REPORTS
    assert f"number {MOST_REPORTS + 2}" in kept[-1].read_text(encoding="utf-8")


def test_where_the_home_cannot_be_written_the_report_lies_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    said = report_bug(_bug("x"), Settings(home=tmp_path / "home"), [])
    assert "ghstars-bug-" in said


def test_where_nothing_can_be_written_the_traceback_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bug_reports, "_written", full)
    said = report_bug(_bug("x"), Settings(home=tmp_path), [])
    assert "report it with these lines" in said
    assert "Traceback" in said
