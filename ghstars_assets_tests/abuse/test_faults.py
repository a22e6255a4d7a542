"""The faults themselves: whoever relies on them must know that they strike."""

from pathlib import Path

import pytest

from abuse_parts.commands import KILLED, Commands
from abuse_parts.faults import COMPILER, Fault, Kind, Place
from abuse_parts.homes import BrokenError, Homes, require_sentence, require_whole
from abuse_parts.scenario import Ground, Scenario, try_out
from abuse_parts.table import BEGIN, END, write_table

pytestmark = pytest.mark.skipif(COMPILER is None, reason="faults of the disk need a C compiler")
GAP = ("gap", "stars", "2026-08-20", "--why", "abuse")


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands()


def test_a_kill_strikes_at_its_write_and_leaves_no_half_file(
    commands: Commands, filled_home_copy: Path
) -> None:
    whole = commands.run(filled_home_copy, *GAP)
    assert whole.code == 0
    writes = whole.writes[Place.LAKE]
    assert writes > 1
    fault = Fault(Kind.KILL, Place.LAKE, writes)
    killed = commands.run(filled_home_copy, *GAP, fault=fault)
    assert (killed.code, killed.writes[Place.LAKE]) == (KILLED, writes)
    require_whole(filled_home_copy)


def test_a_full_disk_is_full_for_every_write_after_the_first_that_failed(
    commands: Commands, filled_home_copy: Path
) -> None:
    full = commands.run(filled_home_copy, *GAP, fault=Fault(Kind.FULL_DISK, Place.LAKE, 1))
    assert full.code == 1
    require_sentence(full.output)
    require_whole(filled_home_copy)


def test_the_clock_of_a_command_can_be_moved(commands: Commands, tmp_path: Path) -> None:
    moved = Fault(clock_offset_seconds=400 * 86_400)
    now, later = (
        commands.run(tmp_path, "sql", "--csv", "select year(now())", fault=fault).output
        for fault in (Fault(), moved)
    )
    assert int(later.split()[-1]) > int(now.split()[-1])


def test_half_a_file_is_found(filled_home_copy: Path) -> None:
    file = filled_home_copy / "lake/stars/labels/date=2026-07-20/data.parquet"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(BrokenError, match="date=2026-07-20"):
        require_whole(filled_home_copy)


def test_the_table_keeps_the_lines_of_what_was_not_tried(
    commands: Commands, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n{BEGIN}\n{END}\nThe end.\n")
    ground = Ground(commands, Homes(tmp_path))
    first, second = (
        try_out(Scenario("Group", name, lambda _ground, _dice: "held", 0, 0), ground, 2)
        for name in ("first", "second")
    )
    order = ["Group: first", "Group: second"]
    write_table([second], order, page)
    write_table([first], order, page)
    lines = page.read_text().splitlines()
    assert lines[-1] == "The end."
    assert lines[4:6] == ["| Group: first | 2 | held: 2 |", "| Group: second | 2 | held: 2 |"]
