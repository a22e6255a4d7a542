"""`ghstars` in processes of its own that have imported everything before, and can be hurt.

A process that has imported Dagster, MLflow and the rest, and has run nothing, is forked for each
command: that saves the seconds of importing them. It has `faults.c` preloaded.
"""

import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import mkdtemp

from abuse_parts.faults import NO_FAULT, PRELOAD, Counter, Fault, Place, arm, preloaded_library

PRELOADED = [
    "ghstars_assets.cli.entry_point",
    "ghstars_assets.orchestration.build",
    "ghstars_assets.orchestration.runs",
    "ghstars_assets.learning.registry.mlflow_tracking",
    "ghstars_assets.problems.stars.problem",
    "lightgbm",
    "mlflow",
    "polars",
    "duckdb",
]
SMALL: Mapping[str, str] = {"GHSTARS_THREADS": "1", "GHSTARS_MEMORY_GB": "1"}
_NOT_INHERITED = ("GHSTARS_", "DAGSTER_", "MLFLOW_", "AWS_", "AZURE_", "GOOGLE_")
KILLED = -9
LONGEST_SECONDS = 600
_numbers = count()


@dataclass(frozen=True)
class Ran:
    code: int
    """As a shell has it; -9 for a process that was killed."""
    output: str
    writes: Mapping[Place, int]
    """In the home, as far as it came."""
    seconds: float


@dataclass(frozen=True)
class Job:
    home: Path
    arguments: Sequence[str]
    settings: Mapping[str, str]
    fault: Fault
    counter: Path
    output: Path


@dataclass
class Running:
    """A command under way."""

    process: BaseProcess
    job: Job
    counter: Counter
    began: float = field(default_factory=time.perf_counter)

    def wait_for(self, line: str) -> None:
        """Until it has printed this, or has ended."""
        while self.process.is_alive() and line not in self._printed():
            time.sleep(0.1)

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        os.kill(self.process.pid or 0, signal.SIGINT)

    def end(self) -> Ran:
        self.process.join(LONGEST_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        code = KILLED if self.process.exitcode is None else self.process.exitcode
        seconds = time.perf_counter() - self.began
        return Ran(
            KILLED if code is None else code, self._printed(), self.counter.writes(), seconds
        )

    def _printed(self) -> str:
        return self.job.output.read_text(errors="replace") if self.job.output.exists() else ""


class Commands:
    """Starts commands. One of these serves a whole process."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._folder = Path(mkdtemp(prefix="ghstars-abuse-"))

    def start(
        self,
        home: Path,
        *arguments: str,
        fault: Fault = NO_FAULT,
        settings: Mapping[str, str] | None = None,
    ) -> Running:
        number = next(_numbers)
        counter = Counter(self._folder / f"{number}.count")
        output = self._folder / f"{number}.out"
        job = Job(home, arguments, settings or {}, fault, counter.file, output)
        process = self._context.Process(target=run_job, args=(job,), daemon=False)
        before = os.environ.get(PRELOAD)
        # The process that is forked from is started with the first command.
        os.environ[PRELOAD] = str(preloaded_library())
        try:
            process.start()
        finally:
            if before is None:
                del os.environ[PRELOAD]
            else:
                os.environ[PRELOAD] = before
        return Running(process, job, counter)

    def run(
        self,
        home: Path,
        *arguments: str,
        fault: Fault = NO_FAULT,
        settings: Mapping[str, str] | None = None,
    ) -> Ran:
        return self.start(home, *arguments, fault=fault, settings=settings).end()


def run_job(job: Job) -> None:
    """What the forked process does: the command, in its home, with nothing of the user's."""
    with job.output.open("wb", buffering=0) as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    for name in list(os.environ):
        if name.startswith(_NOT_INHERITED):
            del os.environ[name]
    os.environ |= {**SMALL, "GHSTARS_HOME": str(job.home), **job.settings}
    time.tzset()
    job.home.mkdir(parents=True, exist_ok=True)
    os.chdir(job.home)
    arm(job.fault, job.home, job.counter)

    from ghstars_assets.cli import main

    try:
        main(list(job.arguments))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as Python itself would end
        traceback.print_exc()
        code = 1
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
