"""Whose data a lake holds: an invented world's or the real one's. The two never mix."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal

from ghstars_assets.errors import GhstarsError, WrongHomeError
from ghstars_assets.lake.store import MARKER_KEY
from ghstars_assets.lake.tables import Lake

Kind = Literal["sandbox", "real"]


SANDBOX_NOTICE = (
    "This is the sandbox: an invented world. Nothing in it exists, and no figure measured on it "
    "says anything about the real one."
)


@dataclass(frozen=True)
class SandboxWorld:
    """What it takes to make the same invented world again."""

    seed: int
    repositories: int
    first_day: date
    change_on: date | None = None
    """The day on which it becomes another; None for one that never does."""


@dataclass(frozen=True)
class Marker:
    kind: Kind
    first_day: date | None = None
    """Where this lake's partitions begin; None leaves it to each problem."""
    world: SandboxWorld | None = None
    has_checksums: bool = True
    """Whether every file here was written with one. The first release wrote none."""


def read_marker(lake: Lake) -> Marker | None:
    content = lake.store.get(MARKER_KEY)
    if content is None:
        return None
    try:
        stored = json.loads(content)
        world = stored["world"]
        return Marker(
            kind=stored["kind"],
            first_day=_day(stored["first_day"]),
            world=_world(world) if world else None,
            has_checksums=stored.get("has_checksums", False),
        )
    except (ValueError, KeyError, TypeError):
        raise GhstarsError(
            f"{lake.store.url(MARKER_KEY)} cannot be read; restore it, or begin with an empty lake."
        ) from None


def mark_lake(lake: Lake, wanted: Marker) -> Marker:
    """Mark an empty lake, or return the marker it has. A lake of another kind is refused."""
    lake.store.put(MARKER_KEY, _content(wanted), only_if_absent=True)
    return require_kind(lake, wanted.kind)


def begin_no_later_than(lake: Lake, day: date) -> bool:
    """Let a lake's partitions begin on a day, for something of that day is in it. Returns whether
    they began later before."""
    marker = read_marker(lake)
    if marker is None or marker.first_day is None or marker.first_day <= day:
        return False
    earlier = replace(marker, first_day=day)
    lake.store.put(MARKER_KEY, _content(earlier))
    return True


def require_kind(lake: Lake, kind: Kind) -> Marker:
    return require_marker(lake, frozenset({kind}))


def require_marker(lake: Lake, kinds: Collection[Kind]) -> Marker:
    """The marker of a lake that takes data of one of these kinds; any other lake is refused."""
    marker = read_marker(lake)
    if marker is None:
        raise WrongHomeError(
            f"The lake at {lake.store.root} is empty and unmarked; run `ghstars demo` for the "
            "sandbox, or `ghstars start` for real data."
        )
    if marker.kind not in kinds:
        raise WrongHomeError(
            f"The lake at {lake.store.root} holds {marker.kind} data and takes no "
            f"{' or '.join(sorted(kinds))} data; set GHSTARS_HOME (or GHSTARS_LAKE) to another "
            "place."
        )
    return marker


def _content(marker: Marker) -> bytes:
    return json.dumps(asdict(marker), default=str, indent=2).encode()


def _world(stored: dict[str, Any]) -> SandboxWorld:
    return SandboxWorld(
        seed=stored["seed"],
        repositories=stored["repositories"],
        first_day=date.fromisoformat(stored["first_day"]),
        # Markers were written before worlds could change.
        change_on=_day(stored.get("change_on")),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
