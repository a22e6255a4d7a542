import numpy as np
import polars as pl

from ghstars_assets.sandbox.world.invented_names import InventedNames


def test_a_number_has_the_same_name_however_many_were_asked_for_before() -> None:
    fresh, used = InventedNames(7), InventedNames(7)
    used.owners(np.arange(30_000))
    used.projects(np.arange(30_000))
    numbers = np.array([5, 17_000, 3])
    assert fresh.owners(numbers).equals(used.owners(numbers))
    assert fresh.projects(numbers).equals(used.projects(numbers))


def test_projects_stay_unique_past_the_last_combination() -> None:
    names = InventedNames(7).projects(np.arange(80_000))
    assert names.is_unique().all()
    assert names.str.ends_with("-2").any()


def test_names_are_ones_that_github_would_accept() -> None:
    names = InventedNames(7)
    owners = names.owners(np.arange(20_000))
    assert owners.is_unique().all()
    assert owners.str.contains(r"^[a-z]+-[a-z]+$").all()
    assert (owners.str.len_chars() <= 39).all()  # GitHub's limit
    assert names.projects(np.arange(20_000)).str.contains(r"^[a-z0-9_-]+$").all()


def test_no_number_no_name() -> None:
    assert (
        InventedNames(7).owners(np.array([], dtype=np.int64)).equals(pl.Series([], dtype=pl.String))
    )
