"""What a store says of its files, and with which names it signs in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from ghstars_assets.lake.bucket_files import BucketFiles
from ghstars_assets.lake.store import Store, _bucket_config, _quoted_etag
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.counted_requests import count_requests


def test_folders_are_named_by_their_last_part_alone(any_lake: Lake) -> None:
    for key in ("a/b/d/file", "a/b/c/e/file", "a/file"):
        any_lake.store.put(key, b"x")
    assert any_lake.store.folders() == ["a"]
    assert any_lake.store.folders("a/b") == ["c", "d"]


def test_a_file_of_a_folder_is_looked_at_anew_each_time(lake: Lake) -> None:
    lake.store.put("folder/a", b"one")
    Path(lake.store.root, "folder/a").write_bytes(b"another")
    found = lake.store.file("folder/a")
    assert found
    assert found.size_bytes == len(b"another")


def test_what_was_just_written_has_the_facts_that_a_listing_shows(s3_settings: Settings) -> None:
    store = Store(s3_settings)
    store.put("folder/a", b"0123456789")
    written = store.file("folder/a")
    (listed,) = Store(s3_settings).files("folder/")
    assert written
    assert (written.key, written.size_bytes, written.etag) == (
        listed.key,
        listed.size_bytes,
        listed.etag,
    )
    assert abs(written.modified - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("given", "quoted"), [("ab", '"ab"'), ('"ab"', '"ab"'), ('W/"ab"', 'W/"ab"'), (None, "")]
)
def test_an_etag_has_its_quotes_once(given: str | None, quoted: str) -> None:
    assert _quoted_etag(given) == quoted


def test_azure_is_asked_with_the_account_and_its_key(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        lake="az://container/prefix",
        azure_account="account",
        azure_key=SecretStr("a2V5"),
    )
    assert Store(settings).options == {
        "azure_storage_account_name": "account",
        "azure_storage_account_key": "a2V5",
    }


def test_google_is_asked_with_the_file_of_a_service_account(tmp_path: Path) -> None:
    """Without a store: it would read the key that the file holds."""
    settings = Settings(home=tmp_path, google_credentials="keys.json")
    assert _bucket_config("gs", settings) == {"google_application_credentials": "keys.json"}
    assert _bucket_config("file", settings) == {}


def test_a_glob_lists_its_own_folder_alone(s3_settings: Settings) -> None:
    lake = Lake(s3_settings)
    for key in ("stars/counts/date=2026-01-01/data.parquet", "stars/other/data.parquet"):
        lake.store.put(key, b"x")
    counted = count_requests(lake)
    found = BucketFiles(counted, {}, {}).glob(f"{counted.root}/stars/counts/*/*.parquet")
    assert [path.rpartition("stars/")[2] for path in found] == [
        "counts/date=2026-01-01/data.parquet"
    ]
    assert counted.requests == {("list", "stars/counts/"): 1}


def test_a_file_is_read_from_its_beginning(s3_settings: Settings) -> None:
    lake = Lake(s3_settings)
    lake.store.put("folder/a", b"0123456789")
    file = BucketFiles(lake.store, {}, {}).open(lake.store.url("folder/a"))
    assert file.tell() == 0
    assert file.read(3) == b"012"
    assert file.tell() == 3
    assert file.read() == b"3456789"
