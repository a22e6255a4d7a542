"""Writes `docs/stages.md`: the stages of the learning loop, what each is made from, and what it is.

The list is the one in `learning/stages.py`; nothing is added to it by hand (`make rooms`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ghstars_assets.lake.catalog import Table
from ghstars_assets.sql_tables.header import Window
from tools.room_graph import ROOT

PAGE = ROOT / "docs" / "stages.md"
SHOWN_PROBLEM = "stars"
"""Windows hang on a problem's horizon, so the page shows those of one problem."""


class DescribedStage(Protocol):
    """What the page needs to know of a stage."""

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, Window]: ...
    @property
    def requires_champion(self) -> bool: ...
    @property
    def table(self) -> Table: ...


def stage_page(stages: Sequence[DescribedStage], problem: str, horizon_days: int) -> str:
    """The page as Markdown."""
    return "\n".join(
        [
            "# The stages of the learning loop",
            "",
            "Made by `make rooms` from `ghstars_assets/learning/stages.py`; change it there.",
            f"Windows are those of `{problem}`, whose horizon is {horizon_days} days.",
            "",
            "| stage | a partition holds | made from | needs a champion |",
            "|---|---|---|---|",
            *map(_row, stages),
            "",
        ]
    )


def _row(stage: DescribedStage) -> str:
    inputs = "<br>".join(
        f"`{name.rsplit('.', 1)[-1]}`: {window_in_words(window)}"
        for name, window in stage.inputs.items()
    )
    cells = (
        f"`{stage.name}`",
        stage.table.description,
        inputs,
        "yes" if stage.requires_champion else "",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def window_in_words(window: Window) -> str:
    """Which days a day is made from: "the same day", "35 to 7 days before"."""
    first, last = window.first_offset, window.last_offset
    if first == last:
        days = _day_in_words(first)
    elif last < 0:
        days = f"{-first} to {-last} days before"
    elif first > 0:
        days = f"{first} to {last} days after"
    else:
        days = " to ".join(_day_in_words(offset) for offset in (first, last))
    return f"{days}, where known" if window.optional else days


def _day_in_words(offset: int) -> str:
    if offset == 0:
        return "the same day"
    days = f"{abs(offset)} day" + ("s" if abs(offset) > 1 else "")
    return f"{days} {'before' if offset < 0 else 'after'}"


def main(page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text(current_page())
    print(page.relative_to(ROOT))


def current_page() -> str:
    """The page as the code makes it now."""
    from ghstars_assets.learning.stages import loop_stages
    from ghstars_assets.problems.registry import find_problem

    problem = find_problem(SHOWN_PROBLEM)
    return stage_page(loop_stages(problem), problem.name, problem.horizon_days)


if __name__ == "__main__":
    main()
