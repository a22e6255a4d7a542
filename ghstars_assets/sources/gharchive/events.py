"""One line of GH Archive: who did what to which repository, and when."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

STAR = "WatchEvent"
"""GitHub called starring so before it had another use for watching."""
_MOST_ID = 2**63 - 1
_YEARS = range(2008, 9999)
"""From GitHub's first on; beyond the last a calendar has no next hour."""
_FULL_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    event_id: str
    """Empty where the line has none."""
    at: datetime
    """UTC."""
    repo_id: int | None
    full_name: str | None
    """owner/name; None where the repository was deleted and lost its name."""


def read_event(line: bytes) -> Event | None:
    """The event of a line; None where the line is no JSON, or JSON of something else."""
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, or nested without end
        return None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("type"), str):
        return None
    at = _moment(parsed.get("created_at"))
    if at is None:
        return None
    repo = parsed.get("repo")
    repo_id, full_name = _repository(repo) if isinstance(repo, dict) else (None, None)
    return Event(parsed["type"], str(parsed.get("id") or ""), at, repo_id, full_name)


def _repository(repo: dict[str, Any]) -> tuple[int | None, str | None]:
    repo_id, name = repo.get("id"), repo.get("name")
    is_id = type(repo_id) is int and 0 < repo_id <= _MOST_ID
    is_name = isinstance(name, str) and _FULL_NAME.fullmatch(name)
    return repo_id if is_id else None, name if is_name else None


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo and parsed.year in _YEARS else None
    except (ValueError, OverflowError):
        return None
