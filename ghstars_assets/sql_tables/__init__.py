"""A SQL file with a header becomes a table: columns, windows, checks, a gate, and days filled.

`header` reads one file, `graph` holds all files against each other, `inputs` finds what a batch may
read, and `engine` fills days. On their way rows pass the gate (`gate`, `gate_question`,
`gatekeeper`) and the `checks`; `hindsight` catches a query that sees the future, and `lineage` says
which column comes from which. The rules of a problem do not belong here: they stand in its files
under `sql/`. Neither does Dagster.
"""
