"""The object store under the lake: bytes at keys below one root URL, whole or not at all.

obstore serves a local folder, S3, Google Cloud Storage and Azure Blob alike. A put is one request
on a bucket; in a folder it is a temporary file and a rename.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, from_url

from ghstars_assets.errors import DamagedFileError, GhstarsError, SettingsError
from ghstars_assets.settings import Settings

if TYPE_CHECKING:
    import duckdb
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ClientConfig, S3Config


GETS_AT_ONCE = 16
"""A bucket answers each in 20 to 50 ms, however small the file is."""
MARKER_KEY = "ghstars.json"
"""The file that says whose data these are; `marker.py` reads and writes it."""
SET_ASIDE = "_damaged"
"""The folder for what is not used any more because it is damaged."""
SMALL_BYTES = 1_000_000
"""A file up to this size is fetched whole: one request instead of three for footer and columns."""
MOST_BYTES_KEPT = 64_000_000
"""Of small files between the look at each and the query that reads it."""
FACTS_LAST_SECONDS = 60
"""How long a listed size is believed. What was written again since is refused by its etag."""


@dataclass(frozen=True)
class StoredFile:
    key: str
    size_bytes: int
    modified: datetime
    etag: str
    """Changes with the content; a folder makes it of the time, the size and the inode."""


class Store:
    """Bytes at keys. Keys are relative, with `/` between their parts."""

    def __init__(self, settings: Settings) -> None:
        root = settings.lake_root.removesuffix("/")
        self.scheme = root.split("://")[0] if "://" in root else "file"
        # The scheme is known only now, so S3 stands for every bucket wherever a type must be named.
        self._config = _bucket_config(self.scheme, settings)
        self._client_options = _client_options(self.scheme, settings)
        if self.scheme == "file":
            path = Path(root.removeprefix("file://")).expanduser().resolve()
            self.root = str(path)
            self._store = _folder(path)
        else:
            self.root = root
            self._store = from_url(
                root,
                config=cast("S3Config", self._config),
                client_options=self._client_options,
            )
        self._are_etags_of_one_kind = True
        self._requires_checksums: bool | None = None
        self._lock = Lock()
        self._kept: dict[tuple[str, str], bytes] = {}
        self._listed: dict[str, tuple[float, StoredFile]] = {}
        """Files of a bucket, each with the time at which it was listed or written."""

    def __repr__(self) -> str:
        return f"Store({self.root!r})"

    @property
    def options(self) -> dict[str, str] | None:
        """The storage options of Polars; None for a folder."""
        return {**self._config, **dict.fromkeys(self._client_options, "true")} or None

    def url(self, key: str) -> str:
        """The key as DuckDB and Polars address it."""
        return f"{self.root}/{key}"

    def put(self, key: str, content: bytes, *, only_if_absent: bool = False) -> bool:
        """Write whole. False: something is there already and only the first write counts."""
        mode = "create" if only_if_absent else "overwrite"
        self._listed.pop(key, None)
        try:
            put = obstore.put(self._store, key, content, mode=mode, use_multipart=False)
        except AlreadyExistsError:
            self._require_room_for(key)
            return False
        except BaseError:
            self._require_room_for(key)
            raise
        etag = _quoted_etag(put["e_tag"])
        self._remembered(StoredFile(key, len(content), datetime.now(UTC), etag))
        return True

    def get(self, key: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            return None

    def get_tail(self, file: StoredFile, most: int) -> tuple[bytes, int]:
        """The last bytes of a file as it is now, and its size, in one request."""
        if file.size_bytes <= most:
            content = self.get(file.key) or b""
            self._keep_for_reading(file, content)
            return content, len(content)
        if self.scheme == "az":  # it does not count from the end
            start = file.size_bytes - most
            return self.get_part(file, start, file.size_bytes), file.size_bytes
        try:
            got = obstore.get(self._store, file.key, options={"range": {"suffix": most}})
        except FileNotFoundError:
            return b"", 0
        return bytes(got.bytes()), got.meta["size"]

    def _keep_for_reading(self, file: StoredFile, content: bytes) -> None:
        """Whoever looks at a small file of a bucket is about to read it: once is enough."""
        if self.scheme == "file" or len(content) != file.size_bytes:
            return
        with self._lock:
            kept = sum(map(len, list(self._kept.values())))
            if kept + len(content) <= MOST_BYTES_KEPT:
                self._kept[file.key, file.etag] = content

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The same of several keys, in their order, several at once."""
        if len(keys) < 2:
            return [self.get(key) for key in keys]
        with ThreadPoolExecutor(min(GETS_AT_ONCE, len(keys))) as pool:
            return list(pool.map(self.get, keys))

    def get_part(self, file: StoredFile, start: int, end: int) -> bytes:
        """Some bytes of this version of a file; an error if it was written again since."""
        if (start, end) == (0, file.size_bytes):
            content = self._kept.pop((file.key, file.etag), None)
            if content is not None:
                return content
        options: GetOptions = {"range": (start, end)}
        if self._are_etags_of_one_kind and file.etag.startswith(
            '"'
        ):  # nobody can ask for weak ones
            options["if_match"] = file.etag
        try:
            return bytes(obstore.get(self._store, file.key, options=options).bytes())
        except (PreconditionError, FileNotFoundError):
            if not self._is_listed_still(file):
                raise GhstarsError(
                    f"{self.url(file.key)} was written again or deleted while it was read; run the "
                    "command again."
                ) from None
        # This service lists another etag than it answers with.
        self._are_etags_of_one_kind = False
        return bytes(obstore.get_range(self._store, file.key, start=start, end=end))

    def _is_listed_still(self, file: StoredFile) -> bool:
        self._listed.pop(file.key, None)
        folder = file.key.rpartition("/")[0]
        listed = self.files(f"{folder}/" if folder else "")
        return any((one.key, one.etag) == (file.key, file.etag) for one in listed)

    def file(self, key: str) -> StoredFile | None:
        """One file's facts; of a bucket, as they were within the last minute."""
        at, listed = self._listed.get(key, (0.0, None))
        if listed and monotonic() - at < FACTS_LAST_SECONDS:
            return listed
        try:
            meta = obstore.head(self._store, key)
        except FileNotFoundError:
            return None
        return self._remembered(_stored_file(meta))

    def size_bytes(self, key: str) -> int | None:
        try:
            return obstore.head(self._store, key)["size"]
        except FileNotFoundError:
            return None

    def set_aside(self, key: str) -> str:
        """Move a file, or a folder in its place, where no table looks for it; returns the new key.
        What was set aside before stays."""
        self._listed.pop(key, None)
        moved = f"{SET_ASIDE}/{key}"
        if self.scheme == "file":
            path = Path(self.root, moved)
            times = 1
            while path.exists():
                times += 1
                path = Path(self.root, f"{moved}.{times}")
            path.parent.mkdir(parents=True, exist_ok=True)
            Path(self.root, key).rename(path)
            return path.relative_to(self.root).as_posix()
        taken = {file.key for file in self.files(f"{SET_ASIDE}/{key.rpartition('/')[0]}/")}
        free = (moved, *(f"{moved}.{times}" for times in range(2, len(taken) + 3)))
        moved = next(name for name in free if name not in taken)
        obstore.copy(self._store, key, moved)
        obstore.delete(self._store, key)
        return moved

    def _require_room_for(self, key: str) -> None:
        """Raise an error if a folder lies where a file belongs, or a file where a folder does."""
        for path, is_right in self._paths_to(key):
            if path.exists() and not is_right(path):
                kind = "folder" if path.is_dir() else "file"
                raise DamagedFileError(
                    f"{path} is a {kind}, where ghstars keeps a "
                    f"{'file' if path.is_dir() else 'folder'}; `ghstars check --mend` moves it "
                    "away."
                ) from None

    def _paths_to(self, key: str) -> Iterator[tuple[Path, Callable[[Path], bool]]]:
        """The folders of a key and its file, each with what it must be."""
        if self.scheme == "file":
            whole = Path(self.root, key)
            for parent in reversed(whole.relative_to(self.root).parents):
                yield Path(self.root, parent), Path.is_dir
            yield whole, Path.is_file

    def delete(self, key: str) -> None:
        self._listed.pop(key, None)
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return

    def files(self, prefix: str, *, after: str | None = None) -> Iterator[StoredFile]:
        """Files below a prefix, in no stated order; `after` skips keys that sort before it."""
        for batch in obstore.list(self._store, prefix, offset=after):
            for meta in batch:
                yield self._remembered(_stored_file(meta))

    def _remembered(self, file: StoredFile) -> StoredFile:
        if self.scheme != "file":
            self._listed[file.key] = (monotonic(), file)
        return file

    def folders(self, prefix: str = "") -> list[str]:
        """The names directly below a prefix that hold something."""
        found = obstore.list_with_delimiter(self._store, prefix or None)
        return sorted(path.rsplit("/", 1)[-1] for path in found["common_prefixes"])

    def requires_checksums(self) -> bool:
        """Whether all that is here was written by a release that adds checksums, as the marker
        says."""
        if self._requires_checksums is None:
            marker = self.get(MARKER_KEY)
            if marker is None:
                return False
            self._requires_checksums = b'"has_checksums": true' in marker
        return self._requires_checksums

    def check_writable(self) -> None:
        """Write, read and delete a probe; a failure is one sentence without any credential."""
        key = "_probe/ghstars"
        try:
            self.put(key, b"probe")
            self.get(key)
            self.delete(key)
        except (BaseError, OSError) as error:
            raise SettingsError(
                f"The lake at {self.root} cannot be written ({type(error).__name__}); "
                "check GHSTARS_LAKE and the storage credentials."
            ) from None

    def register_with(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Let DuckDB read this store's URLs through the same client."""
        if self.scheme != "file":
            # Only where a bucket is used: fsspec takes a tenth of a second to import.
            from ghstars_assets.lake.bucket_files import BucketFiles

            files = BucketFiles(self, self._config, self._client_options)
            connection.register_filesystem(files)


def _stored_file(meta: "ObjectMeta") -> StoredFile:
    return StoredFile(
        meta["path"], meta["size"], meta["last_modified"], _quoted_etag(meta["e_tag"])
    )


def _quoted_etag(etag: str | None) -> str:
    """As HTTP wants it; Azure lists etags without their quotes."""
    if not etag or etag.startswith(('"', "W/")):
        return etag or ""
    return f'"{etag}"'


def _folder(path: Path) -> LocalStore:
    try:
        return LocalStore(path, mkdir=True)
    except (BaseError, OSError) as error:
        raise SettingsError(
            f"The lake {path} cannot be opened ({str(error).splitlines()[0]}); set GHSTARS_HOME or "
            "GHSTARS_LAKE to a folder of yours."
        ) from None


def _bucket_config(scheme: str, settings: Settings) -> dict[str, str]:
    """The keys of the Rust object-store client, which obstore and Polars both understand."""
    if scheme == "s3":
        config = {
            "aws_access_key_id": settings.s3_access_key_id,
            "aws_secret_access_key": settings.s3_secret_access_key.get_secret_value(),
            "aws_region": settings.s3_region,
            "aws_endpoint": settings.s3_endpoint,
        }
    elif scheme == "az":
        config = {
            "azure_storage_account_name": settings.azure_account,
            "azure_storage_account_key": settings.azure_key.get_secret_value(),
            "azure_storage_endpoint": settings.azure_endpoint,
        }
    elif scheme == "gs":
        config = {"google_application_credentials": settings.google_credentials}
    else:
        config = {}
    return {name: value for name, value in config.items() if value}


def _client_options(scheme: str, settings: Settings) -> "ClientConfig":
    endpoint = {"s3": settings.s3_endpoint, "az": settings.azure_endpoint}.get(scheme, "")
    return {"allow_http": True} if endpoint.startswith("http://") else {}
