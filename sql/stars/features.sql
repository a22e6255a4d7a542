/*
description: >
  What was known about each repository's growth at the end of the day: its base (the stars a week it usually
  gains), and how its gains over every recent stretch compare with that base. One row for each repository with
  a snapshot on the day, however short its history. A `pace` is a gain expressed in stars a week; `x, vs base`
  is slog(pace) - slog(base), where slog(x) = sign(x) * ln(1 + |x|); what is not known is null. Days before a
  repository's first snapshot are counted back from it by the star history that GitHub had given by the day.
  Nothing is compared across more than 30 missing days or the edge of an outage.
same_rows_as: {this: "ad1c1ca58e46", earlier: ["cf7d92a9fea4"]}
key: [repo_id]
reads:
  stars.snapshots: -121..0  # 90 days of gains, and 31 more for the far end of a gap the oldest falls in
  stars.star_history: {days: -121..0, optional: "GitHub is asked for it on a repository's first day, and no archive has it"}
columns:
  day: {type: date, not_null: true, is: "the UTC day"}
  repo_id: {type: bigint, not_null: true, is: "GitHub's databaseId"}
  full_name: {type: varchar, not_null: true, role: name, is: "owner/name, as the day's snapshot had it"}
  stars: {type: bigint, not_null: true, min: 0, is: "stars on the day"}
  stars_gained_7d: {type: bigint, role: naive, is: "stars gained since the snapshot of 7 days before; null without one"}
  mean_28d: {type: double, role: baseline, is: "mean stars a week of the last 28 days, or of as many as are known"}
  base: {type: double, not_null: true, role: base, is: "usual stars a week; 0 when no gain of 90 days is known"}
  scale: {type: double, not_null: true, min: 3, role: scale, is: "the largest of |base|, median pace of 28 days, and 3"}
  gain_1d_vs_base: {type: double, role: feature, is: "gain of the last day, vs base"}
  gain_2d_vs_base: {type: double, role: feature, is: "gain of the last 2 days, vs base"}
  gain_3d_vs_base: {type: double, role: feature, is: "gain of the last 3 days, vs base"}
  gain_4d_vs_base: {type: double, role: feature, is: "gain of the last 4 days, vs base"}
  gain_5d_vs_base: {type: double, role: feature, is: "gain of the last 5 days, vs base"}
  gain_6d_vs_base: {type: double, role: feature, is: "gain of the last 6 days, vs base"}
  gain_7d_vs_base: {type: double, role: feature, is: "gain of the last 7 days, vs base"}
  gain_14d_vs_base: {type: double, role: feature, is: "gain of the last 14 days, vs base"}
  gain_28d_vs_base: {type: double, role: feature, is: "gain of the last 28 days, vs base"}
  gain_56d_vs_base: {type: double, role: feature, is: "gain of the last 56 days, vs base"}
  gain_90d_vs_base: {type: double, role: feature, is: "gain of the last 90 days, vs base"}
  gain_1_week_ago_vs_base: {type: double, role: feature, is: "gain from 14 to 7 days ago, vs base"}
  gain_2_weeks_ago_vs_base: {type: double, role: feature, is: "gain from 21 to 14 days ago, vs base"}
  gain_3_weeks_ago_vs_base: {type: double, role: feature, is: "gain from 28 to 21 days ago, vs base"}
  ewma_30d_vs_base: {type: double, role: feature, is: "mean pace of 90 days, weights halving every 30 days, vs base"}
  ewma_60d_vs_base: {type: double, role: feature, is: "mean pace of 90 days, weights halving every 60 days, vs base"}
  median_28d_vs_base: {type: double, role: feature, is: "median pace of 28 days, vs base"}
  trimmed_mean_28d_vs_base: {type: double, role: feature, is: "mean of the 7 octiles of the pace of 28 days, vs base"}
  lower_quartile_28d_vs_base: {type: double, role: feature, is: "lower quartile of the pace of 28 days, vs base"}
  upper_quartile_28d_vs_base: {type: double, role: feature, is: "upper quartile of the pace of 28 days, vs base"}
  max_28d_vs_base: {type: double, role: feature, is: "highest pace of 28 days, vs base"}
  min_7d_vs_base: {type: double, role: feature, is: "lowest pace of 7 days, vs base"}
  stddev_28d_vs_base: {type: double, role: feature, is: "standard deviation of the pace of 28 days, vs base"}
  forks_gained_7d_vs_base: {type: double, role: feature, is: "forks gained in 7 days, vs base"}
  forks_gained_28d_vs_base: {type: double, role: feature, is: "forks gained in 28 days, vs base"}
  slog_base: {type: double, role: feature, is: "slog of base; null where base is 0 for want of any gain"}
  slog_base_vs_log_stars: {type: double, role: feature, is: "slog of base minus ln(1 + stars): growth against size"}
  log_stars: {type: double, min: 0, role: feature, is: "ln(1 + stars)"}
  days_since_peak_28d: {type: integer, min: 0, role: feature, is: "days since the last highest pace of 28 days"}
  days_since_push: {type: integer, role: feature, is: "days since the last push to the repository"}
  weekday: {type: integer, not_null: true, min: 1, role: feature, is: "day of the week, 1 is Monday"}
checks:
  scale_is_not_below_base:
    is: "errors are measured in units no smaller than the usual gain"
    fails: "select day, count(*) as failing_rows from this where scale < abs(base) group by day"
*/
-- slog(x) = sign(x) * ln(1 + |x|), a macro of the engine, tames gains of any size and either sign. Every gain is
-- turned into stars a week and compared with the repository's own base in that space, so the features mean the
-- same for a repository that gains 3 stars a week and for one that gains 3,000, and the model outlives the
-- world's growth.

