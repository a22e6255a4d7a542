"""Who may ask the sandbox: a token, compared in constant time, or a GitHub App's signed request."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt

_LASTS = timedelta(hours=1)


@dataclass
class Doorkeeper:
    token: str = field(repr=False)
    app_public_key: str = ""
    _given: list[tuple[str, datetime]] = field(default_factory=list, repr=False)

    def lets_in(self, authorization: str, now: datetime) -> bool:
        kind, _, given = authorization.partition(" ")
        if kind.lower() not in ("bearer", "token"):
            return False
        known = [self.token, *(token for token, ends_at in self._given if now < ends_at)]
        # Every one is compared, so that the time gives nothing away.
        return any([hmac.compare_digest(given.encode(), one.encode()) for one in known])  # noqa: C419

    def installation_token(self, authorization: str, now: datetime) -> tuple[str, datetime] | None:
        """A token of an hour for an App that proves itself, by the sandbox's clock."""
        if not self.app_public_key:
            return None
        try:
            claims = jwt.decode(
                authorization.removeprefix("Bearer "),
                self.app_public_key,
                algorithms=["RS256"],
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "require": ["iat", "exp", "iss"],
                },
            )
        except jwt.PyJWTError:
            return None
        if not claims["iat"] <= now.timestamp() < claims["exp"] <= claims["iat"] + 660:
            return None
        token = f"{self.token}-installation-{len(self._given) + 1}"
        self._given.append((token, now + _LASTS))
        return token, now + _LASTS
