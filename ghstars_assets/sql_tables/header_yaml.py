"""Reads the YAML of a header: what it says, on which line each name of it stands, and what is odd.

YAML can do far more than a header needs. Whatever could take down or hold up the process, such as
parts within parts without end, is refused before the parser meets it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

Lines = dict[tuple[str, ...], int]
"""The line of each name, by its way through the names above it."""

_MOST_DEPTH = 20
_MOST_CHARACTERS = 1_000_000
_DEEP_LINE = re.compile(rf"^(?: {{{10 * _MOST_DEPTH},}}|\s*(?:[-?:]\s+){{{_MOST_DEPTH},}})")
# In C where PyYAML was built with it: every start reads every header.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_VALUE = (ValueError, KeyError, AttributeError, TypeError, OverflowError, yaml.YAMLError)
"""What PyYAML raises of a date that no calendar has, of a number with thousands of digits, and of
what a tag promises and the text does not hold."""


class HeaderYamlError(Exception):
    """A header that cannot be read, and the line of the file."""

    def __init__(self, line: int, complaint: str) -> None:
        super().__init__(complaint)
        self.line = line
        self.complaint = complaint


def read_yaml(source: str, first_line: int) -> tuple[object, Lines]:
    _require_flat(source, first_line)
    try:
        loader = _LOADER(source)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        raise _not_yaml(first_line + line, str(error.problem)) from None
    except yaml.reader.ReaderError as error:
        line = source[: error.position].count("\n")
        raise _not_yaml(first_line + line, f"it has a {chr(error.character)!a}") from None
    if node is None:
        return None, {}
    lines: Lines = {}
    for place, line in _key_lines(node, first_line, set()):
        if place in lines:
            said = ".".join(place)
            raise HeaderYamlError(line, f"says `{said}` twice; YAML would heed the last alone")
        lines[place] = line
    try:
        return loader.construct_document(node), lines
    except _NO_VALUE as error:
        raise _odd_value(loader, node, first_line, error) from None


def our_words(found: Mapping[str, Any]) -> str:
    """One of pydantic's complaints, as a clause."""
    words = {
        "missing": "it is missing",
        "extra_forbidden": "a header knows no such name",
        "string_type": "it must be a text; put quotes around it",
        "string_too_short": "it is too short to say anything",
        "int_type": "it must be a whole number",
        "int_parsing": "it must be a whole number",
        "int_from_float": "it must be a whole number",
        "float_type": "it must be a number",
        "float_parsing": "it must be a number",
        "finite_number": "it must be a finite number",
        "bool_type": "it must be true or false",
        "bool_parsing": "it must be true or false",
        "dict_type": "it must have names with values below it",
        "model_type": "it must have names with values below it",
        "tuple_type": "it must be a list, such as [day, id]",
    }
    return words.get(found["type"], f"{found['msg'][:1].lower()}{found['msg'][1:]}")


def _not_yaml(line: int, why: str) -> HeaderYamlError:
    return HeaderYamlError(line, f"has a header that is not YAML ({why})")


def _require_flat(source: str, first_line: int) -> None:
    """The parser in C ends the process at some thousand levels."""
    if len(source) > _MOST_CHARACTERS:
        raise HeaderYamlError(first_line, f"has a header of over {_MOST_CHARACTERS:,} characters")
    depth = 0
    for number, line in enumerate(source.split("\n"), first_line):
        depth += line.count("[") + line.count("{") - line.count("]") - line.count("}")
        opened = max(depth, line.count("["), line.count("{"))
        if opened > 10 * _MOST_DEPTH or _DEEP_LINE.match(line):
            raise HeaderYamlError(number, "has a header that is nested too deeply; write it flat")


def _key_lines(
    node: yaml.Node, first_line: int, seen: set[int], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], int]]:
    line = first_line + node.start_mark.line
    if id(node) in seen:
        raise HeaderYamlError(line, "repeats a part with `&` and `*`; write it out")
    if len(path) > _MOST_DEPTH:
        raise HeaderYamlError(line, "has a header that is nested too deeply; write it flat")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, first_line + key.start_mark.line
            yield from _key_lines(value, first_line, seen, here)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            # Items have no name; what is in them has no place of its own.
            for _ in _key_lines(value, first_line, seen, (*path, "")):
                pass


def _odd_value(
    loader: yaml.SafeLoader, node: yaml.Node, first_line: int, error: Exception
) -> HeaderYamlError:
    """The complaint about the first value that cannot be built."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return _not_yaml(first_line + error.problem_mark.line, str(error.problem))
    for scalar in _scalars(node):
        try:
            loader.construct_object(scalar)
        except _NO_VALUE:
            kind = scalar.tag.rpartition(":")[2]
            shown = scalar.value if len(scalar.value) <= 40 else f"{scalar.value[:40]}…"
            return HeaderYamlError(
                first_line + scalar.start_mark.line,
                f"has {shown!a}, which YAML takes for a {kind} that cannot be; put it in quotes",
            )
    return _not_yaml(first_line, type(error).__name__)


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _scalars(value)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(key)
            yield from _scalars(value)
