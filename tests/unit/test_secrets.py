from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from app.secrets import SERVICE, SystemSecrets


class Ring(KeyringBackend):
    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked("locked")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("not there")
        del self.kept[service, username]


class TextFileRing(Ring):
    __module__ = "keyrings.alt.file"


@pytest.fixture(autouse=True)
def restore() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def test_a_password_lives_in_the_keyring_alone() -> None:
    ring = Ring()
    keyring.set_keyring(ring)
    assert SystemSecrets().put("db.example.com", "secret") == ""
    assert ring.kept == {(SERVICE, "db.example.com"): "secret"}
    assert SystemSecrets().get("db.example.com") == "secret"
    SystemSecrets().forget("db.example.com")
    assert SystemSecrets().get("db.example.com") is None
    SystemSecrets().forget("db.example.com")


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring, TextFileRing])
def test_without_a_usable_keyring_it_is_kept_until_the_end_and_said_so(backend: type[KeyringBackend]) -> None:
    ring = backend()
    keyring.set_keyring(ring)
    secrets = SystemSecrets()
    assert "钥匙串" in secrets.put("db.example.com", "secret")
    assert secrets.get("db.example.com") == "secret"
    assert SystemSecrets().get("db.example.com") is None
    assert getattr(ring, "kept", {}) == {}
    secrets.forget("db.example.com")
    assert secrets.get("db.example.com") is None


def test_a_locked_keyring_is_no_error() -> None:
    ring = Ring()
    keyring.set_keyring(ring)
    ring.locked = True
    secrets = SystemSecrets()
    assert secrets.get("db.example.com") is None
    assert secrets.put("db.example.com", "secret") != ""
    assert secrets.get("db.example.com") == "secret"
