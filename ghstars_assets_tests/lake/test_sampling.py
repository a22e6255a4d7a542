import pytest

from ghstars_assets.lake.duck import scratch_session
from ghstars_assets.lake.sampling import is_sampled


def drawn(most: int, rows: int | str, values: str = "range(10000)") -> list[int]:
    with scratch_session() as connection:
        query = f"select range from {values} where {is_sampled('range', most, rows)} order by range"
        return [row[0] for row in connection.sql(query).fetchall()]


def test_about_as_many_are_drawn_as_are_asked_for() -> None:
    assert len(drawn(1000, 10_000)) == pytest.approx(1000, rel=0.1)
    assert len(drawn(10_000, 10_000)) == 10_000
    assert len(drawn(20_000, 10_000)) == 10_000


def test_a_smaller_sample_is_part_of_a_larger_one_and_of_that_of_another_table() -> None:
    assert set(drawn(100, 10_000)) < set(drawn(1000, 10_000))
    half = drawn(1000, 10_000, "range(5000)")
    assert half == [value for value in drawn(1000, 10_000) if value < 5000]


def test_the_rows_may_be_counted_by_the_query_itself() -> None:
    assert drawn(1000, "(select count(*) from range(10000))") == drawn(1000, 10_000)


def test_duckdb_still_hashes_as_it_did_when_models_were_trained() -> None:
    """Another hash would draw other rows, and the same data would make other models."""
    query = "select hash(1::bigint), hash(10270250::bigint), hash('brest')"
    with scratch_session() as connection:
        hashed = connection.execute(query).fetchall()
    assert hashed == [(4717996019076358352, 10229848768517648478, 11052122403671456216)]
    assert drawn(5, 10_000) == [0, 2246, 3267, 3599, 3804]
