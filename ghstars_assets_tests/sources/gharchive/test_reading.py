"""A file is known again without being read through."""

from pathlib import Path

import pytest

from ghstars_assets.sources.gharchive import reading
from ghstars_assets.sources.gharchive.reading import fingerprint


@pytest.mark.parametrize("changed", [b"Xaa...zzz", b"aaa...zzX", b"aaa......zzz"])
def test_a_fingerprint_depends_on_either_end_and_on_the_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: bytes
) -> None:
    monkeypatch.setattr(reading, "_EDGE_BYTES", 3)
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    one.write_bytes(b"aaa...zzz")
    same.write_bytes(b"aaa...zzz")
    other.write_bytes(changed)
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)


def test_a_file_shorter_than_its_ends_has_a_fingerprint(tmp_path: Path) -> None:
    empty, short = tmp_path / "empty", tmp_path / "short"
    empty.write_bytes(b"")
    short.write_bytes(b"a")
    assert fingerprint(empty) != fingerprint(short)
