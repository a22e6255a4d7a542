from pathlib import Path

import pytest

from ghstars_assets.home.secret_files import open_secrets
from ghstars_assets.settings import Settings


@pytest.fixture
def dot_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ".env"
    path.write_text("GHSTARS_HOME=home\nexport GHSTARS_GITHUB_TOKEN=ghp_secret\n")
    path.chmod(0o644)
    return path


def test_a_dot_env_with_a_secret_that_others_can_read_is_named_with_the_remedy(
    dot_env: Path, settings: Settings
) -> None:
    [sentence] = open_secrets(settings)
    assert sentence.endswith(f"run `chmod 600 {dot_env}`.")
    assert "ghp_secret" not in sentence
    dot_env.chmod(0o600)
    assert open_secrets(settings) == []


def test_a_dot_env_without_a_secret_may_be_read_by_anybody(
    dot_env: Path, settings: Settings
) -> None:
    dot_env.write_text("GHSTARS_WEB_PORT=3001\nGHSTARS_GITHUB_TOKEN= # ask Ann\n#AWS_REGION=x\n")
    assert open_secrets(settings) == []


def test_the_key_files_that_settings_point_to_are_looked_at_too(tmp_path: Path) -> None:
    key, account = tmp_path / "app.pem", tmp_path / "google.json"
    for path in (key, account):
        path.write_text("secret")
        path.chmod(0o640)
    given = Settings.model_validate(
        {"home": tmp_path, "github_app_key": str(key), "google_credentials": str(account)}
    )
    of_key, of_account = open_secrets(given)
    assert str(key) in of_key
    assert str(account) in of_account
