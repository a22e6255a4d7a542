"""Frames laid out as tables of text: as wide as the terminal, no word broken, no digit lost.

What is too wide is narrowed where lines can be broken; a column of prose may stand below its row;
of a single row the columns stand below one another; and where nothing else helps the last columns
are left out, and named.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl
from rich.cells import cell_len

GAPS = (2, 1)
"""Spaces between columns: as many as there is room for."""
INDENT = "    "
WORD = 16
"""A word as long as this is never broken; a longer one is a path or a name of several parts."""
WIDEST_PIECE = 28
"""A piece that is longer is no word, and may be folded."""
FEWEST_COLUMNS_OF_PROSE = 30
SHOWN_DIGITS = 12
"""A float holds so many that somebody wrote; with more it was computed, and is rounded ..."""
ROUNDED_DIGITS = 6
"""... to so many."""

_ENDS_OF_PIECES = re.compile(r"(?<=[/_\-.,;:=])")
_INVISIBLE = {
    code: f"\\x{code:02x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
}
"""Nothing that is shown moves the cursor, changes a colour or turns the direction of writing."""


@dataclass(frozen=True)
class Line:
    text: str
    style: str = ""
    """As Rich knows it; seen on a terminal alone."""


def visible(text: str) -> str:
    """Write control characters out, but for the ends of lines."""
    return text.translate(_INVISIBLE)


# ---- cells --------------------------------------------------------------------------------------


def cell_text(value: object, decimals: int | None = None) -> str:
    """Format a value; a float with so many decimals, or with all digits that mean something."""
    if value is None:
        return ""
    if isinstance(value, float):
        return _float_text(value, decimals)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_inner(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple | pl.Series):
        return f"[{', '.join(map(_inner, value))}]"
    return visible(str(value)).replace("\t", " ")


def _inner(value: object) -> str:
    return "null" if value is None else cell_text(value)


def _float_text(value: float, decimals: int | None) -> str:
    if not math.isfinite(value):
        return str(value)
    if decimals is not None:
        return f"{value:,.{decimals}f}" if abs(value) < 100 else f"{value:,.0f}"
    exact = Decimal(repr(value))
    if len(exact.as_tuple().digits) > SHOWN_DIGITS:
        before_the_point = max(0, exact.adjusted() + 1)
        exact = Decimal(f"{value:.{max(ROUNDED_DIGITS, before_the_point) - 1}e}")
    if exact and not 1e-7 <= abs(value) < 1e16:
        return f"{exact:e}" if "e" in f"{value!r}" else repr(value)
    text = f"{exact:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# ---- lines within a cell ------------------------------------------------------------------------


def wrapped(text: str, width: int, *, cuts_words: bool = True) -> list[str]:
    """Break a text into lines at spaces; a word that is longer than a line between its parts, or
    not at all."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            joined = f"{line} {word}" if line else word
            if cell_len(joined) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            *whole, line = _parts(word, width) if cuts_words else [word]
            lines += whole
        lines.append(line)
    return lines


def _parts(word: str, width: int) -> list[str]:
    """Cut a word that is longer than a line after `/`, `_`, `-` and their like, else anywhere."""
    parts = [""]
    for piece in _ENDS_OF_PIECES.split(word):
        rest = piece
        if cell_len(parts[-1] + rest) > width and parts[-1]:
            parts.append("")
        while cell_len(rest) > width:
            cut = _fitting(rest, width)
            parts[-1:] = [rest[:cut], ""]
            rest = rest[cut:]
        parts[-1] += rest
    return parts if parts[-1] or len(parts) == 1 else parts[:-1]


def _fitting(text: str, width: int) -> int:
    """Count the characters that fit; one at least, though it may be wider."""
    length = max(1, min(len(text), width))
    while length > 1 and cell_len(text[:length]) > width:
        length -= 1
    return length


def _tightest(text: str) -> int:
    """Measure the longest piece of a text that must stay whole."""
    longest = 1
    for word in text.split():
        pieces = [word] if len(word) <= WORD else _ENDS_OF_PIECES.split(word)
        longest = max(longest, *(min(cell_len(piece), WIDEST_PIECE) for piece in pieces))
    return longest


# ---- columns ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    name: str
    cells: list[str]
    is_right: bool
    can_wrap: bool

    @property
    def natural(self) -> int:
        lines = (line for cell in self.cells for line in cell.split("\n"))
        return max(cell_len(self.name), *map(cell_len, lines), 1)

    @property
    def tight(self) -> int:
        heads = (cell_len(piece) for piece in self._head_pieces)
        if not self.can_wrap:
            return max(*heads, *map(cell_len, self.cells), 1)
        return max(*heads, *map(_tightest, self.cells), 1)

    @property
    def _head_pieces(self) -> list[str]:
        return [piece for word in self.name.split(" ") for piece in re.split(r"(?<=_)", word)]

    def head(self, width: int) -> list[str]:
        return wrapped(self.name, width)

    def aligned(self, text: str, width: int) -> str:
        space = " " * (width - cell_len(text))
        return space + text if self.is_right else text + space


