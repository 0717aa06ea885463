"""The import dialog: choose, look, correct, import, take back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import text

from app.domain.language import set_language
from app.domain.permissions import Actor, local_owner
from app.services.workspace import Workspace
from app.storage import imported
from tests.exports import csv_file, workbook
from tests.journeys.seats_desk import NOON
from ui.importing import ImportDialog
from ui.pages.registry import PageContext
from ui.runtime.feed import LiveFeed
from ui.runtime.operations import Operations
from ui.runtime.preferences import Preferences

HEAD = ["客服昵称", "咨询量", "接待量", "满意率", "评价量", "组别"]
ROWS = [["小雨", 100, 99, "98%", 50, "售前"], ["小雪", 50, 50, "100%", 10, "售后"]]


class Hands:
    """The dialog on a store of its own, and somebody who uses it."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.workspace = Workspace.open(str(folder / "shop.db"), local_owner())
        self.workspace.create_store("shop", "小店")
        store = self.workspace.store(None)
        self.operations = Operations()
        self.bugs: list[Any] = []
        self.operations.bug.connect(self.bugs.append)
        self.toasts: list[str] = []
        self.window = QWidget()
        self.feed = LiveFeed(lambda: self.workspace.notices(store.id))
        self.context = PageContext(
            self.workspace, store, self.workspace.actor, self.feed, Preferences(folder / "preferences.json"), self.operations,
            lambda: NOON, lambda key, where: None, lambda words, level: self.toasts.append(words),
        )  # fmt: skip
        self.dialog = self.open()

    def open(self) -> ImportDialog:
        dialog = ImportDialog(self.context, self.window)
        dialog.show()
        self.settle()
        return dialog

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.operations.busy(), timeout=10_000)

    def look_at(self, file: Path) -> None:
        self.dialog.look_at(file)
        self.settle()
        assert self.dialog.shown is self.dialog.preview, self.dialog.said

    def click(self, button: QWidget) -> None:
        assert button.isVisible()
        assert button.isEnabled()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.settle()

    def meaning(self, header: str) -> QComboBox:
        table = self.dialog.preview.table
        for at in range(table.columnCount()):
            if table.horizontalHeaderItem(at).text() == header:
                combo = table.cellWidget(0, at)
                assert isinstance(combo, QComboBox)
                return combo
        raise AssertionError(header)

    def choose(self, header: str, key: str) -> None:
        combo = self.meaning(header)
        combo.setCurrentIndex(combo.findData(key))
        combo.activated.emit(combo.currentIndex())
        self.settle()

    def problems(self) -> list[str]:
        listed = self.dialog.preview.problems
        return [listed.item(i).text() for i in range(listed.count())]

    def consults(self) -> dict[str, int]:
        with self.workspace.database.read() as connection:
            rows = connection.execute(
                text("SELECT a.code, sum(d.consults) FROM day_counters d JOIN agents a ON a.id = d.agent_id GROUP BY a.code")
            )
            return {code: number for code, number in rows if number}

    def end(self) -> None:
        self.window.close()
        self.window.deleteLater()
        assert self.operations.close()
        self.operations.deleteLater()
        self.feed.deleteLater()
        self.workspace.close()
        assert not self.bugs


@pytest.fixture
def hands(tmp_path: Path, qtbot: QtBot) -> Iterator[Hands]:
    held = Hands(tmp_path, qtbot)
    yield held
    held.end()


def good_file(folder: Path) -> Path:
    return csv_file(folder / "京东pop2026-08-25.csv", [HEAD, *ROWS, ["总值", 150, 149, "98.3%", 60, ""]], "gbk")


