"""Which repository a name meant: names have lives, renames join them, GitHub knows them last."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghstars_assets.sources.github_ranking.identity import (
    Identities,
    Identity,
    Meaning,
    Rename,
    surrogate_of,
)

MAY, JUNE, JULY = (date(2023, month, 10) for month in (5, 6, 7))
LONG_AGO = date(2015, 1, 1)
BEFORE = timedelta(days=-1)


def by_name(name: str, life: int = 0) -> Identity:
    return Identity(surrogate_of(name, life), "name")


def by_github(repo_id: int) -> Identity:
    return Identity(repo_id, "github")


def known(*renames: Rename, **meanings: Meaning) -> Identities:
    """With what GitHub says of repositories of octo's."""
    return Identities(renames, {f"octo/{name}": meaning for name, meaning in meanings.items()})


# ---- by names alone -----------------------------------------------------------------------------


def test_a_repository_nobody_knows_is_a_number_made_of_its_name() -> None:
    assert known().of("octo/cat", MAY) == by_name("octo/cat")
    assert known().of("octo/cat", MAY) != known().of("octo/dog", MAY)


def test_the_number_is_negative_exact_in_any_tool_and_the_same_in_every_version() -> None:
    """It stands in lakes that were written long ago."""
    assert surrogate_of("octo/cat") == -1793430569411430
    numbers = [surrogate_of(f"octo/{n}") for n in range(2000)]
    assert len(set(numbers)) == 2000
    assert all(-(2**53) < number < 0 for number in numbers)


def test_case_means_nothing_in_a_name() -> None:
    renamed = known(Rename(JUNE, "octo/CAT", "Octo/Lion"))
    assert renamed.of("Octo/Cat", MAY) == renamed.of("OCTO/LION", JULY) == by_name("octo/cat")


def test_a_renamed_repository_keeps_the_number_of_its_first_name() -> None:
    renamed = known(Rename(JUNE, "octo/cat", "octo/lion"))
    assert renamed.of("octo/cat", JUNE + BEFORE) == by_name("octo/cat")
    assert renamed.of("octo/lion", JUNE) == by_name("octo/cat")


def test_a_rename_learnt_later_changes_nothing_about_the_days_before_it() -> None:
    for renames in ([], [Rename(JUNE, "octo/cat", "octo/lion")]):
        assert known(*renames).of("octo/cat", MAY) == by_name("octo/cat")


def test_a_chain_of_renames_is_one_repository() -> None:
    chain = known(
        Rename(JULY, "octo/lion", "zoo/lion"),
        Rename(MAY, "octo/kitten", "octo/cat"),
        Rename(JUNE, "octo/cat", "octo/lion"),
    )
    names = {MAY + BEFORE: "octo/kitten", MAY: "octo/cat", JUNE: "octo/lion", JULY: "zoo/lion"}
    assert {chain.of(name, day) for day, name in names.items()} == {by_name("octo/kitten")}


def test_a_rename_that_changes_case_alone_is_none() -> None:
    same = known(
        Rename(JUNE, "octo/LLaMA-Factory", "octo/LlamaFactory"), Rename(JUNE, "a/b", "A/B")
    )
    assert same.of("a/b", MAY) == same.of("A/B", JULY) == by_name("a/b")
    assert same.of("octo/LlamaFactory", JULY) == by_name("octo/LLaMA-Factory")


def test_a_change_of_case_does_not_count_as_leaving_a_name() -> None:
    left = known(Rename(MAY, "a/b", "A/B"), Rename(JUNE, "A/B", "a/c"))
    assert left.of("a/b", JULY) == by_name("a/b", 1)


def test_who_takes_a_name_that_was_left_is_another() -> None:
    left = known(Rename(JUNE, "octo/cat", "octo/lion"))
    assert left.of("octo/cat", JUNE) == by_name("octo/cat", 1)
    assert left.of("octo/cat", JUNE) != left.of("octo/lion", JUNE)


def test_a_repository_that_takes_its_old_name_back_is_itself() -> None:
    back = known(Rename(JUNE, "octo/cat", "octo/lion"), Rename(JULY, "octo/lion", "octo/cat"))
    assert back.of("octo/cat", MAY) == back.of("octo/lion", JUNE) == back.of("octo/cat", JULY)


def test_two_that_swap_their_names_stay_two() -> None:
    swapped = known(Rename(JUNE, "octo/cat", "octo/dog"), Rename(JUNE, "octo/dog", "octo/cat"))
    assert swapped.of("octo/cat", MAY) == swapped.of("octo/dog", JUNE) == by_name("octo/cat")
    assert swapped.of("octo/dog", MAY) == swapped.of("octo/cat", JUNE) == by_name("octo/dog")


