"""`ghstars sandbox`: the invented GitHub on loopback, for anyone's own experiments."""

import secrets
from datetime import date, datetime, timedelta

import click

from ghstars_assets.calendar import parse_day, utc_now
from ghstars_assets.errors import GhstarsError
from ghstars_assets.problems.platform import Platform
from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.github.ranking_archive import ARCHIVE_PATH
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets.sandbox.http.app import SandboxOptions, create_app
from ghstars_assets.sandbox.http.faults import Faults, parsed_rates
from ghstars_assets.sandbox.http.latency import Latency
from ghstars_assets.sandbox.http.limits import SandboxLimits
from ghstars_assets.sandbox.http.server import LOOPBACK, bound_socket, serve
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.world import WorldSpec


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), help="another seed is another world")
@click.option("--repositories", type=click.IntRange(min=10), default=None)
@click.option("--days", type=click.IntRange(min=30), default=None, help="days of its past")
@click.option("--at", "at", default="", metavar="DAY", help="stop its clock on this day")
@click.option(
    "--change-on", default="", metavar="DAY", help="become another world: a purge, then a boom"
)
@click.option(
    "--limits", type=click.Choice(["github", "generous"]), default="github", show_default=True
)
@click.option(
    "--faults",
    default="",
    metavar="NAME=RATE,...",
    help="such as bad_gateway_html=0.05,slow=0.1; `all=0.05` for each kind",
)
@click.option("--latency", type=click.Choice(["none", "github"]), default="none", show_default=True)
@click.pass_obj
def sandbox(
    platform: Platform,
    port: int,
    seed: int | None,
    repositories: int | None,
    days: int | None,
    at: str,
    change_on: str,
    limits: str,
    faults: str,
    latency: str,
) -> None:
    """Serve the invented GitHub on loopback, for experiments of your own."""
    settings = platform.settings
    _serve(
        platform,
        port=port,
        seed=settings.sandbox_seed if seed is None else seed,
        repositories=repositories or settings.sandbox_repositories,
        days=days or settings.sandbox_days,
        at=parse_day(at) if at else None,
        change_on=parse_day(change_on) if change_on else None,
        limits=limits,
        faults=faults,
        latency=latency,
    )


def _serve(
    platform: Platform,
    *,
    port: int,
    seed: int,
    repositories: int,
    days: int,
    at: date | None,
    change_on: date | None,
    limits: str,
    faults: str,
    latency: str,
) -> None:
    """Serve until interrupted. Its clock runs with ours, or stands on a day."""
    now = utc_now()
    first_day = _first_day(now, days)
    if at and not first_day <= at:
        raise GhstarsError(
            f"The sandbox's world begins on {first_day}; choose a later day, or more --days."
        )
    spec = WorldSpec(seed, repositories, first_day, change_on)
    clock = SandboxClock.fixed(capture_moment(seed, at)) if at else SandboxClock.running(now)
    token = secrets.token_hex(16)
    options = SandboxOptions(
        token,
        limits=SandboxLimits() if limits == "github" else SandboxLimits.generous(),
        latency=Latency.like_github() if latency == "github" else Latency(),
        faults=Faults(parsed_rates(faults)),
    )
    try:
        listening = bound_socket(port)
    except OSError as error:
        raise GhstarsError(
            f"Port {port} cannot be served ({error.strerror}); choose another with --port."
        ) from None
    url = f"http://{LOOPBACK}:{listening.getsockname()[1]}"
    platform.print_line(
        f"{repositories:,} invented repositories at {url}, its clock "
        f"{'standing at' if at else 'running from'} {clock.now() if at else now:%Y-%m-%d %H:%M} "
        f"UTC; its Github-Ranking archive is at {url}{ARCHIVE_PATH}. In another shell:\n"
        f"  export GHSTARS_HOME=$(mktemp -d) GHSTARS_GITHUB_API={url}\n"
        f"  export GHSTARS_GITHUB_TOKEN={token}\n"
        "  ghstars track --stars 1000.. && ghstars backfill stars --from today\n"
        f"  ghstars start --stars 1000.. --archive {url}{ARCHIVE_PATH}\n"
        f"  curl -H 'Authorization: Bearer {token}' '{url}/search/repositories?q=stars:>1000'\n"
        f'  curl -X POST {url}/sandbox/faults -d \'{{"name": "bad_gateway_html"}}\'\n'
        "Ctrl-C ends it.",
        soft_wrap=True,
    )
    serve(create_app(GitHubState(spec, clock), options), listening)


def _first_day(now: datetime, days: int) -> date:
    return now.date() - timedelta(days=days - 1)
