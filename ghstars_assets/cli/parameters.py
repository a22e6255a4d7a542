"""Parameters that several commands have: a problem, a day, an output file, a form, the settings."""

import functools
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from ghstars_assets.calendar import DayRange, parse_day
from ghstars_assets.cli.command_line import CommandLine
from ghstars_assets.errors import WrongArgumentError
from ghstars_assets.problems.platform import Form
from ghstars_assets.problems.registry import find_problem
from ghstars_assets.settings import Settings

if TYPE_CHECKING:
    from ghstars_assets.learning.problem import Problem

P = ParamSpec("P")
R = TypeVar("R")


class _DayType(click.ParamType):
    name = "day"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,  # noqa: ARG002
    ) -> date | None:
        if value == "" and param and not param.required:
            return None  # as if it had been left out: a script's variable may be empty
        return value if isinstance(value, date) else parse_day(str(value))


class _ProblemType(click.ParamType):
    name = "problem"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,  # noqa: ARG002
        ctx: click.Context | None,  # noqa: ARG002
    ) -> "Problem":
        return find_problem(str(value))


class _OutputFileType(click.Path):
    """A file in a folder that is there: found out before the work is done, not after it."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        file = Path(str(super().convert(str(value), param, ctx)))
        folder = file.absolute().parent
        if not folder.is_dir():
            raise WrongArgumentError(f"There is no folder {folder}; make it, or name another file.")
        return file


DAY = _DayType()
OUTPUT_FILE = _OutputFileType()

problem_type = _ProblemType()
problem_argument = click.argument("problem", type=problem_type)


def pass_settings(command: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Hand in the settings of this invocation as the first argument."""

    @functools.wraps(command)
    def with_settings(*given: P.args, **named: P.kwargs) -> R:
        command_line = click.get_current_context().ensure_object(CommandLine)
        return command(command_line.settings, *given, **named)

    return with_settings


def form_options(command: Callable[..., R]) -> Callable[..., R]:
    """Hand in `form`: a table unless something else is asked for."""

    @click.option("--csv", "is_csv", is_flag=True, help="all columns, with a header")
    @click.option("--json", "is_json", is_flag=True, help="all columns")
    @functools.wraps(command)
    def with_form(*given: object, is_csv: bool, is_json: bool, **named: object) -> R:
        if is_csv and is_json:
            raise click.UsageError("Give --csv or --json, not both.")
        form: Form = "csv" if is_csv else "json" if is_json else "table"
        return command(*given, form=form, **named)

    return with_form


def days_between(first: date, last: date | None) -> DayRange:
    """A range of one day where no last one is named."""
    return DayRange(first, last or first)
