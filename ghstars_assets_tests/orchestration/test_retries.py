"""Failed steps: which are tried again and how often, what they say, and how runs are found."""

import errno
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    DagsterEventType,
    DagsterInstance,
    DailyPartitionsDefinition,
    Definitions,
    ExecuteInProcessResult,
    OpDefinition,
    ResourceParam,
    asset,
    in_process_executor,
)
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction
from pydantic import SecretStr

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.failures import causes
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration import retries
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.retries import (
    CAUSE_TAG,
    COMMAND_REACH,
    COMMAND_TAG,
    fails_by_cause,
)
from ghstars_assets.orchestration.runs import RunFailedError, Runner
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.answers import BudgetSpentError, UnreachableError
from ghstars_assets_tests.support.dagster_runs import (
    process_with_home,
    reason_of_failure,
)

DAY = date(2026, 1, 1)
PASSWORD = "hunter2-of-the-tests"


def _answer(status: int, headers: dict[str, str] | None = None) -> httpx.HTTPStatusError:
    asked = httpx.Request("GET", f"https://reader:{PASSWORD}@example.org/x?token={PASSWORD}")
    answer = httpx.Response(status, headers=headers, request=asked)
    with pytest.raises(httpx.HTTPStatusError) as told:
        answer.raise_for_status()
    return told.value


