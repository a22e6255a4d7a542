"""Asks GitHub which repositories the archive's names mean now: 100 names for a point.

A null in an answer is taken for "nobody has this name", for an id is only a help here: without one
a repository keeps the number made of its first name.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date

from ghstars_assets.interrupts import interrupts_as_asyncio_likes
from ghstars_assets.lake.marker import Marker
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.answer_fields import (
    ImpossibleAnswerError,
    full_name_in,
    identity_in,
    moment_in,
)
from ghstars_assets.sources.github.api.answers import BadQueryError, TooHeavyError
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.endpoint import open_endpoint
from ghstars_assets.sources.github_ranking.names import NameAnswer

NAMES_AT_ONCE = 100
"""Without connections a hundred cost one point and little of GitHub's time."""

Keep = Callable[[Sequence[NameAnswer]], None]
Progress = Callable[[int, int], None]


def ask_names(
    settings: Settings,
    marker: Marker,
    names: Sequence[str],
    newest: date,
    *,
    keep: Keep,
    progress: Progress,
) -> None:
    """Ask about each name and hand over the answers batch by batch, so that none is lost. A
    sandbox of our own is asked as of the newest day, GitHub as it is now."""
    with open_endpoint(settings, marker) as endpoint, interrupts_as_asyncio_likes():
        asyncio.run(_ask(GitHub(endpoint), names, newest, keep, progress))


async def _ask(
    github: GitHub, names: Sequence[str], newest: date, keep: Keep, progress: Progress
) -> None:
    waiting = [
        list(names[start : start + NAMES_AT_ONCE]) for start in range(0, len(names), NAMES_AT_ONCE)
    ][::-1]
    done = 0
    async with github:
        if github.endpoint.can_travel:
            await github.travel_to(newest)
        while waiting:
            batch = waiting.pop()
            try:
                answers = await _answers(github, batch)
            except (TooHeavyError, BadQueryError):
                middle = len(batch) // 2
                if middle:
                    waiting += [batch[middle:], batch[:middle]]
                    continue
                answers = []
            keep(answers)
            done += len(batch)
            progress(done, len(names))


async def _answers(github: GitHub, names: Sequence[str]) -> list[NameAnswer]:
    declared, asked, variables = [], [], {}
    for place, full_name in enumerate(names):
        owner, _, name = full_name.partition("/")
        declared.append(f"$o{place}: String!, $n{place}: String!")
        asked.append(
            f"r{place}: repository(owner: $o{place}, name: $n{place}) "
            "{ databaseId nameWithOwner createdAt }"
        )
        variables |= {f"o{place}": owner, f"n{place}": name}
    query = f"query ({', '.join(declared)}) {{ {' '.join(asked)} }}"
    reply = await github.graphql(query, variables, points=1)
    found = []
    for place, full_name in enumerate(names):
        try:
            found.append(_answer(full_name, reply.data.get(f"r{place}")))
        except ImpossibleAnswerError:
            continue  # nothing is known of it: the next import asks again
    return found


def _answer(full_name: str, node: object) -> NameAnswer:
    if node is None:
        return NameAnswer(full_name, None, None, None)
    return NameAnswer(
        full_name,
        identity_in(node, "databaseId"),
        moment_in(node, "createdAt"),
        full_name_in(node, "nameWithOwner"),
    )
