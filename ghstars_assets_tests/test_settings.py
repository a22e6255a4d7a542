from pathlib import Path

import pytest

from ghstars_assets.errors import SettingsError
from ghstars_assets.settings import PROJECT_ROOT, Settings, child_environment, load_settings


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_everything_lies_under_one_home_by_default(tmp_path: Path) -> None:
    settings = load_settings()
    home = tmp_path / ".ghstars"
    assert settings.home_path == home
    assert settings.lake_root == str(home / "lake")
    assert settings.dagster_home == home / "dagster"
    assert settings.mlflow_uri == f"sqlite:///{home}/mlflow/mlflow.db"
    assert settings.spill_path == home / "spill"


def test_a_home_may_be_written_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GHSTARS_HOME", "~/stars")
    assert load_settings().home_path == tmp_path / "stars"


def test_the_environment_wins_over_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("GHSTARS_WEB_PORT=3100\nGHSTARS_MLFLOW_PORT=5100\n")
    monkeypatch.setenv("GHSTARS_WEB_PORT", "3200")
    settings = load_settings()
    assert (settings.web_port, settings.mlflow_port) == (3200, 5100)


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHSTARS_THREADS", "")
    monkeypatch.setenv("GHSTARS_LAKE", "")
    assert load_settings().threads >= 1
    assert load_settings().lake_root.endswith("/lake")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GHSTARS_WEB_PORT", "70000"),
        ("GHSTARS_MEMORY_GB", "much"),
        ("GHSTARS_THREADS", "0"),
        ("GHSTARS_DAILY_CRON", "every morning"),
        ("GHSTARS_LAKE", "ftp://host/lake"),
    ],
)
def test_a_bad_value_is_one_sentence_that_names_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(f"{variable} cannot be used: ")
    assert message.endswith("mend it in the environment or in .env (see .env.example).")
    assert "\n" not in message


def test_secrets_never_print(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "MLFLOW_TRACKING_PASSWORD": "mlflow-secret",
        "AWS_SECRET_ACCESS_KEY": "aws-secret",
        "AZURE_STORAGE_ACCOUNT_KEY": "azure-secret",
    }
    for variable, value in secrets.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.s3_secret_access_key.get_secret_value() == "aws-secret"
    shown = f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert not [value for value in secrets.values() if value in shown]


def test_a_secret_in_a_bad_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHSTARS_LAKE", "ftp://user:password@host/lake")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "password" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_settings_cannot_change_under_a_running_process() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().home = Path("elsewhere")


def test_services_are_given_the_home_absolutely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_HOME", "here")
    environment = child_environment(load_settings())
    assert environment["GHSTARS_HOME"] == str(tmp_path / "here")
    assert environment["DAGSTER_HOME"] == str(tmp_path / "here" / "dagster")


def test_nothing_else_reads_or_writes_the_environment() -> None:
    package = PROJECT_ROOT / "ghstars_assets"
    naming = [
        str(file.relative_to(package))
        for file in sorted(package.rglob("*.py"))
        if "os.environ" in file.read_text("utf-8") or "getenv" in file.read_text("utf-8")
    ]
    assert naming == ["settings.py"]


@pytest.mark.parametrize("value", ["https://stars.example.org", "stars.example.org:80", "*", "a b"])
def test_an_allowed_host_is_a_name_alone(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHSTARS_ALLOWED_HOSTS", f"localhost, {value}")
    with pytest.raises(SettingsError, match=r"GHSTARS_ALLOWED_HOSTS .* a host's name"):
        load_settings()
