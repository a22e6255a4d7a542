"""A problem of three SQL files over one source, small enough to see through."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from textwrap import dedent

import polars as pl

from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sql_tables.graph import SqlGraph, load_sql_graph

RAW = Table(
    "tiny.raw",
    "What the source counted.",
    (
        Column("day", "date", "the UTC day"),
        Column("id", "bigint", "the entity"),
        Column("amount", "bigint", "the measure"),
    ),
    key=("id",),
)

CLEAN = """\
/*
description: The source behind a gate.
key: [id]
reads:
  tiny.raw: 0
columns:
  day: {type: date, is: "the UTC day", not_null: true}
  id: {type: bigint, is: "the entity", not_null: true}
  amount: {type: bigint, is: "the measure", min: 0}
checks:
  row_count_is_steady: {is: "about as many rows as the day before", max_drop: 0.5, max_rise: 1.0}
gate:
  looks_back_days: 3
  rows:
    negative:
      because: "an amount below zero says nothing"
      select: select id from candidate where amount < 0
    leapt:
      because: "nothing grows a hundredfold overnight"
      select: >
        select id from candidate join latest using (id)
        where latest.amount > 0 and candidate.amount > 100 * latest.amount
    twice:
      because: "of two rows neither can be trusted"
      select: select id from candidate group by id having count(*) > 1
  days:
    half_is_missing:
      because: "half of the last good day is not there"
      select: >
        select 1 where (select count(*) from candidate) * 2 < (select count(*) from previous)
*/
select day, id, amount from tiny.raw
"""

GAINS = """\
/*
description: What was gained since the last day that is known, within two days.
key: [id]
reads:
  tiny.clean: -2..0
columns:
  day: {type: date, is: "the UTC day"}
  id: {type: bigint, is: "the entity"}
  gained: {type: bigint, is: "since the last known day; null without one", role: feature}
*/
select
    today.day,
    today.id,
    today.amount - coalesce(one_before.amount, two_before.amount) as gained
from tiny.clean as today
left join tiny.clean as one_before on today.id = one_before.id and today.day - 1 = one_before.day
left join tiny.clean as two_before on today.id = two_before.id and today.day - 2 = two_before.day
"""

NEXT = """\
/*
description: What two days added.
key: [id]
reads:
  tiny.clean: 0..2
columns:
  day: {type: date, is: "the UTC day"}
  id: {type: bigint, is: "the entity"}
  gained_next_2d: {type: bigint, is: "two days later minus today", role: target}
*/
select
    origin.day,
    origin.id,
    outcome.amount - origin.amount as gained_next_2d
from tiny.clean as origin
inner join tiny.clean as outcome on origin.id = outcome.id and origin.day + 2 = outcome.day
"""

FILES = {"clean": CLEAN, "gains": GAINS, "next": NEXT}

Load = Callable[..., SqlGraph]


def load(folder: Path, **files: str) -> SqlGraph:
    """The graph of these files, by table name without the problem."""
    problem = folder / "sql" / "tiny"
    problem.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (problem / f"{name}.sql").write_text(dedent(text), encoding="utf-8")
    return load_sql_graph([problem], [RAW])


def raw_rows(day: date, *amounts: int) -> pl.DataFrame:
    """Entities 1, 2, … with their amounts."""
    ids = range(1, len(amounts) + 1)
    return RAW.conform(pl.DataFrame({"day": [day] * len(amounts), "id": ids, "amount": amounts}))


def capture(lake: Lake, day: date, *amounts: int) -> None:
    lake.write(RAW.name, day, raw_rows(day, *amounts))
