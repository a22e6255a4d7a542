"""Takes secrets out of what is shown or kept: those of the settings, and what looks like one."""

import re

from pydantic import SecretStr

from ghstars_assets.settings import Settings

_CREDENTIALS_IN_ADDRESS = re.compile(r"//[^@/\s]*@")
_QUERY_OF_ADDRESS = re.compile(r"(//[^\s?'\"]+)\?[^\s'\"]*")
_TOKENS = re.compile(r"\b(?:gh[oprsu]_|github_pat_)\w{16,}")
_KEYS = re.compile(r"-----BEGIN [^-]*PRIVATE KEY-----.*?(?:-----END [^-]*-----|\Z)", re.DOTALL)


def without_secrets(text: str, settings: Settings | None) -> str:
    """The text with `***` in the place of every secret; queries of addresses are left out, for
    signed ones are secrets too."""
    for secret in _secrets_of(settings) if settings else ():
        text = text.replace(secret, "***")
    text = _KEYS.sub("***", _TOKENS.sub("***", text))
    text = _CREDENTIALS_IN_ADDRESS.sub("//", text)
    return _QUERY_OF_ADDRESS.sub(r"\1", text)


def _secrets_of(settings: Settings) -> list[str]:
    """The longest first, for one may be a part of another."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    secrets = {one.get_secret_value() for one in values if isinstance(one, SecretStr)}
    return sorted(filter(None, secrets), key=len, reverse=True)
