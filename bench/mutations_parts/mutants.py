"""The mutants of a file, read from the copy into which mutmut wrote them beside the original."""

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path

_ORIGINAL = "orig"
_OF_MUTANT = "__mutmut_"
_OF_CLASS = "ǁ"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mutant:
    name: str
    """As mutmut calls it; it changes with the code."""
    function: str
    was: str
    becomes: str


def mutants_of(file: Path, module: str) -> Iterator[Mutant]:
    """Every mutant of a file, but for those that change nothing but the wording of a text."""
    functions = {
        node.name: node
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, _Function) and _OF_MUTANT in node.name
    }
    for name, node in functions.items():
        of, _, number = name.rpartition(_OF_MUTANT)
        original = functions.get(f"{of}{_OF_MUTANT}{_ORIGINAL}")
        if number == _ORIGINAL or original is None:
            continue
        if _unparsed(node, _LeaveOutTexts()) == _unparsed(original, _LeaveOutTexts()):
            continue
        was, becomes = _changed(_lines(original), _lines(node))
        yield Mutant(f"{module}.{name}", f"{module}.{_readable(of)}", was, becomes)


def _readable(mangled: str) -> str:
    """`xǁHolesǁof` is the method `Holes.of`, `x_gaps_table` the function `gaps_table`."""
    if _OF_CLASS in mangled:
        return ".".join(mangled.split(_OF_CLASS)[1:])
    return mangled.removeprefix("x_")


def _lines(function: _Function) -> list[str]:
    return [line.strip() for line in _unparsed(function, ast.NodeTransformer())]


def _changed(original: list[str], mutant: list[str]) -> tuple[str, str]:
    lines = list(ndiff(original, mutant))
    was, becomes = (
        " ".join(line[2:] for line in lines if line.startswith(sign)) for sign in ("- ", "+ ")
    )
    return was, becomes


def _unparsed(function: _Function, change: ast.NodeTransformer) -> list[str]:
    """The function under a name that it shares with its mutants."""
    copied = change.visit(deepcopy(function))
    copied.name = "function"
    return ast.unparse(copied).splitlines()


class _LeaveOutTexts(ast.NodeTransformer):
    """Leaves out every text of several words: messages, descriptions, queries."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        is_text = isinstance(node.value, str) and " " in node.value
        return ast.Constant("a text") if is_text else node
