"""The problems there are: every folder beside this file with a `problem.py`."""

import importlib
import pkgutil

import ghstars_assets.problems
from ghstars_assets.errors import GhstarsError
from ghstars_assets.learning.problem import Problem


def all_problems() -> dict[str, Problem]:
    """By name, in the order of their names."""
    names = sorted(
        found.name
        for found in pkgutil.iter_modules(ghstars_assets.problems.__path__)
        if found.ispkg
    )
    modules = (importlib.import_module(f"ghstars_assets.problems.{name}.problem") for name in names)
    return {module.PROBLEM.name: module.PROBLEM for module in modules}


def find_problem(name: str) -> Problem:
    problems = all_problems()
    if name not in problems:
        raise GhstarsError(f"There is no problem {name!r}; choose one of {', '.join(problems)}.")
    return problems[name]