-- No step may depend on where the batch began: a month in one pass equals its days one by one. So every
-- window reaches back at most 90 days, and whatever a gap of 30 days may bridge lies within the 121 days read.

-- Star history makes a repository's past better known from the day GitHub was asked for it on, not before. So
-- its past is a version as it was known at first (asked_on is null), and one more for each answer.
with answers as (
    select
        repo_id,
        day as asked_on,
        gained_on,
        stars_gained
    from stars.star_history
),

asked as (
    select distinct
        repo_id,
        unnest([asked_on, null]) as asked_on
    from answers
),

versions as (
    select
        repo_id,
        asked_on,
        lead(asked_on) over (partition by repo_id order by asked_on nulls first) as next_asked_on
    from asked
),

counted as (
    select
        repo_id,
        asked_on,
        day,
        stars,
        forks,
        true as is_snapshot
    from stars.snapshots
    left join versions using (repo_id)
    where next_asked_on is null or day < next_asked_on
),

-- Snapshots before which no snapshot is known for a month or ever, but star history is.
first_counted as (
    select
        repo_id,
        asked_on,
        day,
        stars,
        lag(day) over (partition by repo_id, asked_on order by day) as previous_day
    from counted
    where asked_on is not null
    qualify day <= asked_on and (previous_day is null or day - previous_day > 31)
),

-- Counted back from there. Star history leaves out stars that were taken back, so the count before such a
-- snapshot does not meet the one of a month ago: the two are kept apart below.
counted_back as (
    select
        repo_id,
        asked_on,
        gained_on - 1 as day,
        (
            first_counted.stars
            - sum(stars_gained) over (partition by repo_id, asked_on, first_counted.day order by gained_on desc)
        )::bigint as stars,
        null as forks,
        false as is_snapshot
    from first_counted
    inner join answers using (repo_id, asked_on)
    where gained_on <= first_counted.day and (previous_day is null or gained_on > previous_day + 1)
),

known as (
    select
        repo_id,
        asked_on,
        day,
        stars,
        forks,
        is_snapshot
    from counted
    union all by name
    select
        repo_id,
        asked_on,
        day,
        stars,
        forks,
        is_snapshot
    from counted_back
),

observed as (
    select
        repo_id,
        asked_on,
        day,
        stars,
        forks,
        is_snapshot,
        day - lag(day) over version as days_since_previous,
        stars - lag(stars) over version as stars_since_previous,
        forks - lag(forks) over version as forks_since_previous,
        lag(stars) over version as previous_stars,
        lag(is_snapshot) over version as previous_is_snapshot
    from known
    window version as (partition by repo_id, asked_on order by day)
),

-- A series is what can be compared with itself: no gain and no loss counts between two of them. A new one begins
-- after more than 30 missing days; where what was counted back does not meet an older snapshot; and where a
-- count is four times or a quarter of the last one, at an outage's begin or end, once the gate lets it pass.
seen as (
    select
        repo_id,
        asked_on,
        day,
        stars,
        forks,
        is_snapshot,
        days_since_previous,
        stars_since_previous,
        forks_since_previous,
        coalesce(
            days_since_previous > 31
            or (previous_is_snapshot and not is_snapshot)
            or (previous_stars >= 1000 and stars not between previous_stars / 4 and previous_stars * 4),
            true
        ) as begins_series,
        sum(begins_series::integer) over (partition by repo_id order by asked_on nulls first, day)::integer as series
    from observed
),

