"""A manager at the whole window with the real pages and a recorded store, by keyboard alone.

Every key goes to the window that has the keyboard, as the system would send it; where it landed is read as a screen reader would
read it: from the focused widget and its accessible name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QPushButton, QTabBar, QToolButton, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from app.domain import events as ev
from app.domain.language import Language
from tests.journeys.conftest import console_on
from tests.journeys.seats_desk import DAY, HOUR, LOCAL, MINUTE, Shop
from ui.application import Console
from ui.pages.history import ComparePage
from ui.pages.history.picture import LABEL
from ui.pages.lookup import LookupPage
from ui.widgets.funnel import FunnelPlot
from ui.widgets.period import PeriodButton
from ui.widgets.table import DataTable
from ui.widgets.toast import Toast
from ui.widgets.transcript import Transcript

MONDAY, SUNDAY = date(2024, 9, 23), date(2024, 9, 29)
"""Last week, seen from the store's Friday."""
NAMES = {"a0": "钱慢", "a1": "王敏", "a2": "李华", "a3": "赵强", "a4": "孙丽", "a5": "周杰"}
SESSIONS = 24


class Words(NamedTuple):
    """What the manager reads and types in one language."""

    language: Language
    compare: str
    reports: str
    workload: str
    custom: str
    chart: str
    funnel: str
    first_reply: str
    noise: str
    verdict: str
    chance: str
    sessions: str
    exported: str
    save: str


ZH = Words(
    "zh", "客服数据对比", "报表", "工作量", "自定义", "图表", "漏斗图", "首次平均响应时间",
    "差距大于随机波动能解释的", "超出随机波动范围 偏低：钱慢", "随机波动范围内", "客户咨询", "已导出", "保存(&S)",
)  # fmt: skip
EN = Words(
    "en", "Compare agents", "Reports", "Workload", "Custom", "Chart", "Funnel plot", "First response time",
    "larger than chance explains", "Beyond chance, low: 钱慢", "Within what chance explains", "Sessions", "Exported", "&Save",
)  # fmt: skip