def test_a_file_is_looked_at_imported_and_taken_back(hands: Hands, tmp_path: Path) -> None:
    dialog = hands.dialog
    assert dialog.start.model.rowCount() == 0
    hands.look_at(good_file(tmp_path))
    assert hands.consults() == {}
    assert [hands.meaning(header).currentData() for header in HEAD] == ["agent", "consults", "received", "satisfaction", "rated", ""]
    assert hands.meaning("组别").currentText() == "未识别，不导入"
    assert dialog.preview.table.item(1, 0).text() == "小雨"
    assert dialog.preview.table.verticalHeaderItem(1).text() == "2"
    said = dialog.preview.forecast.text()
    for words in ("2026-08-25", "2 位客服", "新建客服 2 位", "组别"):
        assert words in said
    assert "✗" not in dialog.preview.checks.text()
    assert dialog.preview.verdict.text() == "可以导入"
    hands.click(dialog.go)
    assert dialog.shown is dialog.finish
    assert "2 位客服" in dialog.finish.lines.text()
    assert hands.consults() == {"小雨": 100, "小雪": 50}
    hands.click(dialog.undo_this)
    assert hands.consults() == {}
    assert "已撤销" in hands.toasts[-1]
    assert [cells["state"].text for cells in dialog.start.model._rows.values()] == ["已撤销"]


def test_an_import_of_the_past_is_taken_back_from_the_list(hands: Hands, tmp_path: Path) -> None:
    for _ in range(2):
        hands.look_at(good_file(tmp_path))
        hands.click(hands.dialog.go)
        hands.click(hands.dialog.again)
    start = hands.dialog.start
    assert start.model.rowCount() == 2
    assert not start.undo.isEnabled()
    start.table.select(2)
    hands.click(start.undo)
    assert hands.consults() == {"小雨": 100, "小雪": 50}  # the first one holds again
    start.table.select(2)
    assert not start.undo.isEnabled()
    start.table.select(1)
    hands.click(start.undo)
    assert hands.consults() == {}


def test_problems_stand_in_the_way_until_a_column_is_corrected(hands: Hands, tmp_path: Path) -> None:
    rows = [["姓名", "咨询量", "接待量", "满意率"], ["小雨", 10, 9, "坏的"], ["小雪", 5, 5, "100%"]]
    hands.look_at(csv_file(tmp_path / "2026-08-25.csv", rows))
    dialog = hands.dialog
    assert not dialog.go.isEnabled()
    assert any("客服" in problem for problem in hands.problems())
    assert any("第 2 行" in problem and "坏的" in problem for problem in hands.problems())
    hands.choose("姓名", "agent")
    assert not dialog.go.isEnabled()
    hands.choose("满意率", "")
    assert dialog.go.isEnabled()
    hands.click(dialog.go)
    assert hands.consults() == {"小雨": 10, "小雪": 5}
    # The correction is remembered.
    hands.look_at(csv_file(tmp_path / "2026-08-26.csv", rows))
    assert dialog.go.isEnabled()


def test_the_day_is_asked_for_where_nothing_says_it(hands: Hands, tmp_path: Path) -> None:
    hands.look_at(csv_file(tmp_path / "报表.csv", [HEAD, *ROWS]))
    panel = hands.dialog.preview
    assert panel.take_day.isVisible()
    assert not hands.dialog.go.isEnabled()
    day = panel.days.date().toString("yyyy-MM-dd")
    hands.click(panel.take_day)
    assert hands.dialog.go.isEnabled()
    assert day in panel.forecast.text()
    assert not panel.take_day.isVisible()
    panel.days.setDate(panel.days.date().addDays(-3))
    hands.settle()
    assert panel.days.date().toString("yyyy-MM-dd") in panel.forecast.text()


def test_another_sheet_and_another_window_can_be_chosen(hands: Hands, tmp_path: Path) -> None:
    sales = [["客服", "促成订单数"], ["小雨", 3]]
    hands.look_at(workbook(tmp_path / "2026-08-25.xlsx", {"甲": [HEAD, *ROWS], "乙": sales}))
    panel = hands.dialog.preview
    assert panel.sheets.currentText() == "甲"
    assert not panel.windows.isVisible()
    panel.sheets.setCurrentText("乙")
    panel.sheets.activated.emit(1)
    hands.settle()
    assert panel.windows.isVisible()
    panel.windows.setCurrentIndex(panel.windows.findData("7d"))
    panel.windows.activated.emit(1)
    hands.settle()
    hands.click(hands.dialog.go)
    with hands.workspace.database.read() as connection:
        assert connection.execute(text("SELECT orders_24h, orders_7d FROM day_counters")).one() == (None, 3)


