"""A day's snapshot of 20,000 repositories inside GitHub's limits, against a REST loop.

The snapshotter runs as it does in earnest, against the sandbox served in the same process, with
GitHub's limits, GitHub-like latency and 5 % of the batches failing. Time is virtual: the event loop
leaps to its next timer, so half an hour of waiting passes in the seconds that the computing takes,
and the figures are the same on every machine. The sandbox keeps the books: seconds spent answering
(by both ways of counting them), points by GitHub's formula, requests at once. Going over a limit
once, or using less than 90 % of the one that binds, is a failure.

The peer asks REST about one repository a request, one after the other, at REST's own 5,000 an hour.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import httpx

from bench_support.figures import write_figures
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets.sandbox.http.app import SandboxOptions, create_app
from ghstars_assets.sandbox.http.faults import Faults
from ghstars_assets.sandbox.http.latency import Latency
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.credentials import Token
from ghstars_assets.sources.github.api.endpoint import Endpoint
from ghstars_assets.sources.github.api.governor import Limits
from ghstars_assets.sources.github.api.repository_batches import Asked, capture
from ghstars_assets.sources.github.daily.intake import Intake
from ghstars_assets.sources.github.tables import tables_of

SEED = 7
DAY = date(2026, 6, 1)
TOKEN = "bench"  # noqa: S105 - the sandbox's
FAILING = {  # a twentieth of all batches
    "bad_gateway_html": 0.02,
    "bad_gateway_json": 0.01,
    "gateway_timeout_html": 0.01,
    "null_parent": 0.01,
}
POINTS_PER_HOUR, SECONDS_PER_MINUTE, POINTS_PER_MINUTE, MOST_AT_ONCE = 5000, 60.0, 2000, 100
REST_SECONDS = 0.25
DEMANDED_SHARE = 0.90


@dataclass(frozen=True)
class Figures:
    repositories: int
    virtual_minutes: float
    batches: int
    failed_batches: int
    points_per_100: float
    share_of_seconds: float
    share_of_points: float
    worst_seconds_in_a_minute: float
    """The larger of two ways of counting: time overlapping the minute, answers ended in it."""
    worst_points_in_a_minute: float
    most_at_once: int
    refused: int
    peer_virtual_minutes: float
    peer_requests: int

    @property
    def share_used(self) -> float:
        """The share that was used of the limit that binds."""
        return max(self.share_of_seconds, self.share_of_points)

    @property
    def is_inside(self) -> bool:
        return (
            self.refused == 0
            and self.worst_seconds_in_a_minute <= SECONDS_PER_MINUTE
            and self.worst_points_in_a_minute <= POINTS_PER_MINUTE
            and self.most_at_once <= MOST_AT_ONCE
        )

    @property
    def ratio(self) -> float:
        return self.peer_virtual_minutes / self.virtual_minutes


def main() -> None:
    options = _options()
    started = time.perf_counter()
    figures = run_in_virtual_time(_measure(options.repositories))
    _report(figures, time.perf_counter() - started)
    shares = {"share_used": figures.share_used, "ratio": figures.ratio}
    write_figures(options.json, {**asdict(figures), **shares})
    sys.exit(0 if figures.is_inside and figures.share_used >= DEMANDED_SHARE else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=20_000)
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args()


async def _measure(repositories: int) -> Figures:
    state = GitHubState(
        WorldSpec(SEED, repositories, DAY), SandboxClock.running(capture_moment(SEED, DAY))
    )
    options = SandboxOptions(
        TOKEN, latency=Latency.like_github(SEED), faults=Faults(FAILING, seed=SEED)
    )
    app = create_app(state, options)
    ids = state.table().select("repo_id", "node_id", "full_name").rows()
    loop = asyncio.get_running_loop()
    endpoint = Endpoint("http://127.0.0.1", Token(TOKEN), Limits(), "sandbox")
    kept: list[int] = []
    with tempfile.TemporaryDirectory(prefix="ghstars-bench-") as folder:
        table = tables_of("stars").github
        intake = Intake(Lake(Settings(home=Path(folder))), table, DAY)

        def keep(rows) -> None:  # noqa: ANN001 - as the snapshotter calls it
            intake.keep(rows)
            kept.extend(row["repo_id"] for row in rows)

        began = loop.time()
        async with GitHub(endpoint, transport=httpx.ASGITransport(app)) as github:
            asked = [Asked(name, "bench", repo_id, node_id) for repo_id, node_id, name in ids]
            report = await capture(github, asked, keep=keep, progress=lambda _done, _total: None)
        seconds = loop.time() - began
    assert sorted(kept) == sorted(repo_id for repo_id, _, _ in ids)  # noqa: S101 - each once
    books = app.state.sandbox.ledger.record()
    peer_began = loop.time()
    peer_requests = await _rest_loop(state, [repo_id for repo_id, _, _ in ids])
    return Figures(
        repositories=len(ids),
        virtual_minutes=seconds / 60,
        batches=report.batches,
        failed_batches=report.failed_batches,
        points_per_100=100 * books["points_used"] / len(ids),
        share_of_seconds=books["response_seconds"] / seconds,
        share_of_points=books["points_used"] / (seconds / 3600) / POINTS_PER_HOUR,
        worst_seconds_in_a_minute=max(
            books["worst_seconds_overlapping"], books["worst_seconds_completed"]
        ),
        worst_points_in_a_minute=books["worst_points_per_minute"],
        most_at_once=int(books["worst_concurrent"]),
        refused=int(books["refused"]),
        peer_virtual_minutes=(loop.time() - peer_began) / 60,
        peer_requests=peer_requests,
    )


async def _rest_loop(state: GitHubState, ids: list[int]) -> int:
    """What most scripts do, done well: it waits for the reset where the budget is spent."""
    latency = Latency(base_seconds=REST_SECONDS, spread=0.15, seed=SEED)
    app = create_app(state, SandboxOptions(TOKEN, latency=latency))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=headers
    ) as client:
        requests = 0
        for repo_id in ids:
            answer = await client.get(f"/repositories/{repo_id}")
            requests += 1
            assert answer.status_code == 200, answer.text  # noqa: S101 - the peer is in its limit
            if answer.headers["x-ratelimit-remaining"] == "0":
                reset = int(answer.headers["x-ratelimit-reset"])
                await asyncio.sleep(max(0.0, reset - state.now().timestamp()) + 1)
    return requests


def _report(figures: Figures, real_seconds: float) -> None:
    speed = 60 * (figures.virtual_minutes + figures.peer_virtual_minutes) / real_seconds
    print(
        f"{figures.repositories:,} repositories in {figures.virtual_minutes:.1f} virtual minutes, "
        f"{figures.batches:,} batches, {figures.failed_batches:,} of them failed and were split\n"
        f"points by GitHub's formula: {figures.points_per_100:.1f} per 100 repositories\n"
        f"share used of 60 s of answering a minute: {figures.share_of_seconds:.1%}; "
        f"of 5,000 points an hour: {figures.share_of_points:.1%}\n"
        f"the binding limit is used to {figures.share_used:.1%} (demanded: {DEMANDED_SHARE:.0%}); "
        f"most in any minute {figures.worst_seconds_in_a_minute:.1f} s and "
        f"{figures.worst_points_in_a_minute:.0f} points, {figures.most_at_once} at once, "
        f"{figures.refused} refused\n"
        f"peer, one repository a REST request at 5,000 an hour: "
        f"{figures.peer_virtual_minutes:.1f} virtual minutes for {figures.peer_requests:,}\n"
        f"ratio: {figures.ratio:.1f} times as fast (virtual time ran {speed:.0f} times as fast as "
        f"real time)"
    )


if __name__ == "__main__":
    main()
