"""Counts what a lake asks of its store: by kind of request, and by key."""

from collections import Counter
from collections.abc import Iterator

import pytest

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
    """The key of every footer that is read from now on, of any lake."""
    read: list[str] = []
    get_tail = Store.get_tail

    def counted(store: Store, file: StoredFile, most: int) -> tuple[bytes, int]:
        read.append(file.key)
        return get_tail(store, file, most)

    monkeypatch.setattr(Store, "get_tail", counted)
    return read
