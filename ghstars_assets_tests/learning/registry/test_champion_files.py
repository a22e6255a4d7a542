"""The champion as files: whole, the right one, and loaded without any of our code."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ghstars_assets.lake.store import Store
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.promotion.decisions import decide, model_row
from ghstars_assets.learning.promotion.manual_decisions import promote
from ghstars_assets.learning.registry import champion_files
from ghstars_assets.learning.registry.champion_files import files_of, publish_champion
from ghstars_assets.learning.tasks.count import Count
from ghstars_assets.learning.tasks.target_forms import RelativeToBase
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets.settings import PROJECT_ROOT
from ghstars_assets_tests.support.damaged_versions import damage_version
from ghstars_assets_tests.support.stage_runs import calibrate_days
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import DAYS, trained_with

MONDAYS = (date(2026, 2, 16), date(2026, 2, 23))
RELATIVE = replace(PROBLEM, task=Count(RelativeToBase(), 0.2))


@pytest.fixture(autouse=True)
def _no_tracking_server(versions: ListedVersions) -> None:
    """Versions are numbered from 1 in the order of training."""


def _train(
    lake: Lake,
    columns: LearningColumns,
    as_of: date = MONDAYS[0],
    problem: Problem = PROBLEM,
    rounds: int = 15,
) -> None:
    obtain_candidate(
        lake,
        problem,
        columns,
        trained_with(rounds=rounds),
        card=model_card,
        as_of=as_of,
        dagster_run_id="run",
        progress=lambda _message: None,
    )
    decide(lake, problem, columns, as_of)


def _read(lake: Lake, key: str) -> dict[str, Any]:
    content = lake.store.get(key)
    assert content is not None
    return json.loads(content)


def _latest(lake: Lake) -> dict[str, Any]:
    return _read(lake, "models/tides/latest.json")


def _documented() -> dict[str, Callable[..., Any]]:
    """What docs/models.md shows to whoever has LightGBM and the files."""
    text = (PROJECT_ROOT / "docs" / "models.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    assert "ghstars" not in code.replace("`", "")
    names: dict[str, Any] = {}
    exec(code, names)
    return names


@pytest.mark.parametrize("problem", [PROBLEM, RELATIVE], ids=["as it is", "relative to base"])
def test_whoever_has_lightgbm_and_the_files_forecasts_the_same(
    tides: Lake, columns: LearningColumns, problem: Problem
) -> None:
    if problem is RELATIVE:
        columns = replace(columns, base="level_cm", scale="level_cm")
    _train(tides, columns, problem=problem)
    assert publish_champion(tides, problem) == 1
    rows = tides.read("tides.features", DAYS.last)
    expected = ServedModel.from_row(problem, model_row(tides, problem, 1)).point_values(rows)

    documented = _documented()
    root = Path(tides.store.root)
    about, heads = documented["load_champion"](lambda key: (root / key).read_bytes(), "tides")
    arrays = {name: rows[name].to_numpy() for name in rows.columns}
    assert np.allclose(documented["typical_values"](about, heads, arrays), expected, rtol=1e-12)
    assert set(heads) == {"typical", "mean", "low_80", "high_80", "low_95", "high_95"}
    assert len(set(expected)) > 2


def test_what_is_published_stays_when_the_stored_text_is_damaged(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns)
    publish_champion(tides, PROBLEM)
    before = _latest(tides), tides.store.get("models/tides/1/mean.lgb.txt")
    damage_version(tides, PROBLEM, 1, column="booster_mean")
    assert publish_champion(tides, PROBLEM) is None
    assert (_latest(tides), tides.store.get("models/tides/1/mean.lgb.txt")) == before


def test_what_is_changed_or_torn_is_noticed(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns)
    publish_champion(tides, PROBLEM)
    tides.store.put("models/tides/1/mean.lgb.txt", b"something else")
    root = Path(tides.store.root)
    with pytest.raises(RuntimeError, match=r"mean\.lgb\.txt"):
        _documented()["load_champion"](lambda key: (root / key).read_bytes(), "tides")


def test_the_metadata_says_what_it_is(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns)
    publish_champion(tides, PROBLEM)
    row = model_row(tides, PROBLEM, 1)
    about = _read(tides, "models/tides/1/metadata.json")
    assert (about["problem"], about["version"], about["as_of"]) == ("tides", 1, "2026-02-16")
    assert about["columns"]["features"] == ["day_before_cm", "rise_cm", "week_before_cm"]
    assert about["trained_through"] == str(row["trained_through"])
    for name in ("fingerprint", "data_version", "rows", "cause"):
        assert about[name] == row[name]
    assert about["metrics"]["mae"] == row["mae"]
    assert about["parameters"]["rounds"] == 15
    assert about["data"] == "sandbox"
    for name, digest in about["sha256"].items():
        content = tides.store.get(f"models/tides/1/{name}")
        assert content is not None
        assert hashlib.sha256(content).hexdigest() == digest
    assert tides.store.get("models/tides/1/card.md") == row["card"].encode()


def test_the_pointer_moves_last_and_nothing_is_written_twice(
    tides: Lake, columns: LearningColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    _train(tides, columns)
    written: list[str] = []
    put = Store.put

    def noting(store: Store, key: str, content: bytes, *, only_if_absent: bool = False) -> bool:
        written.append(key)
        return put(store, key, content, only_if_absent=only_if_absent)

    monkeypatch.setattr(Store, "put", noting)
    publish_champion(tides, PROBLEM)
    assert len(written) == 9
    assert written[-2:] == ["models/tides/1/metadata.json", "models/tides/latest.json"]
    written.clear()
    publish_champion(tides, PROBLEM)
    assert written == []


def test_the_pointer_follows_who_serves_and_what_served_stays(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns, MONDAYS[0], rounds=1)
    publish_champion(tides, PROBLEM)
    _train(tides, columns, MONDAYS[1])
    assert publish_champion(tides, PROBLEM) == 2
    assert (_latest(tides)["version"], _latest(tides)["serves_from"]) == (2, "2026-02-23")
    assert all(key.startswith("models/tides/2/") for key in _latest(tides)["files"])
    assert tides.store.folders("models/tides") == ["1", "2"]


def test_its_newest_calibration_goes_with_it(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns)
    publish_champion(tides, PROBLEM)
    assert "models/tides/1/calibration.json" not in _latest(tides)["files"]
    days = [date(2026, 2, 24), date(2026, 2, 25)]
    list(calibrate_days(tides, PROBLEM, columns, dict.fromkeys(days, 1), days))
    publish_champion(tides, PROBLEM)
    assert "models/tides/1/calibration.json" in _latest(tides)["files"]
    groups = json.loads(files_of(tides, PROBLEM, 1)["calibration.json"])
    assert {"is_sparse", "upper_bound"} <= set(groups[0])
    for day in days:
        stored = tides.read("tides.calibration", day)
        earlier = stored.rename({"is_sparse": "is_thin", "upper_bound": "upto"})
        tides.write("tides.calibration", day, earlier)
    assert json.loads(files_of(tides, PROBLEM, 1)["calibration.json"]) == groups
    assert {group["day"] for group in groups} == {"2026-02-25"}
    stored = tides.read("tides.calibration", days[1])
    assert [group["shift_low_80"] for group in groups] == stored["shift_low_80"].to_list()


def test_a_decision_in_the_middle_of_it_is_what_the_pointer_ends_on(
    tides: Lake, columns: LearningColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    for monday in MONDAYS:
        _train(tides, columns, monday)
    publish, rivals = champion_files._publish, []

    def publish_while_somebody_promotes(*given: Any) -> dict[str, str]:
        hashes = publish(*given)
        if not rivals:
            rivals.append("promotes version 2")
            promote(tides, PROBLEM, 2, "seen by eye", "user ada")
            assert publish_champion(tides, PROBLEM) == 2
        return hashes

    monkeypatch.setattr(champion_files, "_publish", publish_while_somebody_promotes)
    assert publish_champion(tides, PROBLEM) == 2
    assert _latest(tides)["version"] == 2


def test_where_nobody_serves_nothing_is_written(tides: Lake) -> None:
    assert publish_champion(tides, PROBLEM) is None
    assert tides.store.folders("models") == []


def test_a_version_of_an_earlier_release_is_written_with_the_heads_it_has(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns)
    (partition,) = tides.partitions("tides.model")
    earlier = tides.read("tides.model", MONDAYS[0]).drop("held_out", "cause", "evaluation")
    nothing = pl.lit(None, pl.String)
    without = earlier.with_columns(booster_low_95=nothing, sha256=nothing)
    tides.write("tides.model", MONDAYS[0], without, part=partition.part)
    publish_champion(tides, PROBLEM)
    names = {key.rsplit("/", 1)[1] for key in _latest(tides)["files"]}
    assert "low_95.lgb.txt" not in names
    assert "high_95.lgb.txt" in names
    assert _read(tides, "models/tides/1/metadata.json")["cause"] is None


def test_the_files_are_no_table(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns)
    before = tides.tables()
    publish_champion(tides, PROBLEM)
    assert tides.tables() == before
