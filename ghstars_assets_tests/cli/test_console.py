"""Everything that is shown is text: no message and no data is markup, an emoji or a command."""

import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.cli.console import as_json, print_line, say, show_frame
from ghstars_assets.settings import PROJECT_ROOT
from ghstars_assets_tests.support.ghstars_command import Ghstars

TRICKY = ["[red]x[/red] :x:", "list[int]", "[/x]", "[bold]", ":smile:"]
PACKAGE = PROJECT_ROOT / "ghstars_assets"
COMMAND_LINE = [*(PACKAGE / "cli").rglob("*.py"), *(PACKAGE / "problems").rglob("*.py")]
PRINTS = re.compile(r"\bprint\(|\bclick\.(echo|secho|style)\(|\bstd(out|err)\.write|\bfrom rich\b")
MAY_PRINT = {
    "cli/console.py": "the one place",
    "cli/terminal_tables.py": "measures the width of letters",
    "cli/entry_point.py": "the last error, where the console may be what failed to load",
    "cli/lazy_group.py": "the sentence after Ctrl-C, likewise",
    "cli/data/import_history.py": "names the type of a bar",
}


Shown = Callable[[Callable[[], object]], str]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[io.StringIO, Terminal], ids=["pipe", "terminal"])
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What an action shows on both streams, on a pipe or on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")

    def shown_by(action: Callable[[], object]) -> str:
        stream = request.param()
        with redirect_stdout(stream), redirect_stderr(stream):
            action()
        return stream.getvalue()

    return shown_by


@pytest.mark.parametrize("text", TRICKY)
def test_what_looks_like_markup_is_shown_as_it_is(shown: Shown, text: str) -> None:
    assert shown(lambda: say(text, heading=text)).count(text) == 2
    assert shown(lambda: print_line(text)).count(text) == 1
    frame = pl.DataFrame({text: [text]})
    assert shown(lambda: show_frame(frame, "table", text)).count(text) == 3


def test_a_path_is_shown_whole_on_a_line_that_is_too_short_for_it(shown: Shown) -> None:
    path = f"/home/[bold]/{'x' * 80}/:x:/lake"
    assert path in shown(lambda: say(f"Everything is kept in {path}, and nowhere else."))


def test_a_message_is_broken_between_words_and_only_for_a_terminal(shown: Shown) -> None:
    lines = shown(lambda: say(" ".join(["word"] * 30))).splitlines()
    assert set(" ".join(lines).split(" ")) == {"word"}
    assert len(lines) == 1 or max(map(len, lines)) <= 80


def test_rows_beyond_the_limit_are_counted_on_a_terminal_and_all_go_into_a_pipe(
    shown: Shown,
) -> None:
    text = shown(lambda: show_frame(pl.DataFrame({"n": range(1000)}), "table", most=40))
    if "more rows" in text:
        assert "and 960 more rows; --csv or --json shows all" in text
        assert "39" in text.splitlines()
        assert "40" not in text.splitlines()
    else:
        assert len(text.splitlines()) > 1000


def test_json_is_valid_whatever_a_float_is() -> None:
    frame = pl.DataFrame(
        {"a": [float("nan"), 1.5], "b": [[float("inf")], [2.0]], "c": [{"d": -float("inf")}] * 2}
    )
    text = as_json(frame)
    assert json.loads(text, parse_constant=pytest.fail) == [
        {"a": None, "b": [None], "c": {"d": None}},
        {"a": 1.5, "b": [2.0], "c": {"d": None}},
    ]


def test_nothing_of_the_command_line_prints_around_the_console() -> None:
    found = {
        str(file.relative_to(PACKAGE))
        for file in COMMAND_LINE
        if PRINTS.search(file.read_text(encoding="utf-8"))
    }
    assert found <= MAY_PRINT.keys()


def test_a_home_whose_name_looks_like_an_emoji_is_named_whole(
    ghstars: Ghstars, tmp_path: Path
) -> None:
    home = tmp_path / "a :x: home"
    assert str(home) in ghstars(home, "doctor").out
