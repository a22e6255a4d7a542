/*
description: >
  The lag and window features of sql/stars/features.sql that mlforecast has too, by the same steps: in stars and
  as they are, without base and logarithm.
key: [repo_id]
reads:
  stars.snapshots: -121..0
columns:
  day: {type: date, not_null: true, is: "the UTC day"}
  repo_id: {type: bigint, not_null: true, is: "the repository"}
  gain_1d: {type: double, is: "stars gained on the day"}
  gain_2d: {type: double, is: "stars gained in 2 days"}
  gain_3d: {type: double, is: "stars gained in 3 days"}
  gain_4d: {type: double, is: "stars gained in 4 days"}
  gain_5d: {type: double, is: "stars gained in 5 days"}
  gain_6d: {type: double, is: "stars gained in 6 days"}
  gain_7d: {type: double, is: "stars gained in 7 days"}
  gain_14d: {type: double, is: "stars gained in 14 days"}
  gain_28d: {type: double, is: "stars gained in 28 days"}
  gain_56d: {type: double, is: "stars gained in 56 days"}
  gain_90d: {type: double, is: "stars gained in 90 days"}
  gain_1_week_ago: {type: double, is: "stars gained from 14 to 7 days ago"}
  gain_2_weeks_ago: {type: double, is: "stars gained from 21 to 14 days ago"}
  gain_3_weeks_ago: {type: double, is: "stars gained from 28 to 21 days ago"}
  min_7d: {type: double, is: "lowest daily gain of 7 days"}
  max_28d: {type: double, is: "highest daily gain of 28 days"}
  stddev_28d: {type: double, is: "standard deviation of the daily gains of 28 days"}
  octile_1_28d: {type: double, is: "1/8 quantile of the daily gains of 28 days"}
  octile_2_28d: {type: double, is: "2/8 quantile of the daily gains of 28 days"}
  octile_3_28d: {type: double, is: "3/8 quantile of the daily gains of 28 days"}
  octile_4_28d: {type: double, is: "4/8 quantile of the daily gains of 28 days"}
  octile_5_28d: {type: double, is: "5/8 quantile of the daily gains of 28 days"}
  octile_6_28d: {type: double, is: "6/8 quantile of the daily gains of 28 days"}
  octile_7_28d: {type: double, is: "7/8 quantile of the daily gains of 28 days"}
*/
with observed as (
    select
        repo_id,
        day,
        stars,
        day - lag(day) over series as days_since_previous,
        stars - lag(stars) over series as stars_since_previous
    from stars.snapshots
    window series as (partition by repo_id order by day)
),

calendar as (
    select
        *,
        unnest(case when days_since_previous > 1 then range(days_since_previous) else [0] end) as days_before
    from observed
),

daily as (
    select
        repo_id,
        day - days_before::integer as day,
        days_before = 0 as is_snapshot,
        stars - coalesce(stars_since_previous * days_before / days_since_previous, 0) as stars,
        stars_since_previous / days_since_previous as gain_1d
    from calendar
    where day - days_before::integer >= getvariable('first_day') - 90
),

windows as (
    select
        day,
        repo_id,
        gain_1d,
        stars - lag(stars, 2) over series as gain_2d,
        stars - lag(stars, 3) over series as gain_3d,
        stars - lag(stars, 4) over series as gain_4d,
        stars - lag(stars, 5) over series as gain_5d,
        stars - lag(stars, 6) over series as gain_6d,
        stars - lag(stars, 7) over series as gain_7d,
        stars - lag(stars, 14) over series as gain_14d,
        stars - lag(stars, 28) over series as gain_28d,
        stars - lag(stars, 56) over series as gain_56d,
        stars - lag(stars, 90) over series as gain_90d,
        lag(stars, 7) over series - lag(stars, 14) over series as gain_1_week_ago,
        lag(stars, 14) over series - lag(stars, 21) over series as gain_2_weeks_ago,
        lag(stars, 21) over series - lag(stars, 28) over series as gain_3_weeks_ago,
        least(
            gain_1d,
            lag(gain_1d, 1) over series,
            lag(gain_1d, 2) over series,
            lag(gain_1d, 3) over series,
            lag(gain_1d, 4) over series,
            lag(gain_1d, 5) over series,
            lag(gain_1d, 6) over series
        ) as min_7d,
        stddev_pop(gain_1d) over last_28d as stddev_28d,
        quantile_cont(gain_1d, [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1]) over last_28d as octiles
    from daily
    window
        series as (partition by repo_id order by day),
        last_28d as (partition by repo_id order by day rows between 27 preceding and current row)
    qualify is_snapshot and day >= getvariable('first_day')
)

select
    day,
    repo_id,
    gain_1d,
    gain_2d,
    gain_3d,
    gain_4d,
    gain_5d,
    gain_6d,
    gain_7d,
    gain_14d,
    gain_28d,
    gain_56d,
    gain_90d,
    gain_1_week_ago,
    gain_2_weeks_ago,
    gain_3_weeks_ago,
    min_7d,
    octiles[8] as max_28d,
    stddev_28d,
    octiles[1] as octile_1_28d,
    octiles[2] as octile_2_28d,
    octiles[3] as octile_3_28d,
    octiles[4] as octile_4_28d,
    octiles[5] as octile_5_28d,
    octiles[6] as octile_6_28d,
    octiles[7] as octile_7_28d
from windows