class Manager:
    """Somebody with a keyboard and no mouse."""

    def __init__(self, console: Console, qtbot: QtBot) -> None:
        self.console, self.qtbot = console, qtbot

    def press(self, *keys: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        for key in keys:
            window = QGuiApplication.focusWindow()
            assert window is not None
            QTest.keyClick(window, key, held)
        self.settle()

    def type(self, words: str) -> None:
        for letter in words:
            QTest.keyClick(QGuiApplication.focusWindow(), letter)
        self.settle()

    def settle(self) -> None:
        QApplication.processEvents()
        self.until(lambda: not self.console.operations.busy())

    def until(self, condition: Callable[[], Any]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=5000)

    @property
    def here(self) -> QWidget:
        found = QApplication.focusWidget()
        assert found is not None
        return found

    def tab_to(self, kind: type[QWidget], named: str = "", most: int = 60) -> Any:
        """Tab until something of that kind, whose accessible name holds those words, has the keyboard."""
        for _ in range(most):
            if isinstance(self.here, kind) and named in self.here.accessibleName():
                return self.here
            self.press(Qt.Key.Key_Tab)
        raise AssertionError(f"no {kind.__name__} {named!r} within {most} tabs, now at {self.here} {self.here.accessibleName()!r}")

    def find_page(self, title: str) -> Any:
        """Ctrl+K, some letters, Enter."""
        self.press(Qt.Key.Key_K, held=Qt.KeyboardModifier.ControlModifier)
        line = self.here
        assert isinstance(line, QLineEdit)
        # An input method commits Chinese as a whole.
        line.insert(title) if not title.isascii() else self.type(title)
        self.press(Qt.Key.Key_Return)
        return self.page

    @property
    def page(self) -> Any:
        assert self.console.shell is not None
        assert self.console.shell.host is not None
        assert not self.console.shell.host.failed
        return self.console.shell.host.page

    def column(self, table: DataTable) -> str:
        return table.rows().columns[table.currentIndex().column()].key

    def walk_to_column(self, table: DataTable, key: str) -> None:
        for step in (Qt.Key.Key_Right, Qt.Key.Key_Left):
            for _ in table.shown_columns():
                if self.column(table) == key:
                    return
                self.press(step)
        raise AssertionError(f"the keys do not reach column {key}")

    def read(self, table: DataTable, key: str) -> str:
        return table.rows().cell(table.current_id(), key).text

    def export_to(self, file: Path, words: Words) -> list[tuple[Any, ...]]:
        self.press(Qt.Key.Key_E, held=Qt.KeyboardModifier.ControlModifier)
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        assert words.save in [button.text() for button in dialog.findChildren(QPushButton)]
        self.press(Qt.Key.Key_A, held=Qt.KeyboardModifier.ControlModifier)
        self.type(str(file))
        self.press(Qt.Key.Key_Return)
        self.console.window.activateWindow()  # as a window manager does when a dialog goes; the offscreen one does not
        self.until(QGuiApplication.focusWindow)
        self.until(lambda: any(words.exported in toast.label.text() and file.name in toast.label.text() for toast in self.toasts()))
        return list(openpyxl.load_workbook(file).worksheets[0].values)

    def toasts(self) -> list[Toast]:
        return [toast for toast in self.console.window.findChildren(Toast) if not toast.isHidden()]


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Six agents of the same work last week; 钱慢 answers two of three customers too late, the others one in eight."""
    first = DAY - 4 - 7
    assert LOCAL.local(LOCAL.start_of_day(first)).date() == MONDAY
    events: list[ev.AnyEvent] = []
    for code, name in NAMES.items():
        events.append(ev.AgentUpserted(id=shop.name(), at=LOCAL.start_of_day(first), agent=code, name=name, team="一组"))
        for number in range(SESSIONS):
            at = LOCAL.start_of_day(first + number % 7) + 10 * HOUR + number * 7 * MINUTE
            late = number % 3 != 0 if code == "a0" else number % 8 == int(code[1])
            session, customer = f"s-{code}-{number}", f"c-{code}-{number}"
            reply = at + (95_000 if late else 8_000)
            events += [
                ev.SessionOpened(id=shop.name(), at=at, session=session, customer=customer, agent=code, group="g1"),
                ev.SessionAssigned(id=shop.name(), at=at, session=session, agent=code, group="g1"),
                ev.MessageSent(id=shop.name(), at=at, session=session, sender="customer", text="在吗，我的快递到哪里了"),
                ev.MessageSent(id=shop.name(), at=reply, session=session, sender="agent", agent=code, text=f"您好，{name}为您查询"),
                ev.SessionClosed(id=shop.name(), at=at + 5 * MINUTE, session=session, by="customer"),
            ]
    shop.record(*events)
    return shop


@pytest.fixture
def manager(shop: Shop, tmp_path: Path, qtbot: QtBot, qapp: QApplication, request: pytest.FixtureRequest) -> Iterator[Manager]:
    with console_on(qapp, str(tmp_path / "shop.db"), request.param.language) as console:
        manager = Manager(console, qtbot)
        manager.until(lambda: console.connection is not None)
        manager.settle()
        yield manager


@pytest.mark.parametrize(("manager", "words"), [(ZH, ZH), (EN, EN)], indirect=["manager"], ids=["zh", "en"])
def test_the_slowest_agent_of_last_week(manager: Manager, words: Words, tmp_path: Path) -> None:
    page = manager.find_page(words.compare)
    assert isinstance(page, ComparePage)

    # The report, and last week.
    bar: QTabBar = manager.tab_to(QTabBar, words.reports)
    while bar.tabText(bar.currentIndex()) != words.workload:
        at = bar.currentIndex()
        manager.press(Qt.Key.Key_Right)
        assert bar.currentIndex() == at + 1
    days = manager.tab_to(PeriodButton)
    manager.press(Qt.Key.Key_Down)
    while not (isinstance(manager.here, QToolButton) and manager.here.text() == words.custom):
        at_preset = manager.here
        manager.press(Qt.Key.Key_Down)
        assert manager.here is not at_preset
    manager.press(Qt.Key.Key_Return)
    for day in (MONDAY, SUNDAY):
        manager.type(f"{day:%Y%m%d}")
        if day == MONDAY:
            manager.press(Qt.Key.Key_Tab)
    manager.press(Qt.Key.Key_Return)
    assert f"{MONDAY:%m-%d} – {SUNDAY:%m-%d}" in days.accessibleName()

    # Who is slowest: the column's order, the first row.
    table: DataTable = manager.tab_to(DataTable)
    manager.press(Qt.Key.Key_Home)
    manager.walk_to_column(table, "first_reply")
    manager.press(Qt.Key.Key_Down, held=Qt.KeyboardModifier.AltModifier)
    manager.press(Qt.Key.Key_Home)
    assert manager.read(table, LABEL) == "钱慢"
    assert manager.read(table, "first_reply") == "66.0"
    assert float(manager.read(table, "first_reply")) > max(float(table.rows().cell(row, "first_reply").text) for row in list(NAMES)[1:])

    # Is it noise? The figure explains itself, and the funnel says it of everybody.
    manager.walk_to_column(table, "reply_30s_rate")
    manager.press(Qt.Key.Key_F1)
    assert "8 / 24 = 33.3%" in QToolTip.text()
    assert words.noise in QToolTip.text()
    manager.tab_to(QToolButton, f"{words.chart} ")
    manager.press(Qt.Key.Key_Right)
    assert manager.here.text() == words.funnel
    funnel: FunnelPlot = manager.tab_to(FunnelPlot)
    assert words.verdict in funnel.accessibleDescription()
    said = {}
    manager.press(Qt.Key.Key_Home)
    for _ in NAMES:
        who, *facts = funnel.accessibleDescription().split(", ", 1)
        said[who] = facts[0]
        manager.press(Qt.Key.Key_Right)
    assert words.noise in said.pop("钱慢")
    assert set(said) == set(NAMES.values()) - {"钱慢"}
    assert all(words.chance in facts for facts in said.values())

    # The sessions behind the figure, and what was said in one of them.
    table = manager.tab_to(DataTable)
    assert manager.read(table, LABEL) == "钱慢"
    manager.press(Qt.Key.Key_Return)
    page = manager.page
    assert isinstance(page, LookupPage)
    assert page.breadcrumb == (words.sessions,)
    listing: DataTable = manager.tab_to(DataTable)
    manager.press(Qt.Key.Key_Home)
    assert listing.rows().rowCount() == 16
    session = listing.current_id()
    assert all(manager.read(listing, key) for key in ("opened_at", "customer_name"))
    manager.press(Qt.Key.Key_Return)
    manager.press(Qt.Key.Key_Return)
    transcript = manager.here
    assert isinstance(transcript, Transcript)
    assert page.breadcrumb == (words.sessions, str(session).replace("s-", "c-"))
    manager.press(Qt.Key.Key_A, held=Qt.KeyboardModifier.ControlModifier)
    manager.press(Qt.Key.Key_C, held=Qt.KeyboardModifier.ControlModifier)
    read = QApplication.clipboard().text()
    assert "在吗，我的快递到哪里了" in read
    assert "您好，钱慢为您查询" in read
    manager.press(Qt.Key.Key_Escape)
    assert page.breadcrumb == (words.sessions,)

    # Both tables as files: what was read, and what it was compared with.
    found = manager.export_to(tmp_path / "sessions.xlsx", words)
    assert sum(session in row for row in found) == 1
    assert len([row for row in found if "钱慢" in row]) == 16
    manager.find_page(words.compare)
    found = manager.export_to(tmp_path / "week.xlsx", words)
    head = next(row for row in found if any(words.first_reply in str(title) for title in row))
    at = next(place for place, title in enumerate(head) if words.first_reply in str(title))
    slow = next(row for row in found if "a0" in row or "钱慢" in row)
    assert slow[at] == 66
    assert any(f"{MONDAY}" in str(cell) and f"{SUNDAY}" in str(cell) for row in found for cell in row)


@pytest.mark.parametrize("manager", [ZH], indirect=True, ids=["zh"])
def test_tab_goes_through_the_page_as_it_is_read(manager: Manager) -> None:
    """From the top, and in a row from the left; also after the report and the chart were changed, which makes widgets anew."""
    manager.find_page(ZH.compare)
    bar: QTabBar = manager.tab_to(QTabBar, ZH.reports)
    manager.press(Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Right)
    assert bar.tabText(bar.currentIndex()) == ZH.workload
    manager.tab_to(QToolButton, f"{ZH.chart} ")
    manager.press(Qt.Key.Key_Right)
    for _ in range(2):
        manager.tab_to(QTabBar, ZH.reports)
        passed = [manager.here]
        while not isinstance(manager.here, DataTable):
            manager.press(Qt.Key.Key_Tab)
            passed.append(manager.here)
        middles = [widget.mapTo(manager.page, widget.rect().center()) for widget in passed]
        assert all(after.y() > before.y() + 10 or after.x() > before.x() for before, after in pairwise(middles[1:])), [
            (widget.accessibleName(), middle) for widget, middle in zip(passed, middles, strict=True)
        ]
        assert any("图表" in widget.accessibleName() for widget in passed)
        manager.tab_to(QTabBar, ZH.reports)
        manager.press(Qt.Key.Key_Left)  # the daily report, which has steps


@pytest.mark.parametrize("manager", [ZH], indirect=True, ids=["zh"])
def test_the_way_back_leads_to_the_place_one_came_from(manager: Manager) -> None:
    """Also past a page that was asked for something else in between, and from the transcript to its list."""
    alt, shell = Qt.KeyboardModifier.AltModifier, manager.console.shell
    assert shell is not None
    shell.open_page("compare", {"report": "workload", "first": f"{MONDAY}", "last": f"{SUNDAY}"})
    manager.settle()
    assert shell.topbar.back.isHidden()
    table: DataTable = manager.tab_to(DataTable)
    manager.press(Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_Down)
    manager.walk_to_column(table, "reply_30s_rate")
    left = (table.current_id(), manager.column(table))
    manager.press(Qt.Key.Key_Return)
    listing: DataTable = manager.tab_to(DataTable)
    assert shell.topbar.back.accessibleName() == "返回 客服数据对比"
    manager.press(Qt.Key.Key_Home, Qt.Key.Key_Down)
    session = listing.current_id()
    manager.press(Qt.Key.Key_Return, Qt.Key.Key_Return)
    assert isinstance(manager.here, Transcript)
    manager.press(Qt.Key.Key_Left, held=alt)  # the transcript closes, and its list has the keyboard
    assert manager.here is listing
    assert listing.current_id() == session
    manager.walk_to_column(listing, "agent_name")
    manager.press(Qt.Key.Key_Return)
    assert shell.current == "agent"
    shell.follow("lookup", {"report": "orders", "first": MONDAY, "last": SUNDAY})
    manager.settle()
    assert manager.page.breadcrumb == ("促成订单",)
    manager.press(Qt.Key.Key_Left, held=alt)
    assert shell.current == "agent"
    manager.press(Qt.Key.Key_Left, held=alt)
    assert (shell.current, manager.page.breadcrumb) == ("lookup", (ZH.sessions,))
    assert listing.current_id() == session
    manager.press(Qt.Key.Key_Left, held=alt)
    assert shell.current == "compare"
    assert manager.here is table
    assert (table.current_id(), manager.column(table)) == left
    assert shell.topbar.back.isHidden()
    manager.press(Qt.Key.Key_Left, held=alt)
    assert shell.current == "compare"


@pytest.mark.parametrize("manager", [ZH], indirect=True, ids=["zh"])
def test_esc_closes_what_was_opened_last_wherever_the_keyboard_is(manager: Manager) -> None:
    shell = manager.console.shell
    assert shell is not None
    shell.open_page("lookup", {"session": "s-a0-1", "report": "sessions", "first": f"{MONDAY}", "last": f"{SUNDAY}"})
    manager.settle()
    assert len(manager.page.breadcrumb) == 2
    shell.sidebar.setFocus()
    manager.press(Qt.Key.Key_Tab)
    assert shell.sidebar.isAncestorOf(manager.here)
    manager.press(Qt.Key.Key_K, held=Qt.KeyboardModifier.ControlModifier)
    manager.press(Qt.Key.Key_Escape)
    assert len(manager.page.breadcrumb) == 2
    assert shell.sidebar.isAncestorOf(manager.here)
    manager.press(Qt.Key.Key_Escape)
    assert manager.page.breadcrumb == (ZH.sessions,)
    assert shell.sidebar.isAncestorOf(manager.here)
