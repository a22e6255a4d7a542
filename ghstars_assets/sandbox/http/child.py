"""A sandbox in a process of its own, for as long as it is needed.

The token travels in the environment, never in the arguments, and the child ends when our end of its
stdin closes: also when we are killed.
"""

import json
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from ghstars_assets.errors import GhstarsError
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import sandbox_environment

_STOP_SECONDS = 10
_ANSWER_SECONDS = 60


@dataclass(frozen=True)
class RunningSandbox:
    url: str
    token: str = field(repr=False)

    def travel_to(self, day: date) -> None:
        """Set its clock to the moment of a day's snapshot."""
        asked = urllib.request.Request(  # noqa: S310 - our own child, on loopback
            f"{self.url}/sandbox/clock",
            data=json.dumps({"day": str(day)}).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
            method="PUT",
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(asked, timeout=_ANSWER_SECONDS):
            pass


@contextmanager
def running_sandbox(
    world: WorldSpec,
    *,
    limits: Literal["generous", "github"] = "generous",
    served_log: Path | None = None,
) -> Iterator[RunningSandbox]:
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "ghstars_assets.sandbox"),
        f"--seed={world.seed}",
        f"--repositories={world.repositories}",
        f"--first-day={world.first_day}",
        *([f"--change-on={world.change_on}"] if world.change_on else []),
        f"--limits={limits}",
        *([f"--served-log={served_log}"] if served_log else []),
    ]
    with subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=sandbox_environment(token),
        # Ctrl-C is for us; the child ends when we do.
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            line = process.stdout.readline()
            if not line:
                raise GhstarsError("The sandbox did not come up; its complaint stands above.")
            yield RunningSandbox(json.loads(line)["url"], token)
        finally:
            assert process.stdin is not None  # noqa: S101 - for the type checker
            process.stdin.close()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
