"""Every knob, typed, from the environment and `.env`: the only reader of the environment."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from ghstars_assets.errors import SettingsError
from ghstars_assets.setting_values import address, cron, mlflow_address, our_words, printable

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SQL_ROOT = PROJECT_ROOT / "sql"
LAKE_SCHEMES = ("file://", "s3://", "gs://", "az://")

UNUSABLE_IN_A_PATH = {
    # It would run there without the settings that we give it.
    "[": "Dagster reads a `[` in its path as a pattern",
    "\\": "DuckDB reads a `\\` in its path as the end of a folder's name",
}

EVENT_BATCH_VARIABLE, EVENTS_AT_ONCE = "DAGSTER_EVENT_BATCH_SIZE", 200
"""How many events of a run Dagster hands to its storage at once: ours stores them in one commit."""

HOST_NAME = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"

Port = Annotated[int, Field(ge=1, le=65535)]
Cron = Annotated[str, AfterValidator(cron)]
Address = Annotated[str, AfterValidator(address)]


class Settings(BaseSettings):
    """What `.env.example` lists. Secrets are `SecretStr`: no repr, log or error shows one."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_prefix="GHSTARS_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        allow_inf_nan=False,
    )

    home: Path = Field(
        default=Path(".ghstars"), description="Folder that holds everything by default"
    )
    lake: str = Field(
        default="", description="Root URL of the lake; a folder, s3://, gs:// or az://"
    )

    mlflow_tracking_uri: Annotated[str, AfterValidator(mlflow_address)] = Field(
        default="", validation_alias="MLFLOW_TRACKING_URI"
    )
    mlflow_username: str = Field(default="", validation_alias="MLFLOW_TRACKING_USERNAME")
    mlflow_password: SecretStr = Field(
        default=SecretStr(""), validation_alias="MLFLOW_TRACKING_PASSWORD"
    )

    s3_endpoint: Address = Field(
        default="", description="For MinIO and the like; empty means AWS itself"
    )
    s3_region: str = Field(default="us-east-1", validation_alias="AWS_REGION")
    s3_access_key_id: str = Field(default="", validation_alias="AWS_ACCESS_KEY_ID")
    s3_secret_access_key: SecretStr = Field(
        default=SecretStr(""), validation_alias="AWS_SECRET_ACCESS_KEY"
    )
    azure_account: str = Field(default="", validation_alias="AZURE_STORAGE_ACCOUNT_NAME")
    azure_key: SecretStr = Field(
        default=SecretStr(""), validation_alias="AZURE_STORAGE_ACCOUNT_KEY"
    )
    azure_endpoint: Address = Field(default="", description="For Azurite; empty means Azure itself")
    google_credentials: str = Field(default="", validation_alias="GOOGLE_APPLICATION_CREDENTIALS")

    memory_gb: float = Field(
        default=2.0, gt=0.1, le=1e5, description="DuckDB's memory limit in each step"
    )
    threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=4096,
        description="Threads in each step",
    )

    github_api: str = Field(
        default="",
        description="A GitHub other than github.com, or a served sandbox; empty means github.com "
        "(in a sandbox home: a sandbox of its own)",
    )
    github_token: SecretStr = Field(default=SecretStr(""), description="A personal access token")
    github_app_id: str = Field(default="", description="A GitHub App in place of a token")
    github_app_installation: str = Field(default="", description="Number of its installation")
    github_app_key: SecretStr = Field(
        default=SecretStr(""), description="Its private key as PEM, or the path of that file"
    )
    github_points_kept: int = Field(
        default=500,
        ge=0,
        le=10**6,
        description="Points (and requests) of each hour left for other uses",
    )
    github_patience_minutes: float = Field(
        default=65.0,
        ge=0,
        le=10_080,
        description="How long a run waits for a spent budget to return",
    )
    github_snapshot_hours: float = Field(
        default=6.0, gt=0, le=23, description="How long a daily snapshot may take"
    )
    star_history_per_day: int = Field(
        default=500,
        ge=0,
        le=10**6,
        description="Repositories whose star history is asked for in a day",
    )
    github_ranking: str = Field(
        default="",
        description="Clone, folder or address of the Github-Ranking archive, for days asked for in "
        "the UI; empty means where it was imported from last",
    )
    watch_list: str = Field(
        default="", description="File of repositories to track, owner/name on each line"
    )
    track_owners: str = Field(default="", description="Users and organisations, by comma")
    track_topics: str = Field(default="", description="Topics, by comma")
    track_stars: str = Field(default="", description="Star ranges such as 1000.. or 50..99")

    daily_cron: Cron = Field(default="0 6 * * *", description="UTC; takes the day's snapshot")
    weekly_cron: Cron = Field(default="0 7 * * 1", description="UTC; trains the Monday candidate")

    web_port: Port = Field(default=3000, description="Dagster's UI, on loopback")
    mlflow_port: Port = Field(default=5000, description="MLflow's UI, on loopback")
    allowed_hosts: str = Field(
        default="",
        description="Names besides loopback's under which both UIs answer, by comma: a proxy's",
    )

    sandbox_seed: int = Field(default=7, ge=0, lt=2**32)
    sandbox_repositories: int = Field(default=1000, ge=10, le=10**6)
    sandbox_days: int = Field(
        default=400, ge=30, le=6000, description="Days of the invented world's past"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _can_be_printed(cls, value: object, info: ValidationInfo) -> object:
        return value if info.field_name == "github_app_key" else printable(value)

    @field_validator("lake")
    @classmethod
    def _lake_has_a_known_scheme(cls, value: str) -> str:
        if "://" in value and not value.startswith(LAKE_SCHEMES):
            raise ValueError(f"it begins with none of {', '.join(LAKE_SCHEMES)}")
        if "://" in value and not value.partition("://")[2].strip("/"):
            raise ValueError("it names no bucket and no folder")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts_are_bare_names(cls, value: str) -> str:
        wrong = [name for name in _by_comma(value) if not re.fullmatch(HOST_NAME, name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is not a host's name alone, as ghstars.example.org is")
        return value

    @property
    def allowed_host_names(self) -> tuple[str, ...]:
        return tuple(name.lower() for name in _by_comma(self.allowed_hosts))

    @property
    def home_path(self) -> Path:
        return self.home.expanduser().resolve()

    @property
    def lake_root(self) -> str:
        return self.lake or str(self.home_path / "lake")

    @property
    def dagster_home(self) -> Path:
        return self.home_path / "dagster"

    @property
    def mlflow_home(self) -> Path:
        return self.home_path / "mlflow"

    @property
    def mlflow_database(self) -> Path:
        return self.mlflow_home / "mlflow.db"

    @property
    def mlflow_uri(self) -> str:
        return self.mlflow_tracking_uri or sqlite_address(self.mlflow_database)

    @property
    def budget_patience(self) -> timedelta:
        """How long a run waits for what a source allows in an hour to return."""
        return timedelta(minutes=self.github_patience_minutes)

    @property
    def spill_path(self) -> Path:
        return self.home_path / "spill"


def _by_comma(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def sqlite_address(database: Path) -> str:
    """A database as SQLAlchemy addresses it. `?` begins a query there, and `%` a character by its
    number. MLflow makes the folder that it reads after `sqlite:///` word for word, so an address
    that is not word for word its path begins in another way."""
    path = str(database)
    quoted = path.replace("%", "%25").replace("?", "%3F")
    return f"sqlite:///{path}" if quoted == path else f"sqlite+pysqlite:///{quoted}"


def load_settings() -> Settings:
    """Read the environment afresh. A bad value is one sentence that names it, never its secret."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0])
        shown = name if name.isupper() else f"GHSTARS_{name.upper()}"
        raise SettingsError(
            f"{shown} cannot be used: {our_words(first)}; mend it in the environment or in .env "
            "(see .env.example)."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8"
        raise SettingsError(
            f"{Path('.env').absolute()} cannot be read ({why}); mend or remove it (see "
            ".env.example)."
        ) from None
    for sign, why in UNUSABLE_IN_A_PATH.items():
        if sign in str(settings.home_path):
            raise SettingsError(
                f"The home {settings.home_path} cannot be used, because {why}; move it to a folder "
                "whose path has none, or set GHSTARS_HOME to another folder."
            )
    return settings


def export_mlflow(settings: Settings) -> None:
    """Set what MLflow reads from the environment alone: its credentials, and that it sends nothing
    about us to its makers."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if settings.mlflow_username:
        os.environ["MLFLOW_TRACKING_USERNAME"] = settings.mlflow_username
        os.environ["MLFLOW_TRACKING_PASSWORD"] = settings.mlflow_password.get_secret_value()


def forget_mlflow_address() -> None:
    """MLflow puts its address into the environment, where it would pass for a user's setting."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)


def let_openmp_threads_rest() -> None:
    """Threads of OpenMP otherwise burn their core while they wait for one another; beside another
    busy process a training on 2 cores then took 8 to 30 s in place of 4. OpenMP reads this once,
    when it is loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


SANDBOX_TOKEN_VARIABLE = "GHSTARS_SANDBOX_TOKEN"  # noqa: S105 - the name of it
"""By which a sandbox in a child process is given its token: arguments are seen by everybody."""


def sandbox_environment(token: str) -> dict[str, str]:
    return {**os.environ, SANDBOX_TOKEN_VARIABLE: token}


def sandbox_token() -> str:
    return os.environ[SANDBOX_TOKEN_VARIABLE]


def export_home(settings: Settings) -> None:
    """Set what Dagster, which reads the environment itself, must find of this home."""
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["GHSTARS_HOME"] = str(settings.home_path)
    os.environ.setdefault(EVENT_BATCH_VARIABLE, str(EVENTS_AT_ONCE))


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for the services that `ghstars up` starts: one home, by its whole path."""
    return {
        **os.environ,
        "GHSTARS_HOME": str(settings.home_path),
        "DAGSTER_HOME": str(settings.dagster_home),
        EVENT_BATCH_VARIABLE: os.environ.get(EVENT_BATCH_VARIABLE, str(EVENTS_AT_ONCE)),
    }
