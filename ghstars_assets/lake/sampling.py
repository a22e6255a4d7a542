"""An even sample of entities, the same on every day, in every table and on every machine.

Entities are drawn by DuckDB's hash of their key, so whoever samples does it in a query: a hash of
Polars is another one in its next release, and Python's is another one in the next process.
"""

_MILLION = 1_000_000


def is_sampled(column: str, most: int, rows: int | str) -> str:
    """A condition in SQL that about `most` of so many rows meet: all of them where there are fewer.
    `rows` may be an expression. A sample of fewer rows is part of one of more."""
    return f'hash("{column}") % {_MILLION} < {most * _MILLION} // {rows}'
