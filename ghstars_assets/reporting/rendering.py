"""Draws chart specifications without a browser or a network, as SVG, as PNG and within Markdown."""

import base64
import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt

_DESCRIBED_MARK = re.compile(
    r'<(\w+) aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="[\w ]*"([^>]*)/>'
)
_TAG = re.compile(r"<[^>]*>")
_READ_BY_SCRIPTS = re.compile(r' (?:class|role|aria-[a-z]+|pointer-events|xmlns:xlink)="[^"]*"')


def svg(chart: "alt.LayerChart") -> str:
    """The same chart is drawn as the same text. A mark shows its description on hovering."""
    return _small(_DESCRIBED_MARK.sub(r"<\1\3><title>\2</title></\1>", _drawn(chart)))


def png(chart: "alt.LayerChart", scale: float = 2) -> bytes:
    """For messages and for whatever shows no SVG; a scale of 2 is sharp on a fine screen."""
    import vl_convert

    return vl_convert.vegalite_to_png(*_specification(chart), scale=scale)


def markdown_image(chart: "alt.LayerChart", alt_text: str) -> str:
    """An image that is in the text, for a page that can load no file of ours. Within an image
    nothing shows on hovering, so descriptions are left out."""
    encoded = base64.b64encode(_small(_drawn(chart)).encode()).decode()
    return f"![{alt_text}](data:image/svg+xml;base64,{encoded})"


def stand_alone_page(title: str, style: str, body: str) -> str:
    """An HTML page that loads nothing, runs nothing, and says so to the browser."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _drawn(chart: "alt.LayerChart") -> str:
    import vl_convert

    return vl_convert.vegalite_to_svg(*_specification(chart))


def _specification(chart: "alt.LayerChart") -> tuple[dict[str, object], str]:
    """With the version of Vega-Lite that Altair writes, of those that vl-convert brings."""
    import altair as alt

    major, minor, *_ = alt.SCHEMA_VERSION.lstrip("v").split(".")
    # Tests validate specifications; validating takes as long as drawing.
    return chart.to_dict(validate=False), f"{major}.{minor}"


def _small(drawn: str) -> str:
    """Without what Vega writes for its own scripts and styles, a third of the text."""
    return _TAG.sub(lambda tag: _READ_BY_SCRIPTS.sub("", tag[0]), drawn)
