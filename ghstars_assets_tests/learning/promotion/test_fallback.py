"""A champion whose stored text is damaged: who serves then, and what becomes of it afterwards."""

from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import DamagedModelError
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.promotion import champion, fallback
from ghstars_assets.learning.promotion.champion import decide_on_candidates
from ghstars_assets.learning.promotion.decisions import champions_of, decide, model_row
from ghstars_assets.learning.promotion.manual_decisions import promote
from ghstars_assets.learning.registry.champion_files import files_of
from ghstars_assets.learning.training.mended_candidates import mend_candidate
from ghstars_assets_tests.support.damaged_versions import (
    damage_version,
    with_custom_objective,
)
from ghstars_assets_tests.support.stage_runs import calibrate_days, predict_days
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_decisions import train
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import DAYS, rewrite, trained_with

MONDAYS = (date(2026, 2, 9), date(2026, 2, 16))
TODAY = date(2026, 2, 25)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def served(
    tides: Lake,
    columns: LearningColumns,
    versions: ListedVersions,
    monkeypatch: pytest.MonkeyPatch,
) -> Lake:
    """Version 2 took the place of version 1, and serves on the `TODAY` of the tides."""
    for monday, rounds in zip(MONDAYS, (1, 15), strict=True):
        train(tides, columns, monday, trained_with(rounds=rounds))
        decide(tides, PROBLEM, columns, monday)
    monkeypatch.setattr(champion, "utc_today", lambda: TODAY)
    monkeypatch.setattr(fallback.fall_back_from_damage, "__defaults__", (lambda: TODAY,))
    assert _serving(tides) == {YESTERDAY: 2, TODAY: 2}
    return tides


def _serving(lake: Lake) -> dict[date, int]:
    days = champions_of(lake, PROBLEM, DayRange(YESTERDAY, TODAY))
    return dict(days.select("day", "model_version").iter_rows())


def _decide(lake: Lake, columns: LearningColumns, days: DayRange) -> list[str]:
    return list(decide_on_candidates(lake, PROBLEM, columns, days))


def _predict(lake: Lake, columns: LearningColumns, days: Iterable[date]) -> list[DayOutcome]:
    champions = dict.fromkeys(days, 2)
    return [
        *calibrate_days(lake, PROBLEM, columns, champions, champions),
        *predict_days(lake, PROBLEM, columns, champions, champions),
    ]


def test_today_the_last_whole_version_serves_and_the_audit_says_why(
    served: Lake, columns: LearningColumns, versions: ListedVersions
) -> None:
    damage_version(served, PROBLEM, 2)
    (line,) = _decide(served, columns, DayRange(YESTERDAY, TODAY))
    assert line.startswith("rollback to version 1: What is stored of version 2 of tides (tides.mod")
    assert _serving(served) == {YESTERDAY: 2, TODAY: 1}
    assert versions.champion is not None
    last = served.read_log(AUDIT.name)
    assert last is not None
    event = last.row(-1, named=True)
    assert (event["event"], event["subject"]) == ("rollback", f"version 1 from {TODAY}")
    assert "is damaged (head typical: it is not the text that its training rec" in event["cause"]
    assert event["cause"].endswith("with `ghstars promote tides 2 --why …`")
    assert _decide(served, columns, DayRange(YESTERDAY, TODAY)) == []


def test_a_range_of_the_past_changes_nobody(served: Lake, columns: LearningColumns) -> None:
    damage_version(served, PROBLEM, 2)
    assert _decide(served, columns, DayRange(MONDAYS[0], YESTERDAY - timedelta(days=1))) == []
    assert _serving(served)[TODAY] == 2


def test_nobody_takes_over_who_is_damaged_too(served: Lake, columns: LearningColumns) -> None:
    for version in (1, 2):
        damage_version(served, PROBLEM, version)
    assert _decide(served, columns, DayRange(TODAY, TODAY)) == []
    assert _serving(served)[TODAY] == 2


@pytest.mark.parametrize("of_earlier_release", [False, True])
def test_a_past_day_waits_for_its_own_version_and_says_how_it_is_made_again(
    served: Lake, columns: LearningColumns, *, of_earlier_release: bool
) -> None:
    (_, before) = _predict(served, columns, [YESTERDAY])
    assert before.status is Status.WRITTEN
    damage_version(served, PROBLEM, 2, with_custom_objective, of_earlier_release=of_earlier_release)
    outcomes = _predict(served, columns, [YESTERDAY])
    assert [outcome.status for outcome in outcomes] == [Status.FAILED] * 2
    assert outcomes[1].reason.startswith(
        f"What is stored of version 2 of tides (tides.model of {MONDAYS[1]}) is damaged ("
    )
    assert outcomes[1].reason.endswith("; make it again with `ghstars models tides --mend 2`.")
    assert set(served.read("tides.predictions", YESTERDAY)["model_version"]) == {2}


def test_what_is_made_again_is_what_it_was(served: Lake, columns: LearningColumns) -> None:
    row = model_row(served, PROBLEM, 2)
    for column in ("booster_typical", "booster_low_95", "served"):
        damage_version(served, PROBLEM, 2, lambda text: text[:-40], column)
    assert mend_candidate(served, PROBLEM, columns, 2, lambda _line: None)
    assert model_row(served, PROBLEM, 2) == row
    assert not mend_candidate(served, PROBLEM, columns, 2, lambda _line: None)
    log = served.read_log(AUDIT.name)
    assert log is not None
    assert log.row(-1, named=True)["event"] == "mend"


def test_what_learnt_from_other_data_cannot_be_made_again(
    served: Lake, columns: LearningColumns
) -> None:
    damage_version(served, PROBLEM, 2)
    rewrite(served, "labels", [DAYS.first + timedelta(days=9)], target_cm=pl.lit(1.0))
    with pytest.raises(DamagedModelError, match="are others by now, so it cannot be made again"):
        mend_candidate(served, PROBLEM, columns, 2, lambda _line: None)


def test_a_damaged_champion_gives_way_to_the_next_candidate(
    served: Lake, columns: LearningColumns
) -> None:
    damage_version(served, PROBLEM, 2)
    monday = MONDAYS[1] + timedelta(days=7)
    train(served, columns, monday, trained_with(rounds=1))
    (decision,) = decide(served, PROBLEM, columns, monday)
    assert decision.decision == "deploy"
    assert decision.reason.startswith("version 2 cannot forecast: What is stored of version 2")


def test_a_damaged_candidate_is_rejected(served: Lake, columns: LearningColumns) -> None:
    monday = MONDAYS[1] + timedelta(days=7)
    train(served, columns, monday, trained_with(rounds=14))
    damage_version(served, PROBLEM, 3)
    (decision,) = decide(served, PROBLEM, columns, monday)
    assert (decision.decision, _serving(served)[TODAY]) == ("reject", 2)
    assert "--mend 3" in decision.reason


def test_a_damaged_version_is_neither_promoted_nor_published(served: Lake) -> None:
    damage_version(served, PROBLEM, 1)
    with pytest.raises(DamagedModelError, match="version 1 of tides"):
        promote(served, PROBLEM, 1, "seen by eye", "user ada", lambda: TODAY)
    with pytest.raises(DamagedModelError, match="version 1 of tides"):
        files_of(served, PROBLEM, 1)
