"""What a booster's text must look like before LightGBM may read it.

LightGBM trusts its own text: a child index out of range, an array that is too short or a tree that
is cut off make it read and write beyond its memory, and the process ends. So every line that it
reads is checked here first, in plain Python, and what is not exactly as LightGBM writes it is
refused. The lines and their order are those of LightGBM 4 (`version=v4`).
"""

import hashlib
import re
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from threading import Lock

REMEMBERED = 256
"""So many texts a process knows to be sound: the heads of some forty versions."""

_NAMES_IN_TEXT = {"l1": "regression_l1", "l2": "regression"}
"""What LightGBM calls in its text what is called otherwise among its parameters."""
_HEADER_KEYS = (
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
    "feature_names", "feature_infos", "tree_sizes",
)  # fmt: skip
_NODE_NUMBERS = ("split_gain", "internal_value", "internal_weight")
_NODE_INTEGERS = ("split_feature", "decision_type", "left_child", "right_child", "internal_count")
_TREE_KEYS = {
    "num_leaves", "num_cat", *_NODE_NUMBERS, *_NODE_INTEGERS, "threshold", "leaf_value",
    "leaf_weight", "leaf_count", "is_linear", "shrinkage",
}  # fmt: skip
_CATEGORY_KEYS = {"cat_boundaries", "cat_threshold"}
_LINEAR_KEYS = {"leaf_const", "num_features", "leaf_features", "leaf_coeff"}
_IS_CATEGORY = 1
_MOST_DECISION_TYPE = 0b1011
"""One bit for a category, one for the side of what is missing, two for what counts as missing, of
which there are three kinds."""
_INT32 = 2**31
_UINT32 = 2**32

_NUMBERS = re.compile(r"[-+.0-9e ]*")
_INTEGERS = re.compile(r"[-0-9 ]*")
_FEATURE_INFO = re.compile(r"none|\[([^:\]]+):([^:\]]+)\]|-?[0-9]+(?::-?[0-9]+)*")
_END = re.compile(
    r"end of trees\n\nfeature_importances:\n(?P<importances>(?:[^\n]+\n)*)"
    r"\nparameters:\n(?P<parameters>(?:\[\w+: [^\x00-\x1f]*\]\n)*)"
    r"\nend of parameters\n\npandas_categorical:(?:null|\[\])\n?"
)


class BoosterTextError(ValueError):
    """A text that LightGBM must not read. The message is part of a sentence."""


@dataclass(frozen=True)
class ExpectedBooster:
    """What the booster of a head must be."""

    features: tuple[str, ...]
    parameters: tuple[tuple[str, float | str], ...]
    """LightGBM's parameters that this head alone has: its objective."""

    @classmethod
    def of(
        cls, features: Sequence[str], parameters: Mapping[str, float | str]
    ) -> "ExpectedBooster":
        return cls(tuple(features), tuple(sorted(parameters.items())))


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class _SoundTexts:
    """The latest texts that were found sound, by their hash: checking one takes longer than
    loading it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, ExpectedBooster], None] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, key: tuple[str, ExpectedBooster]) -> bool:
        with self._lock:
            if key not in self._known:
                return False
            self._known.move_to_end(key)
            return True

    def add(self, key: tuple[str, ExpectedBooster]) -> None:
        with self._lock:
            self._known[key] = None
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


_SOUND = _SoundTexts()


def require_sound(text: str, expected: ExpectedBooster, recorded_hash: str | None) -> None:
    """Raise BoosterTextError if LightGBM must not read the text. Versions of earlier releases have
    no recorded hash: of theirs only the structure is known."""
    found = text_hash(text)
    if recorded_hash is not None and found != recorded_hash:
        raise BoosterTextError("it is not the text that its training recorded")
    if (found, expected) not in _SOUND:
        check_structure(text, expected)
        _SOUND.add((found, expected))


def check_structure(text: str, expected: ExpectedBooster) -> None:
    """Raise BoosterTextError unless every line is one that LightGBM would have written."""
    try:
        _check(text, expected)
    except BoosterTextError:
        raise
    except (ValueError, OverflowError) as error:
        # What int and float say of something that is no number.
        raise BoosterTextError(f"it holds something that is no number ({error})") from None


def _check(text: str, expected: ExpectedBooster) -> None:
    head, _, body = text.partition("\n\n")
    sizes = _check_header(head.split("\n"), expected)
    length = sum(sizes)
    _require(body[:length].isascii() and len(body) > length, "it is cut short")
    end = _END.fullmatch(body, length)
    _require(end, "its end is not as LightGBM writes it")
    used: Counter[int] = Counter()
    begin = 0
    for number, size in enumerate(sizes):
        try:
            used += _check_tree(number, body[begin : begin + size], len(expected.features))
        except ValueError as error:
            raise BoosterTextError(f"tree {number}: {error}") from None
        begin += size
    if end:
        _check_end(end, expected, used)


def _check_header(lines: Sequence[str], expected: ExpectedBooster) -> list[int]:
    """The size of each tree's text."""
    _require(lines[0] == "tree", "it does not begin as LightGBM's texts do")
    # Trees of a random forest are averaged, which a line without a value says.
    fields = _fields([line for line in lines[1:] if line != "average_output"])
    _require(tuple(fields) == _HEADER_KEYS, "its header has other lines than LightGBM writes")
    _require(fields["version"] == "v4", f"its format is {fields['version']}, where v4 is known")
    for name in ("num_class", "num_tree_per_iteration"):
        _require(fields[name] == "1", f"{name} is not 1")
    _require(fields["label_index"] == "0", "label_index is not 0")
    wanted = str(dict(expected.parameters)["objective"])
    objective, *settings = fields["objective"].split(" ")
    wanted = _NAMES_IN_TEXT.get(wanted, wanted)
    _require(objective == wanted, f"its objective is {objective}, where {wanted} is expected")
    _require(
        all(re.fullmatch(r"sqrt|[a-z_]+:[-+.0-9e]+", each) for each in settings),
        "the settings of its objective cannot be read",
    )
    names = " ".join(name.replace(" ", "_") for name in expected.features)
    _require(fields["feature_names"] == names, "its features are not those of its version")
    _require(
        fields["max_feature_idx"] == str(len(expected.features) - 1),
        "max_feature_idx is not that of the last feature",
    )
    infos = fields["feature_infos"].split(" ")
    _require(len(infos) == len(expected.features), "feature_infos is not of as many features")
    for info in infos:
        found = _FEATURE_INFO.fullmatch(info)
        _require(found, "feature_infos cannot be read")
        if found and found[1] is not None:
            _numbers(f"{found[1]} {found[2]}", 2, "feature_infos")
    sizes = _integers(fields["tree_sizes"], None, "tree_sizes")
    _require(all(size > 0 for size in sizes), "tree_sizes holds a size that cannot be")
    return sizes


