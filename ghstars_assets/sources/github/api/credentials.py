"""Who we are to GitHub: a personal token, or a GitHub App that fetches its own.

A secret is never in a repr, a message or a log: it is only ever put into a request's header.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import jwt

from ghstars_assets.errors import SettingsError
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.answers import BadCredentialsError

_RENEWED_BEFORE = timedelta(minutes=5)
_JWT_LASTS = timedelta(minutes=9)
"""GitHub takes ten at most."""
_CLOCKS_DIFFER_BY = timedelta(seconds=60)

_HOW_TO_GET_ONE = (
    "No GitHub token is set: put a personal access token (fine-grained, public repositories, no "
    "permissions) into GHSTARS_GITHUB_TOKEN, in the environment or in .env."
)


class Credentials(Protocol):
    """Gives the value of the Authorization header."""

    @property
    def kind(self) -> str: ...

    @property
    def is_dated(self) -> bool:
        """Whether what it signs must bear GitHub's time."""
        ...

    async def authorization(self, exchange: "Exchange", now: datetime, /) -> str: ...


Exchange = Callable[[str, str], Awaitable[tuple[str, datetime]]]
"""Trades an App's signed request (path, JWT) for a token and the moment at which it ends."""


@dataclass(frozen=True)
class Token:
    secret: str = field(repr=False)
    kind: str = "personal access token"
    is_dated: bool = False

    async def authorization(self, _exchange: Exchange, _now: datetime) -> str:
        return f"Bearer {self.secret}"


@dataclass
class App:
    """A GitHub App's installation. Its tokens last an hour and are renewed before they end."""

    app_id: str
    installation: str
    private_key: str = field(repr=False)
    kind: str = "GitHub App"
    is_dated: bool = True
    _token: str = field(default="", repr=False)
    _ends_at: datetime | None = None

    async def authorization(self, exchange: Exchange, now: datetime) -> str:
        if self._ends_at is None or now >= self._ends_at - _RENEWED_BEFORE:
            path = f"/app/installations/{self.installation}/access_tokens"
            self._token, self._ends_at = await exchange(path, self._signed(now))
        return f"Bearer {self._token}"

    def _signed(self, now: datetime) -> str:
        claims = {
            "iat": int((now - _CLOCKS_DIFFER_BY).timestamp()),
            "exp": int((now + _JWT_LASTS).timestamp()),
            "iss": self.app_id,
        }
        try:
            return jwt.encode(claims, self.private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise BadCredentialsError(
                "GHSTARS_GITHUB_APP_KEY is no RSA private key in PEM form; download the App's key "
                "again and give its text or its path."
            ) from None


def credentials_of(settings: Settings) -> Credentials:
    token = settings.github_token.get_secret_value().strip()
    key = settings.github_app_key.get_secret_value().strip()
    parts = {
        "GHSTARS_GITHUB_APP_ID": settings.github_app_id.strip(),
        "GHSTARS_GITHUB_APP_INSTALLATION": settings.github_app_installation.strip(),
        "GHSTARS_GITHUB_APP_KEY": key,
    }
    if any(parts.values()):
        missing = [name for name, value in parts.items() if not value]
        if missing:
            raise SettingsError(f"A GitHub App needs {' and '.join(missing)} too; set them.")
        app_id, installation, _ = parts.values()
        return App(app_id, installation, _key_text(key))
    if not token:
        raise SettingsError(_HOW_TO_GET_ONE)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(
            "GHSTARS_GITHUB_TOKEN holds a character that no token has; copy the token again."
        )
    return Token(token)


def has_credentials(settings: Settings) -> bool:
    return bool(settings.github_token.get_secret_value().strip() or settings.github_app_id.strip())


def _key_text(key: str) -> str:
    """The key itself, given as text or as the path of its file."""
    if "PRIVATE KEY" in key:
        return key.replace("\\n", "\n")
    try:
        return Path(key).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            "GHSTARS_GITHUB_APP_KEY is neither a key in PEM form nor the path of one that can be "
            "read; mend it."
        ) from None
