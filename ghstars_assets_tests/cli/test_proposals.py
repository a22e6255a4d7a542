"""Every command that a message proposes exists, with these arguments and options."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import click
import pytest

from ghstars_assets.cli.entry_point import COMMANDS
from ghstars_assets.cli.lazy_group import load_command
from ghstars_assets.errors import WrongArgumentError
from ghstars_assets.problems.registry import problem_commands
from ghstars_assets.settings import PROJECT_ROOT

ENTRIES = {**COMMANDS, **problem_commands()}
PACKAGE = PROJECT_ROOT / "ghstars_assets"
DAY = "2026-06-01"
MEANT = {
    # Placeholders that a user reads.
    "PROBLEM": "stars", "VERSION": "1", "OWNER/NAME": "a/b", "PATH_OR_URL": "folder", "DAY": DAY,
    "…": "a-word",
}  # fmt: skip
IS_A_NAME = re.compile(r"problem|\bname\b|_problem")
IS_A_VERSION = re.compile(r"version|\bserving\b")
IS_STAGES = re.compile(r"stage")
IS_A_CADENCE = re.compile(r"\bmode\b")


@dataclass(frozen=True)
class Proposal:
    where: str
    text: str


def _placeholder(expression: str) -> str:
    """A value that the expression of a message could have."""
    if IS_STAGES.search(expression):
        return "features"
    if IS_A_CADENCE.search(expression):
        return "weekly"
    if IS_A_VERSION.search(expression):
        return "1"
    return "stars" if IS_A_NAME.search(expression) else DAY


def _variants(node: ast.expr) -> list[str]:
    """The texts that an expression of strings can come to."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        parts = [_variants(value) for value in node.values]
        return ["".join(chosen) for chosen in product(*parts)]
    if isinstance(node, ast.FormattedValue):
        return [_placeholder(ast.unparse(node.value))]
    if isinstance(node, ast.IfExp):
        return [*_variants(node.body), *_variants(node.orelse)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [
            left + right for left, right in product(_variants(node.left), _variants(node.right))
        ]
    return ["a-value"]


def _messages(node: ast.AST, *, is_inside: bool = False) -> Iterator[tuple[int, str]]:
    """Each outermost text of a module, but for docstrings."""
    for child in ast.iter_child_nodes(node):
        is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if is_docstring:
            continue
        is_text = isinstance(child, ast.JoinedStr | ast.BinOp | ast.IfExp) or (
            isinstance(child, ast.Constant) and isinstance(child.value, str)
        )
        if is_text and not is_inside:
            assert isinstance(child, ast.expr)
            yield from ((child.lineno, text) for text in _variants(child))
        yield from _messages(child, is_inside=is_inside or is_text)


def _proposals() -> Iterator[Proposal]:
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for line, text in _messages(tree):
            for found in re.findall(r"`(ghstars [^`]+)`", text):
                yield Proposal(f"{file.relative_to(PACKAGE)}:{line}", found)


PROPOSALS = sorted({one.text: one for one in _proposals()}.values(), key=lambda one: one.where)


def _parse(text: str) -> None:
    """As the command line would; a command alone is a mention of it."""
    words = [MEANT.get(word, word) for word in shlex.split(text)[1:]]
    name, arguments = words[0], words[1:]
    if name.startswith("-"):
        return
    command = load_command(ENTRIES[name])
    if arguments:
        command.make_context(name, arguments)


def test_messages_propose_many_commands() -> None:
    assert len(PROPOSALS) > 30


@pytest.mark.parametrize("proposal", PROPOSALS, ids=lambda one: f"{one.where} {one.text}")
def test_what_a_message_proposes_can_be_run(proposal: Proposal) -> None:
    _parse(proposal.text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("ghstars backfil stars", KeyError),
        ("ghstars backfill stars --form 2026-06-01", click.NoSuchOption),
        ("ghstars gap stars 2026-06-01", click.MissingParameter),
        ("ghstars predict stars --date soon", WrongArgumentError),
    ],
)
def test_a_wrong_proposal_would_be_found(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        _parse(text)


def test_the_parts_of_a_message_are_put_together() -> None:
    tree = ast.parse(
        "x = f'see `ghstars predict {problem.name}' + (f' --date {day}`' if y else '`')"
    )
    found = [text for _, text in _messages(tree)]
    assert found == [f"see `ghstars predict stars --date {DAY}`", "see `ghstars predict stars`"]
