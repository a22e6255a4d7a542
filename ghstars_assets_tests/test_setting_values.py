"""Every variable of `.env.example` holding garbage: refused in a sentence, or used as it is."""

import re
from pathlib import Path

import pytest

from ghstars_assets.errors import SettingsError
from ghstars_assets.settings import PROJECT_ROOT, load_settings

VARIABLES = re.findall(
    r"^#([A-Z0-9_]+)=", (PROJECT_ROOT / ".env.example").read_text("utf-8"), re.MULTILINE
)
OF_DAGSTER = [name for name in VARIABLES if "POSTGRES" in name or "COMPUTE_LOGS" in name]
OURS = [name for name in VARIABLES if name not in OF_DAGSTER]

NUMBERS = [
    "GHSTARS_GITHUB_POINTS_KEPT", "GHSTARS_GITHUB_PATIENCE_MINUTES",
    "GHSTARS_GITHUB_SNAPSHOT_HOURS", "GHSTARS_STAR_HISTORY_PER_DAY", "GHSTARS_MEMORY_GB",
    "GHSTARS_THREADS", "GHSTARS_WEB_PORT", "GHSTARS_MLFLOW_PORT", "GHSTARS_SANDBOX_SEED",
    "GHSTARS_SANDBOX_REPOSITORIES", "GHSTARS_SANDBOX_DAYS",
]  # fmt: skip
CRONS = ["GHSTARS_DAILY_CRON", "GHSTARS_WEEKLY_CRON"]
ADDRESSES = ["GHSTARS_S3_ENDPOINT", "GHSTARS_AZURE_ENDPOINT"]
NO_NUMBERS = ["garbage", "-1", "9" * 24, "9" * 5000, "1e400", "nan", "inf", "0x10", "1,5", "[]"]
NO_CRONS = [
    "garbage", "-1", "* * * *", "* * * * * *", "61 * * * *", "* 24 * * *", "* * 0 * *",
    "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a b c d e", "* * * * mon-",
    "@daily", "1e400 * * * *",
]  # fmt: skip
NO_ADDRESSES = ["garbage", "-1", "http://", "http://[::1", "ftp://host", "http://host:99999"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _refusal(variable: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    message = str(refused.value)
    assert message.startswith(f"{variable} cannot be used: ")
    assert message.endswith("; mend it in the environment or in .env (see .env.example).")
    assert len(message) < 300
    assert "\n" not in message
    # The words of pydantic are no sentence for a user.
    assert not re.search(r"Input should|Value error|String should|unable to parse", message)
    return message


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize(
    "value", ["garbage", "-1", "9" * 24, "1e400", "nan", "[bold]x", "http://[::1", "'; drop", "%"]
)
def test_garbage_is_refused_in_a_sentence_or_used_as_it_is(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    try:
        load_settings()
    except SettingsError as error:
        if "[" in value and variable == "GHSTARS_HOME":
            assert "cannot be used, because Dagster reads a `[` in its path" in str(error)  # noqa: PT017
            return
        _refusal(variable)


@pytest.mark.parametrize("variable", OURS)
@pytest.mark.parametrize("value", ["", "   "])
def test_empty_is_the_default_or_refused(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    try:
        load_settings()
    except SettingsError:
        assert value
        _refusal(variable)


@pytest.mark.parametrize("variable", [name for name in OURS if name != "GHSTARS_GITHUB_APP_KEY"])
@pytest.mark.parametrize("value", ["a\nb", "a\x1b[31mb", "a\x7fb", "a\udcffb"])
def test_what_cannot_be_printed_is_no_value(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    _refusal(variable)


@pytest.mark.parametrize("variable", NUMBERS)
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_number_is_one_and_within_reason(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    _refusal(variable)


@pytest.mark.parametrize("variable", CRONS)
@pytest.mark.parametrize("value", NO_CRONS)
def test_a_time_is_a_cron_line(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    _refusal(variable)


@pytest.mark.parametrize(
    "value", ["0 6 * * *", "*/15 0-6 1,15 jan-mar mon-fri", " 0  7 * * 7 ", "0 6/2 * * SUN"]
)
def test_cron_lines_as_dagster_takes_them_are_taken(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_DAILY_CRON", value)
    assert load_settings().daily_cron == value


@pytest.mark.parametrize("variable", ADDRESSES)
@pytest.mark.parametrize("value", NO_ADDRESSES)
def test_an_address_is_one(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    _refusal(variable)


@pytest.mark.parametrize("value", ["http://[::1", "http://", "https://host:99999"])
def test_mlflows_address_is_one(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", value)
    _refusal("MLFLOW_TRACKING_URI")


@pytest.mark.parametrize("value", ["s3://", "gs:///", "ftp://x"])
def test_a_lake_names_a_bucket(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHSTARS_LAKE", value)
    _refusal("GHSTARS_LAKE")


def test_a_line_end_behind_a_value_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHSTARS_GITHUB_TOKEN", "ghp_x\n")
    assert load_settings().github_token.get_secret_value() == "ghp_x"


def test_an_env_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"GHSTARS_LAKE=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"/\.env cannot be read \(it is no UTF-8\)"):
        load_settings()
