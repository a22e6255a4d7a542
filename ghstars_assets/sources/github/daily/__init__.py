"""Takes a day from GitHub, one module a table: what search finds, what each repository counts, the
star history.

`each_day.py` walks the days of a range and `intake.py` keeps what was answered until the day is
whole. How a request is sent belongs in `api`, whom it is about in `tracking`.
"""
