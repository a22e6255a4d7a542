"""Enters versions in MLflow again that it has lost: the lake knows them all.

A version is named by its number everywhere, and MLflow gives the numbers. Were its database lost
and nothing entered again, the next candidate would be version 1 once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem


@dataclass(frozen=True)
class KnownVersion:
    number: int
    fingerprint: str
    card: str
    run_id: str


class Tracked(Protocol):
    """What is asked of MLflow here."""

    def newest_version(self) -> int: ...

    def enter_again(self, number: int, version: KnownVersion | None, /) -> None: ...


def known_versions(lake: Lake, problem: Problem) -> dict[int, KnownVersion]:
    """Those that the lake holds, by their number."""
    table = problem.table("model")
    if not lake.days(table):
        return {}
    columns = ("model_version", "fingerprint", "card", "mlflow_run_id")
    rows = lake.scan(table).select(columns).sort("model_version").collect()
    return {row[0]: KnownVersion(*row) for row in rows.iter_rows()}


def restore_versions(tracking: Tracked, known: Mapping[int, KnownVersion]) -> Sequence[int]:
    """Enter what is newer than MLflow's newest version. MLflow counts on by itself, so a number
    that the lake does not know either is taken up all the same."""
    lost = range(tracking.newest_version() + 1, max(known, default=0) + 1)
    for number in lost:
        tracking.enter_again(number, known.get(number))
    return lost


def logged_models(artifacts: Path) -> dict[str, Path]:
    """The models that lie in the artifacts of a home, by the run that logged them."""
    found: dict[str, Path] = {}
    for described in artifacts.glob("models/*/artifacts/MLmodel"):
        for line in described.read_text("utf-8").splitlines():
            if line.startswith("run_id: "):
                found[line.removeprefix("run_id: ").strip()] = described.parent
    return found
