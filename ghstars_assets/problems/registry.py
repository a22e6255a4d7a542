"""The problems there are: every folder beside this file with a `problem.py`.

Problems are imported when somebody asks for one. A problem's own commands are listed by its
`commands` package, which does not import the problem.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import ghstars_assets.problems
from ghstars_assets.errors import GhstarsError, WrongArgumentError
from ghstars_assets.problems.platform import CommandEntry

if TYPE_CHECKING:
    from ghstars_assets.learning.problem import Problem


def all_problems() -> "dict[str, Problem]":
    """By name, in the order of their names."""
    for folder in ghstars_assets.problems.__path__:
        _refuse_folders_python_cannot_import(Path(folder))
    modules = (importlib.import_module(f"{folder}.problem") for folder in _folders())
    return {module.PROBLEM.name: module.PROBLEM for module in modules}


def find_problem(name: str) -> "Problem":
    problems = all_problems()
    if name not in problems:
        raise WrongArgumentError(
            f"There is no problem {name!r}; choose one of {', '.join(problems)}."
        )
    return problems[name]


def problem_commands() -> Mapping[str, CommandEntry]:
    """The commands that single problems have of their own, by name."""
    found: dict[str, CommandEntry] = {}
    for folder in _folders():
        if importlib.util.find_spec(f"{folder}.commands"):
            found |= importlib.import_module(f"{folder}.commands").COMMANDS
    return found


def _refuse_folders_python_cannot_import(folder: Path) -> None:
    for declaration in folder.glob("*/problem.py"):
        if not declaration.with_name("__init__.py").exists():
            raise GhstarsError(
                f"{declaration} is no part of the package; put an empty __init__.py beside it."
            )


def _folders() -> list[str]:
    package = ghstars_assets.problems
    found = pkgutil.iter_modules(package.__path__)
    return sorted(f"{package.__name__}.{module.name}" for module in found if module.ispkg)
