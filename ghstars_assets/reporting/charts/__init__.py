"""Chart specifications: functions that return an Altair chart of what they are given.

Here belongs what a chart shows and how. Reading, measuring and drawing to a file belong elsewhere:
a chart is a specification, and `reporting/rendering.py` makes SVG and PNG of it.
"""