class Tries:
    """An asset that fails as it is told, try after try, and then succeeds."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.done = 0

    def __call__(self) -> None:
        self.done += 1
        if self.errors:
            raise self.errors.pop(0)


def _asset(tries: Tries) -> AssetsDefinition:
    @asset(key=["tides", "lists"], partitions_def=DailyPartitionsDefinition("2026-01-01"))
    @fails_by_cause
    def lists(context: AssetExecutionContext, lake: ResourceParam[Lake]) -> None:
        tries()

    return lists


def _definitions(tries: Tries, settings: Settings) -> Definitions:
    return Definitions(
        [_asset(tries)], resources={"lake": Lake(settings)}, executor=in_process_executor
    )


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "SOON_SECONDS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(causes, "LATER_SECONDS", (0.0,))
    monkeypatch.setattr(retries, "A_MOMENT_SECONDS", 0.01)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with process_with_home(tmp_path / "home"), DagsterInstance.ephemeral() as opened:
        yield opened


def _run(
    instance: DagsterInstance, tries: Tries, tags: dict[str, str] | None = None
) -> ExecuteInProcessResult:
    defs = _definitions(tries, Settings())
    job = defs.resolve_implicit_job_def_def_for_assets([_asset(tries).key])
    assert job is not None
    return job.execute_in_process(
        instance=instance, partition_key=str(DAY), raise_on_error=False, tags=tags
    )


def _cause_of(instance: DagsterInstance, result: ExecuteInProcessResult) -> tuple[object, object]:
    """As the failed step has it, and as its run has it."""
    (failed,) = result.filter_events(lambda event: event.is_step_failure)
    of_user = failed.step_failure_data.user_failure_data
    told = of_user.metadata["cause"].value if of_user else None
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    return told, run.tags.get(CAUSE_TAG)


def _waits_of(result: ExecuteInProcessResult) -> list[float | None]:
    retries = result.filter_events(
        lambda event: event.event_type is DagsterEventType.STEP_UP_FOR_RETRY
    )
    return [event.step_retry_data.seconds_to_wait for event in retries]


def _records(instance: DagsterInstance, result: ExecuteInProcessResult) -> str:
    return "\n".join(str(entry) for entry in instance.all_logs(result.run_id))


def test_a_transient_failure_is_tried_again_and_passes(instance: DagsterInstance) -> None:
    tries = Tries(sqlite3.OperationalError("database is locked"), ConnectionResetError())
    result = _run(instance, tries)
    assert result.success
    assert tries.done == 3
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert CAUSE_TAG not in run.tags


def test_a_transient_failure_that_lasts_fails_after_a_few_growing_waits(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causes, "SOON_SECONDS", (0.01, 0.02, 0.04))
    tries = Tries(*(ConnectionResetError("reset by peer") for _ in range(9)))
    result = _run(instance, tries)
    assert not result.success
    assert tries.done == 4
    assert _waits_of(result) == [0.01, 0.02, 0.04]
    assert _cause_of(instance, result) == ("transient", "transient")
    assert reason_of_failure(result).startswith("A connection broke (reset by peer)")


def test_what_its_client_tried_for_long_is_tried_once_more(instance: DagsterInstance) -> None:
    tries = Tries(*(UnreachableError("six tries") for _ in range(9)))
    assert not _run(instance, tries).success
    assert tries.done == 2


def test_bad_data_is_not_tried_again_and_says_so(instance: DagsterInstance) -> None:
    tries = Tries(MissingDayError("tides.gauges has no 2026-01-01; fill it."))
    result = _run(instance, tries)
    assert tries.done == 1
    assert reason_of_failure(result) == "tides.gauges has no 2026-01-01; fill it."
    assert _cause_of(instance, result) == ("bad data", "bad data")


def test_a_bug_is_shown_as_it_is_and_not_tried_again(instance: DagsterInstance) -> None:
    tries = Tries(ZeroDivisionError("division by zero"))
    result = _run(instance, tries)
    assert tries.done == 1
    assert reason_of_failure(result).startswith("ZeroDivisionError: division by zero")
    assert _cause_of(instance, result) == (None, "bug")


def test_a_budget_within_reach_is_waited_for(instance: DagsterInstance) -> None:
    tries = Tries(_answer(429, {"retry-after": "0"}))
    result = _run(instance, tries)
    assert result.success
    assert _waits_of(result) == [0.01]


def test_a_budget_out_of_reach_fails_and_says_when_it_returns(instance: DagsterInstance) -> None:
    told = "GitHub's budget is spent and returns at 09:00 UTC; run the same again then."
    tries = Tries(BudgetSpentError(told, 3 * 3600))
    result = _run(instance, tries)
    assert tries.done == 1
    assert reason_of_failure(result) == told
    assert _cause_of(instance, result) == ("budget", "budget")
    from_a_server = _run(instance, Tries(_answer(429, {"retry-after": "86400"})))
    assert "its budget returns at" in reason_of_failure(from_a_server)


def test_a_command_waits_only_minutes_for_a_budget(instance: DagsterInstance) -> None:
    seconds = COMMAND_REACH + timedelta(minutes=1)
    tries = Tries(BudgetSpentError("spent", seconds.total_seconds()))
    result = _run(instance, tries, tags={COMMAND_TAG: "backfill"})
    assert (result.success, tries.done) == (False, 1)


def test_no_secret_stands_in_the_records_of_a_run(instance: DagsterInstance) -> None:
    for error in (_answer(503), _answer(403), _answer(429, {"retry-after": "86400"})):
        result = _run(instance, Tries(*[error] * 9))
        assert not result.success
        assert "example.org" in _records(instance, result)
        assert PASSWORD not in _records(instance, result)


def test_the_stack_of_a_hidden_error_is_kept(instance: DagsterInstance) -> None:
    result = _run(instance, Tries(PermissionError(errno.EACCES, "Permission denied")))
    (failed,) = result.filter_events(lambda event: event.is_step_failure)
    error = failed.step_failure_data.error
    assert error is not None
    assert "self.errors.pop(0)" in error.to_string()


def test_a_command_says_that_it_waits_and_why_it_failed(
    instance: DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causes, "SOON_SECONDS", (0.01,))
    tries = Tries(ConnectionResetError("reset by peer"), MissingDayError("Fill it."))
    defs = _definitions(tries, Settings(home=tmp_path))
    monkeypatch.setattr("ghstars_assets.orchestration.runs.build_defs", lambda _settings: defs)
    said: list[str] = []
    runner = Runner(Settings(home=tmp_path), instance, said.append)
    with pytest.raises(RunFailedError, match=r"^Fill it\.$"):
        runner.run("tides.lists", DayRange(DAY, DAY), lambda _day: None)
    (told,) = said
    assert told.startswith("tides.lists waits 0 s and tries again")
    assert "A connection broke (reset by peer)" in told


def test_a_bug_in_a_step_is_reported_with_a_file_and_no_raw_message(
    instance: DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, github_token=SecretStr("the-secret"))
    defs = _definitions(Tries(LookupError("no the-secret")), settings)
    runner = Runner(settings, instance, lambda _line: None, defs)
    with pytest.raises(RunFailedError, match=r"^This is a bug in ghstars .*\(LookupError: no \*"):
        runner.run("tides.lists", DayRange(DAY, DAY), lambda _day: None)
    (report,) = (tmp_path / "bugs").iterdir()
    text = report.read_text(encoding="utf-8")
    assert "self.errors.pop(0)" in text
    assert "the-secret" not in text


def test_every_asset_is_judged_by_cause(instance: DagsterInstance) -> None:
    for found in build_defs(Settings()).assets or ():
        assert isinstance(found, AssetsDefinition)
        assert isinstance(found.node_def, OpDefinition)
        compute = found.node_def.compute_fn
        assert isinstance(compute, DecoratedOpFunction)
        assert compute.decorated_fn.__code__.co_filename == retries.__file__, found.key


def test_an_asset_that_does_not_take_the_lake_is_refused() -> None:
    def lists(context: AssetExecutionContext) -> None:
        """It has no settings to wait by."""

    with pytest.raises(TypeError, match="must take the resource `lake`"):
        fails_by_cause(lists)
