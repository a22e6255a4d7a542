-- Which version has served when, and what was decided on every candidate, on what figures?
with served as (
    select
        model_version,
        count(*) as days_served,
        max(day) as last_served
    from stars.champion
    group by model_version
),

decided as (
    select
        effective_from,
        decided_at,
        model_version,
        decision,
        reason,
        json_extract(figures, '$.mae_candidate')::double as mae_candidate,
        json_extract(figures, '$.mae_champion')::double as mae_champion,
        json_extract(figures, '$.mae_naive')::double as mae_naive
    from stars.decisions
)

select
    decided.effective_from,
    decided.model_version,
    decided.decision,
    model.trained_through,
    coalesce(served.days_served, 0) as days_served,
    served.last_served,
    round(decided.mae_candidate, 2) as mae_candidate,
    round(decided.mae_champion, 2) as mae_champion,
    round(decided.mae_naive, 2) as mae_naive,
    decided.reason
from decided
left join stars.model using (model_version)
left join served using (model_version)
order by decided.effective_from desc, decided.decided_at desc
limit 53
