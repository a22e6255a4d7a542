"""The invented GitHub at a moment: who is there, under which name, and what has become of others.

The world makes its days in order, so a state goes through them up to its clock once and remembers
names that have moved on, as GitHub's redirects do. `happen` lays experiments over the world: a
rename, a deletion, a legal block, at any moment.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

import numpy as np
import polars as pl

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.github.details import head_sha_of, node_id_of, repo_id_of, with_details
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.world import World, WorldSpec

Fate = Literal["live", "gone", "blocked", "forbidden"]
Row = dict[str, Any]

_ONE_DAY = timedelta(days=1)
_KEPT_FRAMES = 4
_BLOCK_ROWS = 64
_HISTORY_DAYS = 211
"""How far back the stars of each day are kept: a page of the star history and a day."""
_CREATED_IDS_FROM = 3_000_000_000
"""Far above the world's own ids."""
_COUNTS = (
    "stars",
    "forks",
    "watchers",
    "open_issues",
    "closed_issues",
    "open_pull_requests",
    "merged_pull_requests",
    "releases",
    "discussions",
    "size_kb",
)
_RELEASE_TEXTS = ("latest_release", "latest_release_at")
_FATES_BY_VERB: dict[str, Fate] = {
    "delete": "gone",
    "private": "gone",
    "block": "blocked",
    "forbid": "forbidden",
    "restore": "live",
}


