/*
description: >
  What happened next: the stars each repository gained in the seven days after the row's day. A row exists only
  where the repository has a snapshot on exactly both days; no count is guessed for a day that lacks one.
key: [repo_id]
reads:
  stars.snapshots: 0..7
follows:
  stars.features: >
    labels end a week before features, and the UI backfills a range of both in one launch only where
    one of them comes first
columns:
  day: {type: date, not_null: true, is: "the UTC day the seven days start from"}
  repo_id: {type: bigint, not_null: true, is: "GitHub's databaseId"}
  stars_gained_next_7d: {type: bigint, not_null: true, role: target, is: "stars 7 days later minus stars on the day"}
*/
select
    origin.day,
    origin.repo_id,
    outcome.stars - origin.stars as stars_gained_next_7d
from stars.snapshots as origin
inner join stars.snapshots as outcome
    on origin.repo_id = outcome.repo_id and origin.day + 7 = outcome.day
where origin.day between getvariable('first_day') and getvariable('last_day')
