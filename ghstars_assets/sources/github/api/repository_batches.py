"""Asks GitHub about many repositories, once each: batches, splits what fails, confirms what is
missing, and hands every answer on the moment it is there.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ghstars_assets.sources.github.api.answer_fields import (
    ImpossibleAnswerError,
    identity_in,
    text_in,
)
from ghstars_assets.sources.github.api.answers import (
    BadQueryError,
    ForbiddenError,
    GraphError,
    TooHeavyError,
    message_of,
)
from ghstars_assets.sources.github.api.batching import BatchSize
from ghstars_assets.sources.github.api.client import GitHub, GraphReply, RestReply
from ghstars_assets.sources.github.api.query import BY_IDS, by_names, points_of, row_of
from ghstars_assets.sources.github.tables import BLOCKED, FORBIDDEN, LIVE, NOT_FOUND, UNREADABLE

MOST_TRIES_ALONE = 3
_SIDE_BY_SIDE = 2
"""Answers worked on at once. How many requests are under way the governor decides."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One repository to ask about: by node id where it is known, by name where it is not."""

    full_name: str
    because: str
    repo_id: int | None = None
    node_id: str | None = None

    @property
    def asked_as(self) -> str:
        return self.node_id or self.full_name


@dataclass
class CaptureReport:
    answered: int = 0
    missing: int = 0
    batches: int = 0
    failed_batches: int = 0
    points: int = 0
    response_seconds: float = 0.0
    refused: list[str] = field(default_factory=list)
    """What was answered and cannot be so, each with the repository's name."""


Keep = Callable[[Sequence[Row]], None]
Progress = Callable[[int, int], None]


async def capture(
    github: GitHub, asked: Iterable[Asked], *, keep: Keep, progress: Progress
) -> CaptureReport:
    """Ask about each and `keep` every answer. What raises ends the capture; all that was answered
    before it has been kept."""
    capturing = _Capture(github, list(asked), keep, progress)
    await capturing.run()
    return capturing.report


