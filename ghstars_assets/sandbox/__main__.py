"""`python -m ghstars_assets.sandbox`: the child process of `child.running_sandbox`."""

import argparse
from datetime import date
from pathlib import Path

from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.github.state import GitHubState
from ghstars_assets.sandbox.http.app import SandboxOptions, create_app
from ghstars_assets.sandbox.http.limits import SandboxLimits
from ghstars_assets.sandbox.http.server import bound_socket, say_ready, serve
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import sandbox_token


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--repositories", type=int, required=True)
    parser.add_argument("--first-day", type=date.fromisoformat, required=True)
    parser.add_argument("--change-on", type=date.fromisoformat)
    parser.add_argument("--limits", choices=("generous", "github"), default="generous")
    parser.add_argument("--served-log", type=Path)
    given = parser.parse_args()
    spec = WorldSpec(given.seed, given.repositories, given.first_day, given.change_on)
    clock = SandboxClock.fixed(capture_moment(spec.seed, spec.first_day))
    limits = SandboxLimits.generous() if given.limits == "generous" else SandboxLimits()
    options = SandboxOptions(sandbox_token(), limits=limits, served_log=given.served_log)
    listening = bound_socket(0)
    app = create_app(GitHubState(spec, clock), options)
    say_ready(listening)
    serve(app, listening, ends_with_stdin=True)


main()
