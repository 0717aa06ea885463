"""A store file that is renamed under the open console: the pill tells, its menu says why, and all is well once it is back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.storage import notices
from tests.journeys.conftest import Person, console_on
from tests.journeys.seats_desk import Shop
from ui.runtime import feed


@pytest.fixture
def person(shop: Shop, tmp_path: Path, qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    monkeypatch.setattr(notices, "_FILE_SECONDS", 0)
    monkeypatch.setattr(feed, "BACK_OFF", (0.01,))
    monkeypatch.setattr(feed, "GAP_SECONDS", 0.0)
    shop.agent("a1", "王敏")
    with console_on(qapp, str(tmp_path / "shop.db")) as console:
        person = Person(console, qtbot)
        person.until(lambda: console.connection is not None)
        person.settle()
        yield person


def menu_of_pill(person: Person) -> str:
    person.shell.topbar.pill.click()
    (menu,) = [menu for menu in person.shell.findChildren(QMenu) if menu.isVisible()]
    words = "\n".join(action.text() for action in menu.actions())
    menu.close()
    return words


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be renamed there")
def test_the_pill_tells_of_a_store_file_that_is_no_longer_there(person: Person, tmp_path: Path) -> None:
    pill, path, away = person.shell.topbar.pill, tmp_path / "shop.db", tmp_path / "away.db"
    person.until(lambda: pill.state() == "live")
    path.rename(away)
    person.until(lambda: pill.state() == "reconnecting")
    assert "正在重连" in pill.toolTip()
    assert "数据库文件已不在原处" in menu_of_pill(person)
    assert "shop.db" in menu_of_pill(person)
    person.shell.refresh()
    person.settle()
    assert not path.exists()  # nothing made an empty store in its place
    away.rename(path)
    person.until(lambda: pill.state() == "live")
    assert "不在原处" not in menu_of_pill(person)