class GitHubState:
    def __init__(self, spec: WorldSpec, clock: SandboxClock) -> None:
        self.spec = spec
        self.clock = clock
        self._world = World(spec)
        self._frames: dict[date, pl.DataFrame] = {}
        self._known_through = spec.first_day - _ONE_DAY
        self._last_names: pl.DataFrame | None = None
        self._stars_on: dict[date, tuple[np.ndarray, np.ndarray]] = {}
        self._moved: defaultdict[str, list[tuple[date, int]]] = defaultdict(list)
        self._overlay: dict[int, Row] = {}
        self._created: dict[int, Row] = {}
        self._freed: dict[str, int] = {}
        self._fates: dict[int, Fate] = {}
        self._looked_at: datetime | None = None
        self._seen_at: object = None
        self._seen = pl.DataFrame()
        self._by_id: dict[int, int] = {}
        self._by_name: dict[str, int] = {}
        self._rows: dict[int, Row] = {}
        self._blocks: dict[int, list[Row]] = {}

    # ---- time -------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.clock.now()

    def travel_to(self, day: date) -> datetime:
        if day < self.spec.first_day:
            raise GhstarsError(
                f"The sandbox's world begins on {self.spec.first_day}; it cannot show {day}."
            )
        self.clock.set(capture_moment(self.spec.seed, day))
        return self.now()

    # ---- looking ----------------------------------------------------------------------------

    def repository(self, repo_id: int) -> Row | None:
        """A repository that is there, whether or not one may see it; `fate` says that."""
        self._look()
        if self.fate(repo_id) == "gone":
            return None
        if repo_id in self._created:
            return self._created[repo_id]
        if repo_id not in self._rows:
            self._rows[repo_id] = self._row(repo_id)
        return self._rows[repo_id]

    def by_node_id(self, node_id: str) -> Row | None:
        repo_id = repo_id_of(node_id)
        return self.repository(repo_id) if repo_id is not None else None

    def by_name(self, full_name: str) -> tuple[Row | None, bool]:
        """The repository of this name, or the one that had it; True: by a redirect."""
        self._look()
        name = full_name.lower()
        for repo_id, created in self._created.items():
            if created["full_name"].lower() == name and self.fate(repo_id) != "gone":
                return created, False
        for repo_id, changed in self._overlay.items():
            if changed.get("full_name", "").lower() == name and self.fate(repo_id) != "gone":
                return self.repository(repo_id), False
        repo_id = self._by_name.get(name)
        if repo_id is not None and "full_name" not in self._overlay.get(repo_id, {}):
            return self.repository(repo_id), False
        moved = self._freed.get(name) or self._moved_by_now(name)
        return (self.repository(moved), True) if moved else (None, False)

    def fate(self, repo_id: int) -> Fate:
        self._look()
        if repo_id not in self._by_id and repo_id not in self._created:
            return "gone"  # to the world, whatever was done by hand
        return self._fates.get(repo_id, "live")

    def table(self) -> pl.DataFrame:
        """All repositories that search knows."""
        self._look()
        hidden = [repo_id for repo_id, fate in self._fates.items() if fate != "live"]
        found = self._seen.filter(~pl.col("repo_id").is_in([*hidden, *self._overlay]))
        changed = [
            self.repository(repo_id) for repo_id in self._overlay if self.fate(repo_id) == "live"
        ]
        created = [row for row in self._created.values() if self.fate(row["repo_id"]) == "live"]
        extra = [row for row in (*changed, *created) if row]
        if not extra:
            return found
        rows = pl.DataFrame(
            [{name: row.get(name) for name in found.columns} for row in extra], found.schema
        )
        return pl.concat([found, rows])

    def daily_stars(self, repo_id: int, days: int) -> list[tuple[date, int]]:
        """The stars gained on each of the latest days, newest first. Before the days that are
        remembered they lie evenly over the repository's life."""
        row = self.repository(repo_id)
        if row is None:
            return []
        today, created = self.now().date(), row["created_at"].date()
        stars = self._remembered_stars(repo_id, today)
        # One made by hand has its stars from the beginning.
        eldest = min(stars, default=created)
        at_eldest, lived_days = stars.get(eldest, row["stars"]), (eldest - created).days + 1
        found = []
        for number in range(min(days, (today - created).days + 1)):
            day = today - timedelta(days=number)
            if day > eldest:
                gained = stars.get(day, 0) - stars.get(day - _ONE_DAY, 0)
            else:
                place = (day - created).days
                gained = at_eldest * (place + 1) // lived_days - at_eldest * place // lived_days
            found.append((day, max(0, gained)))
        return found

    # ---- experiments ------------------------------------------------------------------------

    def happen(self, event: Mapping[str, Any]) -> Row:
        """Change the world by hand, and return what has changed."""
        if "create" in event:
            return self._create(str(event["create"]), int(event.get("stars", 0)))
        for verb, fate in _FATES_BY_VERB.items():
            if verb in event:
                repo_id = int(event[verb])
                if repo_id not in self._fates and self.fate(repo_id) == "gone":
                    raise GhstarsError(f"There is no repository {repo_id} to {verb}.")
                self._fates[repo_id] = fate
                return {"repo_id": repo_id, "fate": fate}
        if "rename" in event and "to" in event:
            return self._rename(int(event["rename"]), str(event["to"]))
        raise GhstarsError(
            "A happening is one of create, delete, private, block, forbid, restore (with an id) or "
            "rename with `to`."
        )

    def _create(self, full_name: str, stars: int) -> Row:
        self._demand_free(full_name)
        repo_id = _CREATED_IDS_FROM + len(self._created)
        model = self._row(next(iter(self._by_id)))
        now = self.now().replace(microsecond=0)
        row = {
            **model,
            **dict.fromkeys(_COUNTS, 0),
            "repo_id": repo_id,
            "node_id": node_id_of(repo_id),
            "full_name": full_name,
            "owner": full_name.split("/", maxsplit=1)[0],
            "name": full_name.split("/")[1],
            "stars": stars,
            **dict.fromkeys(("created_at", "pushed_at", "updated_at", "head_committed_at"), now),
            "latest_release": None,
            "latest_release_at": None,
        }
        self._created[repo_id] = row
        return row

    def _rename(self, repo_id: int, to: str) -> Row:
        row = self.repository(repo_id)
        if row is None:
            raise GhstarsError(f"There is no repository {repo_id} to rename.")
        self._demand_free(to, besides=repo_id)
        self._freed[row["full_name"].lower()] = repo_id
        owner, _, name = to.partition("/")
        changed = {"full_name": to, "owner": owner, "name": name}
        if repo_id in self._created:
            self._created[repo_id].update(changed)
        else:
            self._overlay[repo_id] = changed
            self._rows.pop(repo_id, None)
        return {"repo_id": repo_id, **changed}

    def _demand_free(self, full_name: str, besides: int | None = None) -> None:
        """A name that only redirects is free."""
        if full_name.count("/") != 1 or not all(full_name.split("/")):
            raise GhstarsError(f"{full_name!r} names no repository; write it as owner/name.")
        holder, is_redirect = self.by_name(full_name)
        if holder and not is_redirect and holder["repo_id"] != besides:
            raise GhstarsError(
                f"The living repository {holder['repo_id']} has that name, {full_name}; "
                "delete or rename it first."
            )

    # ---- the world's days -------------------------------------------------------------------

    def _look(self) -> None:
        """Take in what there is to see at the clock's moment."""
        if self.now() == self._looked_at:
            return
        self._looked_at = self.now()
        now = max(self._looked_at, capture_moment(self.spec.seed, self.spec.first_day))
        captured = capture_moment(self.spec.seed, now.date())
        # A running clock is looked at to the minute.
        key = now.date() if now >= captured else now.replace(second=0, microsecond=0)
        if key == self._seen_at:
            return
        self._go_through(now.date())
        today = self._frame(now.date())
        if now < captured and now.date() > self.spec.first_day:
            yesterday = self._frame(now.date() - _ONE_DAY)
            before = capture_moment(self.spec.seed, now.date() - _ONE_DAY)
            today = _between(yesterday, today, (before, captured), now)
        self._seen, self._seen_at = today, key
        self._by_id = {repo_id: place for place, repo_id in enumerate(today["repo_id"].to_list())}
        names = today["full_name"].str.to_lowercase().to_list()
        self._by_name = dict(zip(names, self._by_id, strict=True))
        self._rows, self._blocks = {}, {}

    def _frame(self, day: date) -> pl.DataFrame:
        if day not in self._frames:
            while len(self._frames) >= _KEPT_FRAMES:
                del self._frames[next(iter(self._frames))]
            self._frames[day] = with_details(self._world.snapshot(day), self.spec.seed)
        return self._frames[day]

    def _go_through(self, day: date) -> None:
        for passed, frame in self._world.snapshots(self._known_through + _ONE_DAY, day):
            self._known_through = passed
            names = frame.select("repo_id", "full_name")
            if self._last_names is not None:
                moved = self._last_names.join(names, on="repo_id").filter(
                    pl.col("full_name") != pl.col("full_name_right")
                )
                for repo_id, old_name, _ in moved.iter_rows():
                    self._moved[old_name.lower()].append((passed, repo_id))
            self._last_names = names
            self._remember_stars(passed, frame)
            self._stars_on.pop(passed - timedelta(days=_HISTORY_DAYS), None)
            if passed > day - timedelta(days=_KEPT_FRAMES // 2):
                self._frames[passed] = with_details(frame, self.spec.seed)
                while len(self._frames) > _KEPT_FRAMES:
                    del self._frames[next(iter(self._frames))]

    def _moved_by_now(self, name: str) -> int | None:
        moves = self._moved.get(name, [])
        place = bisect_right([day for day, _ in moves], self.now().date())
        return moves[place - 1][1] if place else None

    def _row(self, repo_id: int) -> Row:
        # A batch asks for neighbours, and many rows at once are read at half the cost.
        block, place = divmod(self._by_id[repo_id], _BLOCK_ROWS)
        if block not in self._blocks:
            self._blocks[block] = self._seen.slice(block * _BLOCK_ROWS, _BLOCK_ROWS).to_dicts()
        row = self._blocks[block][place]
        row["name"] = row["full_name"].split("/")[1]
        row["head_sha"] = head_sha_of(repo_id, row["pushed_at"])
        row["head_committed_at"] = row["pushed_at"]
        return row | self._overlay.get(repo_id, {})

    def _remembered_stars(self, repo_id: int, today: date) -> dict[date, int]:
        """Up to today; the same days whatever the clock has shown before."""
        first = max(self.spec.first_day, today - timedelta(days=_HISTORY_DAYS - 1))
        if first not in self._stars_on:
            # Forgotten on the way to later days.
            for day, frame in self._world.snapshots(first, today):
                self._remember_stars(day, frame)
        days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
        found = {day: self._stars_on_day(repo_id, day) for day in days}
        return {day: stars for day, stars in found.items() if stars is not None}

    def _remember_stars(self, day: date, frame: pl.DataFrame) -> None:
        self._stars_on[day] = (frame["repo_id"].to_numpy(), frame["stars"].to_numpy())

    def _stars_on_day(self, repo_id: int, day: date) -> int | None:
        if day not in self._stars_on:
            return None
        ids, stars = self._stars_on[day]
        place = int(ids.searchsorted(repo_id))
        return int(stars[place]) if place < len(ids) and ids[place] == repo_id else None


def _between(
    yesterday: pl.DataFrame,
    today: pl.DataFrame,
    captures: tuple[datetime, datetime],
    now: datetime,
) -> pl.DataFrame:
    """The repositories at a moment between two captures: their counts on the way, the day's pushes
    and releases once they have happened."""
    was = today.select("repo_id").join(
        yesterday.select("repo_id", *_COUNTS, "pushed_at", *_RELEASE_TEXTS),
        on="repo_id",
        how="left",
        maintain_order="left",
    )
    before, captured = captures
    begun_at = today["created_at"].clip(lower_bound=before)
    passed_us, whole_us = ((at - begun_at).dt.total_microseconds() for at in (now, captured))
    share = passed_us.clip(lower_bound=0) / whole_us
    on_the_way = [
        (
            was[name].fill_null(0) + ((today[name] - was[name].fill_null(0)) * share).cast(pl.Int64)
        ).alias(name)
        for name in _COUNTS
    ]
    # One that was created today has no yesterday: no release, and no push but its creation.
    was = was.with_columns(
        pl.col("releases").fill_null(0), pl.col("pushed_at").fill_null(today["created_at"])
    )
    is_pushed = today["pushed_at"] <= now
    is_released = (today["latest_release_at"] <= now).fill_null(value=False)
    happened = [today["pushed_at"].zip_with(is_pushed, was["pushed_at"])] + [
        today[name].zip_with(is_released, was[name]) for name in ("releases", *_RELEASE_TEXTS)
    ]
    there = today.with_columns(on_the_way).with_columns(happened)
    there = there.filter(pl.col("created_at") <= now)
    leaving = yesterday.join(today.select("repo_id"), on="repo_id", how="anti")
    found = pl.concat([there, leaving.select(there.columns)]).sort("repo_id")
    return found.with_columns(updated_at=pl.min_horizontal("updated_at", pl.lit(now)))