def test_a_file_can_be_dropped_and_what_is_no_export_is_refused_in_place(hands: Hands, tmp_path: Path) -> None:
    letter = tmp_path / "信.csv"
    letter.write_text("您好\n再见\n", encoding="utf-8")

    def drop(file: Path) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(file))])
        hands.dialog.dropEvent(
            QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        )
        hands.settle()

    drop(letter)
    assert hands.dialog.shown is hands.dialog.start
    assert "可识别的列" in hands.dialog.said
    drop(good_file(tmp_path))
    assert hands.dialog.shown is hands.dialog.preview
    assert hands.dialog.said == ""


def test_days_with_real_sessions_are_told_and_mixed_on_request(hands: Hands, tmp_path: Path) -> None:
    hands.look_at(good_file(tmp_path))
    hands.click(hands.dialog.go)
    with hands.workspace.database.write() as connection:  # as if one of them had sessions of their own
        connection.execute(text("UPDATE day_counters SET flag = 0 WHERE consults = 100"))
    hands.look_at(good_file(tmp_path))
    panel = hands.dialog.preview
    assert "跳过 1 个" in panel.forecast.text()
    assert "小雨 2026-08-25" in panel.forecast.text()
    assert panel.mix.isVisible()
    panel.mix.click()
    assert "跳过" not in panel.forecast.text()
    hands.click(hands.dialog.go)
    assert "跳过" not in hands.dialog.finish.lines.text()


class Gate:
    """Stops an import half way until somebody opens it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = Event(), Event()
        real = imported.announce

        def announce(*arguments: Any) -> None:
            real(*arguments)
            self.reached.set()
            assert self.opened.wait(10)

        monkeypatch.setattr(imported, "announce", announce)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def begin(hands: Hands, gate: Gate, tmp_path: Path) -> ImportDialog:
    hands.look_at(good_file(tmp_path))
    hands.dialog.run()
    hands.qtbot.waitUntil(gate.reached.is_set, timeout=5000)
    return hands.dialog


def test_cancelling_leaves_nothing_and_shows_the_preview_again(hands: Hands, gate: Gate, tmp_path: Path) -> None:
    dialog = begin(hands, gate, tmp_path)
    assert dialog.cancel.isVisible()
    QTest.mouseClick(dialog.cancel, Qt.MouseButton.LeftButton)
    gate.opened.set()
    hands.settle()
    assert dialog.shown is dialog.preview
    assert dialog.go.isEnabled()
    assert hands.toasts == ["已取消，没有写入任何内容。"]
    assert hands.consults() == {}
    hands.click(dialog.go)
    assert hands.consults() == {"小雨": 100, "小雪": 50}


def test_closing_while_importing_cancels_and_then_goes(hands: Hands, gate: Gate, tmp_path: Path) -> None:
    dialog = begin(hands, gate, tmp_path)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    with hands.qtbot.waitSignal(dialog.destroyed, timeout=5000):
        gate.opened.set()
    hands.settle()
    assert hands.consults() == {}
    hands.dialog = hands.open()
    assert hands.dialog.start.model.rowCount() == 0


def test_whoever_may_not_is_told(hands: Hands, tmp_path: Path) -> None:
    hands.workspace.actor = Actor("guest", frozenset({"history.view"}))
    hands.dialog.look_at(good_file(tmp_path))
    hands.settle()
    assert hands.dialog.shown is hands.dialog.start
    assert "没有权限" in hands.dialog.said


def test_the_dialog_speaks_english(hands: Hands, tmp_path: Path) -> None:
    set_language("en")
    hands.dialog.close()
    hands.dialog = hands.open()
    hands.look_at(good_file(tmp_path))
    assert hands.meaning("组别").currentText() == "Not known, left out"
    assert "2 agents" in hands.dialog.preview.forecast.text()
    hands.click(hands.dialog.go)
    assert "2 new agents: 小雨, 小雪" in hands.dialog.finish.lines.text()
