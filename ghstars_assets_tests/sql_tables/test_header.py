from pathlib import Path

import pytest

from ghstars_assets.errors import SqlAssetError
from ghstars_assets.sql_tables.header import (
    AssertionCheck,
    RowCountCheck,
    SqlFile,
    Window,
    read_sql_file,
)

GOOD = """\
/*
description: >
  What the table is,
  in a sentence.
key: [id]
reads:
  tiny.raw: -7..0
  tiny.other: 0
  tiny.later: 0..7
  tiny.yesterday: -1
columns:
  day: {type: date, is: "the UTC day", not_null: true}
  id: {type: bigint, is: "the entity", min: 1}
  kind: {type: varchar, is: "its kind", one_of: [a, b]}
  share: {type: double, is: "of the whole", min: 0, max: 1, role: feature}
checks:
  steady: {is: "about as many rows", max_drop: 0.5, max_rise: 1}
  sane: {is: "no odd one", fails: "select day from this where id = 13"}
gate:
  looks_back_days: 5
  rows:
    negative: {because: "it says nothing", select: "select id from candidate where id < 0"}
*/
-- a comment
select 1;
"""


def read(folder: Path, text: str) -> SqlFile:
    path = folder / "sql" / "tiny" / "made.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_sql_file(path)


def test_a_header_says_everything_there_is_to_know_of_its_table(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD)
    assert file.table.name == "tiny.made"
    assert file.table.description == "What the table is, in a sentence."
    assert file.table.key == ("id",)
    assert file.driver == "tiny.raw"
    assert file.reads == {
        "tiny.raw": Window(-7, 0),
        "tiny.other": Window(0, 0),
        "tiny.later": Window(0, 7),
        "tiny.yesterday": Window(-1, -1),
    }
    day, entity, kind, share = file.table.columns
    assert (day.name, day.type, day.description, day.is_required) == (
        "day",
        "date",
        "the UTC day",
        True,
    )
    assert (entity.minimum, entity.maximum, entity.is_required) == (1, None, False)
    assert kind.accepted == ("a", "b")
    assert (share.minimum, share.maximum, share.role) == (0, 1, "feature")
    assert isinstance(file.checks["steady"], RowCountCheck)
    assert isinstance(file.checks["sane"], AssertionCheck)
    assert file.gate is not None
    assert file.gate.looks_back_days == 5
    assert list(file.gate.rows) == ["negative"]


def test_the_query_follows_the_header_and_knows_its_line(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD)
    assert file.query == "-- a comment\nselect 1"
    assert GOOD.splitlines()[file.query_line - 1] == "-- a comment"


def test_a_place_in_the_header_is_stated_as_file_and_line(tmp_path: Path) -> None:
    file = read(tmp_path, "\n" + GOOD)
    assert file.where("columns", "kind") == "sql/tiny/made.sql:15"
    assert file.where("gate", "rows", "negative") == "sql/tiny/made.sql:23"
    assert file.at(3) == "sql/tiny/made.sql:3"


def test_the_code_version_changes_with_the_text_and_with_nothing_else(tmp_path: Path) -> None:
    version = read(tmp_path, GOOD).code_version
    assert read(tmp_path / "elsewhere", GOOD).code_version == version
    assert read(tmp_path, GOOD.replace("id = 13", "id = 14")).code_version != version


def with_same_rows(text: str, this: str) -> str:
    line = f'same_rows_as: {{this: "{this}", earlier: ["0123456789ab"]}}'
    return text.replace("\nkey:", f"\n{line}\nkey:")


def test_a_text_may_say_that_its_rows_are_those_of_an_earlier_one(tmp_path: Path) -> None:
    version = read(tmp_path, GOOD).code_version
    file = read(tmp_path, with_same_rows(GOOD, version))
    assert (file.code_version, file.same_rows_as) == (version, ("0123456789ab",))
    assert read(tmp_path, GOOD).same_rows_as == ()


def test_the_places_of_one_text_do_not_hold_for_the_next(tmp_path: Path) -> None:
    text = with_same_rows(GOOD, read(tmp_path, GOOD).code_version)
    with pytest.raises(SqlAssetError, match=r"made.sql:\d+ has `same_rows_as` for the text"):
        read(tmp_path, text.replace("id = 13", "id = 14"))


