"""An hour of GH Archive of real size: counting its stars, against a loop of gzip and json.loads.

The file is made of real events where `--samples` names a folder of them (of invented ones of the
same shape otherwise), repeated with other ids, other times within one hour, and, for stars, other
repositories, until it has as many events as a busy hour. Each side runs in a process of its own on
the same file, one after the other and in turn; the time is that of counting, without starting
Python and importing. Both must count the same stars of the same repositories. Peak memory is that
of the whole process. Being less than five times as fast is a failure.
"""

import argparse
import gzip
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from itertools import chain, repeat
from pathlib import Path

from bench_support.figures import peak_mb, write_figures

SEED = 7
HOUR = "2021-07-21T07"
DEMANDED_RATIO = 5.0
PACKED_AS = 6  # gzip's own level

# Of the 800 real events of 2021-07-21: how often each of these types came (the rest go with those
# of their size), and how many fields of 55 bytes fill its payload.
SHARES = {
    "PushEvent": 53,
    "CreateEvent": 19,
    "PullRequestEvent": 13,
    "IssuesEvent": 8,
    "WatchEvent": 7,
}
FIELDS = {
    "PushEvent": 14,
    "CreateEvent": 4,
    "PullRequestEvent": 305,
    "IssuesEvent": 80,
    "WatchEvent": 0,
}
SHARE_OF_ORGANISATIONS = 0.28

_ID = re.compile(rb'"id":"(\d+)"')
_CREATED_AT = re.compile(rb'("public":true,"created_at":")[^"]+"')
_REPO_ID = re.compile(rb'"repo":\{"id":(\d+)')


@dataclass(frozen=True)
class Side:
    """What one process measured of itself."""

    seconds: float
    peak_mb: float
    events: int
    stars: int
    repositories: int
    digest: str
    """A digest of every repository with its stars."""

    @property
    def counted(self) -> tuple[int, int, int, str]:
        return self.events, self.stars, self.repositories, self.digest


@dataclass(frozen=True)
class Figures:
    made_of: str
    gzip_mb: float
    raw_mb: float
    events: int
    stars: int
    repositories: int
    seconds: float
    peak_mb: float
    peer_seconds: float
    peer_peak_mb: float

    @property
    def ratio(self) -> float:
        return self.peer_seconds / self.seconds


