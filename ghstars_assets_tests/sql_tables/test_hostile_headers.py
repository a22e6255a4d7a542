"""Headers that nobody means well with: each is refused with its file and line, at once."""

import re
from pathlib import Path

import pytest

from ghstars_assets.errors import SqlAssetError
from ghstars_assets.sql_tables.header import read_sql_file

GOOD = """\
/*
description: A thing.
key: [day, k]
reads:
  tiny.raw: 0
columns:
  day: {type: date, is: the day}
  k: {type: bigint, is: the key}
*/
select 1
"""
FIRST = "description: A thing."
BOMB = "a: &a [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n or ''}, *a]\n" for n in range(30))


def _read(folder: Path, text: str | bytes) -> None:
    file = folder / "made.sql"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    read_sql_file(file)


@pytest.mark.parametrize(
    ("instead", "complaint"),
    [
        ("description: " + "[" * 50_000, "is nested too deeply"),
        ("{a: " * 50_000, "is nested too deeply"),
        ("description:\n" + "- " * 50_000 + "x", "is nested too deeply"),
        ("a:\n" + " " * 5000 + "b: 1", "is nested too deeply"),
        ("a: " * 30, "is not YAML"),
        (BOMB, "repeats a part with `&` and `*`"),
        ("description: &a [*a]", "repeats a part with `&` and `*`"),
        ("description: 9999-99-99", "'9999-99-99', which YAML takes for a timestamp"),
        ("description: 2026-02-30", "'2026-02-30', which YAML takes for a timestamp"),
        ("description: " + "9" * 10_000, "which YAML takes for a int"),
        ("description: !!int abc", "'abc', which YAML takes for a int"),
        ("description: !!python/object/apply:os.system [id]", "is not YAML"),
        ("description: \x07", "is not YAML (it has a '\\x07')"),
    ],
)
def test_yaml_that_could_do_harm_is_refused_with_its_line(
    tmp_path: Path, instead: str, complaint: str
) -> None:
    with pytest.raises(SqlAssetError) as refused:
        _read(tmp_path, GOOD.replace(FIRST, instead))
    assert complaint in str(refused.value)
    assert re.search(r"made\.sql:[23] ", str(refused.value))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ("raw: 0", "raw: -" + "9" * 5000, "made.sql:5 has '-9999"),
        ("raw: 0", "raw: 0..999999", "made.sql:5 has the window '0..999999'"),
        ("raw: 0", "raw: yes", "made.sql:5 has a bad header at `reads.tiny.raw`"),
        ("  k:", '  "k\\"; drop":', "made.sql:8 has the column 'k\"; drop'"),
        ("  k:", '  "":', "made.sql:8 has the column ''"),
        ("  k:", "  Day:", "made.sql:8 has the column 'Day' twice"),
        ("type: bigint", 'type: "int); drop table x; --"', "made.sql:8 has the type 'int); drop"),
        ("is: the key", "is: the key, min: .nan", "`columns.k.min`: it must be a finite number"),
        ("is: the key", "is: the key, one_of: [[1]]", "`columns.k.one_of.0`: it must be a text"),
        ("key: [day, k]", "key: k", "`key`: it must be a list, such as [day, id]"),
    ],
)
def test_a_value_that_means_nothing_is_named(
    tmp_path: Path, good: str, bad: str, complaint: str
) -> None:
    with pytest.raises(SqlAssetError) as refused:
        _read(tmp_path, GOOD.replace(good, bad))
    assert complaint in str(refused.value)
    assert len(str(refused.value)) < 300


def test_names_of_any_language_are_columns(tmp_path: Path) -> None:
    _read(tmp_path, GOOD.replace("k]", "ключ]").replace("  k:", "  ключ:"))


def test_the_mark_that_some_editors_write_first_is_no_part_of_the_file(tmp_path: Path) -> None:
    _read(tmp_path, b"\xef\xbb\xbf" + GOOD.encode())


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SqlAssetError, match=r"made\.sql:1 cannot be read \(it is no UTF-8\)"):
        _read(tmp_path, b"/*\xff*/")
    with pytest.raises(SqlAssetError, match=r"gone\.sql:1 cannot be read"):
        read_sql_file(tmp_path / "gone.sql")


def test_a_file_whose_name_is_no_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "Two Words.sql").write_text(GOOD)
    with pytest.raises(SqlAssetError, match="has a name that no table has"):
        read_sql_file(tmp_path / "Two Words.sql")
