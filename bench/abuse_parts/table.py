"""The table in `docs/reliability.md`: what was tried, how often, and what happened."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from abuse_parts.scenario import Tried

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- made by bench/abuse.py --docs -->", "<!-- end of what it made -->"
HEAD = "| what was tried | how often | what happened |"


def line_of(tried: Tried) -> str:
    what = f"{tried.scenario.group}: {tried.scenario.what}"
    return f"| {what} | {tried.attempts} | {tried.describe().replace('|', '/')} |"


def write_table(tried: Iterable[Tried], order: Sequence[str], page: Path = PAGE) -> None:
    """Put the lines of this run into the page; those of scenarios it left out stay as they are."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    old, after = rest.split(END)
    lines = {_key(line): line for line in old.strip().splitlines()[2:]}
    lines |= {_key(line): line for line in map(line_of, tried)}
    kept = [lines[key] for key in order if key in lines]
    table = "\n".join([HEAD, "|---|---|---|", *kept])
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _key(line: str) -> str:
    return line.split("|")[1].strip()