class _Capture:
    def __init__(self, github: GitHub, asked: list[Asked], keep: Keep, progress: Progress) -> None:
        self.github = github
        self.keep = keep
        self.progress = progress
        self.report = CaptureReport()
        self.size = BatchSize()
        self.total = len(asked)
        self.done = 0
        # Those known by id first: only then is it known which names are new.
        self.by_id = deque(one for one in asked if one.node_id)
        self.by_name = deque(one for one in asked if not one.node_id)
        self.again: deque[list[Asked]] = deque()
        self.tries: dict[str, int] = {}
        self.under_way = 0
        self.changed = asyncio.Event()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_SIDE_BY_SIDE):
                    group.create_task(self._work())
        except* Exception as failures:  # noqa: BLE001 - the first reason is raised again
            raise failures.exceptions[0] from None

    async def _work(self) -> None:
        while True:
            batch = self._next()
            if batch:
                self.under_way += 1
                try:
                    await self._ask(batch)
                finally:
                    self.under_way -= 1
                    self.changed.set()
            elif self.under_way:
                # What others are working on may come back in halves.
                self.changed.clear()
                await self.changed.wait()
            else:
                return

    def _next(self) -> list[Asked]:
        if self.again:
            return self.again.popleft()
        source = self.by_id or self.by_name
        return [source.popleft() for _ in range(min(self.size.now, len(source)))]

    async def _ask(self, batch: list[Asked]) -> None:
        points = points_of(len(batch))
        self.report.batches += 1
        self.report.points += points
        started = asyncio.get_running_loop().time()
        try:
            reply, nodes = await self._answer(batch, points)
        except (TooHeavyError, BadQueryError) as trouble:
            self.report.failed_batches += 1
            self.report.response_seconds += asyncio.get_running_loop().time() - started
            await self._split(batch, str(trouble))
            return
        self.size.worked(len(batch))
        self.report.response_seconds += reply.seconds
        rows = [
            self._answered_row(one, node, reply) if node else None
            for one, node in zip(batch, nodes, strict=True)
        ]
        self._kept([row for row in rows if row])
        errors = {_place(error): error for error in reply.errors}
        for place, (one, row) in enumerate(zip(batch, rows, strict=True)):
            if row is None:
                await self._look_for(one, errors.get(place), reply.observed_at)
            elif row["status"] != LIVE:
                continue
            elif one.full_name and row["full_name"].lower() != one.full_name.lower():
                await self._look_after_name(one, row["repo_id"], reply.observed_at)

    async def _answer(
        self, batch: list[Asked], points: int
    ) -> tuple[GraphReply, list[Mapping[str, Any] | None]]:
        if batch[0].node_id:
            variables: dict[str, object] = {"ids": [one.node_id for one in batch]}
            reply = await self.github.graphql(BY_IDS, variables, points=points)
            nodes = reply.data.get("nodes")
            if not isinstance(nodes, list) or len(nodes) != len(batch):
                raise TooHeavyError("GitHub left the whole batch out of its answer.")
            # A node that is no repository has none of our fields.
            return reply, [
                node if isinstance(node, Mapping) and "databaseId" in node else None
                for node in nodes
            ]
        query, variables = by_names([one.full_name for one in batch])
        reply = await self.github.graphql(query, variables, points=points)
        found = (reply.data.get(f"r{place}") for place in range(len(batch)))
        return reply, [node if isinstance(node, Mapping) else None for node in found]

    async def _split(self, batch: list[Asked], trouble: str) -> None:
        """Ask for halves; alone, a few times more; then say what REST knows of it."""
        self.size.failed(len(batch))
        if len(batch) > 1:
            middle = len(batch) // 2
            self.again.extend((batch[:middle], batch[middle:]))
            return
        (one,) = batch
        tries = self.tries[one.asked_as] = self.tries.get(one.asked_as, 0) + 1
        if tries < MOST_TRIES_ALONE:
            self.again.append(batch)
            return
        found = await self._by_rest(one)
        if isinstance(found, dict):
            self._kept([found])
        else:
            self._kept([self._absent(one, UNREADABLE, trouble, self.github.now())])

    async def _look_for(self, one: Asked, error: GraphError | None, observed: datetime) -> None:
        """A null alone proves nothing: REST distinguishes a deletion, a legal block and a hole."""
        if error and error.type == "FORBIDDEN":
            self._kept([self._absent(one, FORBIDDEN, error.message, observed)])
            return
        found = await self._by_rest(one)
        if isinstance(found, dict):
            self._kept([found])
        else:
            self._ask_again(one, found.body)

    async def _by_rest(self, one: Asked) -> Row | RestReply:
        """The row of what is not there, or REST's answer where it is."""
        path = f"/repositories/{one.repo_id}" if one.repo_id else f"/repos/{one.full_name}"
        try:
            found = await self.github.get(path)
        except ForbiddenError as forbidden:
            return self._absent(one, FORBIDDEN, str(forbidden), self.github.now())
        words = message_of(found.body)
        if found.status == 451:
            return self._absent(one, BLOCKED, words, found.observed_at)
        if found.status == 200:
            return found
        row = self._absent(one, NOT_FOUND, words, found.observed_at)
        if one.repo_id:
            row["old_name_is_now"] = await self._owner_of_name(one.full_name, one.repo_id)
        return row

    def _ask_again(self, one: Asked, found: object) -> None:
        tries = self.tries[one.asked_as] = self.tries.get(one.asked_as, 0) + 1
        if tries >= MOST_TRIES_ALONE:
            words = "GraphQL leaves it out, though REST knows it"
            self._kept([self._absent(one, UNREADABLE, words, self.github.now())])
            return
        try:
            again = Asked(
                one.full_name, one.because, identity_in(found, "id"), text_in(found, "node_id")
            )
        except ImpossibleAnswerError as error:
            self._kept([self._refused(one, error, self.github.now())])
            return
        self.tries[again.asked_as] = tries
        self.again.append([again])

    async def _look_after_name(self, one: Asked, repo_id: int, observed: datetime) -> None:
        """What the name that it had means now: itself by a redirect, nothing, or another one."""
        now = await self._owner_of_name(one.full_name, repo_id)
        if now is not None:
            row = self._absent(one, LIVE, "", observed)
            row |= {"repo_id": repo_id, "old_name_is_now": now}
            self.keep([row])

    async def _owner_of_name(self, full_name: str, repo_id: int) -> int | None:
        try:
            found = await self.github.get(f"/repos/{full_name}")
        except ForbiddenError:
            return None
        if found.status != 200:
            return None
        try:
            taken_by = identity_in(found.body, "id")
        except ImpossibleAnswerError as error:
            self.report.refused.append(f"{full_name}: {error}")
            return None
        return taken_by if taken_by != repo_id else None

    def _answered_row(self, one: Asked, node: Mapping[str, Any], reply: GraphReply) -> Row:
        """The repository as it is, or a row that says why its answer cannot be so."""
        try:
            counts = row_of(node)
        except ImpossibleAnswerError as error:
            return self._refused(one, error, reply.observed_at)
        return {
            **counts,
            "status": LIVE,
            "asked_as": one.asked_as,
            "tracked_because": one.because,
            "observed_at": reply.observed_at,
            "ingested_at": self._now(),
        }

    def _refused(self, one: Asked, error: ImpossibleAnswerError, observed: datetime) -> Row:
        self.report.refused.append(f"{one.full_name or one.asked_as}: {error}")
        return self._absent(one, UNREADABLE, f"GitHub's answer cannot be so: {error}", observed)

    def _absent(self, one: Asked, status: str, trouble: str, observed: datetime) -> Row:
        return {
            "repo_id": one.repo_id,
            "node_id": one.node_id,
            "full_name": one.full_name,
            "status": status,
            "trouble": trouble or None,
            "asked_as": one.asked_as,
            "tracked_because": one.because,
            "observed_at": observed.replace(microsecond=0),
            "ingested_at": self._now(),
        }

    def _kept(self, rows: list[Row]) -> None:
        if not rows:
            return
        self.keep(rows)
        self.done += len(rows)
        self.report.answered += sum(row["status"] == LIVE for row in rows)
        self.report.missing += sum(row["status"] != LIVE for row in rows)
        self.progress(self.done, self.total)

    def _now(self) -> datetime:
        return self.github.now().replace(microsecond=0)


def _place(error: GraphError) -> int:
    """Which of the batch an error is about: `nodes, 3` or `r3`; -1 for none."""
    for step in error.path[:2]:
        if isinstance(step, int):
            return step
        if step.startswith("r") and step[1:].isdecimal():
            return int(step[1:])
    return -1
