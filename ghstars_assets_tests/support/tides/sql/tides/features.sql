/*
description: The water of the day and of the week before it.
key: [station]
reads:
  tides.snapshots: -7..0
columns:
  day:            {type: date, is: "the UTC day", not_null: true}
  station:        {type: varchar, is: "where the gauge stands", not_null: true}
  level_cm:       {type: double, is: "the water of the day", role: naive}
  day_before_cm:  {type: double, is: "the water of the day before", role: feature}
  rise_cm:        {type: double, is: "how much higher than the day before", role: feature}
  week_before_cm: {type: double, is: "the water of 7 days before", role: feature}
*/
select
    today.day,
    today.station,
    today.level_cm,
    yesterday.level_cm as day_before_cm,
    today.level_cm - yesterday.level_cm as rise_cm,
    last_week.level_cm as week_before_cm
from tides.snapshots as today
left join tides.snapshots as yesterday
    on today.station = yesterday.station and today.day = yesterday.day + 1
left join tides.snapshots as last_week
    on today.station = last_week.station and today.day = last_week.day + 7
