"""Invented hours of GH Archive, in GitHub's own way of writing events."""

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

DAY = date(2021, 7, 21)
SEVEN = datetime(2021, 7, 21, 7, tzinfo=UTC)


def event(
    kind: str = "PushEvent",
    *,
    event_id: str = "17244791732",
    repo_id: int = 1,
    name: str = "octo/cat",
    at: datetime = SEVEN,
    payload: dict[str, Any] | None = None,
    org: str | None = None,
) -> dict[str, Any]:
    """With its fields in the order of the archive."""
    fields: dict[str, Any] = {
        "id": event_id,
        "type": kind,
        "actor": {"id": 5, "login": "ada", "url": "https://api.github.com/users/ada"},
        "repo": {"id": repo_id, "name": name, "url": f"https://api.github.com/repos/{name}"},
        "payload": {"action": "started"} if payload is None else payload,
        "public": True,
        "created_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
    }
    if org is not None:
        fields["org"] = {"id": 9, "login": org, "url": f"https://api.github.com/orgs/{org}"}
    return fields


def star(number: int, repo_id: int = 1, name: str = "octo/cat", at: datetime = SEVEN) -> bytes:
    return line(event("WatchEvent", event_id=str(number), repo_id=repo_id, name=name, at=at))


def line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def write_hour(path: Path, lines: Iterable[bytes]) -> Path:
    # Without the moment of packing, so that the same hour is the same file.
    packed = gzip.compress(b"".join(one + b"\n" for one in lines), mtime=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed)
    return path


def hour_of(folder: Path, began_at: datetime, *stars_of: int) -> Path:
    """The file of an hour in which each of these repositories gains a star (twice if named twice),
    one a minute."""
    pushes = [line(event(at=began_at, event_id=str(number))) for number in range(3)]
    stars = [
        star(
            100 + number, repo_id, f"octo/repository{repo_id}", began_at + timedelta(minutes=number)
        )
        for number, repo_id in enumerate(stars_of)
    ]
    name = f"{began_at:%Y-%m-%d}-{began_at.hour}.json.gz"
    return write_hour(folder / name, [*pushes, *stars])
