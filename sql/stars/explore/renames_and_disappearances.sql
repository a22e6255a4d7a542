-- Which repositories were renamed, went away or came anew, and how large were they?
with stored as (
    select distinct day
    from stars.snapshots
),

stored_days as (
    select
        day,
        lag(day) over (order by day) as day_before,
        lead(day) over (order by day) as day_after
    from stored
),

seen as (
    select
        snapshots.day,
        snapshots.repo_id,
        snapshots.full_name,
        snapshots.stars,
        stored_days.day_before,
        stored_days.day_after,
        lag(snapshots.day) over series as seen_before,
        lag(snapshots.full_name) over series as name_before,
        lead(snapshots.day) over series as seen_after
    from stars.snapshots
    inner join stored_days using (day)
    window series as (partition by snapshots.repo_id order by snapshots.day)
),

-- A row that the gate holds back does not make its repository go away.
held_back as (
    select distinct
        day,
        repo_id
    from stars.snapshots_quarantine
),

renamed as (
    select
        day,
        'renamed' as what,
        name_before,
        full_name as name_after,
        stars
    from seen
    where full_name <> name_before
),

-- Not in the next snapshots there are; whoever comes back is listed again.
gone as (
    select
        seen.day_after as day,
        'gone' as what,
        seen.full_name as name_before,
        null as name_after,
        seen.stars
    from seen
    anti join held_back on seen.repo_id = held_back.repo_id and seen.day_after = held_back.day
    where seen.day_after is not null and seen.seen_after is distinct from seen.day_after
),

come as (
    select
        seen.day,
        case when seen.seen_before is null then 'new' else 'back' end as what,
        seen.name_before,
        seen.full_name as name_after,
        seen.stars
    from seen
    anti join held_back on seen.repo_id = held_back.repo_id and seen.day_before = held_back.day
    where seen.day_before is not null and seen.seen_before is distinct from seen.day_before
),

together as (
    select
        day,
        what,
        name_before,
        name_after,
        stars
    from renamed
    union all by name
    select
        day,
        what,
        name_before,
        name_after,
        stars
    from gone
    union all by name
    select
        day,
        what,
        name_before,
        name_after,
        stars
    from come
)

select
    day,
    what,
    name_before,
    name_after,
    stars
from together
order by day desc, stars desc, name_after asc, name_before asc
limit 100
