"""Model texts, damaged in seeded ways, and a process of its own that tries whether one can end it.

    python -m ghstars_assets_tests.support.damaged_texts FIRST COUNT

prints a line before each try, so that whoever started it knows which one the process did not
survive, and at the end how many texts of each kind of damage were refused.
"""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ghstars_assets.learning.forecasting.drivers import path_effects
from ghstars_assets.learning.training.booster_text import (
    BoosterTextError,
    ExpectedBooster,
    check_structure,
)
from ghstars_assets.learning.training.boosting import booster_from_text, lightgbm_module
from ghstars_assets.settings import PROJECT_ROOT

if TYPE_CHECKING:
    import numpy as np

FEATURES = ("rise", "level", "tide", "phase")
BAD_NUMBERS = (
    "1e400", "-1e400", "nan", "inf", "-inf", "-1", "-2147483648", "2147483647", "99999999999", "",
    "0x10", "1_0", "１", "--1", "1e", ".", "3",
)  # fmt: skip
BAD_LINES = (
    "objective=custom", "objective=regression", "objective=lambdarank", "num_class=7",
    "num_tree_per_iteration=3", "num_tree_per_iteration=0", "max_feature_idx=0",
    "max_feature_idx=999999", "max_feature_idx=-5", "version=v2", "average_output", "num_leaves=1",
    "num_leaves=1000000", "num_leaves=-3", "num_cat=2", "is_linear=1", "tree_sizes=1 1 1",
    "tree_sizes=", "pandas_categorical:[[1, 2]]", "pandas_categorical:{", "[objective: custom]",
    "[num_class: 5]", "label_index=3", "",
)  # fmt: skip

Damage = Callable[[random.Random, str, str], str]


