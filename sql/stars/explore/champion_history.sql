-- Which version has served when, and what was decided on every candidate, on what figures?
with served as (
    select
        model_version,
        effective_from,
        count(*) as days_served,
        max(day) as last_served
    from stars.champion
    group by model_version, effective_from
),

decided as (
    select
        effective_from,
        decided_at,
        model_version,
        decision,
        reason,
        actor,
        json_extract(figures, '$.current.mae_candidate')::double as mae_candidate,
        json_extract(figures, '$.current.mae_champion')::double as mae_champion,
        json_extract(figures, '$.current.mae_naive')::double as mae_naive,
        100 * json_extract(figures, '$.current.difference')::double as on_current_percent,
        100 * json_extract(figures, '$.reference.difference')::double as on_reference_percent
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
    round(decided.on_current_percent, 1) as on_current_percent,
    round(decided.on_reference_percent, 1) as on_reference_percent,
    decided.actor,
    decided.reason
from decided
left join stars.model using (model_version)
left join served
    on
        decided.model_version = served.model_version
        and decided.effective_from = served.effective_from
        and decided.decision in ('deploy', 'promote', 'rollback')
order by decided.effective_from desc, decided.decided_at desc
limit 53
