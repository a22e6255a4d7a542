"""The one query of the daily snapshot, by node id or by name, and what its answer says.

A name never becomes part of the query's text: names are variables, however odd they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ghstars_assets.sources.github.api.answers import moment

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
    """One repository's answer as a row of the table, without what the caller knows."""
    release, branch = node["latestRelease"] or {}, node["defaultBranchRef"] or {}
    head = branch.get("target") or {}
    topics = [found["topic"]["name"] for found in node["repositoryTopics"]["nodes"] or [] if found]
    return {
        "repo_id": node["databaseId"],
        "node_id": node["id"],
        "full_name": node["nameWithOwner"],
        "stars": node["stargazerCount"],
        "forks": node["forkCount"],
        "watchers": node["watchers"]["totalCount"],
        "open_issues": node["openIssues"]["totalCount"],
        "closed_issues": node["closedIssues"]["totalCount"],
        "open_pull_requests": node["openPullRequests"]["totalCount"],
        "merged_pull_requests": node["mergedPullRequests"]["totalCount"],
        "releases": node["releases"]["totalCount"],
        "latest_release": release.get("tagName"),
        "latest_release_at": moment(release.get("publishedAt")),
        "discussions": node["discussions"]["totalCount"],
        "size_kb": node["diskUsage"],
        "language": (node["primaryLanguage"] or {}).get("name"),
        "licence": (node["licenseInfo"] or {}).get("spdxId"),
        "topics": sorted(topics),
        "owner": node["owner"]["login"],
        "is_archived": node["isArchived"],
        "is_fork": node["isFork"],
        "created_at": moment(node["createdAt"]),
        "pushed_at": moment(node["pushedAt"]),
        "updated_at": moment(node["updatedAt"]),
        "head_sha": head.get("oid"),
        "head_committed_at": moment(head.get("committedDate")),
    }
