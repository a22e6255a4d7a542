"""Reads a SQL file's header, which is the only source of what it says about its table.

The header is YAML in the file's first block comment; the query follows it. Every error names the
file and the line it is about.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ghstars_assets.errors import SqlAssetError
from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.sql_tables.header_yaml import HeaderYamlError, Lines, our_words, read_yaml

_HEADER = re.compile(r"\A\s*/\*(?P<yaml>.*?)\*/\s*", re.DOTALL)
_SAME_ROWS = re.compile(r"^same_rows_as:.*\n", re.MULTILINE)
_WINDOW = re.compile(r"^(-?\d{1,5})(?:\.\.(-?\d{1,5}))?$", re.ASCII)
_TABLE = re.compile(r"[a-z][a-z0-9_]*")
_COLUMN = re.compile(r"[^\W\d]\w*")
_TYPE = re.compile(r"[A-Za-z][\w ]*(\([\w ,()\"]*\))?(\[\])*", re.ASCII)

LONGEST_WINDOW_DAYS = 400

Role = Literal["", "feature", "base", "scale", "naive", "baseline", "name", "target"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True, allow_inf_nan=False)


class _ColumnHeader(_Strict):
    type: str
    is_: Annotated[str, Field(alias="is", min_length=3)]
    role: Role = ""
    not_null: bool = False
    min: float | None = None
    max: float | None = None
    one_of: tuple[str, ...] = ()


class AssertionCheck(_Strict):
    """Something that must hold; `fails` selects the rows (with their `day`) that break it."""

    is_: Annotated[str, Field(alias="is")]
    fails: str


class RowCountCheck(_Strict):
    """The row count against the day before, as shares of it."""

    is_: Annotated[str, Field(alias="is")]
    max_drop: float
    max_rise: float
    by: str = ""
    """A column each of whose values is counted apart."""


class GateRule(_Strict):
    """What is bad, as a select over `candidate` (the day at the gate), `latest` (the row accepted
    last for each key, at most `looks_back_days` old) and `previous` (the latest day before it that
    was accepted, or nothing)."""

    select: str
    because: str


class Gate(_Strict):
    """What keeps bad rows and bad days out of the table, for whoever reads it.

    A rule under `rows` selects the keys of bad rows. Under `days`, any row that a rule selects
    sends the whole day to quarantine; under `warnings`, the day is kept with a warning.
    """

    looks_back_days: Annotated[int, Field(ge=1, le=31)] = 7
    rows: dict[str, GateRule] = {}
    days: dict[str, GateRule] = {}
    warnings: dict[str, GateRule] = {}


_Days = str | Annotated[int, Field(strict=True)]
"""`yes` is a number to pydantic, and nothing that anybody means here."""


class _Read(_Strict):
    days: _Days
    optional: Annotated[str, Field(min_length=10)] | None = None
    decides: bool = False


class _SameRows(_Strict):
    """Said once, by whoever edits a file and has compared the rows: what these versions of it wrote
    need not be written again. Valid for one text; the next edit must say it anew or drop it."""

    this: str
    earlier: tuple[str, ...]


_UNION_MEMBERS = ("str", "int", "_Read", "AssertionCheck", "RowCountCheck")


class _Header(_Strict):
    description: str
    key: tuple[str, ...]
    reads: dict[str, _Days | _Read]
    follows: dict[str, str] = {}
    columns: dict[str, _ColumnHeader]
    checks: dict[str, AssertionCheck | RowCountCheck] = {}
    gate: Gate | None = None
    same_rows_as: _SameRows | None = None


@dataclass(frozen=True)
class Window:
    """The days, relative to a row's own, that the query may read of one table."""

    first_offset: int
    last_offset: int
    optional: str = ""
    """Why a day may lack it; without a reason every day must have it."""
    decides: bool = False
    """A day that it lacks is no day of the table at all."""


@dataclass(frozen=True)
class SqlFile:
    """One file under `sql/<problem>/`: a table, what it reads, its checks and its query."""

    path: Path
    table: Table
    reads: dict[str, Window]
    follows: dict[str, str]
    """Tables whose same day is made first though the query does not read them, with the reason."""
    checks: dict[str, AssertionCheck | RowCountCheck]
    gate: Gate | None
    query: str
    query_line: int
    code_version: str
    lines: Lines = field(repr=False)
    same_rows_as: tuple[str, ...] = ()
    """Earlier code versions whose rows are the same."""

    @property
    def driver(self) -> str:
        """The table whose day decides whether a day of this one can be made: the first it reads."""
        return next(iter(self.reads))

    @property
    def alternatives(self) -> dict[str, Window]:
        """Tables that may supply a day that the driver has not got."""
        if self.reads[self.driver].decides:
            return {}
        return {
            table: window
            for table, window in self.reads.items()
            if window.optional and window.first_offset == 0 == window.last_offset
        }

    @property
    def compares_row_counts(self) -> bool:
        return any(isinstance(check, RowCountCheck) for check in self.checks.values())

    def where(self, *path: str) -> str:
        """`file:line` of a place in the header, for messages."""
        return self.at(self.lines.get(path, 1))

    def at(self, line: int) -> str:
        return f"{_short(self.path)}:{line}"


