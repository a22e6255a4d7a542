-- Do the 80 % and 95 % intervals hold what they promise, week by week?
with scored as (
    select
        day,
        actual between low_80 and high_80 as is_in_80,
        actual between low_95 and high_95 as is_in_95,
        actual < low_80 as is_below_80,
        actual > high_80 as is_above_80,
        high_80 - low_80 as width_80,
        high_95 - low_95 as width_95
    from stars.scores
)

select
    date_trunc('week', day)::date as week_from,
    count(distinct day) as days,
    count(*) as forecasts,
    round(100 * avg(is_in_80::integer), 1) as in_80_percent,
    round(100 * avg(is_below_80::integer), 1) as below_80_percent,
    round(100 * avg(is_above_80::integer), 1) as above_80_percent,
    round(100 * avg(is_in_95::integer), 1) as in_95_percent,
    round(median(width_80), 1) as median_width_80,
    round(median(width_95), 1) as median_width_95
from scored
group by week_from
order by week_from desc
limit 53
