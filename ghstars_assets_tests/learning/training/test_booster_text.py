"""What LightGBM may read: its own texts, and nothing that was done to one afterwards."""

import pytest

from ghstars_assets.learning.training import booster_text
from ghstars_assets.learning.training.booster_text import (
    BoosterTextError,
    ExpectedBooster,
    check_structure,
    require_sound,
    text_hash,
)
from ghstars_assets_tests.support.damaged_texts import (
    FEATURES,
    KINDS,
    sound_texts,
    try_in_own_process,
    with_sizes,
)

L1, POISSON, QUANTILE, CATEGORIES, LINEAR, FOREST = range(6)


def _text(kind: int = L1) -> str:
    return sound_texts()[kind][1]


def _refusal(text: str, kind: int = L1) -> str:
    with pytest.raises(BoosterTextError) as refused:
        check_structure(text, sound_texts()[kind][0])
    return str(refused.value)


def test_what_lightgbm_wrote_is_sound() -> None:
    for expected, text in sound_texts():
        check_structure(text, expected)


def test_no_damage_of_any_kind_ends_the_process() -> None:
    found = try_in_own_process(first=0, count=40 * len(KINDS))
    assert found.died_at is None
    assert set(found.refused) == set(KINDS)
    # What is let through is harmless, as a parameter that nobody reads, or is for the hash to find.
    assert found.refused.total() > 5 * found.loaded.total()


@pytest.mark.parametrize(
    ("line", "instead", "reason"),
    [
        ("objective=regression_l1", "objective=custom", "its objective is custom, where regr"),
        ("version=v4", "version=v3", "its format is v3, where v4 is known"),
        ("num_class=1", "num_class=2", "num_class is not 1"),
        ("max_feature_idx=3", "max_feature_idx=9", "max_feature_idx is not that of the last"),
        ("feature_names=rise level", "feature_names=level rise", "its features are not those"),
        ("\nleaf_value=", "\nleaf_valeu=", "tree 0: it has other lines than LightGBM writes"),
        ("\nis_linear=0", "\nis_linear=1", "tree 0: it has other lines than LightGBM writes"),
        ("\nleaf_value=", "\nleaf_value=1e400 ", "tree 0: leaf_value holds 10 of 9 numbers"),
        ("\nleft_child=1 ", "\nleft_child=0 ", "tree 0: its children are not each node and leaf"),
        ("\nsplit_feature=", "\nsplit_feature=7 ", "tree 0: split_feature holds 9 of 8 numbers"),
        ("\nTree=1\n", "\nTree=2\n", "tree 1: it does not begin where tree_sizes has it"),
        ("end of parameters", "end of", "its end is not as LightGBM writes it"),
    ],
)
def test_the_reason_names_what_is_wrong(line: str, instead: str, reason: str) -> None:
    assert line in _text()
    assert _refusal(with_sizes(_text().replace(line, instead, 1))).startswith(reason)


@pytest.mark.parametrize("number", ["nan", "inf", "1e400", "0x1p3", "1_0"])
def test_a_leaf_holds_a_finite_number(number: str) -> None:
    before, _, after = _text().partition("leaf_value=")
    damaged = f"{before}leaf_value={number} {after.partition(' ')[2]}"
    assert _refusal(with_sizes(damaged)).startswith("tree 0: leaf_value holds ")


def test_a_threshold_that_parts_the_missing_from_the_rest_is_infinite() -> None:
    before, _, after = _text().partition("threshold=")
    text = with_sizes(f"{before}threshold=inf {after.partition(' ')[2]}")
    check_structure(text, sound_texts()[L1][0])


def test_the_end_of_another_quantile_is_not_this_one() -> None:
    other = ExpectedBooster.of(FEATURES, {"objective": "quantile", "alpha": 0.9})
    with pytest.raises(BoosterTextError, match=r"its alpha is 0\.1, where 0\.9 is expected"):
        check_structure(_text(QUANTILE), other)


def test_a_tree_twice_is_seen_by_what_was_counted() -> None:
    head, _, rest = _text().partition("Tree=5\n")
    tree = head[head.rindex("Tree=4\n") :].replace("Tree=4\n", "Tree=5\n")
    damaged = with_sizes(head + tree + rest[rest.index("end of trees") :])
    assert _refusal(damaged) == "its trees ask for other features than were counted"


def test_a_text_of_which_the_hash_is_known_is_that_text() -> None:
    expected, text = sound_texts()[POISSON]
    require_sound(text, expected, text_hash(text))
    changed = text.replace("leaf_value=0.1", "leaf_value=0.2") + "\n"
    with pytest.raises(BoosterTextError, match="not the text that its training recorded"):
        require_sound(changed, expected, text_hash(text))


def test_what_was_found_sound_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    expected, text = sound_texts()[FOREST]
    require_sound(text, expected, None)
    looked_at: list[str] = []
    monkeypatch.setattr(booster_text, "check_structure", lambda text, _: looked_at.append(text))
    require_sound(text, expected, None)
    assert looked_at == []
    require_sound(text, ExpectedBooster.of(("another",), dict(expected.parameters)), None)
    assert looked_at == [text]