def main() -> None:
    options = _options()
    if options.side:
        side = {"ours": _ours, "peer": _peer}[options.side](options.file)
        print(json.dumps(asdict(side)))
        return
    figures = _measure(options.samples, options.events, options.rounds)
    print(
        f"{figures.events:,} events ({figures.made_of}), {figures.stars:,} of them stars of "
        f"{figures.repositories:,} repositories; {figures.gzip_mb:.0f} MB gzipped, "
        f"{figures.raw_mb:,.0f} MB raw; medians of {options.rounds} rounds\n"
        f"ours: {figures.seconds:.2f} s, peak {figures.peak_mb:.0f} MB\n"
        f"gzip and json.loads: {figures.peer_seconds:.2f} s, peak {figures.peer_peak_mb:.0f} MB\n"
        f"ratio: {figures.ratio:.1f} times as fast (demanded: {DEMANDED_RATIO:.0f}), same counts"
    )
    write_figures(options.json, {**asdict(figures), "ratio": figures.ratio})
    sys.exit(0 if figures.ratio >= DEMANDED_RATIO else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, help="folder of real *.json.gz")
    parser.add_argument("--events", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--side", choices=["ours", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(samples: Path | None, events: int, rounds: int) -> Figures:
    lines = _real_lines(samples) if samples else []
    made_of = "real ones repeated" if lines else "invented"
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        file = Path(folder) / "hour.json.gz"
        raw_bytes = _write_hour(file, lines or list(_invented_lines(800)), events)
        sides = [(_run("ours", file), _run("peer", file)) for _ in range(rounds)]
        gzip_bytes = file.stat().st_size
    if len({side.counted for side in chain.from_iterable(sides)}) != 1:
        sys.exit(f"The two sides count differently: {sides[0]}.")
    ours, peers = zip(*sides, strict=True)
    return Figures(
        made_of=made_of,
        gzip_mb=gzip_bytes / 1e6,
        raw_mb=raw_bytes / 1e6,
        events=ours[0].events,
        stars=ours[0].stars,
        repositories=ours[0].repositories,
        seconds=statistics.median(side.seconds for side in ours),
        peak_mb=max(side.peak_mb for side in ours),
        peer_seconds=statistics.median(side.seconds for side in peers),
        peer_peak_mb=max(side.peak_mb for side in peers),
    )


def _run(side: str, file: Path) -> Side:
    command = [sys.executable, __file__, "--side", side, "--file", str(file)]
    measured = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return Side(**json.loads(measured))


def _ours(file: Path) -> Side:
    from isal import igzip  # noqa: F401 - imported where it is used, which is no counting

    from ghstars_assets.sources.gharchive.hours import count_stars

    began = time.perf_counter()
    counts = count_stars(file)
    seconds = time.perf_counter() - began
    stars = dict(counts.stars.select("repo_id", "stars_gained").iter_rows())
    return _side(seconds, counts.events, stars)


def _peer(file: Path) -> Side:
    began = time.perf_counter()
    events, stars = 0, Counter[int]()
    with gzip.open(file) as lines:
        for line in lines:
            event = json.loads(line)
            events += 1
            if event["type"] == "WatchEvent":
                stars[event["repo"]["id"]] += 1
    return _side(time.perf_counter() - began, events, stars)


def _side(seconds: float, events: int, stars: dict[int, int]) -> Side:
    digest = blake2b(repr(sorted(stars.items())).encode(), digest_size=8).hexdigest()
    return Side(seconds, peak_mb(), events, sum(stars.values()), len(stars), digest)


def _real_lines(samples: Path) -> list[bytes]:
    lines: list[bytes] = []
    for path in sorted(samples.glob("*.json.gz")):
        lines += gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    return lines


def _write_hour(file: Path, lines: list[bytes], events: int) -> int:
    raw_bytes = 0
    with gzip.open(file, "wb", compresslevel=PACKED_AS) as hour:
        for number, line in zip(range(events), chain.from_iterable(repeat(lines)), strict=False):
            changed = _changed(line, number, number // len(lines), 3600 * number // events)
            raw_bytes += hour.write(changed)
    return raw_bytes


def _changed(line: bytes, number: int, turn: int, second: int) -> bytes:
    at = f"{HOUR}:{second // 60:02d}:{second % 60:02d}Z".encode()
    line = _ID.sub(b'"id":"%d"' % (17_244_000_000 + number), line, count=1)
    line = _CREATED_AT.sub(rb'\g<1>%s"' % at, line, count=1)
    if b'"type":"WatchEvent"' in line:
        line = _REPO_ID.sub(lambda found: b'"repo":{"id":%d' % (int(found[1]) + turn), line)
    return line


def _invented_lines(number: int) -> Iterator[bytes]:
    dice = random.Random(SEED)  # noqa: S311 - an invented world
    kinds = dice.choices(list(SHARES), weights=list(SHARES.values()), k=number)
    for n, kind in enumerate(kinds):
        owner = f"owner{dice.randrange(10**6)}"
        event = {
            "id": str(n),
            "type": kind,
            "actor": {"id": n, "login": f"user{n}", "url": f"https://api.github.com/users/user{n}"},
            "repo": {"id": 1_000_000 + 1000 * n, "name": f"{owner}/name{n}"},
            "payload": {"action": "started", **_fields(dice, owner, FIELDS[kind])},
            "public": True,
            "created_at": f"{HOUR}:00:00Z",
        }
        if dice.random() < SHARE_OF_ORGANISATIONS:
            event["org"] = {"id": n, "login": owner, "url": f"https://api.github.com/orgs/{owner}"}
        yield json.dumps(event, separators=(",", ":")).encode() + b"\n"


def _fields(dice: random.Random, owner: str, number: int) -> dict[str, object]:
    """Invent addresses, numbers and hashes, which most of an event is."""
    kinds = (
        lambda n: f"https://api.github.com/repos/{owner}/name{n}/contents{{/sha}}",
        lambda _n: dice.randrange(10**9),
        lambda _n: f"{dice.getrandbits(160):040x}",
    )
    return {f"some_field_{n}": dice.choices(kinds, weights=(6, 3, 1))[0](n) for n in range(number)}


if __name__ == "__main__":
    main()
