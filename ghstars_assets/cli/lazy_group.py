"""A click group that knows its commands by name and imports only the one that is run."""

import importlib
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from ghstars_assets.interrupts import hearing_interrupts, is_interrupted
from ghstars_assets.problems.platform import CommandEntry

INTERRUPTED = "ghstars: Interrupted; what was finished by then is kept."
EXIT_INTERRUPTED = 130
"""What a shell reports of a program that SIGINT ended."""


class LazyGroup(click.Group):
    """The list of commands is written from `entries`; a test holds that it says what they say."""

    def __init__(self, *, entries: Mapping[str, CommandEntry], **named: Any) -> None:
        super().__init__(**named)
        self.entries = entries

    def make_context(self, *given: Any, **named: Any) -> click.Context:
        with _ended_by_a_reader():
            return super().make_context(*given, **named)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(name for name, entry in self.entries.items() if not entry.is_hidden)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        return load_command(entry) if entry else None

    def invoke(self, ctx: click.Context) -> Any:
        with _ended_by_a_reader(), hearing_interrupts(), _ended_by_ctrl_c():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        names = self.list_commands(ctx)
        width = formatter.width - 6 - max(map(len, names))
        lines = [
            (name, textwrap.shorten(self.entries[name].summary, width, placeholder="..."))
            for name in names
        ]
        with formatter.section("Commands"):
            formatter.write_dl(lines)


@contextmanager
def _ended_by_a_reader() -> Iterator[None]:
    """Whoever reads our output, as `head` does, may go when they have seen enough: that is no
    fault, though click would end with 1."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(0) from None


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Ctrl-C ends a command with one sentence, under whatever name it comes: DuckDB and Dagster
    raise errors of their own."""
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        if not (isinstance(error, KeyboardInterrupt) or is_interrupted()):
            raise
        click.echo(f"\n{INTERRUPTED}", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None


def load_command(entry: CommandEntry) -> click.Command:
    module, _, attribute = entry.target.partition(":")
    return getattr(importlib.import_module(module), attribute)