-- One row a day from the first day of a series to its last, so that a lag of rows is a lag of days: each is
-- preceded by the days that lack one.
calendar as (
    select
        repo_id,
        asked_on,
        series,
        day,
        stars,
        forks,
        is_snapshot,
        days_since_previous,
        stars_since_previous,
        forks_since_previous,
        begins_series,
        unnest(range(case when begins_series then 1 else days_since_previous end)) as days_before
    from seen
),

-- Missing days are taken as a straight line between their two ends. A row comes out only for a day that has a
-- snapshot, so both ends are in its past. `pace` is the day's own gain in the unit of everything below: stars a
-- week. It is unknown on the first day of a series and on no other.
daily as (
    select
        repo_id,
        asked_on,
        series,
        day - days_before::integer as day,
        is_snapshot and days_before = 0 as is_snapshot,
        stars - coalesce(stars_since_previous * days_before / days_since_previous, 0) as stars,
        forks - coalesce(forks_since_previous * days_before / days_since_previous, 0) as forks,
        case when not begins_series then 7 * stars_since_previous / days_since_previous end as pace
    from calendar
    where day - days_before::integer >= getvariable('first_day') - 91
),

-- Weights of the moving averages, which halve every so many days.
weighted as (
    select
        repo_id,
        asked_on,
        series,
        day,
        is_snapshot,
        stars,
        forks,
        pace,
        (day - getvariable('first_day')) * ln(2) as halvings,
        exp(halvings / 2) as weight_2d,
        exp(halvings / 4) as weight_4d,
        exp(halvings / 30) as weight_30d,
        exp(halvings / 60) as weight_60d
    from daily
),

paces as (
    select
        repo_id,
        day,
        case when lag(is_snapshot, 7) over series then stars - lag(stars, 7) over series end as stars_gained_7d,
        least(row_number() over series - 1, 90) as known_days,
        pace as gain_1d,
        (stars - lag(stars, 2) over series) * 7 / 2 as gain_2d,
        (stars - lag(stars, 3) over series) * 7 / 3 as gain_3d,
        (stars - lag(stars, 4) over series) * 7 / 4 as gain_4d,
        (stars - lag(stars, 5) over series) * 7 / 5 as gain_5d,
        (stars - lag(stars, 6) over series) * 7 / 6 as gain_6d,
        stars - lag(stars, 7) over series as gain_7d,
        (stars - lag(stars, 14) over series) / 2 as gain_14d,
        (stars - lag(stars, 28) over series) / 4 as gain_28d,
        (stars - lag(stars, 56) over series) / 8 as gain_56d,
        (stars - lag(stars, 90) over series) * 7 / 90 as gain_90d,
        lag(stars, 7) over series - lag(stars, 14) over series as gain_1_week_ago,
        lag(stars, 14) over series - lag(stars, 21) over series as gain_2_weeks_ago,
        lag(stars, 21) over series - lag(stars, 28) over series as gain_3_weeks_ago,
        forks - lag(forks, 7) over series as forks_gained_7d,
        (forks - lag(forks, 28) over series) / 4 as forks_gained_28d,
        sum(pace * weight_2d) over last_90d / weight_2d as weighted_sum_2d,
        sum(pace * weight_4d) over last_90d / weight_4d as weighted_sum_4d,
        sum(pace * weight_30d) over last_90d / weight_30d as weighted_sum_30d,
        sum(pace * weight_60d) over last_90d / weight_60d as weighted_sum_60d,
        [
            pace,
            lag(pace, 1) over series,
            lag(pace, 2) over series,
            lag(pace, 3) over series,
            lag(pace, 4) over series,
            lag(pace, 5) over series,
            lag(pace, 6) over series
        ] as paces_7d,
        avg(pace) over last_28d as mean_28d,
        stddev_pop(pace) over last_28d as stddev_28d,
        quantile_cont(pace, [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1]) over last_28d as octiles_28d,
        max((1000 * pace)::bigint * 100000 + (day - date '1970-01-01')) over last_28d as peak_28d
    from weighted
    window
        series as (partition by repo_id, series order by day),
        last_90d as (partition by repo_id, series order by day rows between 89 preceding and current row),
        last_28d as (partition by repo_id, series order by day rows between 27 preceding and current row)
    qualify is_snapshot and day >= getvariable('first_day') and (asked_on is null or day >= asked_on)
),

