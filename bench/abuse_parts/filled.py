"""The home that the tests fill, made for the bench in a process of its own.

What is tried often must be what the tests try seldom, down to the home; so it is theirs, although
a bench imports no test: this one needs pytest, as `bench/mutations.py` does.
"""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
_PROGRAM = """
import sys
from pathlib import Path
from ghstars_assets_tests.support.filled_home import build_filled_home
build_filled_home(Path(sys.argv[1]))
"""


def build_filled_home(home: Path) -> Path:
    command = [sys.executable, "-c", _PROGRAM, str(home)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    return home
