from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ui.runtime import profiles
from ui.runtime.preferences import Preferences
from ui.runtime.profiles import KEPT, Profile

AWKWARD = "p@ss:w/ö rd%#?"


@pytest.fixture
def prefs(tmp_path: Path, qtbot: QtBot) -> Iterator[Preferences]:
    made = Preferences(tmp_path / "preferences.json")
    yield made
    made.flush()


@pytest.mark.parametrize("host", ["db.example.com", "::1", "192.0.2.7"])
def test_a_server_url_is_taken_apart_as_it_was_put_together(host: str) -> None:
    url = profiles.server_url(host, 6543, "ke/fu", "anna@team")
    assert profiles.server_parts(url) == (host, 6543, "ke/fu", "anna@team")
    assert Profile("server", url).title == f"{host}/ke/fu"


def test_sqlalchemy_reads_the_same_out_of_it() -> None:
    from sqlalchemy.engine import make_url

    found = make_url(profiles.with_password(profiles.server_url("db.example.com", 5432, "kefu", "anna@team"), AWKWARD))
    assert (found.host, found.port, found.database) == ("db.example.com", 5432, "kefu")
    assert (found.username, found.password) == ("anna@team", AWKWARD)


def test_a_password_on_the_command_line_is_used_and_not_kept() -> None:
    profile, password = profiles.of("postgresql://anna:secret@db.example.com/kefu")
    assert password == "secret"
    assert "secret" not in profile.url
    assert profile.kind == "server"


def test_no_password_reaches_the_file(prefs: Preferences) -> None:
    profile, _ = profiles.of("postgresql://anna:secret@db.example.com/kefu")
    profiles.remember(prefs, profile)
    prefs.flush()
    assert "secret" not in prefs.path.read_text("utf-8")


def test_paths_and_file_urls_are_local(tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    assert profiles.of(path)[0] == Profile("local", path)
    assert profiles.of(f"sqlite:///{path}")[0].url == path
    assert profiles.of(path, "demo", ("--simulate",))[0].kind == "demo"


def test_recent_ones_come_latest_first_once_and_not_too_many(prefs: Preferences) -> None:
    for number in range(KEPT + 3):
        profiles.remember(prefs, Profile("local", f"/{number}.db", "shop", ("--simulate",)))
    profiles.remember(prefs, Profile("local", "/5.db"))
    found = profiles.recent(prefs)
    assert len(found) == KEPT
    assert [profile.url for profile in found].count("/5.db") == 1
    assert found[0].url == "/5.db"
    profiles.forget(prefs, found[0])
    assert "/5.db" not in [profile.url for profile in profiles.recent(prefs)]


def test_a_demo_opened_as_a_file_keeps_its_engine(prefs: Preferences) -> None:
    """Otherwise its numbers would stand still and look live."""
    demo = Profile("demo", "/demo.db", "demo", ("--simulate",))
    profiles.remember(prefs, demo)
    assert profiles.known(prefs, Profile("local", "/demo.db")) == demo
    assert profiles.known(prefs, Profile("local", "/other.db")) == Profile("local", "/other.db")


def test_entries_nobody_can_read_are_left_out(prefs: Preferences) -> None:
    prefs.put("connections", [None, 3, {}, {"kind": "moon", "url": "x"}, {"kind": "local", "url": 5}, {"kind": "local", "url": "/a.db"}])
    assert profiles.recent(prefs) == [Profile("local", "/a.db")]
