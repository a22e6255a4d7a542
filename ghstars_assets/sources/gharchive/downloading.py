"""Hours of GH Archive over HTTP: fetched one at a time, imported, and thrown away."""

import os
import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.addresses import is_safe
from ghstars_assets.sources.gharchive.importing import HourIntake, HoursReport
from ghstars_assets.sources.gharchive.tables import (
    HOURS_A_DAY,
    LAST_TRUSTED,
    WHY_NOT_LATER,
    GHArchiveTables,
    held_hours,
)
from ghstars_assets.sources.source import Say

if TYPE_CHECKING:
    import httpx

PATIENCE_SECONDS = 60.0
MOST_HOUR_BYTES = 2**30
"""The largest hours have 0.2 GB."""
LONGEST_HOUR_SECONDS = 3600.0
_FOLDER = re.compile(r"https?://((?![?#])[!-~])+")
"""An address to which a file's name can be added."""


def hours_over_http(
    lake: Lake, tables: GHArchiveTables, url: str, days: DayRange, say: Say
) -> HoursReport:
    """Fetch and take each hour of `days` that is not stored. What a broken answer gave is thrown
    away and reported; running it again fetches that hour again."""
    import httpx

    url = url.rstrip("/")
    _require_safe(url)
    intake = HourIntake(lake, tables, days, say)
    held = held_hours(lake, tables, days)
    spill = lake.settings.spill_path
    spill.mkdir(parents=True, exist_ok=True)
    with (
        # Named after the process, so that what a killed one leaves is known for an orphan.
        TemporaryDirectory(dir=spill, prefix=f"{os.getpid()}-") as folder,
        # A proxy is for the world outside.
        httpx.Client(timeout=PATIENCE_SECONDS, trust_env=url.startswith("https:")) as client,
    ):
        target = Path(folder) / "hour.json.gz"
        for day in days:
            if day > LAST_TRUSTED:
                intake.refuse(f"{DayRange(day, days.last)} at {url}", f"{WHY_NOT_LATER}.")
                break
            for hour in range(HOURS_A_DAY):
                address = f"{url}/{day}-{hour}.json.gz"
                if hour in held.get(day, ()):
                    intake.keep(address, day, hour)
                else:
                    _take(client, address, target, intake)
    return intake.report()


def _require_safe(url: str) -> None:
    """An answer comes unaltered over the wire, or from this machine."""
    if not is_safe(url) or not _FOLDER.fullmatch(url):
        raise SourceError(
            "The address of GH Archive's hours must be https://HOST[/PATH], or http:// on this "
            "very machine; anybody on the way could alter the stars otherwise."
        )


def _take(client: "httpx.Client", address: str, target: Path, intake: HourIntake) -> None:
    import httpx

    try:
        status = _fetch(client, address, target)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise SourceError(
            f"{address} cannot be reached; what was taken is stored, so run it again when the "
            "network is back."
        ) from None
    except OSError as error:
        raise SourceError(
            f"{address} cannot be put into {target.parent} ({error.strerror}); make room there."
        ) from None
    except _EndlessError:
        intake.refuse(address, "the answer goes on beyond any hour; look at the address.")
        return
    except httpx.RequestError as error:
        intake.refuse(address, f"the answer broke off ({type(error).__name__}); fetch it again.")
        return
    if status == httpx.codes.OK:
        intake.offer(target, address)
    elif status == httpx.codes.NOT_FOUND:
        intake.miss(address)
    else:
        intake.refuse(address, f"the server answered {status}; fetch it again later.")
    target.unlink(missing_ok=True)


class _EndlessError(Exception):
    """An answer that is no hour, however long it goes on."""


def _receive(answer: "httpx.Response", body: BinaryIO) -> None:
    began, received = time.monotonic(), 0
    for chunk in answer.iter_raw():
        body.write(chunk)
        received += len(chunk)
        if received > MOST_HOUR_BYTES or time.monotonic() - began > LONGEST_HOUR_SECONDS:
            raise _EndlessError


def _fetch(client: "httpx.Client", address: str, target: Path) -> int:
    """The answer's status, and its body in a file where it is the hour."""
    import httpx

    # The file is a gzip; on its way it is not to be packed or unpacked.
    with client.stream("GET", address, headers={"accept-encoding": "identity"}) as answer:
        if answer.status_code == httpx.codes.OK:
            with target.open("wb") as body:
                _receive(answer, body)
        return answer.status_code
