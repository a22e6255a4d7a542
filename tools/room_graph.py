"""The rooms of the package, their layers, and which room imports which."""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "ghstars_assets"
Arrow = tuple[str, str]
"""A room and one that it imports."""


class RoomError(Exception):
    """The picture cannot be made, and the message says what to mend."""


@dataclass(frozen=True)
class Room:
    name: str
    purpose: str
    """The first sentence of its docstring."""
    libraries: tuple[str, ...] = ()
    """Those that it imports and no other room does."""
    inner: tuple["Room", ...] = ()
    """The rooms within it."""


@dataclass(frozen=True)
class House:
    layers: tuple[tuple[Room, ...], ...]
    """From the top, which imports, down to the ground, which everything imports."""
    arrows: frozenset[Arrow]


def read_house(root: Path = ROOT) -> House:
    """The rooms as the import contract orders them, with all arrows between them."""
    graph = grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)
    rooms = {child.rsplit(".", 1)[1]: child for child in graph.find_children(PACKAGE)}
    layers = [
        [name for name in layer if name in rooms]
        for layer in contract_layers((root / "pyproject.toml").read_text())
    ]
    forgotten = set(rooms) - {name for layer in layers for name in layer}
    if forgotten:
        raise RoomError(
            f"{', '.join(sorted(forgotten))} stands in no layer of the import contract in "
            "pyproject.toml; place it there."
        )
    libraries = kept_libraries(
        {name: _libraries_of(graph, module) for name, module in rooms.items()}
    )
    found = {
        name: Room(
            name,
            purpose_of(_source_of(root, module)),
            libraries[name],
            _inner_rooms(graph, root, module),
        )
        for name, module in rooms.items()
    }
    return House(
        tuple(tuple(found[name] for name in layer) for layer in layers if layer),
        frozenset(
            (one, other)
            for one in rooms
            for other in rooms
            if one != other and _imports(graph, rooms[one], rooms[other])
        ),
    )


def contract_layers(pyproject: str) -> list[list[str]]:
    """The layers of the contract about the whole package, each with its rooms."""
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    for contract in contracts:
        if contract["type"] == "layers" and contract.get("containers") == [PACKAGE]:
            return [re.findall(r"[\w.]+", layer) for layer in contract["layers"]]
    raise RoomError(f"pyproject.toml has no contract of type layers whose container is {PACKAGE}.")


def without_implied(arrows: Collection[Arrow]) -> frozenset[Arrow]:
    """The arrows that remain when those go that a longer way implies. Of two rooms that import
    each other both arrows remain."""
    direct: dict[str, set[str]] = {}
    for one, other in arrows:
        direct.setdefault(one, set()).add(other)
        direct.setdefault(other, set())
    reached = {name: _reached_from(name, direct) for name in direct}
    return frozenset(
        (one, other)
        for one, other in arrows
        if not any(
            other in reached[between] and one not in reached[between]
            for between in direct[one] - {other}
        )
    )


def kept_libraries(by_room: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    """Of each room's libraries, those that no other room imports."""
    rooms_of = Counter(name for found in by_room.values() for name in found)
    return {
        room: tuple(sorted(name for name in found if rooms_of[name] == 1))
        for room, found in by_room.items()
    }


def purpose_of(source: str) -> str:
    """The first sentence of a module's docstring, on one line."""
    text = " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)[0]


def _inner_rooms(graph: grimp.ImportGraph, root: Path, module: str) -> tuple[Room, ...]:
    inner = [child for child in graph.find_children(module) if graph.find_children(child)]
    return tuple(
        Room(child.rsplit(".", 1)[1], purpose_of(_source_of(root, child)))
        for child in sorted(inner)
    )


def _source_of(root: Path, module: str) -> str:
    path = root.joinpath(*module.split("."))
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()


def _imports(graph: grimp.ImportGraph, one: str, other: str) -> bool:
    targets = {other} | graph.find_descendants(other)
    return any(
        graph.find_modules_directly_imported_by(module) & targets
        for module in {one} | graph.find_descendants(one)
    )


def _libraries_of(graph: grimp.ImportGraph, module: str) -> set[str]:
    imported = {
        name.split(".")[0]
        for inner in {module} | graph.find_descendants(module)
        for name in graph.find_modules_directly_imported_by(inner)
    }
    return {
        name
        for name in imported
        if name != PACKAGE and name not in sys.stdlib_module_names and not name.startswith("_")
    }


def _reached_from(start: str, direct: Mapping[str, Collection[str]]) -> set[str]:
    reached, waiting = set[str](), [start]
    while waiting:
        for name in direct[waiting.pop()]:
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    return reached
