"""Drivers: path effects add up to the forecast and name the features that moved it."""

import lightgbm
import numpy as np
import polars as pl
import pytest

from ghstars_assets.learning.forecasting.drivers import DRIVERS_SHOWN, path_effects, top_drivers

ROWS = 600


def _train(
    features: int = 5, rounds: int = 20, parameters: dict[str, float] | None = None
) -> tuple[lightgbm.Booster, np.ndarray]:
    random = np.random.default_rng(9)
    matrix = random.normal(size=(ROWS, features))
    matrix[::7, 0] = np.nan
    target = 100 + 5 * np.nan_to_num(matrix[:, 0]) + matrix[:, -1] ** 2
    given = {"objective": "l1", "num_leaves": 9, "seed": 1, "num_threads": 1, "verbose": -1}
    data = lightgbm.Dataset(matrix, target, weight=random.uniform(1, 3, ROWS))
    return lightgbm.train({**given, **(parameters or {})}, data, num_boost_round=rounds), matrix


def _leaves(booster: lightgbm.Booster, matrix: np.ndarray) -> np.ndarray:
    return np.asarray(booster.predict(matrix, pred_leaf=True, num_threads=1))


def _bias(booster: lightgbm.Booster) -> float:
    """What the trees expect of a row of which nothing is known: for each, its leaves' mean by the
    rows that trained them."""

    def leaves(node: dict) -> list[tuple[float, float]]:
        if "leaf_value" in node:
            return [(node["leaf_value"], node.get("leaf_count", 1))]
        return leaves(node["left_child"]) + leaves(node["right_child"])

    roots = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    by_tree = [np.array(leaves(root)) for root in roots]
    return sum(float(np.average(tree[:, 0], weights=tree[:, 1])) for tree in by_tree)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"bagging_fraction": 0.5, "bagging_freq": 1, "feature_fraction": 0.5}],
    ids=["all rows", "half of rows and features"],
)
def test_effects_and_bias_add_up_to_the_fit(parameters: dict[str, float]) -> None:
    booster, matrix = _train(parameters=parameters)
    effects = path_effects(booster)
    index = _leaves(booster, matrix) + effects.first_leaf
    total = effects.by_leaf[index].sum(axis=(1, 2))
    fitted = np.asarray(booster.predict(matrix, num_threads=1))
    np.testing.assert_allclose(total + _bias(booster), fitted, atol=1e-3)


def _drivers(booster: lightgbm.Booster, matrix: np.ndarray) -> list[list[dict]]:
    names = [f"feature_{number}" for number in range(matrix.shape[1])]
    series = top_drivers(
        path_effects(booster), _leaves(booster, matrix), names, lambda effect: 10 * effect
    )
    assert series.name == "drivers"
    return series.to_list()


def test_the_features_that_moved_a_row_most_come_first_in_the_units_asked_for() -> None:
    booster, matrix = _train()
    effects = path_effects(booster)
    index = _leaves(booster, matrix) + effects.first_leaf
    by_feature = effects.by_leaf[index].sum(axis=1)
    for row, drivers in zip(by_feature, _drivers(booster, matrix), strict=True):
        assert len(drivers) == DRIVERS_SHOWN
        order = np.argsort(-np.abs(row))[:DRIVERS_SHOWN]
        assert drivers[0]["feature"] == f"feature_{order[0]}"
        shown = [driver["effect"] for driver in drivers]
        assert shown == pytest.approx([10 * row[place] for place in order], rel=1e-4, abs=1e-5)
    # What made the target is what moved most rows.
    first = [drivers[0]["feature"] for drivers in _drivers(booster, matrix)]
    assert sum(name in ("feature_0", "feature_4") for name in first) > 0.9 * ROWS


def test_trees_of_a_single_leaf_move_nothing() -> None:
    booster, matrix = _train(parameters={"min_data_in_leaf": ROWS})
    assert all(driver["effect"] == 0 for drivers in _drivers(booster, matrix) for driver in drivers)


def test_fewer_features_than_are_shown_are_all_named() -> None:
    booster, matrix = _train(features=2)
    assert {len(drivers) for drivers in _drivers(booster, matrix)} == {2}


@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("rows", [1, 2])
def test_a_single_row_or_tree_is_no_exception(rows: int, rounds: int) -> None:
    booster, matrix = _train(rounds=rounds)
    assert _drivers(booster, matrix[:rows]) == _drivers(booster, matrix)[:rows]


def test_drivers_fit_the_column_they_are_kept_in() -> None:
    booster, matrix = _train()
    kept = pl.Series(_drivers(booster, matrix)).dtype
    assert kept == pl.List(pl.Struct({"feature": pl.String, "effect": pl.Float64}))
