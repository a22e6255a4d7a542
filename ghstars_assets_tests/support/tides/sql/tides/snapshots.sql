/*
description: The water at each station, from the gauges, with impossible readings held back.
key: [station]
reads:
  tides.gauges: 0
columns:
  day:         {type: date, is: "the UTC day", not_null: true}
  station:     {type: varchar, is: "where the gauge stands", not_null: true}
  source:      {type: varchar, is: "the source of the row", not_null: true, one_of: [gauges]}
  level_cm:    {type: double, is: "the highest water", not_null: true, min: 0}
  observed_at: {type: timestamptz, is: "when it was read", not_null: true}
  ingested_at: {type: timestamptz, is: "when we took it", not_null: true}
gate:
  rows:
    impossible_level:
      because: "no tide is as low as the sea bed"
      select: select station from candidate where level_cm < 0
  days:
    half_is_missing:
      because: "half of the gauges are silent: the reading was cut short"
      select: select 1 where (select count(*) from candidate) < 3
*/
select
    day,
    station,
    'gauges' as source,
    level_cm,
    observed_at,
    ingested_at
from tides.gauges
