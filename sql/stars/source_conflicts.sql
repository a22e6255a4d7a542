/*
description: >
  Where two sources list one repository on one day: both counts, how far apart they are, and whether hours
  between the two can explain it. stars.snapshots has the trusted one; nothing is averaged.
same_rows_as: {this: "8c451cc8bf89", earlier: ["202e28c836af"]}
key: [repo_id]
reads:
  stars.github: {days: 0, decides: true}
  stars.github_ranking: {days: 0, optional: "the Github-Ranking archive has no file of this day"}
columns:
  day:            {type: date, is: "the UTC day", not_null: true}
  repo_id:        {type: bigint, is: "GitHub's databaseId", not_null: true}
  full_name:      {type: varchar, is: "owner/name as the trusted source has it", not_null: true}
  trusted_source: {type: varchar, is: "whose count stars.snapshots has", not_null: true, one_of: [github]}
  other_source:   {type: varchar, is: "the other source", not_null: true, one_of: [github_ranking]}
  stars:          {type: bigint, is: "the trusted count", not_null: true, min: 0}
  other_stars:    {type: bigint, is: "the other's count", not_null: true, min: 0}
  hours_apart:    {type: double, is: "hours from the other's observation to the trusted one"}
  is_conflict:    {type: boolean, is: "apart by over 10 stars and over 1 % of them", not_null: true}
checks:
  sources_agree:
    is: "no more than 1 in 100 repositories has counts that hours cannot explain"
    fails: >
      select day
      from this
      qualify count_if(is_conflict) over (partition by day) > 0.01 * count(*) over (partition by day)
*/
select
    github.day,
    github.repo_id,
    github.full_name,
    'github' as trusted_source,
    'github_ranking' as other_source,
    github.stars,
    max(ranking.stars) as other_stars,
    epoch(github.observed_at - max(ranking.observed_at)) / 3600 as hours_apart,
    abs(github.stars - max(ranking.stars)) > greatest(10, 0.01 * github.stars) as is_conflict
from stars.github as github
inner join stars.github_ranking as ranking
    on github.day = ranking.day and github.repo_id = ranking.repo_id
where github.status = 'live'
group by github.day, github.repo_id, github.full_name, github.stars, github.observed_at
