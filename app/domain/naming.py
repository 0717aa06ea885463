"""What people call agents where several stand beside each other: by name, and by code too where the name alone does not tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from app.domain.language import tr


def with_code(code: str | None, name: str) -> str:
    """A name with its code, as far as they are known; one that ends in its code already stays as it is."""
    if not code or not name or name == code or name.endswith((f"（{code}）", f"({code})")):
        return name or code or ""
    return tr(f"{name}（{code}）", f"{name} ({code})")


def told_apart(people: Iterable[tuple[str, str]]) -> dict[str, str]:
    """{code: what to call them} of (code, name): the name where nobody else among them has it, else the name with the code.

    Who has no name is called by the code.
    """
    called = {code: name or code for code, name in people}
    times = Counter(called.values())
    if len(times) == len(called):
        return called
    return {code: with_code(code, name) if times[name] > 1 else name for code, name in called.items()}
