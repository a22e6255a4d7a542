"""The audit log in Dagster: what happened last, how often what did, and when it looks again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    evaluate_automation_conditions,
    materialize,
)

from ghstars_assets.calendar import utc_now
from ghstars_assets.lake.audit import AUDIT, record_event
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.assets.audit_asset import (
    SHOWN,
    as_markdown,
    build_audit_asset,
    counted,
)
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.dagster_runs import process_with_home
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, SQL

AUDIT_KEY = AssetKey(["platform", "audit"])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Settings]:
    with process_with_home(tmp_path) as settings:
        yield settings


def _materialized(home: Settings) -> dict[str, Any]:
    with DagsterInstance.ephemeral() as instance:
        result: ExecuteInProcessResult = materialize(
            [build_audit_asset([])], instance=instance, resources={"lake": Lake(home)}
        )
        (event,) = result.get_asset_materialization_events()
        metadata = event.step_materialization_data.materialization.metadata
        return {name: value.value for name, value in metadata.items()}


def _record(lake: Lake, event: str, cause: str = "", actor: str = "user ada") -> None:
    record_event(lake, problem="tides", event=event, cause=cause, subject="version 1", actor=actor)


def test_it_shows_the_latest_first_and_counts_all(home: Settings) -> None:
    lake = Lake(home)
    for number in range(SHOWN + 3):
        _record(lake, "train" if number % 2 else "gap", f"cause {number}")
    told = _materialized(home)
    assert told["dagster/row_count"] == SHOWN + 3
    assert (told["events_gap"], told["events_train"]) == (52, 51)
    lines = told["latest"].splitlines()
    assert lines[0] == "| at | problem | event | cause | subject | actor | detail |"
    assert len(lines) == SHOWN + 2
    assert f"cause {SHOWN + 2} |" in lines[2]
    assert "cause 3 |" in lines[-1]
    assert "user ada" in lines[2]


def test_where_nothing_happened_it_says_so(home: Settings) -> None:
    assert _materialized(home) == {"dagster/row_count": 0}


def test_no_reason_breaks_the_table() -> None:
    row = {
        "at": utc_now(),
        "problem": "tides",
        "event": "skip",
        "cause": "a | b\nand " + 1000 * "c",
        "subject": "x",
        "actor": "y",
        "detail": None,
    }
    frame = AUDIT.conform(pl.DataFrame([row]))
    *_, line = as_markdown(frame).splitlines()
    assert "| a \\| b and ccc" in line
    assert len(line) < 500
    assert counted(frame) == {"skip": 1}


def _asked(defs: Definitions, instance: DagsterInstance, cursor: Any) -> tuple[int, Any]:
    result = evaluate_automation_conditions(defs, instance, cursor=cursor)
    return result.get_num_requested(AUDIT_KEY), result.cursor


def test_it_follows_models_champions_and_health_and_nothing_else(home: Settings) -> None:
    defs = build_defs(home, [PROBLEM], SQL)
    deciding = {asset_key(PROBLEM.table(name)) for name in ("model", "champion", "health")}
    assert defs.resolve_asset_graph().get(AUDIT_KEY).parent_keys == deciding
    day = str(DAYS.first + timedelta(days=5))
    with DagsterInstance.ephemeral() as instance:
        asked, cursor = _asked(defs, instance, None)
        for key in (*sorted(deciding), asset_key("tides.features")):
            instance.report_runless_asset_event(AssetMaterialization(key, partition=day))
            asked, cursor = _asked(defs, instance, cursor)
            assert asked == (1 if key in deciding else 0), key
            if asked:
                instance.report_runless_asset_event(AssetMaterialization(AUDIT_KEY))
        asked, _ = _asked(defs, instance, cursor)
        assert asked == 0
