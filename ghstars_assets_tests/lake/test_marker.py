import json
from dataclasses import asdict, replace
from datetime import date

import pytest

from ghstars_assets.errors import GhstarsError, WrongHomeError
from ghstars_assets.lake.marker import (
    MARKER_KEY,
    Marker,
    SandboxWorld,
    begin_no_later_than,
    mark_lake,
    read_marker,
    require_kind,
)
from ghstars_assets.lake.tables import Lake

WORLD = SandboxWorld(seed=7, repositories=60, first_day=date(2026, 1, 1))
SANDBOX = Marker("sandbox", first_day=date(2026, 2, 1), world=WORLD)
REAL = Marker("real")


CHANGING = Marker("sandbox", world=replace(WORLD, change_on=date(2026, 5, 1)))


@pytest.mark.parametrize("wanted", [SANDBOX, CHANGING, REAL])
def test_a_marker_is_read_as_it_was_written(lake: Lake, wanted: Marker) -> None:
    assert read_marker(lake) is None
    assert mark_lake(lake, wanted) == wanted
    assert read_marker(lake) == wanted
    assert require_kind(lake, wanted.kind) == wanted


def test_a_marker_from_before_worlds_could_change_is_of_one_that_does_not(lake: Lake) -> None:
    stored = json.loads(json.dumps(asdict(SANDBOX), default=str))
    del stored["world"]["change_on"]
    lake.store.put(MARKER_KEY, json.dumps(stored).encode())
    assert read_marker(lake) == SANDBOX


@pytest.mark.parametrize(("first", "second"), [(SANDBOX, REAL), (REAL, SANDBOX)])
def test_sandbox_and_real_data_never_meet(lake: Lake, first: Marker, second: Marker) -> None:
    mark_lake(lake, first)
    refusal = f"holds {first.kind} data and takes no {second.kind} data; set GHSTARS_HOME"
    with pytest.raises(WrongHomeError, match=refusal):
        mark_lake(lake, second)
    with pytest.raises(WrongHomeError, match=refusal):
        require_kind(lake, second.kind)
    assert read_marker(lake) == first


def test_the_first_marker_stays_whatever_a_later_one_of_its_kind_wants(lake: Lake) -> None:
    mark_lake(lake, SANDBOX)
    other = Marker("sandbox", world=SandboxWorld(8, 5, date(2025, 1, 1)))
    assert mark_lake(lake, other) == SANDBOX


def test_a_lake_begins_with_the_earliest_day_that_came_into_it(lake: Lake) -> None:
    world = SandboxWorld(7, 100, date(2026, 1, 1))
    mark_lake(lake, Marker("sandbox", date(2026, 3, 1), world))
    assert not begin_no_later_than(lake, date(2026, 3, 2))
    assert begin_no_later_than(lake, date(2026, 2, 1))
    assert read_marker(lake) == Marker("sandbox", date(2026, 2, 1), world)


@pytest.mark.parametrize("marker", [None, Marker("real")])
def test_a_lake_that_begins_wherever_its_problems_do_stays_so(
    lake: Lake, marker: Marker | None
) -> None:
    if marker:
        mark_lake(lake, marker)
    assert not begin_no_later_than(lake, date(2026, 2, 1))
    assert read_marker(lake) == marker


def test_an_unmarked_lake_takes_no_data(lake: Lake) -> None:
    with pytest.raises(WrongHomeError, match="empty and unmarked; run `ghstars demo`"):
        require_kind(lake, "sandbox")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"kind": "sandbox"}', b'{"kind": 1, "wor'])
def test_a_marker_that_cannot_be_read_is_named_and_not_taken_for_none(
    lake: Lake, content: bytes
) -> None:
    lake.store.put(MARKER_KEY, content)
    with pytest.raises(GhstarsError, match=r"ghstars\.json cannot be read; restore it"):
        read_marker(lake)
