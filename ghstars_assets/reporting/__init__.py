"""Makes what is looked at: reports, cards, pages and charts of what the loop has measured.

Here belong Markdown, HTML and chart specifications, and the reading that they alone need. What is
measured, decided or stored belongs in `learning`; where a report is shown (Dagster, a command, a
message) belongs to whoever shows it. A chart is declared once in `charts/`, with Altair, and drawn
by `rendering.py`; both libraries are slow to import and are imported where they are used.
"""
