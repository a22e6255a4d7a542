"""Draws `docs/rooms.svg`: the rooms of the package and which imports which (`make rooms`).

The rooms and their arrows come from the imports, their order from the contract in pyproject.toml,
their sentences from their docstrings. Arrows that others imply are left out. XML is only written,
none is parsed.
"""

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # nosec B405

from tools.layering import Placed, place
from tools.room_graph import ROOT, Arrow, House, Room, RoomError, read_house, without_implied

PICTURE = ROOT / "docs" / "rooms.svg"
LEGEND = (
    "An arrow means “imports”. A room may use all that its arrows lead to, however many they are.",
    "“only here” names the libraries that no other room imports.",
)

WIDTH, INNER_WIDTH, INNER_A_ROW = 240.0, 164.0, 4
PADDING, BETWEEN_LAYERS, MARGIN = 12.0, 38.0, 24.0
NAME_LINE, TEXT_LINE, INNER_GAP = 20.0, 15.0, 8.0
INNER_HEIGHT, BARE_HEIGHT, PORT_GAP = 66.0, 25.0, 28.0
MOST_LINES = 4
INK, FAINT, LINE, PAPER, BOX, TILE, ACCENT = (
    "#1f2933", "#52606d", "#7b8794", "#ffffff", "#eef3f8", "#ffffff", "#9a4a12",
)  # fmt: skip
FONT = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Box:
    """A room with the lines that stand in it, and its size."""

    room: Room
    sentence: tuple[str, ...]
    libraries: tuple[str, ...]
    width: float
    height: float
    tile_height: float

    @classmethod
    def of(cls, room: Room) -> "Box":
        across = min(len(room.inner), INNER_A_ROW)
        tiles = across * INNER_WIDTH + max(0, across - 1) * INNER_GAP
        width = max(WIDTH, tiles + 2 * PADDING)
        sentence = _wrapped(room.purpose, width - 2 * PADDING, 6.3)
        named = f"only here: {', '.join(room.libraries)}" if room.libraries else ""
        libraries = _wrapped(named, width - 2 * PADDING, 6.0)
        deep = -(-len(room.inner) // INNER_A_ROW)
        height = 2 * PADDING + NAME_LINE + TEXT_LINE * (len(sentence) + len(libraries)) - 4
        tile_height = INNER_HEIGHT if any(one.purpose for one in room.inner) else BARE_HEIGHT
        height += deep * (tile_height + INNER_GAP)
        return cls(room, sentence, libraries, width, height, tile_height)


def draw(house: House) -> str:
    """The picture as SVG."""
    boxes = {room.name: Box.of(room) for layer in house.layers for room in layer}
    layers = [[room.name for room in layer] for layer in house.layers]
    arrows = sorted(without_implied(house.arrows))
    placed = place(layers, {name: box.width for name, box in boxes.items()}, arrows)
    halves = {name: box.width / 2 for name, box in boxes.items()}
    left = min(centre - halves.get(name, 0) for name, centre in placed.centres.items())
    right = max(centre + halves.get(name, 0) for name, centre in placed.centres.items())
    centres = {name: centre - left + MARGIN for name, centre in placed.centres.items()}
    heights = [max(boxes[name].height for name in layer) for layer in layers]
    tops = [MARGIN + sum(heights[:n]) + n * BETWEEN_LAYERS for n in range(len(heights))]
    width, legend = right - left + 2 * MARGIN, tops[-1] + heights[-1] + MARGIN
    svg = _canvas(width, legend + 2 * TEXT_LINE + MARGIN / 2)
    spans = {
        name: (top, top + height)
        for row, top, height in zip(placed.rows, tops, heights, strict=True)
        for name in row
    }
    for path in _ways(placed, centres, spans, boxes):
        _arrow(svg, path)
    for one, other in arrows:
        if (one, other) not in placed.ways:
            _sideways(svg, one, other, centres, spans, boxes, is_both=(other, one) in arrows)
    for name, box in boxes.items():
        _room(svg, box, centres[name] - box.width / 2, spans[name][0])
    for number, text in enumerate(LEGEND):
        _text(svg, MARGIN, legend + (number + 0.8) * TEXT_LINE, text, 12, FAINT)
    indent(svg)
    return tostring(svg, encoding="unicode") + "\n"


def _canvas(width: float, height: float) -> Element:
    across, down = _number(width), _number(height)
    svg = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img"})
    _set(svg, viewBox=f"0 0 {across} {down}", width=across, height=down, font_family=FONT)
    SubElement(svg, "title").text = "The rooms of ghstars_assets and which imports which"
    tip = _add(_add(svg, "defs"), "marker", id="tip", viewBox="0 0 8 8", refX="7", refY="4")
    _set(tip, markerWidth="8", markerHeight="8", orient="auto-start-reverse")
    _add(tip, "path", d="M0 0.6 L7.4 4 L0 7.4 Z", fill=LINE)
    _add(svg, "rect", width=across, height=down, fill=PAPER, rx="6")
    return svg


def _room(svg: Element, box: Box, left: float, top: float) -> None:
    _rectangle(svg, left, top, box.width, box.height, BOX)
    x, y = left + PADDING, top + PADDING + 13
    _text(svg, x, y, box.room.name, 16, INK, weight="600")
    y += NAME_LINE - 1
    for line in box.sentence:
        _text(svg, x, y, line, 12, FAINT)
        y += TEXT_LINE
    for line in box.libraries:
        _text(svg, x, y, line, 11.5, ACCENT)
        y += TEXT_LINE
    y += INNER_GAP - 12
    for number, room in enumerate(box.room.inner):
        row, column = divmod(number, INNER_A_ROW)
        tile_left = x + column * (INNER_WIDTH + INNER_GAP)
        tile_top = y + row * (box.tile_height + INNER_GAP)
        _rectangle(svg, tile_left, tile_top, INNER_WIDTH, box.tile_height, TILE)
        _text(svg, tile_left + 8, tile_top + 16, room.name, 12.5, INK, weight="600")
        for line, text in enumerate(_wrapped(room.purpose, INNER_WIDTH - 16, 5.2, 3)):
            _text(svg, tile_left + 8, tile_top + 30 + 13 * line, text, 10.5, FAINT)


Point = tuple[float, float]


def _ways(
    placed: Placed,
    centres: Mapping[str, float],
    spans: Mapping[str, Point],
    boxes: Mapping[str, Box],
) -> Iterator[str]:
    """The paths of all arrows that run down; where several leave or enter a box, they stand side
    by side in the order of the boxes that they come from or go to."""
    leaving, entering = _ports(placed, centres, boxes)
    for arrow, way in placed.ways.items():
        top, bottom = spans[way[0]]
        # Straight down beside a taller box of the same layer.
        points = [(leaving[arrow], edge) for edge in (top + boxes[way[0]].height, bottom)]
        for lane in way[1:-1]:
            points += [(centres[lane], edge) for edge in spans[lane]]
        points.append((entering[arrow], spans[way[-1]][0]))
        yield _smooth(points)


def _ports(
    placed: Placed, centres: Mapping[str, float], boxes: Mapping[str, Box]
) -> tuple[dict[Arrow, float], dict[Arrow, float]]:
    """Where along its box each arrow begins and ends. One that is alone there runs straight."""
    leaving: dict[Arrow, float] = {}
    entering: dict[Arrow, float] = {}
    towards = {arrow: centres[way[1]] for arrow, way in placed.ways.items()}
    for name, box in boxes.items():
        out = [arrow for arrow in placed.ways if arrow[0] == name]
        leaving.update(_side_by_side(out, towards, centres[name], box.width))
    coming = {
        arrow: centres[way[-2]] if len(way) > 2 else leaving[arrow]
        for arrow, way in placed.ways.items()
    }
    for name, box in boxes.items():
        into = [arrow for arrow in placed.ways if arrow[1] == name]
        entering.update(_side_by_side(into, coming, centres[name], box.width))
    return leaving, entering


def _side_by_side(
    arrows: Sequence[Arrow], towards: Mapping[Arrow, float], centre: float, width: float
) -> dict[Arrow, float]:
    if len(arrows) == 1:
        reach = width / 2 - PADDING
        return {arrow: min(max(towards[arrow], centre - reach), centre + reach) for arrow in arrows}
    step = min(PORT_GAP, width / (len(arrows) + 1))
    first = centre - step * (len(arrows) - 1) / 2
    ordered = sorted(arrows, key=lambda arrow: (towards[arrow], arrow))
    return {arrow: first + number * step for number, arrow in enumerate(ordered)}


def _smooth(points: Sequence[Point]) -> str:
    """Straight through layers, bent between them."""
    parts = [f"M{_number(points[0][0])} {_number(points[0][1])}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        if (x, y) == (to_x, to_y):
            continue
        if x == to_x:
            parts.append(f"V{_number(to_y)}")
        else:
            bend = (y + to_y) / 2
            numbers = (x, bend, to_x, bend, to_x, to_y)
            parts.append("C" + " ".join(map(_number, numbers)))
    return " ".join(parts)


def _sideways(
    svg: Element,
    one: str,
    other: str,
    centres: Mapping[str, float],
    spans: Mapping[str, Point],
    boxes: Mapping[str, Box],
    *,
    is_both: bool,
) -> None:
    """An arrow to a neighbour in the same layer, with two tips where each imports the other."""
    if is_both and one > other:
        return
    side = 1 if centres[other] > centres[one] else -1
    begin = centres[one] + side * boxes[one].width / 2
    end = centres[other] - side * boxes[other].width / 2
    y = spans[one][0] + min(boxes[one].height, boxes[other].height) / 2
    _arrow(svg, f"M{_number(begin)} {_number(y)} H{_number(end)}", is_both=is_both)


def _arrow(svg: Element, path: str, *, is_both: bool = False) -> None:
    arrow = _add(svg, "path", d=path, fill="none", stroke=LINE, stroke_width="1.4")
    _set(arrow, marker_end="url(#tip)")
    if is_both:
        _set(arrow, marker_start="url(#tip)")


def _rectangle(
    svg: Element, left: float, top: float, width: float, height: float, fill: str
) -> None:
    rectangle = _add(svg, "rect", x=_number(left), y=_number(top), fill=fill, stroke=LINE, rx="5")
    _set(rectangle, width=_number(width), height=_number(height))


def _text(
    svg: Element, x: float, y: float, text: str, size: float, fill: str, weight: str = "400"
) -> None:
    written = _add(svg, "text", x=_number(x), y=_number(y), fill=fill)
    _set(written, font_size=_number(size), font_weight=weight)
    written.text = text


def _add(parent: Element, tag: str, **attributes: str) -> Element:
    added = SubElement(parent, tag)
    _set(added, **attributes)
    return added


def _set(element: Element, **attributes: str) -> None:
    for name, value in attributes.items():
        element.set(name.replace("_", "-"), value)


def _wrapped(
    text: str, width: float, width_of_letter: float, most: int = MOST_LINES
) -> tuple[str, ...]:
    """The lines of a sentence; of one that is too long, what stands before its colon."""
    letters = int(width / width_of_letter)
    plain = text.replace("`", "")
    for wanted in (plain, plain.split(":")[0]):
        lines = textwrap.wrap(wanted, letters, break_long_words=False)
        if len(lines) <= most:
            return tuple(lines)
    return tuple(textwrap.wrap(plain, letters, max_lines=most, placeholder=" …"))


def _number(value: float) -> str:
    return f"{round(value, 1):g}"


def main(picture: Path = PICTURE) -> None:
    """Write the picture, or say why there is none."""
    try:
        house = read_house()
    except RoomError as error:
        sys.exit(str(error))
    picture.write_text(draw(house))
    print(f"{picture.relative_to(ROOT)}: {sum(map(len, house.layers))} rooms")


if __name__ == "__main__":
    main()
