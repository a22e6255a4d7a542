"""Files of a lake are damaged, and commands that read them say so in a sentence."""

import io
import random
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import polars as pl

from abuse_parts.homes import BrokenError
from abuse_parts.scenario import Ground, Scenario, refused_or_done

DAY = date(2026, 8, 13)
PLACES = (
    *(f"stars/{table}/date={DAY}/data.parquet" for table in ("github", "features", "predictions")),
    *(f"stars/{table}/date={DAY}/data.parquet" for table in ("champion", "calibration")),
    "stars/model/date=2026-08-10/*.parquet",
    "stars/decisions/entry-000001.parquet",
    "stars/gaps/entry-000001.parquet",
    "ghstars.json",
)
READING = (
    ("status",),
    ("backfill", "stars", f"--from={DAY}", f"--to={DAY}"),
    ("sql", "select count(*) from stars.predictions"),
    ("predict", "stars"),
    ("doctor",),
)


def _other_rows(content: bytes) -> bytes:
    return _rewritten(content, lambda rows: rows.with_columns(day=pl.lit(date(2020, 1, 1))))


def _rewritten(content: bytes, change: Callable[[pl.DataFrame], pl.DataFrame]) -> bytes:
    if content[:4] != b"PAR1":
        return content[: len(content) // 2]
    buffer = io.BytesIO()
    change(pl.read_parquet(io.BytesIO(content))).write_parquet(buffer)
    return buffer.getvalue()


DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "cut short": lambda content: content[: len(content) * 2 // 3],
    "emptied": lambda _content: b"",
    "garbage": lambda content: bytes(byte ^ 0x5A for byte in content),
    "a bit turned over": lambda content: content[:40] + bytes([content[40] ^ 4]) + content[41:],
    "another day's rows": _other_rows,
    "rows twice": lambda content: _rewritten(content, lambda rows: pl.concat([rows, rows])),
    "a column less": lambda content: _rewritten(content, lambda rows: rows.drop(rows.columns[1])),
    "columns of another type": lambda content: _rewritten(
        content, lambda rows: rows.with_columns(pl.col(pl.Int64).cast(pl.String))
    ),
}
"""What becomes of the bytes; a folder in place of the file is tried besides."""


def _damage(ground: Ground, dice: random.Random) -> str:
    place, kind = dice.choice(PLACES), dice.choice([*DAMAGES, "a folder in its place"])
    command = dice.choice(READING)
    home = ground.homes.copy()
    (file,) = (home / "lake").glob(place)
    _hurt(file, kind)
    settings = {"GHSTARS_TRACK_STARS": "0.."}
    ran = ground.commands.run(home, *command, settings=settings)
    try:
        outcome = refused_or_done(ran)
    except BrokenError as error:
        raise BrokenError(f"{place} {kind}, {command[0]}: {error}") from None
    ground.homes.remove(home)
    return outcome


def _hurt(file: Path, kind: str) -> None:
    content = file.read_bytes()
    # The copy is linked to the original, so it is taken away before it is written.
    file.unlink()
    if kind in DAMAGES:
        file.write_bytes(DAMAGES[kind](content))
    else:
        file.mkdir()


SCENARIOS = [
    Scenario("Damage", "one of nine files damaged in one of nine ways, and read", _damage, 0, 120),
]