-- A moving average is a weighted sum by the sum of its weights, a geometric series over the days that are known.
--
-- What the repository usually gains in a week: each estimate is fooled by something else (a viral day, a quiet
-- week, a turn); their mean, over those that are known, by little.
usual as (
    select
        repo_id,
        day,
        stars_gained_7d,
        mean_28d,
        stddev_28d,
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
        forks_gained_7d,
        forks_gained_28d,
        weighted_sum_2d * (1 - pow(2, -1 / 2)) / (1 - pow(2, -known_days / 2)) as ewma_2d,
        weighted_sum_4d * (1 - pow(2, -1 / 4)) / (1 - pow(2, -known_days / 4)) as ewma_4d,
        weighted_sum_30d * (1 - pow(2, -1 / 30)) / (1 - pow(2, -known_days / 30)) as ewma_30d,
        weighted_sum_60d * (1 - pow(2, -1 / 60)) / (1 - pow(2, -known_days / 60)) as ewma_60d,
        list_min(paces_7d) as min_7d,
        octiles_28d[2] as lower_quartile_28d,
        octiles_28d[4] as median_28d,
        octiles_28d[6] as upper_quartile_28d,
        octiles_28d[8] as max_28d,
        list_avg(octiles_28d[:7]) as trimmed_mean_28d,
        ((day - date '1970-01-01' - peak_28d) % 100000 + 100000)::integer % 100000 as days_since_peak_28d,
        list_avg([list_median(paces_7d), ewma_4d, ewma_2d, gain_7d]) as weekly_gain,
        slog(weekly_gain) as slog_base,
        greatest(abs(weekly_gain), median_28d, 3) as scale
    from paces
),

today as (
    select
        repo_id,
        day,
        full_name,
        stars,
        pushed_at
    from stars.snapshots
    where day >= getvariable('first_day')
)

select
    today.day,
    today.repo_id,
    today.full_name,
    today.stars,
    stars_gained_7d::bigint as stars_gained_7d,
    mean_28d,
    coalesce(weekly_gain, 0) as base,
    scale,
    slog(gain_1d) - slog_base as gain_1d_vs_base,
    slog(gain_2d) - slog_base as gain_2d_vs_base,
    slog(gain_3d) - slog_base as gain_3d_vs_base,
    slog(gain_4d) - slog_base as gain_4d_vs_base,
    slog(gain_5d) - slog_base as gain_5d_vs_base,
    slog(gain_6d) - slog_base as gain_6d_vs_base,
    slog(gain_7d) - slog_base as gain_7d_vs_base,
    slog(gain_14d) - slog_base as gain_14d_vs_base,
    slog(gain_28d) - slog_base as gain_28d_vs_base,
    slog(gain_56d) - slog_base as gain_56d_vs_base,
    slog(gain_90d) - slog_base as gain_90d_vs_base,
    slog(gain_1_week_ago) - slog_base as gain_1_week_ago_vs_base,
    slog(gain_2_weeks_ago) - slog_base as gain_2_weeks_ago_vs_base,
    slog(gain_3_weeks_ago) - slog_base as gain_3_weeks_ago_vs_base,
    slog(ewma_30d) - slog_base as ewma_30d_vs_base,
    slog(ewma_60d) - slog_base as ewma_60d_vs_base,
    slog(median_28d) - slog_base as median_28d_vs_base,
    slog(trimmed_mean_28d) - slog_base as trimmed_mean_28d_vs_base,
    slog(lower_quartile_28d) - slog_base as lower_quartile_28d_vs_base,
    slog(upper_quartile_28d) - slog_base as upper_quartile_28d_vs_base,
    slog(max_28d) - slog_base as max_28d_vs_base,
    slog(min_7d) - slog_base as min_7d_vs_base,
    ln(1 + stddev_28d) - slog_base as stddev_28d_vs_base,
    slog(forks_gained_7d) - slog_base as forks_gained_7d_vs_base,
    slog(forks_gained_28d) - slog_base as forks_gained_28d_vs_base,
    slog_base,
    slog_base - ln(1 + today.stars) as slog_base_vs_log_stars,
    ln(1 + today.stars) as log_stars,
    days_since_peak_28d,
    (today.day - (today.pushed_at at time zone 'UTC')::date)::integer as days_since_push,
    isodow(today.day)::integer as weekday
from usual
left join today using (repo_id, day)
