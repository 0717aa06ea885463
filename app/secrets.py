"""Passwords of connections: in the system's keyring and nowhere else.

The only file that imports keyring. Where the machine has no keyring, a password is kept in memory until the program ends, and
the person is told so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from app.domain.language import tr

R = TypeVar("R")

SERVICE = "kefu-manager"


class Secrets(Protocol):
    """Blocking: a keyring may ask the person to unlock it. Never call it on the UI thread."""

    def get(self, name: str) -> str | None: ...

    def put(self, name: str, password: str) -> str:
        """Keep a password; returns "" when it is kept for good, otherwise one sentence that says for how long it is."""

    def forget(self, name: str) -> None: ...


class SystemSecrets:
    """The system keyring, with memory as the fallback for this session."""

    def __init__(self) -> None:
        self._memory: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        if name in self._memory:
            return self._memory[name]
        return _ask(lambda keyring: keyring.get_password(SERVICE, name))

    def put(self, name: str, password: str) -> str:
        if _ask(lambda keyring: keyring.set_password(SERVICE, name, password) or True):
            self._memory.pop(name, None)
            return ""
        self._memory[name] = password
        return tr(
            "这台电脑没有可用的系统钥匙串，密码只保留到程序退出。",
            "This computer has no usable keyring; the password is kept until the program ends.",
        )

    def forget(self, name: str) -> None:
        self._memory.pop(name, None)
        _ask(lambda keyring: keyring.delete_password(SERVICE, name))


def _ask(question: Callable[[Any], R]) -> R | None:
    """The keyring's answer; None where there is no keyring, it refuses, or it would only write a readable file."""
    import keyring
    from keyring.errors import KeyringError

    try:
        backend = keyring.get_keyring()
        # keyrings.alt keeps passwords in readable files; the null and fail backends, of priority 0 and below, keep nothing.
        if type(backend).__module__.startswith("keyrings.alt") or backend.priority <= 0:
            return None
        return question(backend)
    except (KeyringError, RuntimeError, OSError):
        return None
