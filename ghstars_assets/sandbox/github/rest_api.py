"""GitHub's REST over the invented state: search, repositories, issues and the star history.

Each function answers with a status, a body and headers; who may ask, how often and how slowly is
decided in `app`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

import polars as pl

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.github.state import GitHubState, Row

MOST_SEARCH_RESULTS = 1000
MOST_WEEKS_A_PAGE, MOST_PAGES = 30, 100
DEEPEST_ISSUE_PAGE = 100
_MOST_ISSUES = 400
_WEEK_BEGINS_HOUR = 7
"""GitHub's weeks are not aligned with UTC's days."""
_DOCUMENTATION = {"documentation_url": "https://docs.github.com/rest"}


@dataclass(frozen=True)
class RestAnswer:
    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def repository(state: GitHubState, row: Row | None, root: str, is_redirect: bool) -> RestAnswer:
    if row is None:
        return _not_found()
    fate = state.fate(row["repo_id"])
    if fate == "blocked":
        block = {"reason": "dmca", "created_at": _moment(state.now()), "html_url": ""}
        return RestAnswer(451, {"message": "Repository access blocked", "block": block})
    if fate == "forbidden":
        words = "Resource protected by organization SAML enforcement."
        return RestAnswer(403, {"message": words, **_DOCUMENTATION})
    if is_redirect:
        return _moved(f"{root}/repositories/{row['repo_id']}")
    return RestAnswer(200, _item(row))


def search(
    state: GitHubState, params: Mapping[str, str], root: str, *, is_incomplete: bool, shuffled: int
) -> RestAnswer:
    per_page, page = _number(params, "per_page", 30, 100), _number(params, "page", 1, 10**6)
    if per_page * page > MOST_SEARCH_RESULTS and per_page * (page - 1) >= MOST_SEARCH_RESULTS:
        words = "Only the first 1000 search results are available"
        return RestAnswer(422, {"message": words, **_DOCUMENTATION})
    try:
        found = state.table().filter(_condition(params.get("q", "")))
    except ValueError as fault:
        words = f"Validation Failed: {fault}"
        return RestAnswer(422, {"message": words, **_DOCUMENTATION})
    if params.get("sort") == "stars":
        found = found.sort("stars", "repo_id", descending=params.get("order", "desc") == "desc")
    else:
        found = found.sort(pl.col("repo_id").hash(seed=0))
    if shuffled:
        found = found.sample(fraction=1.0, shuffle=True, seed=shuffled)
    reachable = found.head(MOST_SEARCH_RESULTS)
    if is_incomplete:
        reachable = reachable.head(reachable.height // 2)
    shown = reachable.slice(per_page * (page - 1), per_page)
    body = {
        "total_count": found.height,
        "incomplete_results": is_incomplete,
        "items": [_item(row) for row in shown.iter_rows(named=True)],
    }
    has_next = per_page * page < reachable.height
    url = f"{root}/search/repositories"
    return RestAnswer(200, body, _link(url, {**params, "page": str(page + 1)}, has_next))


def star_history(state: GitHubState, row: Row, params: Mapping[str, str], url: str) -> RestAnswer:
    per_page = _number(params, "per_page", MOST_WEEKS_A_PAGE, MOST_WEEKS_A_PAGE)
    page = _number(params, "page", 1, MOST_PAGES)
    today = state.now().date()
    # Days from Sunday.
    into_week = (today.weekday() + 1) % 7
    newest = today - timedelta(days=into_week)
    gained = dict(state.daily_stars(row["repo_id"], into_week + 1 + 7 * (per_page * page)))
    weeks = []
    for number in range(per_page * (page - 1), per_page * page):
        sunday = newest - timedelta(weeks=number)
        days = [gained.get(sunday + timedelta(days=place), 0) for place in range(7)]
        if sunday + timedelta(days=6) < row["created_at"].date():
            break
        begins = datetime.combine(sunday, time(_WEEK_BEGINS_HOUR), UTC)
        weeks.append({"week": int(begins.timestamp()), "total": sum(days), "days": days})
    has_next = len(weeks) == per_page and page < MOST_PAGES
    return RestAnswer(200, weeks, _link(url, {**params, "page": str(page + 1)}, has_next))


def issues(state: GitHubState, row: Row, params: Mapping[str, str], url: str) -> RestAnswer:
    """The latest issues and pull requests, as many as the counts say, up to a few hundred."""
    per_page, page = _number(params, "per_page", 30, 100), _number(params, "page", 1, 10**6)
    if page > DEEPEST_ISSUE_PAGE:
        words = "Pagination with the page parameter is not supported for large datasets"
        return RestAnswer(422, {"message": words, **_DOCUMENTATION})
    wanted = params.get("state", "open")
    since = params.get("since")
    found = [
        issue
        for issue in _issues_of(row, state.now())
        if wanted in ("all", issue["state"]) and (since is None or issue["updated_at"] >= since)
    ]
    by = "updated_at" if params.get("sort") == "updated" else "created_at"
    found.sort(key=lambda issue: issue[by], reverse=params.get("direction", "desc") == "desc")
    shown = found[per_page * (page - 1) : per_page * page]
    has_next = per_page * page < len(found)
    return RestAnswer(200, shown, _link(url, {**params, "page": str(page + 1)}, has_next))


def with_etag(answered: RestAnswer, known: str | None) -> RestAnswer:
    """Mark the answer with a digest of its body, or answer 304 where that is known already."""
    if answered.status != 200:
        return answered
    content = json.dumps(answered.body, sort_keys=True, default=str).encode()
    mark = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**answered.headers, "etag": mark}
    return (
        RestAnswer(304, None, headers) if known == mark else RestAnswer(200, answered.body, headers)
    )


def _not_found() -> RestAnswer:
    return RestAnswer(404, {"message": "Not Found", **_DOCUMENTATION})


def _moved(url: str) -> RestAnswer:
    return RestAnswer(
        301, {"message": "Moved Permanently", "url": url, **_DOCUMENTATION}, {"location": url}
    )


def _item(row: Row) -> Row:
    return {
        "id": row["repo_id"],
        "node_id": row["node_id"],
        "name": row["full_name"].split("/")[1],
        "full_name": row["full_name"],
        "owner": {"login": row["owner"]},
        "private": False,
        "fork": row["is_fork"],
        "created_at": _moment(row["created_at"]),
        "updated_at": _moment(row["updated_at"]),
        "pushed_at": _moment(row["pushed_at"]),
        "size": row["size_kb"],
        "stargazers_count": row["stars"],
        "watchers_count": row["stars"],
        "subscribers_count": row["watchers"],
        "forks_count": row["forks"],
        "open_issues_count": row["open_issues"] + row["open_pull_requests"],
        "language": row["language"],
        "license": row["licence"] and {"spdx_id": row["licence"]},
        "topics": list(row["topics"]),
        "archived": row["is_archived"],
        "default_branch": "main",
    }


def _issues_of(row: Row, now: datetime) -> list[Row]:
    total = row["open_issues"] + row["closed_issues"] + row["open_pull_requests"]
    open_left = row["open_issues"] + row["open_pull_requests"]
    apart = (now - row["created_at"]) / max(1, total)
    found = []
    for place in range(min(total, _MOST_ISSUES)):
        created = now - apart * (place + 1)
        is_open = place < open_left
        closed = None if is_open else created + apart * min(place, 5)
        issue = {
            "id": row["repo_id"] * 1000 + place,
            "number": total - place,
            "title": f"Number {total - place}",
            "state": "open" if is_open else "closed",
            "user": {"login": "sandbox"},
            "comments": place % 7,
            "labels": [{"name": "bug"}] if place % 3 == 0 else [],
            "created_at": _moment(created),
            "updated_at": _moment(closed or created),
            "closed_at": _moment(closed) if closed else None,
        }
        if place % 4 == 3:
            issue["pull_request"] = {"url": ""}
        found.append(issue)
    return found


# ---- search's language --------------------------------------------------------------------------


def _condition(query: str) -> pl.Expr:
    """`stars:>=100 topic:cli created:2020-01-01..2020-12-31`; forks only where asked for."""
    found, shows_forks = pl.lit(True), False
    for term in query.split():
        name, _, value = term.partition(":")
        if not value:
            found &= pl.col("full_name").str.contains(name, literal=True)
        elif name == "stars":
            found &= _between(pl.col("stars"), value, int)
        elif name in ("created", "pushed"):
            found &= _between(pl.col(f"{name}_at"), value, _search_moment)
        elif name == "topic":
            found &= pl.col("topics").list.contains(value)
        elif name in ("user", "org"):
            found &= pl.col("owner").str.to_lowercase() == value.lower()
        elif name == "language":
            found &= pl.col("language").str.to_lowercase() == value.strip('"').lower()
        elif name == "fork":
            shows_forks = value in ("true", "only")
        elif name == "archived":
            found &= pl.col("is_archived") == (value == "true")
        else:
            raise ValueError(f"unknown qualifier {name}")
    return found if shows_forks else found & ~pl.col("is_fork")


def _between(column: pl.Expr, text: str, parse: Any) -> pl.Expr:
    if ".." in text:
        first, _, last = text.partition("..")
        found = pl.lit(True)
        if first not in ("", "*"):
            found &= column >= parse(first)
        if last not in ("", "*"):
            found &= column <= _last_of(parse(last), last)
        return found
    for sign, compare in ((">=", "ge"), ("<=", "le"), (">", "gt"), ("<", "lt")):
        if text.startswith(sign):
            return getattr(column, compare)(parse(text.removeprefix(sign)))
    return column == parse(text)


def _search_moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _last_of(value: Any, text: str) -> Any:
    """A day stands for all of it."""
    if isinstance(value, datetime) and "T" not in text:
        return value + timedelta(days=1) - timedelta(seconds=1)
    return value


def _number(params: Mapping[str, str], name: str, default: int, most: int) -> int:
    try:
        return max(1, min(most, int(params.get(name, default))))
    except ValueError:
        raise GhstarsError(f"{name} is no number.") from None


def _link(url: str, params: Mapping[str, str], has_next: bool) -> dict[str, str]:
    if not has_next:
        return {}
    asked = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in params.items())
    return {"link": f'<{url}?{asked}>; rel="next"'}


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")