def _check_tree(number: int, text: str, features: int) -> "Counter[int]":
    """How often each feature is asked for, as LightGBM counts it."""
    kept = text.rstrip("\n")
    _require(len(text) - len(kept) == 3, "it does not end where tree_sizes has it")
    first, *lines = kept.split("\n")
    _require(first == f"Tree={number}", "it does not begin where tree_sizes has it")
    fields = _fields(lines)
    is_linear, has_categories = fields.get("is_linear") == "1", fields.get("num_cat", "0") != "0"
    wanted = _TREE_KEYS | (_LINEAR_KEYS if is_linear else set())
    wanted |= _CATEGORY_KEYS if has_categories else set()
    _require(fields.keys() == wanted, "it has other lines than LightGBM writes")
    _require(fields["is_linear"] in ("0", "1"), "is_linear is neither 0 nor 1")
    _numbers(fields["shrinkage"], 1, "shrinkage")
    (leaves,) = _integers(fields["num_leaves"], 1, "num_leaves")
    _require(leaves >= 1, "num_leaves is not 1 or more")
    _numbers(fields["leaf_value"], leaves, "leaf_value")
    if is_linear:
        _check_linear_leaves(fields, leaves, features)
    if leaves == 1:
        # A tree that asks nothing: some of its arrays are empty, some hold one number.
        for name in _TREE_KEYS - {"num_leaves", "leaf_value"}:
            _numbers(fields[name], None, name)
        return Counter()
    _numbers(fields["leaf_weight"], leaves, "leaf_weight")
    counts = _integers(fields["leaf_count"], leaves, "leaf_count")
    gains, *_ = (_numbers(fields[name], leaves - 1, name) for name in _NODE_NUMBERS)
    asked, decisions, left, right, internal_counts = (
        _integers(fields[name], leaves - 1, name) for name in _NODE_INTEGERS
    )
    _require(all(0 <= n < _INT32 for n in (*counts, *internal_counts)), "a count cannot be")
    _require(all(0 <= n < features for n in asked), "split_feature names a feature there is not")
    _require(all(0 <= n <= _MOST_DECISION_TYPE for n in decisions), "a decision_type cannot be")
    _check_shape(left, right, counts)
    _check_thresholds(fields, decisions)
    return Counter(n for n, gain in zip(asked, gains, strict=True) if gain > 0)