@lru_cache(maxsize=1)
def sound_texts() -> "list[tuple[ExpectedBooster, str]]":
    """Boosters of each kind that a problem can ask for."""
    import numpy as np

    lightgbm, dice = lightgbm_module(), np.random.default_rng(7)
    rows = dice.normal(size=(600, len(FEATURES)))
    rows[:, 3] = dice.integers(0, 40, 600)
    rows[dice.random(rows.shape) < 0.1] = np.nan
    target = np.nan_to_num(np.abs(rows[:, 0] * 3 + rows[:, 1]) + rows[:, 3] % 3)
    common = {"num_leaves": 9, "min_data_in_leaf": 5, "verbose": -1, "seed": 7, "num_threads": 1}
    found = []
    for head, more in (
        ({"objective": "l1"}, {}),
        ({"objective": "poisson"}, {}),
        ({"objective": "quantile", "alpha": 0.1}, {}),
        ({"objective": "l2"}, {"categories": [3]}),
        ({"objective": "l2"}, {"linear_tree": True}),
        ({"objective": "l2"}, {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
    ):
        categories = more.pop("categories", [])
        data = lightgbm.Dataset(
            rows, target, feature_name=list(FEATURES), categorical_feature=categories
        )
        booster = lightgbm.train({**common, **head, **more}, data, num_boost_round=6)
        found.append((ExpectedBooster.of(FEATURES, head), booster.model_to_string()))
    return found


def with_sizes(text: str) -> str:
    """The text with `tree_sizes` as its trees now are, so that damage is not seen by them alone."""
    head, _, body = text.partition("\n\n")
    trees, end, rest = body.partition("end of trees")
    pieces = trees.split("Tree=")[1:]
    sizes = " ".join(str(len(piece.encode()) + len("Tree=")) for piece in pieces)
    lines = [f"tree_sizes={sizes}" if "tree_sizes=" in line else line for line in head.split("\n")]
    return "\n".join(lines) + "\n\n" + trees + end + rest


def _flipped(dice: random.Random, text: str, _other: str) -> str:
    content = bytearray(text.encode())
    for _ in range(dice.choice((1, 1, 2, 8, 200))):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    return content.decode(errors="replace")


def _truncated(dice: random.Random, text: str, _other: str) -> str:
    return text[: dice.randrange(len(text))]


def _beheaded(dice: random.Random, text: str, _other: str) -> str:
    return text[dice.randrange(len(text)) :]


def _lines_swapped(dice: random.Random, text: str, _other: str) -> str:
    lines = text.split("\n")
    a, b = (dice.randrange(len(lines)) for _ in range(2))
    lines[a], lines[b] = lines[b], lines[a]
    return "\n".join(lines)


def _line_dropped(dice: random.Random, text: str, _other: str) -> str:
    lines = text.split("\n")
    del lines[dice.randrange(len(lines))]
    return "\n".join(lines)


def _line_doubled(dice: random.Random, text: str, _other: str) -> str:
    lines = text.split("\n")
    place = dice.randrange(len(lines))
    return "\n".join([*lines[:place], lines[place], *lines[place:]])


def _line_replaced(dice: random.Random, text: str, _other: str) -> str:
    lines, bad = text.split("\n"), dice.choice(BAD_LINES)
    key = bad.partition("=")[0]
    places = [n for n, line in enumerate(lines) if line.startswith(f"{key}=")]
    lines[dice.choice(places or range(len(lines)))] = bad
    return "\n".join(lines)


def _number_replaced(dice: random.Random, text: str, _other: str) -> str:
    lines = text.split("\n")
    place = dice.choice([n for n, line in enumerate(lines) if "=" in line])
    key, _, value = lines[place].partition("=")
    numbers = value.split(" ")
    numbers[dice.randrange(len(numbers))] = dice.choice(BAD_NUMBERS)
    lines[place] = f"{key}={' '.join(numbers)}"
    return "\n".join(lines)


def _array_cut_or_grown(dice: random.Random, text: str, _other: str) -> str:
    lines = text.split("\n")
    place = dice.choice([n for n, line in enumerate(lines) if " " in line and "=" in line])
    key, _, value = lines[place].partition("=")
    numbers = value.split(" ")
    numbers = numbers[:-1] if dice.random() < 0.5 else [*numbers, numbers[-1]]
    lines[place] = f"{key}={' '.join(numbers)}"
    return "\n".join(lines)


def _children_turned(dice: random.Random, text: str, _other: str) -> str:
    """Cycles, nodes with two parents, leaves and nodes there are not."""
    lines = text.split("\n")
    keys = ("left_child", "right_child", "split_feature", "decision_type")
    places = [n for n, line in enumerate(lines) if line.startswith(keys)]
    for place in dice.sample(places, dice.choice((1, 1, 3))):
        key, _, value = lines[place].partition("=")
        numbers = value.split(" ")
        numbers[dice.randrange(len(numbers))] = str(dice.randrange(-12, 12))
        lines[place] = f"{key}={' '.join(numbers)}"
    return "\n".join(lines)


def _trees_moved(dice: random.Random, text: str, _other: str) -> str:
    """A tree twice, one less, or two of them changed about."""
    head, _, rest = text.partition("Tree=0\n")
    trees, end, last = rest.partition("end of trees")
    pieces = [f"Tree={piece}" for piece in f"0\n{trees}".split("Tree=")]
    a, b = (dice.randrange(len(pieces)) for _ in range(2))
    how = dice.randrange(3)
    if how == 0:
        pieces.insert(a, pieces[b])
    elif how == 1:
        del pieces[a]
    else:
        pieces[a], pieces[b] = pieces[b], pieces[a]
    if dice.random() < 0.5:
        bodies = (piece.partition("\n")[2] for piece in pieces)
        pieces = [f"Tree={n}\n{body}" for n, body in enumerate(bodies)]
    return head + "".join(pieces) + end + last


def _spliced(dice: random.Random, text: str, other: str) -> str:
    return text[: dice.randrange(len(text))] + other[dice.randrange(len(other)) :]


def _block_overwritten(dice: random.Random, text: str, _other: str) -> str:
    size = dice.choice((1, 16, 512))
    begin = dice.randrange(max(1, len(text) - size))
    block = "".join(chr(dice.choice((0, 9, 10, 32, 45, 48, 57, 61, 255))) for _ in range(size))
    return text[:begin] + block + text[begin + size :]


def _nothing_left(dice: random.Random, _text: str, _other: str) -> str:
    return dice.choice(("", "\n", "tree", "tree\n\n", "\x00", " " * 4096, "null", "{}"))


def _of_another(_dice: random.Random, _text: str, other: str) -> str:
    return other


KINDS: dict[str, Damage] = {
    "bits flipped": _flipped,
    "cut short": _truncated,
    "cut off at its beginning": _beheaded,
    "two lines changed about": _lines_swapped,
    "a line lost": _line_dropped,
    "a line twice": _line_doubled,
    "a line replaced": _line_replaced,
    "a number replaced": _number_replaced,
    "an array cut or grown": _array_cut_or_grown,
    "children, features and decisions turned": _children_turned,
    "trees moved, doubled or lost": _trees_moved,
    "two texts spliced": _spliced,
    "a block overwritten": _block_overwritten,
    "nothing left": _nothing_left,
    "the text of another model": _of_another,
}


@dataclass(frozen=True)
class Trial:
    kind: str
    expected: ExpectedBooster
    text: str
    is_damaged: bool


def trial(seed: int) -> Trial:
    """One damaged text; every second with sizes that fit it."""
    dice = random.Random(seed)
    texts = sound_texts()
    (expected, text), (_, other) = dice.sample(texts, 2)
    kind = list(KINDS)[seed % len(KINDS)]
    damaged = KINDS[kind](dice, text, other)
    if dice.random() < 0.5 and "end of trees" in damaged and "\n\n" in damaged:
        damaged = with_sizes(damaged)
    return Trial(kind, expected, damaged, damaged != text)


def use_all_of(text: str) -> None:
    """Everything that is asked of a booster anywhere."""
    booster = booster_from_text(text)
    rows = _rows()
    for is_leaf in (False, True):
        booster.predict(rows, pred_leaf=is_leaf, num_threads=1)
    booster.feature_importance("gain")
    path_effects(booster)


@lru_cache(maxsize=1)
def _rows() -> "np.ndarray":
    import numpy as np

    dice = np.random.default_rng(11)
    rows = dice.normal(scale=20, size=(64, len(FEATURES))).astype(np.float32)
    rows[::3, 1], rows[::5, 2], rows[::7, 3] = np.nan, np.inf, 3e38
    return rows


@dataclass(frozen=True)
class Survived:
    """What a process of its own came to."""

    refused: "Counter[str]"
    loaded: "Counter[str]"
    """By kind of damage: texts that were let through, and did no harm."""
    died_at: int | None
    """The seed that ended the process."""


def try_in_own_process(first: int, count: int) -> Survived:
    asked = [sys.executable, "-m", __name__, str(first), str(count)]
    ran = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=PROJECT_ROOT)
    lines = ran.stdout.splitlines()
    if ran.returncode:
        return Survived(Counter(), Counter(), int(lines[-1]) if lines else first)
    found = json.loads(lines[-1])
    return Survived(Counter(found["refused"]), Counter(found["loaded"]), None)


def main() -> None:
    first, count = map(int, sys.argv[1:])
    refused: Counter[str] = Counter()
    loaded: Counter[str] = Counter()
    for seed in range(first, first + count):
        _say(str(seed))
        tried = trial(seed)
        if not tried.is_damaged:
            continue
        try:
            check_structure(tried.text, tried.expected)
            use_all_of(tried.text)
        except BoosterTextError:
            refused[tried.kind] += 1
        else:
            loaded[tried.kind] += 1
    _say(json.dumps({"refused": refused, "loaded": loaded}))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
