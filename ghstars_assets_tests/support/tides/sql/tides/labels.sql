/*
description: The water three days later.
key: [station]
reads:
  tides.snapshots: 0..3
columns:
  day:            {type: date, is: "the UTC day", not_null: true}
  station:        {type: varchar, is: "where the gauge stands", not_null: true}
  level_in_3d_cm: {type: double, is: "the water 3 days later", not_null: true, role: target}
*/
select
    origin.day,
    origin.station,
    outcome.level_cm as level_in_3d_cm
from tides.snapshots as origin
inner join tides.snapshots as outcome
    on origin.station = outcome.station and origin.day + 3 = outcome.day
