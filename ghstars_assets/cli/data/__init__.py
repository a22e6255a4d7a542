"""Commands that import, fill, declare, query and export tables.

What such work consists of belongs in `sources/`, `learning/` and `orchestration/`.
"""
