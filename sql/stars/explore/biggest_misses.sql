-- Where was the forecast furthest off in the last four scored weeks, and what had driven it?
with newest as (
    select max(day) as day
    from stars.scores
),

recent as (
    select
        scores.day,
        scores.repo_id,
        scores.full_name,
        scores.actual,
        scores.typical,
        scores.naive,
        scores.low_95,
        scores.high_95,
        scores.drivers,
        abs(scores.actual - scores.typical) as error
    from stars.scores
    cross join newest
    where scores.day > newest.day - 28
),

-- A week that was missed was missed on each of its days: one row for each repository.
worst as (
    select
        day,
        full_name,
        actual,
        typical,
        naive,
        error,
        actual between low_95 and high_95 as is_in_95,
        list_transform(
            drivers, lambda driver: driver['feature'] || printf(' %+.1f', driver['effect'])
        ) as drivers
    from recent
    qualify row_number() over (partition by repo_id order by error desc, day asc) = 1
)

select
    day,
    full_name,
    actual::bigint as actual,
    round(typical)::bigint as typical,
    naive::bigint as naive,
    round(error)::bigint as error,
    is_in_95,
    array_to_string(drivers, ', ') as drivers
from worst
order by error desc, full_name asc
limit 20
