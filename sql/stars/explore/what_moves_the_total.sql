-- How few repositories make most of the gains, and most of the error, of the last four scored weeks?
with newest as (
    select max(day) as day
    from stars.scores
),

recent as (
    select
        scores.actual,
        scores.mean,
        abs(scores.actual - scores.typical) as error,
        row_number() over (partition by scores.day order by scores.actual desc, scores.repo_id asc) as place,
        count(*) over (partition by scores.day) as repositories
    from stars.scores
    cross join newest
    where scores.day > newest.day - 28
),

-- By what happened, not by what was forecast: places of the same day.
grouped as (
    select
        case
            when place <= 0.01 * repositories then '1: top 1 %'
            when place <= 0.05 * repositories then '2: next 4 %'
            when place <= 0.20 * repositories then '3: next 15 %'
            when place <= 0.50 * repositories then '4: next 30 %'
            else '5: lower half'
        end as repositories,
        actual,
        mean,
        error
    from recent
)

select
    repositories,
    count(*) as forecasts,
    round(avg(actual), 1) as mean_gain,
    round(100 * sum(actual) / nullif(sum(sum(actual)) over (), 0), 1) as share_of_gain_percent,
    round(100 * sum(error) / nullif(sum(sum(error)) over (), 0), 1) as share_of_error_percent,
    round(sum(mean) / nullif(sum(actual), 0), 2) as forecast_to_actual_total
from grouped
group by repositories
order by repositories
