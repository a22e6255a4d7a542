/*
description: >
  Every repository's counts as of one UTC day, from the most trusted source that knows that day,
  with bad rows and bad days held back in stars.snapshots_quarantine.
key: [repo_id]
reads:
  stars.github: 0
columns:
  day:                  {type: date, is: "the UTC day on which the counts were taken", not_null: true}
  repo_id:              {type: bigint, is: "GitHub's databaseId: the identity, whatever the name", not_null: true, min: 1}
  full_name:            {type: varchar, is: "owner/name on that day", not_null: true, role: name}
  source:               {type: varchar, is: "the source this row was taken from", not_null: true, one_of: [github]}
  stars:                {type: bigint, is: "stargazers", not_null: true, min: 0}
  forks:                {type: bigint, is: "forks", min: 0}
  watchers:             {type: bigint, is: "people who are notified of everything", min: 0}
  open_issues:          {type: bigint, is: "open issues, without pull requests", min: 0}
  closed_issues:        {type: bigint, is: "closed issues, without pull requests", min: 0}
  open_pull_requests:   {type: bigint, is: "open pull requests", min: 0}
  merged_pull_requests: {type: bigint, is: "merged pull requests", min: 0}
  releases:             {type: bigint, is: "releases", min: 0}
  latest_release_at:    {type: timestamptz, is: "when the latest release was published"}
  discussions:          {type: bigint, is: "discussions", min: 0}
  size_kb:              {type: bigint, is: "disk usage in kilobytes", min: 0}
  language:             {type: varchar, is: "the main language; null where GitHub names none"}
  licence:              {type: varchar, is: "SPDX id of the licence; null where there is none"}
  topics:               {type: "varchar[]", is: "topics, in order of the alphabet"}
  owner:                {type: varchar, is: "the user or organisation", not_null: true}
  is_archived:          {type: boolean, is: "read-only since its owner archived it"}
  is_fork:              {type: boolean, is: "a fork of another repository"}
  created_at:           {type: timestamptz, is: "when the repository was created"}
  pushed_at:            {type: timestamptz, is: "the last push known on that day"}
  updated_at:           {type: timestamptz, is: "the last change that GitHub counts as one"}
  head_committed_at:    {type: timestamptz, is: "when the head of the default branch was committed"}
  observed_at:          {type: timestamptz, is: "when the source saw these counts", not_null: true}
  ingested_at:          {type: timestamptz, is: "when we took them from the source", not_null: true}
checks:
  row_count_is_steady:
    is: "no more than 10 % fewer or 25 % more repositories than the day before"
    max_drop: 0.10
    max_rise: 0.25
  observed_on_its_day:
    is: "the counts were seen on the UTC day whose partition they are in"
    fails: select day from this where (observed_at at time zone 'UTC')::date <> day
gate:
  looks_back_days: 7
  rows:
    impossible_counts:
      because: "a row without identity or star count, or with a negative one, says nothing"
      select: select repo_id from candidate where repo_id is null or stars is null or stars < 0
    seen_twice:
      because: "one repository has one star count a day; of two rows neither can be trusted"
      select: select repo_id from candidate group by repo_id having count(*) > 1
    impossible_jump:
      because: >
        the archive holds jumps such as 6,684 to 70,219 stars in a day that were gone a day later;
        no real launch has multiplied a known repository of over 1,000 stars by five in a week
      select: >
        select candidate.repo_id
        from candidate
        join latest using (repo_id)
        where latest.stars >= 1000 and candidate.stars > 5 * latest.stars
  days:
    half_is_missing:
      because: "half of the repositories of the last good day are not there: the capture was cut short"
      select: >
        select 1
        where (select count(*) from previous) > 0
          and (select count(*) from candidate) < 0.5 * (select count(*) from previous)
    nothing_moved:
      because: "not one of a hundred or more repositories changed its stars: an older day was captured again"
      select: >
        select 1
        from candidate
        join previous using (repo_id)
        having count(*) >= 100
          and count_if(candidate.stars <> previous.stars) = 0
*/
select
    day,
    repo_id,
    full_name,
    'github' as source,
    stars,
    forks,
    watchers,
    open_issues,
    closed_issues,
    open_pull_requests,
    merged_pull_requests,
    releases,
    latest_release_at,
    discussions,
    size_kb,
    language,
    licence,
    topics,
    owner,
    is_archived,
    is_fork,
    created_at,
    pushed_at,
    updated_at,
    head_committed_at,
    observed_at,
    ingested_at
from stars.github
where status = 'live'
