"""How a step fails in Dagster: tried again where its cause can pass, named where it cannot."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import ParamSpec, TypeVar, cast

from dagster import (
    AssetExecutionContext,
    Failure,
    OpExecutionContext,
    RetryRequested,
)

from ghstars_assets.calendar import utc_now
from ghstars_assets.errors import Cause, GhstarsError
from ghstars_assets.failures.causes import (
    MOST_WAITS_FOR_A_BUDGET,
    classify,
    returns_in_seconds,
    sentence,
    waits,
)
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.commands_at_work import COMMAND_TAG
from ghstars_assets.orchestration.dagster_internals import (
    StepExecutionContext,
)
from ghstars_assets.settings import Settings

CAUSE = "cause"
"""Metadata of a failed step."""
CAUSE_TAG = "ghstars/cause"
"""Tag of its run: `tag:ghstars/cause=bug` finds them in the UI."""
COMMAND_REACH = timedelta(minutes=5)
"""Such a run waits no longer for a budget: whoever sits there reads when it returns."""
A_MOMENT_SECONDS = 1.0
"""Later than a budget's return, for clocks differ."""

P = ParamSpec("P")
R = TypeVar("R")
Context = AssetExecutionContext | OpExecutionContext


def fails_by_cause(compute: Callable[P, R]) -> Callable[P, R]:
    """Below `@asset` (or `@op`), for every one: the cause of what its function raises decides in
    one place whether it is tried again. The function takes the resource `lake`, whose settings say
    how long to wait and which secrets no message may show."""
    if "lake" not in inspect.signature(compute).parameters:
        raise TypeError(f"{compute.__qualname__} must take the resource `lake`")

    @functools.wraps(compute)
    def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        with _failing_by_cause(*_handed_in(args, kwargs)):
            return compute(*args, **kwargs)

    @functools.wraps(compute)
    def piecemeal(*args: P.args, **kwargs: P.kwargs) -> Iterator[object]:
        with _failing_by_cause(*_handed_in(args, kwargs)):
            yield from cast("Iterator[object]", compute(*args, **kwargs))

    # Dagster asks whether it is a generator, and must get the same answer.
    return cast("Callable[P, R]", piecemeal) if inspect.isgeneratorfunction(compute) else whole


def _handed_in(args: Sequence[object], kwargs: Mapping[str, object]) -> tuple[Context, Settings]:
    return cast("Context", args[0]), cast("Lake", kwargs["lake"]).settings


@contextmanager
def _failing_by_cause(context: Context, settings: Settings) -> Iterator[None]:
    """Asks for another try, fails with the cause, or lets a bug through as it is."""
    try:
        yield
    except RetryRequested:
        raise
    except Failure as failure:
        # Raised by what knows its cause; the run is found by it all the same.
        cause = failure.metadata.get(CAUSE)
        if cause is not None:
            _tag(_step_of(context), str(cause.value))
        raise
    except Exception as error:
        step = _step_of(context)
        cause = classify(error)
        message = sentence(error, settings)
        tries = step.previous_attempt_count + 1
        wait = _wait_seconds(error, cause, step, settings)
        if wait is not None:
            step.log.warning(f"{message} ({cause}; try {tries + 1} in {wait:.0f} s)")
            # The stack is kept and the chain is not: what others wrote into their errors may name
            # an address with its password.
            failure = failure_of(message, cause).with_traceback(error.__traceback__)
            raise RetryRequested(max_retries=tries, seconds_to_wait=wait) from failure
        step.log.warning(f"cause: {cause}")
        _tag(step, cause.value)
        if cause is Cause.BUG:
            raise
        message += _return_of_budget(error, cause)
        raise failure_of(message, cause, tries).with_traceback(error.__traceback__) from None


def failure_of(message: str, cause: Cause, tries: int = 1) -> Failure:
    metadata: dict[str, str | int] = {CAUSE: cause.value}
    if tries > 1:
        metadata["tries"] = tries
    return Failure(message, metadata, allow_retries=False)


def _step_of(context: Context) -> StepExecutionContext:
    if isinstance(context, AssetExecutionContext):
        context = context.op_execution_context
    return context.get_step_execution_context()


def _tag(step: StepExecutionContext, cause: str) -> None:
    step.instance.add_run_tags(step.run_id, {CAUSE_TAG: cause})


def _wait_seconds(
    error: Exception, cause: Cause, step: StepExecutionContext, settings: Settings
) -> float | None:
    """How long until the next try; None where there is none."""
    done = step.previous_attempt_count
    if cause is Cause.TRANSIENT:
        seconds = waits(error)
        return seconds[done] if done < len(seconds) else None
    if cause is Cause.BUDGET and done < MOST_WAITS_FOR_A_BUDGET:
        returns = returns_in_seconds(error, utc_now())
        if returns is None:
            return waits(error)[-1]
        reach = settings.budget_patience
        if COMMAND_TAG in step.dagster_run.tags:
            reach = min(reach, COMMAND_REACH)
        return returns + A_MOMENT_SECONDS if returns <= reach.total_seconds() else None
    return None


def _return_of_budget(error: Exception, cause: Cause) -> str:
    """Our own sentence says it already; a server's answer does not."""
    if cause is not Cause.BUDGET or isinstance(error, GhstarsError):
        return ""
    now = utc_now()
    seconds = returns_in_seconds(error, now)
    if seconds is None:
        return "; nobody said when its budget returns, so run the same again later."
    return f"; its budget returns at {now + timedelta(seconds=seconds):%H:%M} UTC, run it then."
