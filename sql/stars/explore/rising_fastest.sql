-- Which repositories of at least 100 stars will grow most over the next seven days, for their size?
with newest as (
    select max(day) as day
    from stars.predictions
),

forecasts as (
    select
        predictions.full_name,
        snapshots.language,
        snapshots.stars,
        predictions.naive,
        predictions.typical,
        predictions.mean,
        predictions.low_80,
        predictions.high_80
    from stars.predictions
    inner join newest using (day)
    inner join stars.snapshots using (day, repo_id)
    where snapshots.stars >= 100
)

select
    full_name,
    language,
    stars,
    naive::bigint as gained_last_7d,
    round(typical)::bigint as typical,
    round(mean)::bigint as mean,
    round(low_80)::bigint as low_80,
    round(high_80)::bigint as high_80,
    round(100 * typical / stars, 1) as growth_percent
from forecasts
order by typical / stars desc, full_name asc
limit 20
