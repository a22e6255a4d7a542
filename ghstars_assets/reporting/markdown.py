"""Writes Markdown: the one place that makes tables, and how a figure reads in them."""

from collections.abc import Collection, Iterable, Sequence


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, figures: Collection[str] = ()
) -> str:
    """A table whose cells are shown as they are; columns named in `figures` are aligned right."""
    ruler = ["---:" if name in figures else "---" for name in header]
    return "\n".join(map(_line, (header, ruler, *rows)))


def table_of_figures(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column names the row and whose other columns are figures."""
    return table(header, rows, figures=header[1:])


def format_figure(value: float | str | None, form: str) -> str:
    """A figure in the given format, or a dash where nothing was measured."""
    return "–" if value is None else format(value, form)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """A pipe or the end of a line would end the cell."""
    return " ".join(text.replace("|", r"\|").splitlines())
