"""A million rows a day in a bucket, read twenty times by one thread and by two: all are right.

The bucket is moto's, on loopback, so that its time is a server's in Python; what counts is that the
sums are those of the rows, and what was asked for: requests and bytes of each read.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import httpx
import polars as pl
from pydantic import SecretStr

from bench_support.figures import write_figures
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.store import Store, StoredFile
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings

TABLE, DAY, BUCKET = "stars.counts", date(2026, 1, 1), "bench"
_QUERY = f"select count(*), sum(x % 1000), sum(y % 1000) from {TABLE}"  # noqa: S608


class CountedStore(Store):
    """Counts what is asked of the bucket, and how much of it comes."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.requests: Counter[str] = Counter()
        self.bytes_read = 0

    def get_part(self, file: StoredFile, start: int, end: int) -> bytes:
        content = super().get_part(file, start, end)
        self.requests["GET"] += 1
        self.bytes_read += len(content)
        return content

    def files(self, prefix: str, *, after: str | None = None) -> Iterator[StoredFile]:
        self.requests["LIST"] += 1
        yield from super().files(prefix, after=after)


@dataclass(frozen=True)
class Figures:
    threads: int
    rows: int
    file_bytes: int
    reads: int
    right: int
    seconds_per_read: float
    requests_per_read: float
    bytes_per_read: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--reads", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder, _bucket() as endpoint:
        figures = [
            measure(Path(folder), endpoint, threads, options.rows, options.reads)
            for threads in (1, 2)
        ]
    for one in figures:
        print(
            f"{one.right} of {one.reads} reads of {one.rows:,} rows "
            f"({one.file_bytes / 1e6:.1f} MB) are right with {one.threads} thread(s): "
            f"{one.seconds_per_read:.2f} s, "
            f"{one.requests_per_read:.0f} requests and {one.bytes_per_read / 1e6:.1f} MB each"
        )
    write_figures(options.json, {"bench": "bucket", "reads": [asdict(one) for one in figures]})
    if any(one.right < one.reads for one in figures):
        sys.exit(1)


def measure(home: Path, endpoint: str, threads: int, rows: int, reads: int) -> Figures:
    lake = Lake(
        Settings(
            home=home,
            threads=threads,
            lake=f"s3://{BUCKET}/{threads}",
            s3_endpoint=endpoint,
            s3_access_key_id="test",
            s3_secret_access_key=SecretStr("test"),
        )
    )
    numbers = pl.Series(range(rows))
    frame = pl.DataFrame(
        {"day": pl.repeat(DAY, rows, eager=True), "x": numbers.hash(1), "y": numbers.hash(2)}
    )
    written = lake.write(TABLE, DAY, frame)
    expected = [(rows, (frame["x"] % 1000).sum(), (frame["y"] % 1000).sum())]
    right, requests, read_bytes = 0, 0, 0
    began = time.perf_counter()
    for _ in range(reads):
        # A session of its own each time: nothing is kept from the read before.
        store = CountedStore(lake.settings)
        lake.store = store
        with duck_session(lake.settings, store) as connection:
            bind_parquet(connection, TABLE, lake.urls(TABLE), "")
            right += connection.execute(_QUERY).fetchall() == expected
        requests += store.requests.total()
        read_bytes += store.bytes_read
    seconds = (time.perf_counter() - began) / reads
    sizes = (written.size_bytes, reads, right, seconds, requests / reads, read_bytes / reads)
    return Figures(threads, rows, *sizes)


@contextmanager
def _bucket() -> Iterator[str]:
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        httpx.put(f"{address}/{BUCKET}", timeout=10).raise_for_status()
        yield address
    finally:
        server.stop()


if __name__ == "__main__":
    main()
