"""The first start: three ways in, and a real store at the end of one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from app.storage.faults import FaultError
from tests.journeys.conftest import Person
from tests.journeys.fakes import FakeSecrets, World
from ui.application import Console, Options
from ui.pages.registry import PAGES
from ui.pages.welcome import Welcome
from ui.runtime import profiles
from ui.runtime.connection import Connector
from ui.runtime.profiles import Profile

Start = Callable[..., Person]


def welcome(person: Person) -> Welcome:
    assert person.console.welcome is not None
    return person.console.welcome


def test_without_anything_known_one_is_welcomed(start: Start, world: World) -> None:
    person = start(connected=False)
    assert welcome(person).demo.isVisible()
    assert welcome(person).recent == []
    assert not welcome(person).server_form.isVisible()
    assert world.opened == []


def test_the_demo_is_one_click_away_and_gets_an_engine(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Profile] = []
    monkeypatch.setattr(Connector, "open", lambda self, profile, password, keep: opened.append(profile))
    person = start(connected=False)
    QTest.mouseClick(welcome(person).demo, Qt.MouseButton.LeftButton)
    assert [profile.kind for profile in opened] == ["demo"]
    assert opened[0].serve == ("--simulate",)
    assert person.shell is not None  # the frame is there at once


def test_opening_can_be_cancelled(start: Start, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    held = threading.Event()
    real = world.open
    monkeypatch.setattr(world, "open", lambda *given: (held.wait(5), real(*given))[1])
    person = start(connected=False, url="/fake/shop.db")
    person.until(lambda: person.console.operations.busy())
    person.shell.cancel_wanted.emit()
    assert person.console.welcome is not None
    held.set()
    person.settle()
    assert person.console.connection is None
    person.until(lambda: world.closed == 1)  # what opened too late is closed again


def test_a_server_is_tested_before_it_is_used(start: Start, world: World) -> None:
    person = start(connected=False)
    QTest.mouseClick(welcome(person).server, Qt.MouseButton.LeftButton)
    form = welcome(person).server_form
    QTest.mouseClick(form.test, Qt.MouseButton.LeftButton)
    assert form._fields[form.host].error() == "请填写"
    assert world.opened == []
    form.host.setText("db.example.com")
    form.user.setText("anna")
    form.password.setText("secret")
    world.refuse = FaultError("unreachable", "找不到这台服务器。请检查主机名和网络。")
    QTest.mouseClick(form.test, Qt.MouseButton.LeftButton)
    person.settle()
    assert form.said == "找不到这台服务器。请检查主机名和网络。"
    world.refuse = None
    QTest.mouseClick(form.test, Qt.MouseButton.LeftButton)
    person.settle()
    assert form.said == "连接成功。店铺：小店"
    assert world.opened[-1] == ("postgresql://anna:secret@db.example.com:5432/kefu", "anna", False)
    assert world.closed == 1
    assert person.console.connection is None


def test_a_password_is_kept_only_if_wanted(start: Start, secrets: FakeSecrets) -> None:
    person = start(connected=False)
    QTest.mouseClick(welcome(person).server, Qt.MouseButton.LeftButton)
    form = welcome(person).server_form
    for editor, text in ((form.host, "db.example.com"), (form.user, "anna"), (form.password, "secret")):
        editor.setText(text)
    form.keep.setChecked(False)
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    person.until(lambda: person.console.connection is not None)
    assert secrets.kept == {}


def test_a_machine_without_keyring_says_so_once_connected(start: Start, secrets: FakeSecrets) -> None:
    secrets.usable = False
    person = start(connected=False, url="postgresql://anna@db.example.com/kefu")
    person.until(lambda: person.console.connection is not None)
    assert person.shell.bell.unread == 0
    person.console.leave()
    form = welcome(person).server_form
    welcome(person)._connect_server(profiles.of("postgresql://anna@db.example.com/kefu")[0], "secret", True)
    person.until(lambda: person.console.connection is not None)
    assert person.shell.bell.unread == 1
    assert form is not None


def test_the_password_comes_from_the_keyring_next_time(start: Start, world: World, secrets: FakeSecrets) -> None:
    url = "postgresql://anna@db.example.com:5432/kefu"
    secrets.kept[url] = "secret"
    person = start(connected=False, url=url)
    person.until(lambda: person.console.connection is not None)
    assert world.opened[-1][0] == "postgresql://anna:secret@db.example.com:5432/kefu"


def test_a_recent_store_is_opened_or_forgotten(start: Start, world: World) -> None:
    person = start()
    person.console.leave()
    [row] = welcome(person).recent
    assert row.text() == "shop.db"
    QTest.mouseClick(row, Qt.MouseButton.LeftButton)
    person.until(lambda: person.console.connection is not None)
    person.console.leave()
    [row] = welcome(person).recent
    row.actions()[0].trigger()
    assert not row.isVisible()
    assert profiles.recent(person.console.prefs) == []


def test_a_file_is_chosen(start: Start, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/fake/other.db", ""))
    person = start(connected=False)
    QTest.mouseClick(welcome(person).open_file, Qt.MouseButton.LeftButton)
    person.until(lambda: person.console.connection is not None)
    assert world.opened == [("/fake/other.db", "owner", False)]


def test_language_and_theme_can_be_changed_before_anything_is_open(start: Start) -> None:
    person = start(connected=False)
    welcome(person).language_wanted.emit("en")
    assert "Open the demo store" in welcome(person).demo.text()
    welcome(person).theme_wanted.emit("dark")
    assert person.console.prefs.get("theme") == "dark"
    assert welcome(person).demo.isVisible()


def test_a_new_store_in_a_real_file(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    console = Console(qapp, Options(), secrets=FakeSecrets())
    console.start()
    person = Person(console, qtbot)
    QTest.mouseClick(welcome(person).new_file, Qt.MouseButton.LeftButton)
    form = welcome(person).new_form
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    assert form._fields[form.name].error() == "请填写"
    form.name.setText("小店")
    form.file.setText(str(tmp_path))
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    assert "已存在" in form._fields[form.file].error()
    form.file.setText(str(tmp_path / "new" / "shop.db"))
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    person.until(lambda: console.connection is not None)
    assert console.connection is not None
    assert console.connection.store.name == "小店"
    heard: list[dict[str, object]] = []
    assert console.connection.engine is not None, "any local store is routed"
    console.connection.engine.said.connect(heard.append)
    person.until(lambda: person.shell.topbar.pill.state() == "live")
    person.until(lambda: person.shell.host is not None and person.shell.host.page is not None)
    assert person.shell.current in PAGES
    person.until(lambda: {"store": console.connection.store.code, "routing": True} in heard)
    assert not person.shell.host.failed
    person.settle()
    console.end()
    console.deleteLater()


@pytest.mark.parametrize("content", [b"", b"not a database at all, whatever its name says" * 100])
def test_a_file_that_is_no_store_is_refused_in_a_sentence(qtbot: QtBot, qapp: QApplication, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "strange.db"
    path.write_bytes(content)
    console = Console(qapp, Options(url=str(path)), secrets=FakeSecrets())
    console.start()
    person = Person(console, qtbot)
    person.until(lambda: person.shell._trouble is not None)
    assert person.shell._trouble.sentence
    assert not content or path.read_bytes() == content
    person.shell._trouble.left.emit()
    assert console.welcome is not None
    person.settle()
    console.end()
    console.deleteLater()
