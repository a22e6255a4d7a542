"""Which evaluation leads to a retraining: rules alone, without Dagster and without a lake."""

from collections.abc import Collection
from datetime import date, timedelta

import pytest

from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.retraining import (
    Ask,
    Attempt,
    Evaluation,
    HeldBack,
    Verdict,
    Version,
    read_id,
    record_answers,
    what_to_ask,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM

GATES = PROBLEM.gates
TODAY = date(2026, 2, 20)
ONE_DAY = timedelta(days=1)
PAUSE = timedelta(days=GATES.cooldown_days.value)


def _evaluation(day: date = TODAY, verdict: str = "reactive", number: int = 1) -> Evaluation:
    return Evaluation("tides", day, Verdict(verdict), number, f"a test of {verdict}")


def _asked(
    *evaluations: Evaluation,
    today: date = TODAY,
    versions: Collection[Version] = (),
    attempts: Collection[Attempt] = (),
    newest_day: date | None = None,
) -> list[Ask | HeldBack]:
    return what_to_ask(
        GATES,
        evaluations,
        today=today,
        versions=versions,
        attempts=attempts,
        newest_day=newest_day,
    )


def _version(as_of: date, evaluation: str = "tides:2026-02-01:reactive:1") -> Version:
    return Version(4, as_of, evaluation)


def _why_not(found: list[Ask | HeldBack]) -> str:
    (one,) = found
    assert isinstance(one, HeldBack)
    return one.reason


@pytest.mark.parametrize("verdict", ["force", "reactive", "proactive"])
def test_what_is_due_is_asked_for_as_of_today_with_its_reason(verdict: str) -> None:
    (ask,) = _asked(_evaluation(verdict=verdict, number=17))
    assert isinstance(ask, Ask)
    assert (ask.as_of, ask.cause) == (TODAY, f"a test of {verdict}")
    assert ask.evaluation.id == f"tides:2026-02-20:{verdict}:17"
    assert read_id(ask.evaluation.id) == (TODAY, verdict)


@pytest.mark.parametrize("verdict", ["wait", "healthy"])
def test_what_is_not_due_leads_to_nothing(verdict: str) -> None:
    assert _asked(_evaluation(verdict=verdict)) == []
    assert _asked() == []


def test_a_day_is_current_until_the_end_of_the_next() -> None:
    assert isinstance(_asked(_evaluation(), today=TODAY + ONE_DAY)[0], Ask)
    held_back = _asked(_evaluation(), today=TODAY + 2 * ONE_DAY)
    assert "2026-02-20 is a past day on 2026-02-22" in _why_not(held_back)
    assert "is a past day" in _why_not(_asked(_evaluation(), today=TODAY - ONE_DAY))


def test_only_the_newest_day_is_acted_on() -> None:
    older = _evaluation(TODAY - ONE_DAY, number=1)
    found = _asked(older, _evaluation(number=2))
    assert [type(one) for one in found] == [HeldBack, Ask]
    assert "2026-02-19 is not the newest day" in _why_not(found[:1])
    assert "is not the newest day" in _why_not(_asked(older, newest_day=TODAY))
    passed = _evaluation(verdict="healthy", number=2)
    assert isinstance(_asked(older, passed)[0], HeldBack)
    assert len(_asked(older, passed)) == 1


def test_of_one_day_the_last_evaluation_counts() -> None:
    first, second = _evaluation(number=5), _evaluation(verdict="healthy", number=6)
    assert "looked at again since" in _why_not(_asked(first, second))
    # In whatever order they are handed over.
    assert "looked at again since" in _why_not(_asked(second, first))


def test_one_evaluation_asks_once() -> None:
    one = _evaluation()
    assert "version 4 was trained because of it" in _why_not(
        _asked(one, versions=[_version(TODAY, one.id)])
    )
    assert "was asked for because of it" in _why_not(_asked(one, attempts=[Attempt(one.id, TODAY)]))


def test_a_version_that_was_asked_for_gives_a_cooldown_which_force_ignores() -> None:
    last = [_version(TODAY - PAUSE + ONE_DAY)]
    why_not = _why_not(_asked(_evaluation(), versions=last))
    assert "version 4 was trained because of an evaluation on 2026-02-14" in why_not
    assert "until 2026-02-21" in why_not
    assert isinstance(_asked(_evaluation(), versions=[_version(TODAY - PAUSE)])[0], Ask)
    assert isinstance(_asked(_evaluation(verdict="force"), versions=last)[0], Ask)


def test_a_retraining_under_way_is_waited_for_unless_somebody_insists() -> None:
    under_way = [Attempt("tides:2026-02-19:reactive:1", TODAY - ONE_DAY, is_under_way=True)]
    assert "still under way" in _why_not(_asked(_evaluation(), attempts=under_way))
    assert isinstance(_asked(_evaluation(verdict="force"), attempts=under_way)[0], Ask)


@pytest.mark.parametrize("verdict", ["reactive", "force"])
def test_what_keeps_failing_is_given_up_until_the_cooldown_is_over(verdict: str) -> None:
    most = int(GATES.most_attempts.value)
    failed = [
        Attempt(f"tides:x:reactive:{number}", TODAY - number * ONE_DAY) for number in range(most)
    ]
    one = _evaluation(verdict=verdict, number=99)
    assert isinstance(_asked(one, attempts=failed[1:])[0], Ask)
    why_not = _why_not(_asked(one, attempts=failed))
    assert f"{most} retrainings since 2026-02-18 came to no version" in why_not
    assert "`ghstars retrain tides --why …`" in why_not
    later = TODAY - 2 * ONE_DAY + PAUSE
    assert isinstance(_asked(_evaluation(later, verdict, 99), today=later, attempts=failed)[0], Ask)


def test_forced_retrainings_that_succeed_count_for_no_failures() -> None:
    done = [f"tides:2026-02-20:force:{number}" for number in range(5)]
    found = _asked(
        _evaluation(verdict="force", number=99),
        attempts=[Attempt(evaluation, TODAY) for evaluation in done],
        versions=[_version(TODAY, evaluation) for evaluation in done],
    )
    assert isinstance(found[0], Ask)


@pytest.mark.parametrize("text", ["", "by hand", "tides:yesterday:force:1", "tides:2026-02-20:x:1"])
def test_what_is_no_evaluation_of_ours_is_not_taken_for_one(text: str) -> None:
    assert read_id(text) is None


def test_every_answer_is_recorded_once(lake: Lake) -> None:
    ask, other = Ask(_evaluation(number=2), TODAY), HeldBack(_evaluation(number=1), "too old")
    for _ in range(2):
        record_answers(lake, [other, ask], actor="a test")
    audit = lake.read_log(AUDIT.name)
    assert audit is not None
    assert audit.select("event", "subject", "cause").rows() == [
        ("retraining_held_back", "tides:2026-02-20:reactive:1", "too old"),
        ("retraining_asked", "tides:2026-02-20:reactive:2", "a test of reactive"),
    ]
    # What was held back may be asked for after all, and is then recorded as that.
    record_answers(lake, [Ask(_evaluation(number=1), TODAY)], actor="a test")
    assert lake.read_log(AUDIT.name).height == 3  # pyright: ignore[reportOptionalMemberAccess]