def read_sql_file(path: Path) -> SqlFile:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        _refuse(path, 1, f"cannot be read ({getattr(error, 'strerror', None) or 'it is no UTF-8'})")
    if not _TABLE.fullmatch(path.stem):
        _refuse(path, 1, "has a name that no table has; use small letters, digits and _")
    match = _HEADER.match(text)
    if not match:
        _refuse(path, 1, "begins with no /* header */ that describes its table; add one")
    first_line = text[: match.start("yaml")].count("\n") + 1
    header, lines = _parse(path, match["yaml"], first_line)
    reads = {
        table: _window(path, lines.get(("reads", table), first_line), read)
        for table, read in header.reads.items()
    }
    if not reads:
        _refuse(path, lines[("reads",)], "reads no table; name at least one under `reads`")
    table = Table(
        name=f"{path.parent.name}.{path.stem}",
        description=" ".join(header.description.split()),
        columns=tuple(_column(name, column) for name, column in header.columns.items()),
        key=header.key,
    )
    _check_columns(path, table, lines)
    code_version = hashlib.sha256(_SAME_ROWS.sub("", text, count=1).encode()).hexdigest()[:12]
    same_rows = header.same_rows_as
    if same_rows and same_rows.this != code_version:
        _refuse(
            path,
            lines[("same_rows_as",)],
            f"has `same_rows_as` for the text {same_rows.this}, but is {code_version}: remove the "
            "line, or set `this` if the rows are still the same",
        )
    query = text[match.end() :].strip().removesuffix(";")
    return SqlFile(
        path=path,
        table=table,
        reads=reads,
        follows=header.follows,
        checks=header.checks,
        gate=header.gate,
        query=query,
        query_line=text[: match.end()].count("\n") + 1,
        code_version=code_version,
        lines=lines,
        same_rows_as=same_rows.earlier if same_rows else (),
    )


def _parse(path: Path, source: str, first_line: int) -> tuple[_Header, Lines]:
    try:
        content, lines = read_yaml(source, first_line)
    except HeaderYamlError as error:
        _refuse(path, error.line, error.complaint)
    if not isinstance(content, dict):
        _refuse(path, first_line, "has a header without names such as `description:` and `reads:`")
    try:
        return _Header.model_validate(content), lines
    except ValidationError as error:
        errors = error.errors(include_url=False)
        # A misspelt name is two errors, one for what is missing; the other has a line.
        first = next((found for found in errors if _place(found["loc"]) in lines), errors[0])
        place = _place(first["loc"])
        line = next(
            (lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), first_line
        )
        _refuse(path, line, f"has a bad header at `{'.'.join(place)}`: {our_words(first)}")


def _place(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """Where in the file an error is. A union names its members too; they are no place in it."""
    return tuple(str(part) for part in loc if str(part) not in _UNION_MEMBERS)


def _window(path: Path, line: int, read: _Days | _Read) -> Window:
    text = str(read.days if isinstance(read, _Read) else read)
    match = _WINDOW.match(text)
    # YAML takes -7:0 for a number in base 60, which is nothing anybody means.
    bounds = [int(bound) for bound in match.groups() if bound] if match else []
    if not match or max(map(abs, bounds)) > LONGEST_WINDOW_DAYS:
        _refuse(path, line, f"has the window {text[:20]!r}; write days as 0, -7..0 or 0..7")
    first = int(match[1])
    declared = read if isinstance(read, _Read) else _Read(days=read)
    if declared.optional and declared.decides:
        _refuse(path, line, "is optional and decides; what decides must be there, so drop one")
    last = int(match[2]) if match[2] else first
    window = Window(first, last, declared.optional or "", declared.decides)
    if window.last_offset < window.first_offset:
        _refuse(path, line, f"has the window {text!r}, which ends before it starts; swap its ends")
    return window


def _column(name: str, header: _ColumnHeader) -> Column:
    return Column(
        name=name,
        type=header.type,
        description=header.is_,
        role=header.role,
        is_required=header.not_null,
        minimum=header.min,
        maximum=header.max,
        accepted=header.one_of,
    )


def _check_columns(path: Path, table: Table, lines: Lines) -> None:
    names = table.column_names
    seen: set[str] = set()
    for column in table.columns:
        line = lines.get(("columns", column.name), 1)
        if not _COLUMN.fullmatch(column.name):
            _refuse(path, line, f"has the column {column.name!r}; use letters, digits and _")
        if column.name.lower() in seen:
            _refuse(path, line, f"has the column {column.name!r} twice, for case means nothing")
        if not _TYPE.fullmatch(column.type):
            _refuse(path, line, f"has the type {column.type!r}, which is none of DuckDB's")
        seen.add(column.name.lower())
    if not names or names[0] != "day":
        _refuse(path, lines.get(("columns",), 1), "must have `day` as its first column")
    for key in table.key:
        if key not in names:
            line = lines.get(("key",), 1)
            _refuse(path, line, f"has the key column {key!r}, which `columns` does not document")


def _refuse(path: Path, line: int, complaint: str) -> NoReturn:
    raise SqlAssetError(f"{_short(path)}:{line} {complaint}.")


def _short(path: Path) -> str:
    return "/".join(path.parts[-3:])
