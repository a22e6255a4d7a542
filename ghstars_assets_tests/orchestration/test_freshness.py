"""Freshness: every asset has a clock, or a reason to have none, and no clock cries too early."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.freshness import FreshnessState, TimeWindowFreshnessPolicy
from dagster._core.definitions.freshness_evaluator import FRESHNESS_EVALUATORS_BY_POLICY_TYPE
from dagster._core.loader import LoadingContextForTest
from dagster._core.test_utils import freeze_time

from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.orchestration.triggers.freshness import NO_CLOCK, Clocks, longest_pause
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.dagster_runs import process_with_home

NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
ONE_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with process_with_home(tmp_path_factory.mktemp("freshness")) as found:
        yield found


@pytest.fixture(scope="module")
def graph(settings: Settings) -> AssetGraph:
    return build_defs(settings).resolve_asset_graph()


def _policies(graph: AssetGraph) -> dict[AssetKey, TimeWindowFreshnessPolicy]:
    found = {key: graph.get(key).freshness_policy for key in graph.get_all_asset_keys()}
    return {key: had for key, had in found.items() if isinstance(had, TimeWindowFreshnessPolicy)}


def test_every_asset_has_a_clock_or_a_reason_to_have_none(graph: AssetGraph) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert (node.freshness_policy is None) == bool(node.metadata.get(NO_CLOCK)), key


def test_what_somebody_must_ask_for_has_no_clock(graph: AssetGraph) -> None:
    without = graph.get_all_asset_keys() - _policies(graph).keys()
    expected = {"platform.audit"}
    for problem in all_problems().values():
        expected.add(problem.table("backtest"))
        expected |= {source.table.name for source in problem.sources if source.is_history}
    assert without == {asset_key(name) for name in expected}


def _fails_after(graph: AssetGraph, stage: str) -> timedelta:
    return _policies(graph)[asset_key(f"stars.{stage}")].fail_window.to_timedelta()


def test_a_day_a_week_and_an_outcome_have_each_their_own_clock(graph: AssetGraph) -> None:
    for stage in ("github", "snapshots", "features", "champion", "predictions", "drift", "health"):
        assert _fails_after(graph, stage) == 2 * ONE_DAY
    for stage in ("labels", "scores"):
        assert _fails_after(graph, stage) == 3 * ONE_DAY
    assert _fails_after(graph, "model") == 10 * ONE_DAY


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 6 * * *", 1), ("0 6 * * 1-5", 3), ("0 */6 * * *", 0.25), ("30 7 * * 1", 7),
        ("0 7 1 * *", 31), ("*/5 * * * *", 5 / 1440),
    ],
)  # fmt: skip
def test_the_longest_pause_of_a_schedule_is_found(cron: str, days: float) -> None:
    assert longest_pause(cron) == days * ONE_DAY


def test_who_takes_no_day_on_weekends_is_not_warned_of_them(settings: Settings) -> None:
    on_workdays = Clocks.of(settings.model_copy(update={"daily_cron": "0 6 * * 1-5"}))
    assert on_workdays.daily.warns_after > 3 * ONE_DAY
    monthly = Clocks.of(settings.model_copy(update={"weekly_cron": "0 7 1 * *"}))
    assert monthly.weekly.warns_after > 31 * ONE_DAY


def test_who_asks_every_hour_is_not_warned_before_a_day_is_over(settings: Settings) -> None:
    hourly = Clocks.of(settings.model_copy(update={"daily_cron": "0 * * * *"}))
    assert hourly.daily.warns_after > ONE_DAY


@dataclass
class Home:
    """What Dagster's daemon would find."""

    graph: AssetGraph
    instance: DagsterInstance

    def make(self, stage: str, at: datetime) -> None:
        with freeze_time(at):
            key = asset_key(f"stars.{stage}")
            made = AssetMaterialization(key, partition=str(date(2026, 1, 1)))
            self.instance.report_runless_asset_event(made)

    def state(self, stage: str, at: datetime) -> FreshnessState:
        node = self.graph.get(asset_key(f"stars.{stage}"))
        evaluator = FRESHNESS_EVALUATORS_BY_POLICY_TYPE[TimeWindowFreshnessPolicy]()
        with freeze_time(at):
            context = LoadingContextForTest(self.instance)
            return asyncio.run(evaluator.evaluate_freshness(context, node))


@pytest.fixture
def home(graph: AssetGraph) -> Iterator[Home]:
    with DagsterInstance.ephemeral() as opened:
        yield Home(graph, opened)


def test_a_home_that_is_new_is_not_stale(home: Home) -> None:
    assert home.state("model", NOON) is FreshnessState.UNKNOWN


@pytest.mark.parametrize(
    ("stage", "hours", "state"),
    [
        # The next morning's snapshot, and one that took eight hours.
        ("snapshots", 32, FreshnessState.PASS),
        ("snapshots", 37, FreshnessState.WARN),
        ("snapshots", 49, FreshnessState.FAIL),
        # A day was held back a horizon ago.
        ("labels", 50, FreshnessState.PASS),
        ("labels", 73, FreshnessState.FAIL),
        ("model", 7 * 24 + 12, FreshnessState.PASS),
        ("model", 9 * 24, FreshnessState.WARN),
    ],
)
def test_what_stands_still_is_seen_after_its_own_time(
    home: Home, stage: str, hours: int, state: FreshnessState
) -> None:
    home.make(stage, NOON)
    assert home.state(stage, NOON + timedelta(hours=hours)) is state


def test_an_old_day_filled_now_is_news_all_the_same(home: Home) -> None:
    home.make("features", NOON - 30 * ONE_DAY)
    assert home.state("features", NOON) is FreshnessState.FAIL
    home.make("features", NOON)
    assert home.state("features", NOON) is FreshnessState.PASS
