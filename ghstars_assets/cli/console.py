"""What the command shows: results on stdout, everything else on stderr, bars only on a terminal.

All of it goes through here, and all of it is text: whatever a message or a table holds is shown as
it is, never read as markup, as an emoji or as a command to the terminal.
"""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ghstars_assets.cli.terminal_tables import lay_out, visible, wrapped
from ghstars_assets.lake.marker import SANDBOX_NOTICE, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.platform import Form

DECIMALS = 3
"""Of the figures in our own tables."""
ROWS_ON_A_TERMINAL = 40
HOW_TO_SEE_ALL = "--csv or --json shows all"


def say(text: str, *, heading: str = "") -> None:
    """Print a line for the person who waits."""
    _print(text, is_error=True, heading=heading)


def print_line(text: str, *, soft_wrap: bool = False) -> None:
    """Print a line of the result; with `soft_wrap` it can be copied whole from a terminal."""
    _print(text, soft_wrap=soft_wrap)


def say_if_sandbox(lake: Lake) -> None:
    """Nobody should take an invented world's figures for real ones."""
    marker = read_marker(lake)
    if marker and marker.kind == "sandbox":
        say(SANDBOX_NOTICE)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description:<22}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = _console(is_error=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress


def show_frame(
    frame: pl.DataFrame,
    form: Form,
    title: str = "",
    *,
    prose: str = "",
    decimals: int | None = DECIMALS,
    most: int | None = None,
    how_to_see_all: str = HOW_TO_SEE_ALL,
) -> None:
    """Show a frame. Of a table on a terminal only the first rows where `most` says how many; its
    column `prose` may stand below the rows."""
    if form == "csv":
        _write(_flat(frame).write_csv())
    elif form == "json":
        _write(as_json(frame) + "\n")
    else:
        if title:
            print_line(title)
        width = _console().width if is_on_terminal() else None
        shown = frame.head(most) if most and width else frame
        lines = lay_out(shown, width, decimals=decimals, prose=prose, how_to_see_all=how_to_see_all)
        if width is None:
            _write("".join(f"{line.text}\n" for line in lines))
        else:
            for line in lines:
                _print(line.text, style=line.style, soft_wrap=True)
        if shown.height < frame.height:
            print_rows_left_out(frame.height - shown.height, how_to_see_all)
        _print("")


def show_rows(
    frame: pl.DataFrame, form: Form, rows_left_out: int, how_to_see_all: str = HOW_TO_SEE_ALL
) -> None:
    """Show rows of SQL with all their digits, and how many there are besides."""
    show_frame(frame, form, decimals=None, how_to_see_all=how_to_see_all)
    if rows_left_out:
        print_rows_left_out(rows_left_out, how_to_see_all)


def print_rows_left_out(rows: int, how_to_see_all: str = HOW_TO_SEE_ALL) -> None:
    _print(f"and {rows:,} more row{'s' * (rows > 1)}; {how_to_see_all}", style="dim")


def is_on_terminal() -> bool:
    """Whether somebody looks at what is printed; else nothing is left out."""
    return sys.stdout.isatty()


def as_json(frame: pl.DataFrame) -> str:
    """Write rows as a list of objects. JSON has no NaN and no infinity; they are null. Huge
    integers are text, for what reads them as floats loses their last digits."""
    rows = frame.with_columns(pl.col(pl.Int128).cast(pl.String)).to_dicts()
    return json.dumps(_finite(rows), default=str, indent=2, allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return value


def _console(*, is_error: bool = False) -> Console:
    return Console(stderr=is_error, markup=False, emoji=False, highlight=False)


def _print(
    text: str,
    *,
    is_error: bool = False,
    heading: str = "",
    style: str = "",
    soft_wrap: bool = False,
) -> None:
    """Print text that is broken between words alone, and only where a terminal shows it."""
    console = _console(is_error=is_error)
    shown = visible(f"{heading} {text}" if heading else text)
    if console.file.isatty():
        if not soft_wrap:
            # A path is longer than a line sooner than a word is, and must be whole to be copied.
            shown = "\n".join(wrapped(shown, console.width, cuts_words=False))
        styled = Text(shown, style)
        styled.stylize("bold", 0, len(visible(heading)))
        console.print(styled, soft_wrap=True)
    else:
        console.file.write(f"{shown}\n")
        console.file.flush()


def _write(content: str) -> None:
    """Write what another program reads: not a character of it is changed."""
    sys.stdout.write(content)
    sys.stdout.flush()


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """CSV has no nested values; they are written as JSON."""
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    return frame.with_columns(
        pl.col(name).map_elements(
            lambda value: json.dumps(
                _finite(value.to_list() if isinstance(value, pl.Series) else value), default=str
            ),
            return_dtype=pl.String,
        )
        for name in nested
    )
