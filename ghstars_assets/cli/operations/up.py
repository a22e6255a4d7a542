"""`ghstars up`: Dagster's webserver and daemon and MLflow's UI, on loopback, until interrupted."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from ghstars_assets.cli.console import print_line, say
from ghstars_assets.cli.parameters import pass_settings
from ghstars_assets.home.layout import prepare_home
from ghstars_assets.home.secret_files import open_secrets
from ghstars_assets.orchestration.servers.processes import (
    end_orphans,
    running,
    the_only_up,
    wait_until_open,
    watch,
)
from ghstars_assets.orchestration.servers.services import (
    page_of,
    require_free_port,
    require_ports_of_their_own,
    services_of,
)
from ghstars_assets.settings import Settings

INTERRUPTED = 130


@click.command()
@pass_settings
def up(settings: Settings) -> None:
    """Serve Dagster's UI and daemon and MLflow's UI on loopback until interrupted."""
    sys.exit(_serve(settings))


def _serve(settings: Settings) -> int:
    """Serve until interrupted. The exit code is 130 then, and 0 when a service manager ends it."""
    services = services_of(settings)
    require_ports_of_their_own(services)
    prepare_home(settings)
    with _stop_signals() as stop, the_only_up(settings, services):
        for sentence in open_secrets(settings):
            say(sentence)
        ended = end_orphans(settings, services)
        if ended:
            say(f"An earlier `ghstars up` was killed; ended what it left: {', '.join(ended)}.")
        for service in services:
            require_free_port(service)
        _open_home(settings)
        with running(services, settings) as processes:
            say("Starting; this takes some ten seconds ...")
            for one in processes:
                wait_until_open(one, stop)
            if not stop():
                for service in services:
                    if service.port:
                        print_line(f"{service.name:<8} {page_of(service)}", soft_wrap=True)
                print_line("Interrupt (Ctrl-C) to stop.")
            watch(processes, stop)
    if stop.number == signal.SIGINT:
        say("Interrupted; all services have ended.")
        return INTERRUPTED
    return 0


def _open_home(settings: Settings) -> None:
    """Make what is not there yet, point MLflow's artifacts at where the home lies now, and end the
    runs of commands that were killed, before the daemon counts them."""
    from ghstars_assets.learning.registry.mlflow_home import prepare_mlflow
    from ghstars_assets.orchestration.runs import dagster_instance

    with dagster_instance(settings):
        pass
    if not settings.mlflow_tracking_uri:
        prepare_mlflow(settings)


class _StopSignal:
    """Remembers that somebody asked us to end, and how."""

    def __init__(self) -> None:
        self.number: int | None = None

    def __call__(self) -> bool:
        return self.number is not None

    def ask(self, number: int, _frame: FrameType | None) -> None:
        self.number = self.number or number


@contextmanager
def _stop_signals() -> Iterator[_StopSignal]:
    """From here on an interrupt ends what was started, and is not lost in the middle of it."""
    stop = _StopSignal()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