def _check_shape(left: Sequence[int], right: Sequence[int], counts: Sequence[int]) -> None:
    """Every node and every leaf hangs on one node, and on one that came before it."""
    nodes = len(left)
    everyone = [*range(-nodes - 1, 0), *range(1, nodes)]
    _require(sorted([*left, *right]) == everyone, "its children are not each node and leaf once")
    for node, children in enumerate(zip(left, right, strict=True)):
        _require(all(n < 0 or n > node for n in children), "a node hangs on one below it")
        if all(n < 0 for n in children):
            _require(sum(counts[~n] for n in children), "no row taught two of its leaves")


def _check_thresholds(fields: Mapping[str, str], decisions: Sequence[int]) -> None:
    """A node that asks for a category has its place in a bit field instead of a threshold."""
    (known,) = _integers(fields["num_cat"], 1, "num_cat")
    # A node that parts what is missing from all the rest has an infinite threshold.
    finite = " ".join("0" if one == "inf" else one for one in fields["threshold"].split(" "))
    _numbers(finite, len(decisions), "threshold")
    thresholds = fields["threshold"].split(" ")
    places = [
        float(t) for t, kind in zip(thresholds, decisions, strict=True) if kind & _IS_CATEGORY
    ]
    is_counted_through = len(places) == known and sorted(places) == list(range(known))
    _require(is_counted_through, "its categories are not counted through")
    if known:
        bounds = _integers(fields["cat_boundaries"], known + 1, "cat_boundaries")
        _require(bounds[0] == 0 and bounds == sorted(set(bounds)), "cat_boundaries do not grow")
        bits = _integers(fields["cat_threshold"], bounds[-1], "cat_threshold")
        _require(all(0 <= n < _UINT32 for n in bits), "cat_threshold is no bit field")


def _check_linear_leaves(fields: Mapping[str, str], leaves: int, features: int) -> None:
    _numbers(fields["leaf_const"], leaves, "leaf_const")
    per_leaf = _integers(fields["num_features"], leaves, "num_features")
    _require(all(0 <= n <= features for n in per_leaf), "num_features cannot be")
    asked, weights = fields["leaf_features"].split(), fields["leaf_coeff"].split()
    _require(len(asked) == len(weights) == sum(per_leaf), "its linear leaves are not all there")
    found = _integers(" ".join(asked), len(asked), "leaf_features")
    _require(all(0 <= n < features for n in found), "leaf_features names one there is not")
    _numbers(" ".join(weights), len(weights), "leaf_coeff")
    for name, tokens in (("leaf_features", asked), ("leaf_coeff", weights)):
        of_leaf = iter(tokens)
        laid_out = ("".join(f"{next(of_leaf)} " for _ in range(n)) + " " for n in per_leaf)
        _require("".join(laid_out) == fields[name], f"{name} is not as LightGBM writes it")


def _check_end(end: "re.Match[str]", expected: ExpectedBooster, used: "Counter[int]") -> None:
    """The parameters are those of the head, and the trees ask for each feature as often as was
    counted when they were written."""
    parameters = dict(line[1:-1].split(": ", 1) for line in end["parameters"].split("\n")[:-1])
    _require(len(parameters) == end["parameters"].count("\n"), "it has a parameter twice")
    for name, wanted in expected.parameters:
        in_text = _NAMES_IN_TEXT.get(str(wanted), wanted)
        found = parameters.get(name, "")
        is_it = found == in_text if isinstance(in_text, str) else float(found) == in_text
        _require(is_it, f"its {name} is {found}, where {in_text} is expected")
    if parameters.get("saved_feature_importance_type") != "0":
        return
    counted = _fields(end["importances"].split("\n")[:-1])
    names = (name.replace(" ", "_") for name in expected.features)
    found = {name: str(used[n]) for n, name in enumerate(names) if used[n]}
    _require(counted == found, "its trees ask for other features than were counted")


def _fields(lines: Sequence[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        _require(equals and name not in fields, f"the line {line[:40]!r} should not be there")
        fields[name] = value
    return fields


def _numbers(text: str, count: int | None, name: str) -> list[float]:
    _require(_NUMBERS.fullmatch(text), f"{name} holds something that is no number")
    found = [float(one) for one in text.split(" ")] if text else []
    _require(count is None or len(found) == count, f"{name} holds {len(found)} of {count} numbers")
    _require(all(map(isfinite, found)), f"{name} holds a number that is not finite")
    return found


def _integers(text: str, count: int | None, name: str) -> list[int]:
    _require(_INTEGERS.fullmatch(text), f"{name} holds something that is no whole number")
    found = [int(one) for one in text.split(" ")] if text else []
    _require(count is None or len(found) == count, f"{name} holds {len(found)} of {count} numbers")
    return found


def _require(is_so: object, otherwise: str) -> None:
    if not is_so:
        raise BoosterTextError(otherwise)
