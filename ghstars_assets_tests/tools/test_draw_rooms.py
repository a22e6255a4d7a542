"""The picture of the rooms: what it shows, and that the one in docs/ shows the code as it is."""

import re
from xml.etree.ElementTree import fromstring

import pytest

from tools.draw_rooms import PICTURE, draw
from tools.layering import GAP, place
from tools.room_graph import (
    House,
    Room,
    contract_layers,
    kept_libraries,
    purpose_of,
    read_house,
    without_implied,
)


def _house(*layers: str, arrows: str = "") -> House:
    return House(
        tuple(tuple(Room(name, "") for name in layer.split()) for layer in layers),
        frozenset((arrow[0], arrow[1]) for arrow in arrows.split()),
    )


def test_the_picture_in_docs_is_the_one_that_the_code_makes() -> None:
    assert PICTURE.read_text() == draw(read_house()), "run `make rooms`"


def test_every_room_of_the_contract_is_drawn_once() -> None:
    drawn = [text.text for text in fromstring(PICTURE.read_text()).iter() if text.text]
    rooms = [room for layer in read_house().layers for room in layer]
    # A room within another one may bear the name of a room of the house.
    inner = [within.name for room in rooms for within in room.inner]
    for room in rooms:
        assert drawn.count(room.name) == 1 + inner.count(room.name)


def test_an_arrow_that_a_longer_way_implies_is_left_out() -> None:
    assert without_implied([("a", "b"), ("b", "c"), ("a", "c")]) == {("a", "b"), ("b", "c")}


def test_two_rooms_that_import_each_other_keep_both_arrows() -> None:
    circle = [("a", "b"), ("b", "a")]
    assert without_implied([*circle, ("z", "a"), ("b", "c")]) == {*circle, ("z", "a"), ("b", "c")}


def test_leaving_arrows_out_loses_no_way() -> None:
    arrows = read_house().arrows

    def reached(start: str, among: frozenset[tuple[str, str]]) -> set[str]:
        found = {other for one, other in among if one == start}
        while more := {other for one, other in among if one in found} - found:
            found |= more
        return found

    fewer = without_implied(arrows)
    for room in {one for one, _ in arrows}:
        assert reached(room, fewer) == reached(room, arrows)


def test_layers_are_read_from_the_contract_about_the_whole_package() -> None:
    text = """
        [[tool.importlinter.contracts]]
        type = "layers"
        containers = ["ghstars_assets.learning"]
        layers = ["tasks"]
        [[tool.importlinter.contracts]]
        type = "layers"
        containers = ["ghstars_assets"]
        layers = ["(cli)", "(lake) | (sandbox)", "(calendar) : (errors)"]
    """
    assert contract_layers(text) == [["cli"], ["lake", "sandbox"], ["calendar", "errors"]]


def test_a_library_is_named_where_no_other_room_imports_it() -> None:
    found = kept_libraries({"orchestration": ["dagster", "polars"], "lake": ["polars"]})
    assert found == {"orchestration": ("dagster",), "lake": ()}


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("One sentence.\n\nAnd more.", "One sentence."),
        ("Two lines\nof one sentence. Then another.", "Two lines of one sentence."),
        ("A file `x.sql` is one table.", "A file `x.sql` is one table."),
    ],
)
def test_the_purpose_of_a_room_is_the_first_sentence_of_its_docstring(
    docstring: str, sentence: str
) -> None:
    assert purpose_of(f'"""{docstring}"""') == sentence


def test_a_room_without_a_docstring_is_drawn_by_its_name_alone() -> None:
    assert "lake" in draw(House(((Room("lake", purpose_of("")),),), frozenset()))


def test_boxes_of_a_layer_stand_apart() -> None:
    widths = dict.fromkeys("abcd", 100.0)
    placed = place([["a"], ["b", "c", "d"]], widths, [("a", "b"), ("a", "c"), ("a", "d")])
    left, middle, right = sorted(placed.centres[name] for name in "bcd")
    assert min(middle - left, right - middle) >= 100 + GAP - 1e-6


def test_boxes_take_the_order_in_which_no_arrows_cross() -> None:
    widths = dict.fromkeys("abcd", 100.0)
    placed = place([["a", "b"], ["c", "d"]], widths, [("a", "d"), ("b", "c")])
    (upper, lower) = placed.rows
    assert (upper.index("a") < upper.index("b")) == (lower.index("d") < lower.index("c"))


def test_in_a_wide_layer_too_no_arrows_cross_that_need_not() -> None:
    upper, lower = list("abcdefgh"), list("BADCFEHG")
    arrows = [(name, name.upper()) for name in upper]
    placed = place([upper, lower], dict.fromkeys([*upper, *lower], 10.0), arrows)
    assert [name.upper() for name in placed.rows[0]] == placed.rows[1]


def test_an_arrow_past_a_layer_has_a_lane_of_its_own_there() -> None:
    house = _house("a", "b", "c", arrows="ac ab")
    svg = draw(house)
    assert len(re.findall("marker-end", svg)) == 2
    placed = place([["a"], ["b"], ["c"]], dict.fromkeys("abc", 50.0), [("a", "b"), ("a", "c")])
    assert len(placed.rows[1]) == 2


def test_rooms_of_one_layer_that_import_each_other_share_one_arrow_with_two_tips() -> None:
    svg = draw(_house("a b", arrows="ab ba"))
    assert len(re.findall("marker-start", svg)) == len(re.findall("marker-end", svg)) == 1


def test_of_a_sentence_that_is_too_long_what_stands_before_its_colon_is_drawn() -> None:
    long = (
        "The outside world: " + "one room for each of the many places that counts come from, " * 5
    )
    svg = draw(House(((Room("sources", long),),), frozenset()))
    assert ">The outside world<" in svg
