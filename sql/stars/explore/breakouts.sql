-- Which repositories gained more than the 95 % interval allowed for in the last four scored weeks?
with newest as (
    select max(day) as day
    from stars.scores
),

recent as (
    select
        scores.day,
        scores.full_name,
        scores.repo_id,
        scores.actual,
        scores.typical,
        scores.naive,
        scores.high_95
    from stars.scores
    cross join newest
    where scores.day > newest.day - 28
),

broken_out as (
    select
        day,
        full_name,
        repo_id,
        actual,
        typical,
        naive,
        high_95,
        count(*) over (partition by repo_id) as days_above
    from recent
    where actual > high_95
    qualify row_number() over (partition by repo_id order by actual - high_95 desc, day asc) = 1
)

select
    broken_out.day as worst_day,
    broken_out.full_name,
    snapshots.stars,
    broken_out.naive::bigint as gained_before,
    round(broken_out.typical)::bigint as typical,
    round(broken_out.high_95)::bigint as high_95,
    broken_out.actual::bigint as actual,
    round(broken_out.actual / greatest(broken_out.high_95, 1), 1) as times_high_95,
    broken_out.days_above
from broken_out
inner join stars.snapshots using (day, repo_id)
order by broken_out.actual - broken_out.high_95 desc, broken_out.full_name asc
limit 20
