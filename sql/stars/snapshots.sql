/*
description: >
  Every repository's counts as of one UTC day, from the most trusted source that knows it on that day: GitHub
  itself as our snapshots have it, then the Github-Ranking archive. Bad rows and bad days are held back in
  stars.snapshots_quarantine. Sources that know gains and no counts (star history, GH Archive) have no part in it.
same_rows_as: {this: "415a241ab72b", earlier: ["89e5dfd6b107", "c1c6963ff7ac"]}
key: [repo_id]
reads:
  stars.github: 0
  stars.github_ranking: {days: 0, optional: "the Github-Ranking archive has no file of this day"}
columns:
  day:                  {type: date, is: "the UTC day on which the counts were taken", not_null: true}
  repo_id:              {type: bigint, is: "GitHub's databaseId, whatever the name; negative where only an archive knows it", not_null: true}
  full_name:            {type: varchar, is: "owner/name on that day", not_null: true, role: name}
  source:               {type: varchar, is: "the source this row was taken from", not_null: true, one_of: [github, github_ranking]}
  stars:                {type: bigint, is: "stargazers", not_null: true, min: 0}
  forks:                {type: bigint, is: "forks", min: 0}
  watchers:             {type: bigint, is: "people who are notified of everything", min: 0}
  open_issues:          {type: bigint, is: "open issues, without pull requests; null where those were counted in", min: 0}
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
    is: "of each source no more than 10 % fewer or 25 % more repositories than the day before"
    max_drop: 0.10
    max_rise: 0.25
    by: source
  observed_on_its_day:
    is: "the counts were seen on the UTC day whose partition they are in"
    fails: select day from this where (observed_at at time zone 'UTC')::date <> day
gate:
  looks_back_days: 7
  rows:
    impossible_counts:
      because: "a row without identity or star count, or with a negative one, says nothing"
      select: select repo_id from candidate where repo_id is null or stars is null or stars < 0
    impossible_jump:
      because: >
        a count that is four times or a quarter of what it was within a week is an outage or its end (ant-design fell
        from 66,828 to 797 on 2021-02-17 and rose from 6,684 to 70,219 on 2021-05-16); the steepest launch of a known
        repository of over 1,000 stars was 3.1 times in a day
      select: >
        select candidate.repo_id
        from candidate
        join latest using (repo_id)
        where latest.stars >= 1000
          and (candidate.stars > 4 * latest.stars or 4 * candidate.stars < latest.stars)
  days:
    half_is_missing:
      because: "half of what a source had on its last good day is there from no source: the capture was cut short"
      select: >
        with lately as (
          select source, day, count(*) as repositories
          from latest
          group by source, day
          qualify row_number() over (partition by source order by day desc) = 1
        ),
        still_there as (
          select source, day, count(*) as listed_now
          from latest
          where repo_id in (select repo_id from candidate)
          group by source, day
        )
        select 1
        from (select source, count(*) as repositories from candidate group by source) as now
        join lately using (source)
        left join still_there using (source, day)
        where now.repositories < 0.5 * lately.repositories
          and coalesce(still_there.listed_now, 0) < 0.5 * lately.repositories
    nothing_moved:
      because: "not one of a hundred or more repositories changed its stars: an older day was captured again"
      select: >
        select 1
        from candidate
        join previous using (repo_id, source)
        having count(*) >= 100
          and count_if(candidate.stars <> previous.stars) = 0
  warnings:
    mass_star_loss:
      because: >
        over a sixth of the repositories lost stars: GitHub took back the stars of accounts it closed (as on
        2023-11-25, 2024-01-03, 2025-10-05 and 2026-02-14); the losses are real and stay
      select: >
        select 1
        from candidate
        join previous using (repo_id, source)
        having count(*) >= 100
          and count_if(candidate.stars < previous.stars) > count(*) / 6
*/
-- A repository may be listed twice on a day: by two sources, or by one under its old and its new name. The more
-- trusted source counts, then the higher count, which is the later one. The archive knows no more than a few
-- columns; before 2021-08-20 its open issues had pull requests among them.
with listed as (
    select
        day,
        repo_id,
        full_name,
        'github' as source,
        1 as distrust,
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
    union all by name
    select
        day,
        repo_id,
        full_name,
        'github_ranking' as source,
        2 as distrust,
        stars,
        forks,
        null as watchers,
        case when day >= date '2021-08-20' then open_issues end as open_issues,
        null as closed_issues,
        null as open_pull_requests,
        null as merged_pull_requests,
        null as releases,
        null as latest_release_at,
        null as discussions,
        null as size_kb,
        language,
        null as licence,
        null as topics,
        split_part(full_name, '/', 1) as owner,
        null as is_archived,
        null as is_fork,
        null as created_at,
        pushed_at,
        null as updated_at,
        null as head_committed_at,
        observed_at,
        ingested_at
    from stars.github_ranking
)

select
    day,
    repo_id,
    full_name,
    source,
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
from listed
qualify row_number() over (partition by day, repo_id order by distrust asc, stars desc, full_name asc) = 1
