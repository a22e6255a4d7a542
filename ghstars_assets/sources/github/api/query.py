"""The one query of the daily snapshot, by node id or by name, and what its answer says.

A name never becomes part of the query's text: names are variables, however odd they are.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ghstars_assets.sources.github.api.answer_fields import (
    as_list,
    as_mapping,
    count_in,
    flag_in,
    full_name_in,
    identity_in,
    moment_in,
    optional_count_in,
    optional_moment_in,
    optional_text_in,
    possible_moment_in,
    text_in,
)

T = TypeVar("T")

CONNECTIONS = 8
"""In FIELDS: each is one request for each repository in GitHub's formula of points."""

FIELDS = """
fragment counts on Repository {
  id databaseId nameWithOwner owner { login }
  stargazerCount forkCount
  watchers { totalCount }
  openIssues: issues(states: [OPEN]) { totalCount }
  closedIssues: issues(states: [CLOSED]) { totalCount }
  openPullRequests: pullRequests(states: [OPEN]) { totalCount }
  mergedPullRequests: pullRequests(states: [MERGED]) { totalCount }
  releases { totalCount }
  latestRelease { tagName publishedAt }
  discussions { totalCount }
  diskUsage
  primaryLanguage { name }
  licenseInfo { spdxId }
  repositoryTopics(first: 20) { nodes { topic { name } } }
  isArchived isFork createdAt pushedAt updatedAt
  defaultBranchRef { target { oid ... on Commit { committedDate } } }
}
"""

BY_IDS = "query ($ids: [ID!]!) { nodes(ids: $ids) { ...counts } }" + FIELDS


def by_names(names: Sequence[str]) -> tuple[str, dict[str, object]]:
    """A query for repositories by owner/name, the answer to each under `r0`, `r1` and so on."""
    declared, asked, variables = [], [], {}
    for place, full_name in enumerate(names):
        owner, _, name = full_name.partition("/")
        declared.append(f"$o{place}: String!, $n{place}: String!")
        asked.append(f"r{place}: repository(owner: $o{place}, name: $n{place}) {{ ...counts }}")
        variables |= {f"o{place}": owner, f"n{place}": name}
    return f"query ({', '.join(declared)}) {{ {' '.join(asked)} }}" + FIELDS, variables


def points_of(repositories: int) -> int:
    """What GitHub's formula makes of it: requests for unique connections, by the hundred."""
    return max(1, round(repositories * CONNECTIONS / 100))


def row_of(node: Mapping[str, Any]) -> dict[str, Any]:
    """One repository's answer as a row of the table, without what the caller knows; what cannot be
    so is refused."""
    return {
        "repo_id": identity_in(node, "databaseId"),
        "node_id": text_in(node, "id"),
        "full_name": full_name_in(node, "nameWithOwner"),
        "stars": count_in(node, "stargazerCount"),
        "forks": count_in(node, "forkCount"),
        "watchers": count_in(node, "watchers", "totalCount"),
        "open_issues": count_in(node, "openIssues", "totalCount"),
        "closed_issues": count_in(node, "closedIssues", "totalCount"),
        "open_pull_requests": count_in(node, "openPullRequests", "totalCount"),
        "merged_pull_requests": count_in(node, "mergedPullRequests", "totalCount"),
        "releases": count_in(node, "releases", "totalCount"),
        "latest_release": optional_text_in(node, "latestRelease", "tagName"),
        "latest_release_at": optional_moment_in(node, "latestRelease", "publishedAt"),
        "discussions": count_in(node, "discussions", "totalCount"),
        "size_kb": optional_count_in(node, "diskUsage"),
        "language": optional_text_in(node, "primaryLanguage", "name"),
        "licence": optional_text_in(node, "licenseInfo", "spdxId"),
        "topics": _topics_of(node),
        "owner": text_in(node, "owner", "login"),
        "is_archived": flag_in(node, "isArchived"),
        "is_fork": flag_in(node, "isFork"),
        "created_at": moment_in(node, "createdAt"),
        "pushed_at": optional_moment_in(node, "pushedAt"),
        "updated_at": moment_in(node, "updatedAt"),
        "head_sha": _head_of(node, optional_text_in, "oid"),
        "head_committed_at": _head_of(node, possible_moment_in, "committedDate"),
    }


def _topics_of(node: Mapping[str, Any]) -> list[str]:
    topics = as_mapping(node.get("repositoryTopics"), "repositoryTopics")
    found = as_list(topics.get("nodes") or [], "repositoryTopics.nodes")
    return sorted(text_in(one, "topic", "name") for one in found if one)


def _head_of(node: Mapping[str, Any], take: Callable[..., T], name: str) -> T | None:
    """Of the default branch's newest commit; a tag in its place has no date."""
    branch = as_mapping(node.get("defaultBranchRef") or {}, "defaultBranchRef")
    head = as_mapping(branch.get("target") or {}, "defaultBranchRef.target")
    return take(head, name) if name in head else None
