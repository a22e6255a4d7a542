-- How well are small, middling and large repositories forecast, against the naive forecast?
with scored as (
    select
        snapshots.stars,
        scores.actual,
        scores.mean,
        abs(scores.actual - scores.typical) as error,
        abs(scores.actual - scores.naive) as error_naive,
        scores.actual between scores.low_80 and scores.high_80 as is_in_80
    from stars.scores
    inner join stars.snapshots using (day, repo_id)
    where scores.naive is not null
),

classed as (
    select
        case
            when stars < 100 then '1: under 100'
            when stars < 1000 then '2: 100 to 999'
            when stars < 10000 then '3: 1,000 to 9,999'
            when stars < 100000 then '4: 10,000 to 99,999'
            else '5: 100,000 and more'
        end as stars,
        actual,
        mean,
        error,
        error_naive,
        is_in_80
    from scored
)

select
    stars,
    count(*) as forecasts,
    round(avg(actual), 1) as mean_gain,
    round(avg(error), 2) as mean_error,
    round(avg(error_naive), 2) as mean_error_naive,
    round(1 - avg(error) / nullif(avg(error_naive), 0), 3) as skill_vs_naive,
    round(sum(mean) / nullif(sum(actual), 0), 2) as forecast_to_actual_total,
    round(100 * avg(is_in_80::integer), 1) as in_80_percent
from classed
group by stars
order by stars
