"""What GitHub shows of a repository beyond what the world itself knows: pull requests, releases,
topics and the like, made from the seed, the identity and the age alone.

The world's own dice stay untouched. Whatever only ever grows on GitHub only ever grows here.
"""

import base64
import hashlib
from datetime import datetime

import numpy as np
import polars as pl

from ghstars_assets.sandbox.world.randomness import dice_of
from ghstars_assets.sandbox.world.repositories import MICROSECONDS_PER_DAY

_LICENCES = ("MIT", "MIT", "Apache-2.0", "Apache-2.0", "GPL-3.0", "BSD-3-Clause", "MPL-2.0", None)
_TOPICS = (
    *("cli", "database", "machine-learning", "web", "rust-lang", "observability"),
    *("data-engineering", "games", "editor", "networking", "security", "compiler"),
    *("education", "finance", "graphics", "bioinformatics", "automation", "testing"),
)
_NODE_PREFIX = "R_kgDO"
_PACKED_BYTES = 6


def with_details(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The world's rows with everything a snapshot asks for."""
    ids = frame["repo_id"].to_numpy()
    observed_us = frame["observed_at"].dt.timestamp("us").to_numpy()
    created_us = frame["created_at"].dt.timestamp("us").to_numpy()
    age_days = np.maximum(0.0, (observed_us - created_us) / MICROSECONDS_PER_DAY)

    def dice(number: int) -> np.ndarray:
        return dice_of(ids, seed, number)

    releases_apart_days = 10 ** (1.0 + 1.5 * dice(4))
    has_releases = dice(5) < 0.8
    releases = np.where(has_releases, np.floor(age_days / releases_apart_days), 0).astype(np.int64)
    latest_release_us = created_us + (releases * releases_apart_days * MICROSECONDS_PER_DAY).astype(
        np.int64
    )
    has_discussions = dice(6) < 0.5
    is_licensed = (dice(10) * len(_LICENCES)).astype(np.int64)
    return frame.with_columns(
        node_id=pl.Series([node_id_of(repo_id) for repo_id in ids.tolist()], dtype=pl.String),
        closed_issues=pl.Series(np.floor(10 ** (2.5 * dice(1) - 2) * age_days).astype(np.int64)),
        merged_pull_requests=pl.Series(
            np.floor(10 ** (2.5 * dice(2) - 2.2) * age_days).astype(np.int64)
        ),
        open_pull_requests=pl.Series(
            np.floor(20 * dice(3) + 3 + 3 * np.sin(age_days / 9 + 6 * dice(3))).astype(np.int64)
        ),
        releases=pl.Series(releases),
        latest_release_at=pl.Series(latest_release_us).cast(pl.Datetime("us", "UTC")),
        discussions=pl.Series(
            np.where(has_discussions, np.floor(age_days * dice(7) / 20), 0).astype(np.int64)
        ),
        size_kb=pl.Series((10 ** (2 + 4 * dice(8)) * (1 + age_days / 3650)).astype(np.int64)),
        licence=pl.Series([_LICENCES[place] for place in is_licensed.tolist()], dtype=pl.String),
        topics=pl.Series(_topics(dice(11)), dtype=pl.List(pl.String)),
        updated_at=pl.max_horizontal("pushed_at", pl.col("observed_at").dt.truncate("1d")),
    ).with_columns(
        latest_release_at=pl.when(pl.col("releases") > 0).then("latest_release_at"),
        latest_release=pl.when(pl.col("releases") > 0).then(
            pl.format("v{}.{}", pl.col("releases") // 10, pl.col("releases") % 10)
        ),
    )


def head_sha_of(repo_id: int, pushed_at: datetime) -> str:
    """A new push is a new commit."""
    return hashlib.sha1(f"{repo_id}:{pushed_at}".encode(), usedforsecurity=False).hexdigest()


def node_id_of(repo_id: int) -> str:
    """An opaque id in the shape of GitHub's."""
    return _NODE_PREFIX + base64.urlsafe_b64encode(repo_id.to_bytes(_PACKED_BYTES)).decode()


def repo_id_of(node_id: str) -> int | None:
    if not node_id.startswith(_NODE_PREFIX):
        return None
    try:
        packed = base64.urlsafe_b64decode(node_id.removeprefix(_NODE_PREFIX))
    except ValueError:
        return None
    # base64 passes over what it does not know: only the id itself is the id.
    is_ours = len(packed) == _PACKED_BYTES and node_id_of(int.from_bytes(packed)) == node_id
    return int.from_bytes(packed) if is_ours else None


def _topics(dice: np.ndarray) -> list[list[str]]:
    """None to four topics, in order of the alphabet."""
    found = []
    for draw in (dice * 1e9).astype(np.int64).tolist():
        count, rest = draw % 5, draw // 5
        chosen = {_TOPICS[(rest // len(_TOPICS) ** place) % len(_TOPICS)] for place in range(count)}
        found.append(sorted(chosen))
    return found
