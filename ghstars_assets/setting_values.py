"""What a value of a setting may be, and how a user reads that it is none.

Each of these functions takes a value and gives it back, or raises a `ValueError` whose text goes on
after "GHSTARS_… cannot be used: ".
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_CRON_FIELDS = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day of the month": (1, 31),
    "month": (1, 12),
    "day of the week": (0, 7),
}
_NAMES = dict(zip(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], range(7), strict=True)) | dict(
    zip(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        range(1, 13),
        strict=True,
    )
)
_CRON_PART = re.compile(r"(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?", re.ASCII)


def printable(value: object) -> object:
    """Whatever it is for, no value has a line end, a zero byte or a terminal's command in it; a
    line end behind it is what a file read by a shell leaves."""
    value = value.rstrip("\r\n") if isinstance(value, str) else value
    text = str(value) if isinstance(value, str | Path) else ""
    if any(ord(one) < 32 or ord(one) == 127 for one in text):
        raise ValueError("it holds a character that cannot be printed, such as the end of a line")
    if any("\ud800" <= one <= "\udfff" for one in text):
        raise ValueError("it is no UTF-8")
    return value


def address(value: str) -> str:
    """Empty, or where HTTP can be spoken to."""
    if value and not _has_host(value, ("http", "https")):
        raise ValueError("it is no address; write http://HOST or https://HOST[:PORT][/PATH]")
    return value


def mlflow_address(value: str) -> str:
    """Empty, a folder, a database, or a server."""
    scheme = value.partition("://")[0] if "://" in value else ""
    if scheme in ("http", "https") and not _has_host(value, (scheme,)):
        raise ValueError("it is no address; write http://HOST or https://HOST[:PORT][/PATH]")
    return value


def _has_host(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that does not close, a port that is no number
        return False


def cron(value: str) -> str:
    """Five fields, each within what its place can be."""
    fields = value.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError("it is no cron line of five fields, such as 0 6 * * * for 06:00 UTC")
    for text, (place, (lowest, highest)) in zip(fields, _CRON_FIELDS.items(), strict=True):
        if not all(_is_cron_part(part, lowest, highest) for part in text.split(",")):
            raise ValueError(f"{text!r} is no {place} ({lowest} to {highest}) of a cron line")
    return value


def _is_cron_part(text: str, lowest: int, highest: int) -> bool:
    base, slash, step = text.partition("/")
    found = _CRON_PART.fullmatch(base)
    if not found or (slash and not (step.isdecimal() and 0 < int(step) <= highest + 1)):
        return False
    if found["all"]:
        return True
    first = _cron_number(found["first"])
    last = _cron_number(found["last"]) if found["last"] else first
    return lowest <= first <= last <= highest


def _cron_number(text: str) -> int:
    """The number, or that of a month's or a weekday's name; -1 where it is neither."""
    return int(text) if text.isdecimal() and len(text) < 4 else _NAMES.get(text.lower(), -1)


def our_words(found: Mapping[str, Any]) -> str:
    """One of pydantic's complaints, as a clause."""
    context = found.get("ctx", {})
    words = {
        "int_parsing": "it is no whole number",
        "int_from_float": "it is no whole number",
        "int_parsing_size": "it has far too many digits",
        "float_parsing": "it is no number",
        "finite_number": "it is no finite number",
        "string_unicode": "it is no UTF-8",
        "greater_than": f"it must be more than {context.get('gt', 0):,}",
        "greater_than_equal": f"it must be at least {context.get('ge', 0):,}",
        "less_than": f"it must be less than {context.get('lt', 0):,}",
        "less_than_equal": f"it must be at most {context.get('le', 0):,}",
    }
    if found["type"] == "value_error":
        return str(context.get("error"))
    return words.get(found["type"], f"{found['msg'][:1].lower()}{found['msg'][1:]}")
