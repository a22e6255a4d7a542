"""The sandbox's clock: it stands at a moment, or runs on from one with the event loop's time."""

import asyncio
from datetime import UTC, datetime, timedelta


class SandboxClock:
    def __init__(self, at: datetime, *, is_running: bool) -> None:
        self.is_running = is_running
        self.set(at)

    @classmethod
    def fixed(cls, at: datetime) -> "SandboxClock":
        return cls(at, is_running=False)

    @classmethod
    def running(cls, at: datetime) -> "SandboxClock":
        return cls(at, is_running=True)

    def now(self) -> datetime:
        if not self.is_running:
            return self._at
        if self._since is None:
            # A clock may be made before there is a loop; it starts when it is first looked at.
            self._since = _loop_seconds()
        return self._at + timedelta(seconds=_loop_seconds() - self._since)

    def set(self, at: datetime) -> None:
        """A moment without a zone is meant in UTC, whatever the machine's own zone."""
        self._at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        self._since: float | None = None


def _loop_seconds() -> float:
    return asyncio.get_running_loop().time()
