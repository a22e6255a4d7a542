"""`ghstars retrain`: from a person's reason to a version that was decided on, by one command."""

import shutil
from pathlib import Path

import pytest
from dagster import DagsterInstance, build_sensor_context

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.wiring import wire
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.runs import Recorded, dagster_instance
from ghstars_assets.orchestration.triggers.retraining_sensor import build_retraining_sensor
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.settings import SQL_ROOT
from ghstars_assets_tests.support.filled_home import DAYS, fill_loop_stage, settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars, code_of

WHY = "GitHub took back a month of stars"


@pytest.fixture
def home(filled_home_copy: Path) -> Path:
    """Filled up to the drift of its newest day."""
    lake, newest = Lake(settings_of(filled_home_copy)), DayRange(DAYS.last, DAYS.last)
    wired = wire([PROBLEM], SQL_ROOT)
    fill_loop_stage(lake, wired, "champion", newest)
    (outcome,) = fill_loop_stage(lake, wired, "drift", newest)
    assert outcome.is_stored, outcome.reason
    return filled_home_copy


def _events(lake: Lake) -> list[str]:
    audit = lake.read_log(AUDIT.name)
    return [] if audit is None else audit["event"].to_list()


def _asked_by_the_sensor(instance: DagsterInstance, home: Path) -> int:
    sensor = build_retraining_sensor(PROBLEM, lambda: DAYS.last)
    repository = build_defs(settings_of(home)).get_repository_def()
    context = build_sensor_context(
        instance,
        repository_def=repository,
        sensor_name=sensor.name,
        resources={"lake": Lake(settings_of(home))},
    )
    return len(sensor.evaluate_tick(context).run_requests or ())


def test_a_version_is_trained_and_decided_on_and_the_sensor_asks_for_none(
    ghstars: Ghstars, home: Path
) -> None:
    lake, today = Lake(settings_of(home)), utc_today()
    before = _events(lake)
    ran = ghstars(home, "retrain", "stars", "--why", WHY)
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"Trained version 4 as of {today}: ")

    health = lake.read("stars.health", DAYS.last).row(0, named=True)
    assert (health["decision"], health["request"]) == ("force", 1)
    (model,) = lake.read("stars.model", today).iter_rows(named=True)
    assert model["evaluation"].startswith(f"stars:{DAYS.last}:force:")
    assert WHY in model["cause"]
    log = lake.read_log("stars.decisions")
    assert log is not None
    decided = log.filter(model_version=4).row(0, named=True)
    assert decided["reason"] in ran.out
    expected = ["retrain_requested", "health", "retraining_asked", "train", decided["decision"]]
    assert _events(lake)[len(before) :] == expected
    with dagster_instance(settings_of(home)) as instance:
        recorded = Recorded(instance)
        for stage, day in (("health", DAYS.last), ("model", today), ("champion", today)):
            assert day in recorded.materialized_days(f"stars.{stage}")
        assert _asked_by_the_sensor(instance, home) == 0

    # The same data make the same version again.
    again = ghstars(home, "retrain", "stars", "--why", "once more")
    assert again.code == 0, again.err
    assert again.out.startswith(f"Version 4 is what the data of {today} make, and was there: ")
    assert lake.read("stars.model", today).height == 1


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (("bikes", "--why", WHY), "There is no problem 'bikes'; choose one of"),
        (("stars", "--why", " "), "Nobody will know later why stars was retrained"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_a_sentence(
    ghstars: Ghstars, home: Path, asked: tuple[str, ...], reason: str
) -> None:
    ran = ghstars(home, "retrain", *asked)
    assert ran.code == code_of(ran.err)
    assert reason in ran.err
    assert "Traceback" not in ran.err
    assert Lake(settings_of(home)).read_log("stars.retrain_requests") is None


def test_a_reason_is_needed(ghstars: Ghstars, tmp_path: Path) -> None:
    assert ghstars(tmp_path, "retrain", "stars").code == 2


def test_without_a_version_there_is_none_to_train_anew(ghstars: Ghstars, tmp_path: Path) -> None:
    ran = ghstars(tmp_path, "retrain", "stars", "--why", WHY)
    assert ran.code == 1
    assert "No version of stars has served yet" in ran.err


def test_a_request_that_history_cannot_meet_is_not_left_open(ghstars: Ghstars, home: Path) -> None:
    shutil.rmtree(home / "lake" / "stars" / "labels")
    ran = ghstars(home, "retrain", "stars", "--why", WHY)
    assert ran.code == 1
    assert "needs 14 labelled days to learn from" in " ".join(ran.err.split())
    assert Lake(settings_of(home)).read_log("stars.retrain_requests") is None
