"""What the command shows: results on stdout, everything else on stderr, bars only on a terminal."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
import polars as pl
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ghstars_assets.lake.marker import SANDBOX_NOTICE, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.platform import Form

WIDE = 10_000
"""Columns when nobody looks at a screen: nothing is cut off."""


def out() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=WIDE)


def err() -> Console:
    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print a line for the person who waits."""
    err().print(text)


def print_line(text: str, *, soft_wrap: bool = False) -> None:
    """Print a line of the result; with `soft_wrap` it can be copied whole from a terminal."""
    out().print(text, highlight=False, soft_wrap=soft_wrap)


def say_if_sandbox(lake: Lake) -> None:
    """Nobody should take an invented world's figures for real ones."""
    marker = read_marker(lake)
    if marker and marker.kind == "sandbox":
        say(SANDBOX_NOTICE)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err(), disable=not sys.stderr.isatty()) as progress:
        yield progress


def show_frame(frame: pl.DataFrame, form: Form, title: str = "") -> None:
    if form == "csv":
        click.echo(_flat(frame).write_csv(), nl=False)
    elif form == "json":
        click.echo(json.dumps(frame.to_dicts(), default=str, indent=2))
    else:
        out().print(as_table(frame, title))


def as_table(frame: pl.DataFrame, title: str = "") -> Table:
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in frame.schema.items():
        table.add_column(name, justify="right" if kind.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """CSV has no nested values; they are written as JSON."""
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    return frame.with_columns(
        pl.col(name).map_elements(
            lambda value: (
                json.dumps(value.to_list(), default=str)
                if isinstance(value, pl.Series)
                else json.dumps(value, default=str)
            ),
            return_dtype=pl.String,
        )
        for name in nested
    )
