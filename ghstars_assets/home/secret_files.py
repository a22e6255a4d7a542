"""Files of the user's that hold secrets, and whether others on this machine can read them."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from ghstars_assets.settings import Settings

DOT_ENV = Path(".env")
_GIVEN = re.compile(r"^\s*(?:export\s+)?(\w+)\s*=\s*[^\s#]", flags=re.MULTILINE)
"""A line of `.env` that gives something; `NAME=` and `NAME= # why` give nothing."""


def open_secrets(settings: Settings) -> list[str]:
    """A sentence with the remedy for each file that holds a secret and that others can read."""
    return [
        f"{path.resolve()} holds a secret and others on this machine can read it; "
        f"run `chmod 600 {path.resolve()}`."
        for path in _secret_files(settings)
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


def _secret_files(settings: Settings) -> Iterator[Path]:
    if DOT_ENV.is_file():
        given = {name.upper() for name in _GIVEN.findall(DOT_ENV.read_text())}
        if given & _secret_variables():
            yield DOT_ENV
    app_key = settings.github_app_key.get_secret_value().strip()
    if app_key and not app_key.startswith("-----BEGIN"):
        yield Path(app_key).expanduser()
    if settings.google_credentials:
        yield Path(settings.google_credentials).expanduser()


def _secret_variables() -> set[str]:
    return {
        str(field.validation_alias or f"GHSTARS_{name}").upper()
        for name, field in Settings.model_fields.items()
        if field.annotation is SecretStr
    } | {"GHSTARS_POSTGRES_PASSWORD"}
