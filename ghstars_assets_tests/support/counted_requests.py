"""Counts what a lake asks of its store: by kind of request, and by key."""

from collections import Counter
from collections.abc import Iterator

import polars as pl
import pytest

from ghstars_assets.lake import tables
from ghstars_assets.lake.store import Store, StoredFile
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings


class CountedStore(Store):
    """A store that remembers every request; a listing counts once, however long it is."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.requests: Counter[tuple[str, str]] = Counter()

    def counted(self, kind: str, folder: str = "") -> int:
        return sum(
            count
            for (of_kind, key), count in self.requests.items()
            if of_kind == kind and key.startswith(folder)
        )

    def get(self, key: str) -> bytes | None:
        self.requests["get", key] += 1
        return super().get(key)

    def put(self, key: str, content: bytes, *, only_if_absent: bool = False) -> bool:
        self.requests["put", key] += 1
        return super().put(key, content, only_if_absent=only_if_absent)

    def files(self, prefix: str, *, after: str | None = None) -> Iterator[StoredFile]:
        self.requests["list", prefix] += 1
        yield from super().files(prefix, after=after)


def count_requests(lake: Lake) -> CountedStore:
    """Count from now on."""
    counted = CountedStore(lake.settings)
    lake.store = counted
    return counted


def count_footers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URL of every footer that is read from now on, of any lake."""
    read: list[str] = []
    read_metadata = pl.read_parquet_metadata

    def counted(url: str, **options: object) -> dict[str, str]:
        read.append(url)
        return read_metadata(url, **options)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(tables.pl, "read_parquet_metadata", counted)
    return read