@pytest.mark.parametrize(
    ("line", "was", "now", "complaint"),
    [
        (1, "/*\n", "", "begins with no /* header */ that describes its table"),
        (6, "key: [id]", "key: [id", "has a header that is not YAML"),
        (7, "-7..0", "-7...0", "has the window '-7...0'; write days as 0, -7..0 or 0..7"),
        (7, "-7..0", "last week", "has the window 'last week'"),
        (7, "-7..0", "1.5", "has a bad header at `reads.tiny.raw"),
        (7, "-7..0", "0..-7", "has the window '0..-7', which ends before it starts"),
        (9, "0..7", "7..0", "has the window '7..0', which ends before it starts"),
        (2, "description", "describtion", "has a bad header at `describtion`"),
        (1, "key: [id]\n", "", "has a bad header at `key`: it is missing"),
        (11, "  day: {type", "  date: {type", "must have `day` as its first column"),
        (5, "key: [id]", "key: [ident]", "has the key column 'ident', which `columns` does not"),
        (13, ', is: "the entity"', "", "has a bad header at `columns.id.is`: it is missing"),
        (13, '"the entity"', '""', "has a bad header at `columns.id.is`"),
        (13, "min: 1", "minimum: 1", "has a bad header at `columns.id.minimum`"),
        (15, "role: feature", "role: weapon", "has a bad header at `columns.share.role`"),
        (14, "  kind: {", "  id: {", "says `columns.id` twice"),
        (17, "max_rise: 1", "max_growth: 1", "has a bad header at `checks.steady"),
        (18, "fails", "fail", "has a bad header at `checks.sane"),
        (20, "looks_back_days: 5", "looks_back_days: 0", "has a bad header at `gate.looks_back"),
        (22, "because", "why", "has a bad header at `gate.rows.negative.why`: a header knows"),
    ],
)
def test_a_fault_in_the_header_is_reported_with_its_file_and_line(
    tmp_path: Path, line: int, was: str, now: str, complaint: str
) -> None:
    assert GOOD.count(was) == 1 or was in ("description", "because"), "the fault is put in once"
    with pytest.raises(SqlAssetError) as caught:
        read(tmp_path, GOOD.replace(was, now, 1))
    message = str(caught.value)
    assert message.startswith(f"sql/tiny/made.sql:{line} {complaint}")
    assert "\n" not in message


def test_a_table_that_may_lack_a_day_says_why(tmp_path: Path) -> None:
    with_optional = GOOD.replace(
        "tiny.other: 0", 'tiny.other: {days: 0, optional: "none before 2020"}'
    )
    file = read(tmp_path, with_optional)
    assert file.reads["tiny.other"] == Window(0, 0, optional="none before 2020")
    assert list(file.alternatives) == ["tiny.other"]
    with pytest.raises(SqlAssetError, match=r"made\.sql:8 has a bad header at `reads.tiny.other"):
        read(tmp_path, with_optional.replace("none before 2020", "why"))


def test_where_the_first_table_decides_nothing_stands_in_for_it(tmp_path: Path) -> None:
    with_optional = GOOD.replace(
        "tiny.other: 0", 'tiny.other: {days: 0, optional: "none before 2020"}'
    )
    decides = with_optional.replace("tiny.raw: -7..0", "tiny.raw: {days: -7..0, decides: true}")
    file = read(tmp_path, decides)
    assert file.reads["tiny.raw"] == Window(-7, 0, decides=True)
    assert file.alternatives == {}
    both = with_optional.replace("optional:", "decides: true, optional:")
    with pytest.raises(SqlAssetError, match=r"made\.sql:8 is optional and decides"):
        read(tmp_path, both)


def test_a_file_that_reads_nothing_is_refused(tmp_path: Path) -> None:
    start, end = GOOD.index("  tiny.raw"), GOOD.index("columns:")
    with pytest.raises(SqlAssetError, match=r"made\.sql:6 reads no table"):
        read(tmp_path, GOOD[:start].replace("reads:", "reads: {}") + GOOD[end:])


def test_an_empty_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SqlAssetError, match=r"made\.sql:1 has a header without names"):
        read(tmp_path, "/* */ select 1")
