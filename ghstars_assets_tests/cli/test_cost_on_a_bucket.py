"""What the commands of every day ask of a bucket: so many requests and bytes, and no more.

The bounds lie a fifth above what was measured when they were written, on a lake of 75 days.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ghstars_assets.lake.store import Store
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support import object_stores
from ghstars_assets_tests.support.ghstars_command import Ghstars
from ghstars_assets_tests.support.object_stores import S3Server

BUCKET = "filled"
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Bucket:
    server: S3Server
    settings: dict[str, str]


@pytest.fixture(scope="module")
def bucket(filled_home: Path) -> Iterator[Bucket]:
    """The lake of the filled home, in a bucket."""
    with object_stores.s3_server() as server:
        server.make_bucket(BUCKET)
        settings = {
            "GHSTARS_LAKE": f"s3://{BUCKET}/lake",
            "GHSTARS_S3_ENDPOINT": server.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(name, value)
            store = Store(Settings(home=filled_home))
        lake = filled_home / "lake"
        for file in sorted(lake.rglob("*")):
            if file.is_file():
                store.put(file.relative_to(lake).as_posix(), file.read_bytes())
        yield Bucket(server, settings)


@pytest.mark.parametrize(
    ("arguments", "most_requests", "most_megabytes"),
    [
        (
            "backfill stars --from 2026-06-26 --to 2026-07-25 --stages features --force",
            {"LIST": 17, "GET": 150, "PUT": 36},
            4.0,
        ),
        ("predict stars", {"LIST": 5, "GET": 4}, 0.1),
        ("status", {"LIST": 138, "GET": 370}, 5.8),
        ("export-duckdb lake.duckdb", {"LIST": 108, "GET": 700}, 12.6),
    ],
)
def test_a_command_asks_a_bucket_for_no_more_than_it_needs(
    bucket: Bucket,
    ghstars: Ghstars,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: str,
    most_requests: dict[str, int],
    most_megabytes: float,
) -> None:
    for name, value in bucket.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    requests = Counter(bucket.server.requests)
    sent = bucket.server.sent_bytes.total()
    ran = ghstars(tmp_path / "home", *arguments.split())
    assert ran.code in (0, 3), ran.err
    asked = bucket.server.requests - requests
    megabytes = (bucket.server.sent_bytes.total() - sent) / MEGABYTE
    assert asked <= Counter(most_requests), f"{asked}, {megabytes:.2f} MB"
    assert megabytes <= most_megabytes
