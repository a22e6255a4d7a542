-- On which days is something missing or held back, how much of it, and why?
with accepted as (
    select
        day,
        count(*) as rows_accepted
    from stars.snapshots
    group by day
),

held_back as (
    select
        day,
        case when rows_accepted is null then 'day in quarantine' else 'rows in quarantine' end as what,
        count(*) as rows_held_back,
        rule || ': ' || any_value(reason) as why
    from stars.snapshots_quarantine
    left join accepted using (day)
    group by day, rows_accepted, rule
),

-- A gap that was declared and filled in later is none.
gaps as (
    select
        day,
        'declared gap' as what,
        0 as rows_held_back,
        arg_max(reason, declared_at) as why
    from stars.gaps
    where day not in (select accepted.day from accepted)
    group by day
),

stored as (
    select
        min(day) as first_day,
        max(day) as last_day
    from accepted
),

calendar as (
    select unnest(generate_series(first_day, last_day, interval 1 day))::date as day
    from stored
),

unexplained as (
    select
        day,
        'missing' as what,
        0 as rows_held_back,
        'nobody said why; fill it, or declare it with `ghstars gap`' as why
    from calendar
    anti join accepted using (day)
    anti join held_back using (day)
    anti join gaps using (day)
),

together as (
    select
        day,
        what,
        rows_held_back,
        why
    from held_back
    union all by name
    select
        day,
        what,
        rows_held_back,
        why
    from gaps
    union all by name
    select
        day,
        what,
        rows_held_back,
        why
    from unexplained
)

select
    day,
    what,
    rows_held_back,
    coalesce(rows_accepted, 0) as rows_accepted,
    why
from together
left join accepted using (day)
order by day desc, what asc, why asc
limit 100