def lay_out(
    frame: pl.DataFrame,
    width: int | None,
    *,
    decimals: int | None = None,
    prose: str = "",
    how_to_see_all: str = "",
) -> Iterator[Line]:
    """Lay out a frame in so many columns of a terminal, or without a bound. The column `prose`
    stands below its row where there is no room beside it."""
    columns = [_column(frame[name], decimals) for name in frame.columns]
    natural = [column.natural for column in columns]
    if width is None or _total(natural, GAPS[0]) <= width:
        yield from _table(columns, natural, GAPS[0], None, width)
        return
    below = next((column for column in columns if column.name == prose), None)
    beside = [column for column in columns if column is not below]
    attempts = [(beside, below), (columns, None)] if below else [(columns, None)]
    for gap in GAPS:
        for each, its_prose in attempts:
            if widths := _widths(each, width, gap):
                yield from _table(each, widths, gap, its_prose, width)
                return
    if frame.height == 1:
        yield from _record(columns, width)
    else:
        yield from _table_of_the_first(beside, below, width, how_to_see_all)


def _column(values: pl.Series, decimals: int | None) -> _Column:
    is_text = values.dtype == pl.String or values.dtype.is_nested()
    return _Column(
        visible(values.name).replace("\n", " "),
        [cell_text(value, decimals) for value in values],
        is_right=values.dtype.is_numeric(),
        can_wrap=is_text or isinstance(values.dtype, pl.Categorical | pl.Enum),
    )


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _widths(columns: Sequence[_Column], width: int, gap: int) -> list[int] | None:
    """Narrow the widest columns, all to the same width, until the table fits; None where it
    cannot."""
    natural, tight = [column.natural for column in columns], [column.tight for column in columns]

    def narrowed(to: int) -> list[int]:
        return [min(wide, max(least, to)) for wide, least in zip(natural, tight, strict=True)]

    fitting = [to for to in range(1, max(natural) + 1) if _total(narrowed(to), gap) <= width]
    if not fitting:
        return None
    widths = narrowed(fitting[-1])
    for place, wide in enumerate(natural):  # what is left over by rounding
        widths[place] += min(wide - widths[place], width - _total(widths, gap))
    return widths


def _table(
    columns: Sequence[_Column],
    widths: Sequence[int],
    gap: int,
    below: _Column | None,
    width: int | None,
) -> Iterator[Line]:
    heads = [column.head(wide) for column, wide in zip(columns, widths, strict=True)]
    tallest = max(map(len, heads))
    heads = [[""] * (tallest - len(head)) + head for head in heads]
    for text in _rows(columns, widths, gap, heads):
        yield Line(text, "bold")
    yield Line("─" * _total(widths, gap), "dim")
    for row in range(len(columns[0].cells)):
        cells = [
            wrapped(column.cells[row], wide) if column.can_wrap else column.cells[row].split("\n")
            for column, wide in zip(columns, widths, strict=True)
        ]
        for text in _rows(columns, widths, gap, cells):
            yield Line(text)
        if below and width and below.cells[row]:
            for text in wrapped(below.cells[row], width - len(INDENT)):
                yield Line(INDENT + text, "dim")


def _rows(
    columns: Sequence[_Column], widths: Sequence[int], gap: int, cells: Sequence[Sequence[str]]
) -> Iterator[str]:
    for place in range(max(map(len, cells))):
        texts = [
            column.aligned(cell[place] if place < len(cell) else "", wide)
            for column, wide, cell in zip(columns, widths, cells, strict=True)
        ]
        yield (" " * gap).join(texts).rstrip()


def _record(columns: Sequence[_Column], width: int) -> Iterator[Line]:
    """Show a single row with its columns below one another."""
    indent = max(cell_len(column.name) for column in columns) + GAPS[0]
    room = max(FEWEST_COLUMNS_OF_PROSE, width - indent)
    for column in columns:
        first, *others = wrapped(column.cells[0], room)
        space = " " * (indent - cell_len(column.name))
        yield Line(f"{column.name}{space}{first}".rstrip())
        for line in others:
            yield Line(" " * indent + line)


def _table_of_the_first(
    columns: Sequence[_Column], below: _Column | None, width: int, how_to_see_all: str
) -> Iterator[Line]:
    """Show as many columns as fit, and name the others."""
    gap = GAPS[0]
    shown = len(columns) - 1
    while shown > 1 and _widths(columns[:shown], width, gap) is None:
        shown -= 1
    kept, left_out = columns[:shown], columns[shown:]
    yield from _table(kept, _widths(kept, width, gap) or [width], gap, below, width)
    names = ", ".join(column.name for column in left_out)
    more = f"{len(left_out)} more column{'s' * (len(left_out) > 1)}: {names}"
    for text in wrapped(f"{more}{f'; {how_to_see_all}' if how_to_see_all else ''}", width):
        yield Line(text, "dim")
