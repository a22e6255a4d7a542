"""Results of checks as Dagster records them: one for each day, and one for the run as a whole.

In a batch Dagster runs a check once for the whole range and stores it without a partition. So each
day has an evaluation of its own beside that one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
)

from ghstars_assets.orchestration.assets.events import MOST_DAYS_LISTED, asked_days
from ghstars_assets.sql_tables.checks import DayCheck

LISTED_IN_RESULT = 5


def check_events(
    context: AssetExecutionContext, checks: Sequence[DayCheck], *, is_of_failed_run: bool = False
) -> Iterator[AssetCheckEvaluation | AssetCheckResult]:
    """Everything that a run records of its checks. Dagster wants a result for every check of a
    run that succeeds, be it of a single day."""
    is_long = len(asked_days(context)) > MOST_DAYS_LISTED
    yield from day_evaluations(context.asset_key, checks, is_long=is_long)
    if is_of_failed_run:
        return
    by_name = _by_name(checks)
    for name in (key.name for key in context.selected_asset_check_keys):
        yield _result_of_run(name, by_name[name])


def day_evaluations(
    key: AssetKey, checks: Iterable[DayCheck], *, is_long: bool = False
) -> Iterator[AssetCheckEvaluation]:
    """One a day. In a long range only the days that fail, for an event costs as much as a day's
    rows, and the newest day: whoever reads on from evaluation to evaluation acts on that one."""
    for found in _by_name(checks).values():
        for check in found:
            if is_long and check.is_passed and check is not found[-1]:
                continue
            yield AssetCheckEvaluation(
                asset_key=key,
                check_name=check.name,
                passed=check.is_passed,
                severity=_severity([check]),
                description=check.description,
                metadata=check.figures,
                partition=str(check.day),
            )


def _by_name(checks: Iterable[DayCheck]) -> dict[str, list[DayCheck]]:
    found: dict[str, list[DayCheck]] = defaultdict(list)
    for check in checks:
        found[check.name].append(check)
    return found


def _result_of_run(name: str, checks: list[DayCheck]) -> AssetCheckResult:
    failed = [check for check in checks if not check.is_passed]
    listed = "; ".join(f"{check.day}: {check.description}" for check in failed[-LISTED_IN_RESULT:])
    return AssetCheckResult(
        check_name=name,
        passed=not failed,
        severity=_severity(failed),
        description=listed or f"holds on {len(checks)} days",
        metadata={"days": len(checks), "failed_days": len(failed)}
        | (dict(checks[0].figures) if len(checks) == 1 else {}),
    )


def _severity(checks: list[DayCheck]) -> AssetCheckSeverity:
    is_error = any(not check.is_warning for check in checks)
    return AssetCheckSeverity.ERROR if is_error else AssetCheckSeverity.WARN
