"""The sensor that acts on health: reads each record of its check once, and asks for a retraining
where the newest day's says so.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, takewhile

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    DagsterInstance,
    DefaultSensorStatus,
    ResourceParam,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.retraining import (
    CURRENT,
    Ask,
    Attempt,
    Evaluation,
    HeldBack,
    Verdict,
    record_answers,
    versions_asked_for,
    what_to_ask,
)
from ghstars_assets.learning.monitoring.stage_checks import NO_RETRAINING_DUE
from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.dagster_internals import (
    PARTITION_NAME_TAG,
    AssetCheckExecutionRecord,
    PartitionKeyFilter,
)
from ghstars_assets.orchestration.partitions import asset_key

CURSOR_VERSION = 1
RECORDS_AT_ONCE = 200
RETRAINING_TAG, EVALUATION_TAG = "ghstars/retraining", "ghstars/evaluation"
"""Of a run: the problem that it retrains, and the evaluation that it does it for."""
RUNS_LOOKED_AT = 200


def build_retraining_sensor(
    problem: Problem, today: Callable[[], date] = utc_today
) -> SensorDefinition:
    name = f"{problem.name}_retraining"

    @sensor(
        name=name,
        job_name=f"train_{problem.name}",
        minimum_interval_seconds=30,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            f"Trains a {problem.name} candidate and has it decided on when health of the newest "
            "day says so: once for each evaluation, with a cooldown and a bound on attempts."
        ),
    )
    def retraining(context: SensorEvaluationContext, lake: ResourceParam[Lake]) -> SensorResult:
        news = read_news(context.instance, problem, after=read_cursor(context.cursor))
        found = answers_to(context.instance, lake, problem, news, today())
        for one in found:
            context.log.info(_line(one))
        asked = [_run_request(problem, one) for one in found if isinstance(one, Ask)]
        return SensorResult(
            run_requests=asked,
            skip_reason=None if asked else SkipReason(_why_nothing(news, found)),
            cursor=write_cursor(news.last),
        )

    return retraining


@dataclass(frozen=True)
class News:
    evaluations: Sequence[Evaluation]
    """Those that came since, oldest first."""
    last: int
    """The number of the newest record there is."""


def answers_to(
    instance: DagsterInstance, lake: Lake, problem: Problem, news: News, today: date
) -> list[Ask | HeldBack]:
    """What the news lead to; each answer is a row of the audit log, once."""
    if not any(one.verdict.is_due for one in news.evaluations):
        return []
    pause = timedelta(days=problem.gates.cooldown_days.value)
    found = what_to_ask(
        problem.gates,
        news.evaluations,
        today=today,
        versions=versions_asked_for(lake, problem, DayRange(today - pause - CURRENT, today)),
        attempts=read_attempts(instance, problem),
        newest_day=max(lake.days(problem.table("health")), default=None),
    )
    record_answers(lake, found, actor=f"sensor {problem.name}_retraining")
    return found


def _check_key(problem: Problem) -> AssetCheckKey:
    return AssetCheckKey(asset_key(problem.table("health")), NO_RETRAINING_DUE.name)


def read_cursor(text: str | None) -> int:
    """The number of the last record that was read. Without a cursor, and with one that nobody can
    read, it is before all: whatever was asked for before is known by its runs and versions."""
    try:
        stored = json.loads(text or "")
        if stored["version"] == CURSOR_VERSION:
            return int(stored["after"])
    except (ValueError, TypeError, KeyError):
        return 0
    return 0


def write_cursor(after: int) -> str:
    return json.dumps({"version": CURSOR_VERSION, "after": after})


def read_news(instance: DagsterInstance, problem: Problem, after: int) -> News:
    """Every evaluation of a day whose record came after this one."""
    records = _newest_first(instance, _check_key(problem))
    newest = next(records, None)
    if newest is None:
        return News([], after)
    if newest.id < after:
        # The records were wiped, and those that came since are numbered anew.
        after = 0
    since = takewhile(lambda record: record.id > after, chain([newest], records))
    found = [one for record in since if (one := _evaluation(problem, record))]
    return News(found[::-1], newest.id)


def newest_evaluation(instance: DagsterInstance, problem: Problem, day: date) -> Evaluation | None:
    """What was said of a day last."""
    records = instance.event_log_storage.get_asset_check_execution_history(
        _check_key(problem), limit=1, partition_filter=PartitionKeyFilter(key=str(day))
    )
    return _evaluation(problem, records[0]) if records else None


def retraining_tags(evaluation: Evaluation) -> dict[str, str]:
    """Of a run that an evaluation asks for: by these it counts as an attempt."""
    return {RETRAINING_TAG: evaluation.problem, EVALUATION_TAG: evaluation.id}


def model_config(ask: Ask) -> dict[str, str | int]:
    """Of the run's model: what stays with the version."""
    request = ask.evaluation.request
    named: dict[str, str | int] = {} if request is None else {"request": request}
    return {"cause": ask.cause, "evaluation": ask.evaluation.id, **named}


def read_attempts(instance: DagsterInstance, problem: Problem) -> list[Attempt]:
    runs = instance.get_runs(
        filters=RunsFilter(tags={RETRAINING_TAG: problem.name}), limit=RUNS_LOOKED_AT
    )
    return [
        Attempt(
            run.tags.get(EVALUATION_TAG, ""),
            date.fromisoformat(run.tags[PARTITION_NAME_TAG]),
            is_under_way=not run.is_finished,
        )
        for run in runs
        if PARTITION_NAME_TAG in run.tags
    ]


def _newest_first(
    instance: DagsterInstance, key: AssetCheckKey
) -> Iterator[AssetCheckExecutionRecord]:
    before = None
    while page := instance.event_log_storage.get_asset_check_execution_history(
        key, limit=RECORDS_AT_ONCE, cursor=before
    ):
        yield from page
        before = page[-1].id


def _evaluation(problem: Problem, record: AssetCheckExecutionRecord) -> Evaluation | None:
    """None for a run as a whole, which has no day; for one that did not get to its check; and for
    what somebody reported by hand, which names no decision."""
    found = record.evaluation
    if record.partition is None or not isinstance(found, AssetCheckEvaluation):
        return None
    metadata = {name: value.value for name, value in found.metadata.items()}
    if metadata.get("decision") not in list(Verdict):
        return None
    request = metadata.get("request")
    return Evaluation(
        problem.name,
        date.fromisoformat(record.partition),
        Verdict(str(metadata["decision"])),
        record.id,
        str(metadata.get("reason", "")),
        request if isinstance(request, int) else None,
    )


def _run_request(problem: Problem, ask: Ask) -> RunRequest:
    model, champion = (asset_key(problem.table(stage)) for stage in ("model", "champion"))
    return RunRequest(
        run_key=ask.evaluation.id,
        partition_key=str(ask.as_of),
        asset_selection=[model, champion],
        tags=retraining_tags(ask.evaluation),
        run_config={"ops": {model.to_python_identifier(): {"config": model_config(ask)}}},
    )


def _line(one: Ask | HeldBack) -> str:
    if isinstance(one, Ask):
        return f"{one.evaluation.id}: asked for a retraining, because {one.cause}"
    return f"{one.evaluation.id}: nothing is asked for: {one.reason}"


def _why_nothing(news: News, found: Sequence[Ask | HeldBack]) -> str:
    if found:
        return _line(found[-1])
    if news.evaluations:
        return f"No retraining is due on {news.evaluations[-1].day}."
    return "No day was looked at since."
