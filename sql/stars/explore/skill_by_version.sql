-- Has each model version kept what it promised: its skill against the naive forecast, held out and in service?
with measured as (
    select
        model_version,
        count(distinct day) as days_scored,
        count(*) as forecasts,
        avg(abs(actual - typical)) as mae,
        avg(abs(actual - naive)) as mae_naive,
        avg((abs(actual - typical) < abs(actual - naive))::integer) as is_closer,
        sum(mean) / nullif(sum(actual), 0) as total_ratio
    from stars.scores
    where naive is not null
    group by model_version
)

select
    measured.model_version,
    model.day as trained_as_of,
    measured.days_scored,
    measured.forecasts,
    round(measured.mae, 2) as mae,
    round(measured.mae_naive, 2) as mae_naive,
    round(1 - measured.mae / nullif(measured.mae_naive, 0), 3) as skill,
    round(model.skill_vs_naive, 3) as skill_when_held_out,
    round(100 * measured.is_closer, 1) as closer_than_naive_percent,
    round(measured.total_ratio, 2) as forecast_to_actual_total
from measured
left join stars.model using (model_version)
order by measured.model_version desc
limit 53
