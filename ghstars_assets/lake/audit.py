"""Keeps the audit log: a row for every event somebody may ask about later, never rewritten."""

import getpass

import polars as pl

from ghstars_assets.calendar import utc_now
from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.lake.tables import Lake

AUDIT = Table(
    name="platform.audit",
    description="Trainings, decisions, promotions, rollbacks, requests to retrain, gaps declared, "
    "releases from quarantine: who, when, why.",
    columns=(
        Column("at", "timestamptz", "when it happened"),
        Column("problem", "varchar", "the problem it concerns"),
        Column("event", "varchar", "what happened, in one word"),
        Column("cause", "varchar", "why it happened"),
        Column("subject", "varchar", "what it happened to: a version, a day, a range"),
        Column("actor", "varchar", "the user or the run that did it"),
        Column("detail", "varchar", "more, where there is more to say"),
    ),
)


def record_event(
    lake: Lake,
    *,
    problem: str,
    event: str,
    cause: str,
    subject: str,
    actor: str | None = None,
    detail: str = "",
) -> None:
    row = {
        "at": utc_now(),
        "problem": problem,
        "event": event,
        "cause": cause,
        "subject": subject,
        "actor": actor or this_user(),
        "detail": detail,
    }
    lake.append(AUDIT.name, AUDIT.conform(pl.DataFrame([row])))


def this_user() -> str:
    """Who runs this process, as the log names people."""
    return f"user {getpass.getuser()}"