def test_two_guesses_at_one_old_name_join_one_repository_alone() -> None:
    guesses = known(Rename(JUNE, "octo/cat", "octo/lion"), Rename(JUNE, "octo/cat", "octo/tiger"))
    after = [guesses.of(name, JULY) for name in ("octo/lion", "octo/tiger")]
    assert after.count(by_name("octo/cat")) == 1


_NAMES = st.sampled_from([f"octo/{letter}" for letter in "abcdef"])
_DAYS = st.dates(MAY, JULY)
_RENAMES = st.lists(st.builds(Rename, _DAYS, _NAMES, _NAMES), max_size=12)
_MEANINGS = st.dictionaries(
    _NAMES, st.builds(Meaning, st.integers(1, 5), st.dates(LONG_AGO, JULY)), max_size=6
)


@given(_RENAMES, _MEANINGS, st.randoms(use_true_random=False))
def test_whatever_was_guessed_every_name_has_one_meaning_in_any_order(
    renames: list[Rename], meanings: dict[str, Meaning], dice: random.Random
) -> None:
    shuffled = dice.sample(renames, len(renames))
    one, other = Identities(renames, meanings), Identities([*shuffled, *renames], meanings)
    for name in (f"octo/{letter}" for letter in "abcdef"):
        for day in (LONG_AGO, *(rename.first_day for rename in renames), JULY):
            assert one.of(name, day) == other.of(name, day)


@given(_RENAMES, _MEANINGS, _NAMES, _DAYS)
def test_spans_say_what_each_day_says(
    renames: list[Rename], meanings: dict[str, Meaning], name: str, day: date
) -> None:
    identities = Identities(renames, meanings)
    spans = identities.spans(name.upper())
    assert [begins for begins, _ in spans] == sorted({begins for begins, _ in spans})
    assert spans[0][0] == date.min
    latest = [identity for begins, identity in spans if begins <= day][-1]
    assert identities.of(name, day) == latest


# ---- with GitHub's word -------------------------------------------------------------------------


def test_githubs_id_takes_the_place_of_the_number() -> None:
    assert known(cat=Meaning(7, LONG_AGO)).of("Octo/Cat", MAY) == by_github(7)


def test_githubs_id_of_the_last_name_is_that_of_all_names_before() -> None:
    """Whether GitHub leads on from the old name or nobody has it any more."""
    chain = [Rename(MAY, "octo/kitten", "octo/cat"), Rename(JUNE, "octo/cat", "octo/lion")]
    lion = Meaning(7, LONG_AGO)
    for meanings in ({"lion": lion}, {"kitten": lion, "cat": lion, "lion": lion}):
        identities = known(*chain, **meanings)
        assert identities.of("octo/kitten", MAY + BEFORE) == by_github(7)
        assert identities.of("octo/cat", MAY) == identities.of("octo/lion", JULY) == by_github(7)


def test_githubs_id_of_an_old_name_helps_where_it_knows_the_new_one_no_more() -> None:
    gone_on = known(Rename(JUNE, "octo/cat", "octo/lion"), cat=Meaning(7, LONG_AGO))
    assert gone_on.of("octo/cat", MAY) == by_github(7)


def test_a_name_made_anew_stays_apart_from_the_one_that_had_it() -> None:
    recreated = known(cat=Meaning(9, JUNE))
    assert recreated.of("octo/cat", JUNE + BEFORE) == by_name("octo/cat")
    assert recreated.of("octo/cat", JUNE) == by_github(9)


def test_a_name_that_was_left_and_made_anew_is_no_word_against_the_rename() -> None:
    taken = known(
        Rename(JUNE, "octo/cat", "octo/lion"), lion=Meaning(7, LONG_AGO), cat=Meaning(9, JULY)
    )
    assert taken.refuted == []
    assert taken.of("octo/cat", MAY) == taken.of("octo/lion", JULY) == by_github(7)
    assert taken.of("octo/cat", JULY) == by_github(9)
    assert taken.of("octo/cat", JULY + BEFORE) == by_name("octo/cat", 1)


def test_a_rename_between_two_repositories_that_github_knows_is_refuted() -> None:
    guess = Rename(JUNE, "octo/Cat", "octo/lion")
    refuted = known(guess, cat=Meaning(9, LONG_AGO), lion=Meaning(7, LONG_AGO))
    assert refuted.refuted == [guess]
    assert refuted.of("octo/cat", JULY) == refuted.of("octo/cat", MAY) == by_github(9)
    assert refuted.of("octo/lion", JULY) == by_github(7)


@pytest.mark.parametrize("also", [{}, {"cat": Meaning(7, LONG_AGO)}])
def test_a_rename_that_github_does_not_deny_is_believed(also: dict[str, Meaning]) -> None:
    believed = known(Rename(JUNE, "octo/cat", "octo/lion"), lion=Meaning(7, LONG_AGO), **also)
    assert believed.refuted == []
