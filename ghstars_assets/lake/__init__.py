"""Tables as Parquet partitions on any object store, the logs beside them, and DuckDB to ask them.

Here belongs how bytes are stored, listed and read (`store`, `tables`, `logs`, `parquet`,
`bucket_files`), how it is known whether they are still what was written (`footers`, `integrity`),
how a table is described (`catalog`), how SQL is run over exactly the files it may read (`duck`,
`sampling`), and what holds for every table: `holes`, `outcomes`, `audit`, `marker`.
What a table means, who fills it and what it is made of does not belong here: the lake knows no
problem, no source and no model.
"""
