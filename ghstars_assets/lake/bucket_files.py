"""The files of a bucket as DuckDB reads them: few requests, and never the bytes of two versions.

DuckDB asks nine times a query for the size and the time of each file, and reads one file from
several threads. So a file's facts come from the last listing, a small file is fetched whole and
kept for the session, and each thread has a position of its own.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from io import SEEK_CUR, SEEK_END, SEEK_SET
from typing import TYPE_CHECKING, Any, Literal, cast

from fsspec.asyn import sync
from fsspec.utils import glob_translate
from obstore.fsspec import FsspecStore

from ghstars_assets.lake.store import SMALL_BYTES, Store, StoredFile

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

KEPT_BYTES = 64_000_000
"""A session keeps small files up to this size together, and drops the oldest first."""

_WILDCARDS = "*?["
_wait_for = cast("Callable[..., Any]", sync)  # fsspec declares that it returns nothing


class BucketFiles(FsspecStore):
    """Serves one DuckDB session. Paths outside the lake are left to obstore."""

    cachable = False

    def __init__(
        self, store: Store, config: dict[str, str], client_options: "ClientConfig"
    ) -> None:
        super().__init__(
            cast("Literal['s3']", store.scheme),
            config=cast("S3Config", config),
            client_options=client_options,
        )
        self._lake_store = store
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def glob(self, path: str, **options: Any) -> list[str]:  # pyright: ignore[reportIncompatibleMethodOverride]
        key = self._key(path)
        if key is None:
            return _wait_for(self.loop, self._glob, path, **options)
        if not any(sign in key for sign in _WILDCARDS):
            return [path]
        is_match = re.compile(glob_translate(key)).match
        folder = key[: min(key.find(sign) for sign in _WILDCARDS if sign in key)].rpartition("/")[0]
        listed = self._lake_store.files(f"{folder}/" if folder else "")
        return sorted(self._lake_store.url(file.key) for file in listed if is_match(file.key))

    def exists(self, path: str, **options: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self._key(path) is None:
            return _wait_for(self.loop, self._exists, path, **options)
        return self._file(path) is not None

    def info(self, path: str, **options: Any) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self._key(path) is None:
            return _wait_for(self.loop, self._info, path, **options)
        file = self._known_file(path)
        return {"name": path, "type": "file", "size": file.size_bytes, "ETag": file.etag}

    def size(self, path: str) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return int(self.info(path)["size"])

    def modified(self, path: str) -> datetime:
        if self._key(path) is None:
            return super().modified(path)
        return self._known_file(path).modified

    def open(self, path: str, mode: str = "rb", **options: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        if mode != "rb" or self._key(path) is None:
            return super().open(path, mode, **options)
        return OpenFile(self, self._known_file(path))

    def bytes_of(self, file: StoredFile, start: int, end: int) -> bytes:
        """Read a part of exactly this version of a file."""
        if file.size_bytes > SMALL_BYTES:
            return self._lake_store.get_part(file, start, end)
        name = (file.key, file.etag)
        with self._lock:
            content = self._kept.get(name)
        if content is None:
            content = self._lake_store.get_part(file, 0, file.size_bytes)
            self._keep(name, content)
        return content[start:end]

    def _keep(self, name: tuple[str, str], content: bytes) -> None:
        with self._lock:
            if name not in self._kept:
                self._kept[name] = content
                self._kept_bytes += len(content)
            while self._kept_bytes > KEPT_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._kept_bytes -= len(oldest)

    def _file(self, path: str) -> StoredFile | None:
        key = self._key(path)
        return None if key is None else self._lake_store.file(key)

    def _known_file(self, path: str) -> StoredFile:
        file = self._file(path)
        if file is None:
            raise FileNotFoundError(path)
        return file

    def _key(self, path: str) -> str | None:
        """The key of a path in the lake. fsspec drops the scheme where it hands paths on."""
        root = f"{self._lake_store.root}/"
        for prefix in (root, root.split("://", 1)[1]):
            if path.startswith(prefix):
                return path.removeprefix(prefix)
        return None


class OpenFile:
    """A file open for reading; every thread has its own position in it."""

    closed = False

    def __init__(self, files: BucketFiles, file: StoredFile) -> None:
        self._files = files
        self._file = file
        self._of_thread = threading.local()
        self.size = file.size_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def tell(self) -> int:
        return getattr(self._of_thread, "position", 0)

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        begins = {SEEK_SET: 0, SEEK_CUR: self.tell(), SEEK_END: self.size}[whence]
        self._of_thread.position = begins + offset
        return self._of_thread.position

    def read(self, length: int = -1) -> bytes:
        start = self.tell()
        end = self.size if length < 0 else min(self.size, start + length)
        if end <= start:
            return b""
        part = self._files.bytes_of(self._file, start, end)
        self._of_thread.position = start + len(part)
        return part

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        """Nothing is held open between reads."""
