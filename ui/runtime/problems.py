"""Errors sorted at the border: the person can act, is not allowed, or we must fix it."""

from __future__ import annotations

import re
import sys
import traceback
from dataclasses import dataclass
from typing import Literal

from app.domain.language import tr
from app.domain.permissions import NotAllowedError

Kind = Literal["act", "denied", "bug"]

_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^@\s]*@|(password=)\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, ready to be shown: one sentence with its remedy. `details` is the traceback of a bug and empty otherwise."""

    kind: Kind
    sentence: str
    details: str = ""
    fingerprint: str = ""
    """Equal for the same fault at the same place."""


def without_passwords(text: str) -> str:
    return _PASSWORD.sub(lambda m: f"{m[1] or m[2]}***" + ("@" if m[1] else ""), text)


def sort(error: BaseException) -> Problem:
    """The problem behind an exception."""
    if isinstance(error, NotAllowedError):
        return Problem("denied", str(error))
    # A fault can only have been raised once its module is loaded; importing it here would load SQLAlchemy before the first paint.
    faults = sys.modules.get("app.storage.faults")
    if faults is not None and isinstance(error, faults.FaultError):
        return Problem("act", without_passwords(str(error)), fingerprint=error.kind)
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return Problem(
        "bug",
        tr(
            "程序内部出错，操作没有完成。可以重试；如果再次出现，请把详情发给维护者。",
            "Something went wrong inside the program and this did not complete. Try again; if it happens again, send the details "
            "to the maintainers.",
        ),
        without_passwords("".join(traceback.format_exception(error))),
        f"{type(error).__name__}@{place}",
    )
