"""Through the whole window with a fake database and small pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QWidget

from app.domain.language import language
from app.domain.permissions import PERMISSIONS, Actor
from app.services.workspace import StoreInfo
from app.storage.faults import FaultError, unreachable
from tests.journeys.conftest import Person
from tests.journeys.fakes import BrokenPage, FakeSecrets, FakeWorkspace, PlainPage, World
from tests.leaks import assert_nothing_left, running
from ui import application, theme
from ui.pages.registry import GROUPS, PAGES
from ui.runtime.paths import config_dir
from ui.runtime.preferences import Preferences

Start = Callable[..., Person]


def titles(person: Person) -> list[str]:
    return [command.key for command in person.shell._palette.found]


def words(person: Person) -> str:
    return " ".join(label.text() for label in person.console.window.findChildren(QLabel) if label.isVisible())


# -- start and pages --


def test_the_window_is_painted_before_anything_is_asked(start: Start, world: World, qtbot: object) -> None:
    person = start(connected=False, url="/fake/shop.db")
    assert world.opened == []
    assert person.console.window.isVisible()
    assert person.shell.sidebar.items["overview"].isChecked()
    person.until(lambda: person.console.connection is not None)
    person.until(lambda: person.page.number == 0)
    assert world.opened == [("/fake/shop.db", "owner", False)]


def test_a_start_loads_nothing_heavy_before_the_first_paint() -> None:
    script = (
        "import os, sys\nos.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
        "from PySide6.QtWidgets import QApplication\nfrom ui.application import Console, Options\n"
        "app = QApplication([])\nconsole = Console(app, Options(url='/nowhere/at/all.db'))\nseen = []\n"
        "heavy = {'sqlalchemy', 'pyqtgraph', 'numpy', 'qtawesome', 'alembic', 'psycopg', 'pypinyin', 'keyring', 'psutil', 'msgspec'}\n"
        "console.window.painted.disconnect()\n"
        "console.window.painted.connect(lambda: (seen.append(heavy & {n.split('.')[0] for n in sys.modules}), app.quit()))\n"
        "console.start()\napp.exec()\nconsole.end()\nprint(*seen)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_every_page_is_listed_and_what_is_not_there_yet_says_so(start: Start) -> None:
    person = start()
    items = person.shell.sidebar.items
    assert list(items) == list(PAGES)
    assert {spec.group for spec in PAGES.values()} == {group.key for group in GROUPS}
    for key, spec in PAGES.items():
        assert items[key].isEnabled() == (spec.factory is not None)
        assert ("将在后续版本提供" in items[key].toolTip()) == (spec.factory is None)


def test_going_to_another_page_stops_the_one_before(start: Start) -> None:
    person = start()
    overview = person.page
    QTest.mouseClick(person.shell.sidebar.items["seats"], Qt.MouseButton.LeftButton)
    assert person.shell.current == "seats"
    assert person.page is not overview
    assert overview.calls[-1] == "deactivate"
    assert person.page.calls == ["activate", "refresh"]
    assert "坐席监控" in words(person)
    assert person.page.text.isVisible()
    assert not overview.text.isVisible()


def test_a_commit_is_shown_on_the_page_in_sight_only(start: Start, world: World) -> None:
    person = start()
    overview = person.page
    person.shell.open_page("seats")
    person.settle()
    asked = overview.calls.count("refresh")
    world.commit("sessions")
    person.until(lambda: person.page.number == 1)
    assert overview.calls.count("refresh") == asked
    person.shell.open_page("overview")
    person.until(lambda: person.page.number == 1)


def test_a_minimised_window_asks_nothing_and_catches_up(start: Start, world: World) -> None:
    person = start()
    person.shell.set_shown(False)
    calls = len(person.page.calls)
    world.commit()
    person.until(lambda: all(line.empty() for line in world.lines))
    QTest.qWait(10)
    assert person.page.calls[calls:] == []
    person.shell.set_shown(True)
    person.until(lambda: person.page.number == 1)


def test_what_one_may_not_see_is_disabled_with_a_reason(start: Start, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "open", lambda url, actor, create: FakeWorkspace(world, Actor("anna", frozenset({"export"}))))
    person = start()
    item = person.shell.sidebar.items["overview"]
    assert not item.isEnabled()
    assert "没有权限" in item.toolTip()
    person.shell.open_page("seats")
    assert person.shell.host is None


def test_export_needs_its_permission(start: Start, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = frozenset(PERMISSIONS) - {"export"}
    monkeypatch.setattr(world, "open", lambda url, actor, create: FakeWorkspace(world, Actor("anna", allowed)))
    exported: list[int] = []
    monkeypatch.setattr(PlainPage, "export", lambda self: exported.append(1))
    person = start()
    QTest.keyClick(person.console.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert exported == []
    assert "没有权限：导出" in words(person)


# -- keyboard --


def test_the_palette_is_enough_to_get_anywhere(start: Start) -> None:
    person = start()
    window = person.console.window
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = person.shell._palette
    assert palette.field.hasFocus()
    person.settle()
    QTest.keyClicks(palette.field, "zxjk")
    assert titles(person)[0] == "page:seats"
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert person.shell.current == "seats"
    assert not palette.isVisible()

    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert titles(person)[0] == "page:seats"  # what was used last comes first
    QTest.keyClicks(palette.field, "anse")
    assert "theme:dark" not in titles(person)[:1]
    palette.field.clear()
    QTest.keyClicks(palette.field, "dark")
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    QTest.keyClick(palette.field, Qt.Key.Key_Up)
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert theme.theme().name == "dark"


def test_the_palette_offers_an_agent_on_every_page_that_shows_one(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    person = start()
    person.shell.open_palette()
    person.settle()
    person.shell._palette.field.setText("zs")
    assert [command.hint.split(" · ")[0] for command in person.shell._palette.found[:2]] == ["坐席监控", "客服个人工作数据"]
    went: list[tuple[str, object]] = []
    monkeypatch.setattr(person.shell, "open_page", lambda key, where: went.append((key, where)))
    QTest.keyClick(person.shell._palette.field, Qt.Key.Key_Down)
    QTest.keyClick(person.shell._palette.field, Qt.Key.Key_Return)
    assert went == [("agent", {"agent": "a1"})]


def test_a_new_window_is_no_higher_than_the_screen_with_its_frame(start: Start) -> None:
    window = start().console.window
    assert window.height() < window.frameGeometry().height() <= window.screen().availableGeometry().height()


@pytest.mark.parametrize(("text", "agent"), [("zs", "a1"), ("lixm", "a2"), ("小明", "a2"), ("a3", "a3")])
def test_the_palette_finds_agents(start: Start, text: str, agent: str) -> None:
    person = start()
    person.shell.open_palette()
    person.settle()
    person.shell._palette.field.setText(text)
    assert titles(person)[0] == f"agent:{agent}"
    QTest.keyClick(person.shell._palette.field, Qt.Key.Key_Return)
    assert person.shell.current == "seats"
    assert person.page.where == {"agent": agent}
    assert agent in words(person)  # the breadcrumb


def test_the_palette_works_while_the_database_is_away(start: Start, world: World) -> None:
    person = start()
    world.down.set()
    person.shell.open_palette()
    person.settle()
    QTest.keyClicks(person.shell._palette.field, "zuoxi")
    assert titles(person)[0] == "page:seats"


def test_esc_gives_the_keyboard_back(start: Start) -> None:
    person = start()
    person.page.text.setFocus()
    QTest.keyClick(person.console.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(person.shell._palette.field, Qt.Key.Key_Escape)
    assert not person.shell._palette.isVisible()
    assert person.console.window.focusWidget() is person.page.text


def test_what_cannot_be_opened_cannot_be_run(start: Start) -> None:
    person = start()
    person.shell.open_palette()
    person.settle()
    QTest.keyClicks(person.shell._palette.field, "qqqq")
    assert titles(person) == []
    person.shell._palette.field.setText("快捷入口")
    assert titles(person)[0] == "page:entries"
    QTest.keyClick(person.shell._palette.field, Qt.Key.Key_Return)
    assert person.shell._palette.isVisible()
    assert person.shell.current == "overview"


def test_the_shortcuts(start: Start) -> None:
    person = start()
    window = person.console.window
    refreshes = person.page.calls.count("refresh")
    QTest.keyClick(window, Qt.Key.Key_F5)
    assert person.page.calls.count("refresh") == refreshes + 1
    QTest.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert person.page.text.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert person.shell.sidebar.width() == 56
    assert person.console.prefs.get("sidebar_collapsed") is True
    QTest.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert person.shell.sidebar.width() == 220


def test_arrows_walk_the_sidebar(start: Start) -> None:
    person = start()
    items = person.shell.sidebar.items
    walked = [item for item in items.values() if item.isEnabled()]
    assert len(walked) < len(items), "nothing is disabled: the test shows less than it could"
    walked[0].setFocus()
    for before, after in zip(walked, [*walked[1:], walked[0]], strict=True):
        QTest.keyClick(before, Qt.Key.Key_Down)
        assert after.hasFocus()


def test_everything_one_can_reach_has_a_name(start: Start) -> None:
    person = start()
    person.shell.open_palette()
    person.settle()
    for widget in [person.shell.sidebar, person.shell.topbar, person.shell._palette]:
        for child in widget.findChildren(QWidget):
            if child.focusPolicy() & Qt.FocusPolicy.TabFocus and child.isVisible() and child is not person.page.text:
                assert child.accessibleName() or getattr(child, "text", str)(), child


# -- language, theme, store, memory --


def test_language_and_theme_change_in_place_and_nothing_is_lost(start: Start) -> None:
    person = start()
    person.shell.open_page("seats")
    person.page.text.setText("张三")
    window, old = person.console.window, person.page
    person.console.set_language("en")
    assert language() == "en"
    assert person.page is not old
    assert (person.console.window, person.shell.current, person.page.text.text()) == (window, "seats", "张三")
    assert "Seats" in words(person)
    person.console.set_theme("dark")
    assert theme.theme().name == "dark"
    assert person.page.text.text() == "张三"
    person.shell.open_page("overview")
    person.console.set_theme("light")
    person.shell.open_page("seats")
    assert person.page.text.text() == "张三"


def test_in_english_the_frame_has_no_chinese_left(start: Start, world: World) -> None:
    world.stores = [StoreInfo(1, "shop", "Shop", "Asia/Shanghai")]
    person = start()
    person.console.set_language("en")
    person.shell.open_palette()
    person.settle()
    shown = [words(person), *(item.text() + item.toolTip() for item in person.shell.sidebar.items.values())]
    shown += [f"{command.label} {command.hint} {command.why_not}" for command in person.shell.commands()]
    shown += [button.toolTip() for button in (person.shell.topbar.bell, person.shell.topbar.user, person.shell.topbar.pill)]
    chinese = [text for text in shown if any("一" <= letter <= "鿿" for letter in text.replace("中文", ""))]
    assert chinese == []


def test_the_next_start_is_where_one_left(start: Start) -> None:
    person = start()
    person.shell.open_page("seats")
    person.page.text.setText("李")
    person.shell.fold()
    person.console.set_language("en")
    person.console.window.resize(1024, 700)
    person.console.window.close()
    again = start(connected=False, url=None)
    again.until(lambda: again.console.connection is not None)
    assert again.console.connection is not None
    assert again.console.connection.profile.url == "/fake/shop.db"
    assert again.shell.current == "seats"
    assert again.page.text.text() == "李"
    assert again.shell.sidebar.folded
    assert language() == "en"
    assert (again.console.window.width(), again.console.window.height()) == (1024, 700)


def test_a_broken_preferences_file_is_told_and_survived(start: Start, own_home: Path) -> None:
    config_dir().mkdir(parents=True)
    (config_dir() / "preferences.json").write_text("{broken", "utf-8")
    person = start()
    assert "默认设置" in words(person)
    assert person.shell.bell.unread == 1


def test_closing_a_group_is_remembered(start: Start) -> None:
    person = start()
    person.shell.sidebar._captions["storefront"].click()
    assert not person.shell.sidebar.items["leave"].isVisible()
    person.console.set_language("en")
    assert not person.shell.sidebar.items["leave"].isVisible()
    assert person.shell.sidebar.items["roles"].isVisible()


def test_another_store_is_chosen_from_the_sidebar(start: Start, world: World) -> None:
    world.stores = [StoreInfo(1, "shop", "小店", "Asia/Shanghai"), StoreInfo(2, "mall", "大店", "Asia/Shanghai")]
    person = start()
    person.shell.open_page("seats")
    assert person.shell.sidebar.store_button.isEnabled()
    person.shell.sidebar.store_chosen.emit(2)
    person.until(lambda: person.console.connection is not None)
    assert person.console.connection is not None
    assert person.console.connection.store.code == "mall"
    assert person.shell.current == "seats"
    assert person.console.window.windowTitle().startswith("大店")
    person.until(lambda: world.closed == 1)


# -- what fails --


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> type[BrokenPage]:
    monkeypatch.setitem(PAGES, "seats", replace(PAGES["seats"], factory="tests.journeys.fakes:BrokenPage"))
    monkeypatch.setattr(BrokenPage, "broken", "")
    return BrokenPage


@pytest.mark.parametrize("where", ["build", "activate", "refresh", "show", "quality", "restore", "filters"])
def test_a_page_that_breaks_hurts_only_itself(start: Start, broken: type[BrokenPage], monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(broken, "broken", where)
    person = start()
    person.shell.open_page("seats")
    person.settle()
    host = person.shell.host
    assert host.failed
    assert f"broken in {where}" in host._error.details.toPlainText()
    assert "这个页面没能显示" in words(person)
    person.shell.open_page("overview")
    person.settle()
    assert person.page.number == 0
    person.shell.open_page("seats")
    assert person.shell.host.failed
    monkeypatch.setattr(broken, "broken", "")
    QTest.mouseClick(person.shell.host._error.retry, Qt.MouseButton.LeftButton)
    person.settle()
    assert not person.shell.host.failed
    assert person.page.number == 0


def test_a_page_that_breaks_on_a_notice_keeps_its_error_until_retried(
    start: Start, world: World, broken: type[BrokenPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = start(page="seats")
    person.until(lambda: person.page.quality.fresh or True)
    monkeypatch.setattr(broken, "broken", "notice")
    world.commit()
    person.until(lambda: person.shell.host.failed)
    world.commit()
    person.shell.refresh()
    person.settle()
    assert person.shell.host.failed


@pytest.mark.parametrize("where", ["deactivate", "state", "unstorable state", "breadcrumb"])
def test_a_page_that_breaks_on_leaving_stops_nobody(
    start: Start, broken: type[BrokenPage], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(broken, "broken", where)
    person = start(page="seats")
    person.shell.open_page("overview")
    person.settle()
    assert person.page.number == 0
    person.console.set_language("en")
    assert person.shell.current == "overview"


def test_a_lost_connection_greys_and_comes_back_with_what_was_missed(start: Start, world: World) -> None:
    person = start()
    person.until(lambda: person.page.quality.fresh)
    world.down.set()
    person.until(lambda: person.page.quality.state == "reconnecting")
    assert person.shell.topbar.pill.state() == "reconnecting"
    person.shell.refresh()
    person.settle()
    assert not person.shell.host.failed  # what is known stays in sight
    assert "无法连接数据库服务器" in words(person)
    world.numbers = 7  # committed by others meanwhile, with nobody listening
    world.down.clear()
    person.until(lambda: person.page.number == 7)
    assert person.page.quality.fresh
    assert "无法连接数据库服务器" not in words(person)
    assert person.shell.bell.unread == 1


def test_a_page_that_never_had_an_answer_says_why(start: Start, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = start()

    def refuse(self: World) -> int:
        raise FaultError("locked", "数据库正被占用。")

    monkeypatch.setattr(World, "ask", refuse)
    person.shell.open_page("seats")
    person.settle()
    assert person.shell.host.failed
    assert "数据库正被占用" in words(person)
    monkeypatch.undo()
    world.commit()
    person.shell.refresh()
    person.settle()
    assert not person.shell.host.failed


def test_a_server_that_is_away_at_the_start_is_waited_for(start: Start, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "RETRY_SECONDS", 0.02)
    world.down.set()
    person = start(connected=False, url="postgresql://anna@db.example.com/kefu")
    person.until(lambda: "无法打开 db.example.com/kefu" in words(person))
    attempts = len(world.opened)
    person.until(lambda: len(world.opened) > attempts + 1)
    world.down.clear()
    person.until(lambda: person.console.connection is not None)
    person.until(lambda: person.page.number == 0)
    assert "无法打开" not in words(person)


def test_a_refused_server_leads_to_its_form(start: Start, world: World, secrets: FakeSecrets) -> None:
    world.refuse = FaultError("refused", "用户名或密码不正确。")
    person = start(connected=False, url="postgresql://anna:old@db.example.com:6543/kefu")
    person.until(lambda: "用户名或密码不正确" in words(person))
    person.shell.leave_wanted.emit()
    form = person.console.welcome.server_form
    assert form.isVisible()
    assert (form.host.text(), form.port.text(), form.user.text(), form.password.text()) == ("db.example.com", "6543", "anna", "")
    assert "用户名或密码不正确" in form.said
    world.refuse = None
    form.password.setText("new")
    QTest.keyClick(form.password, Qt.Key.Key_Return)
    person.until(lambda: person.console.connection is not None)
    assert world.opened[-1] == ("postgresql://anna:new@db.example.com:6543/kefu", "anna", False)
    assert secrets.kept == {"postgresql://anna@db.example.com:6543/kefu": "new"}
    person.console.prefs.flush()
    assert "new" not in person.console.prefs.get("connections")[0]["url"]


# -- wallboard --


def test_the_wallboard_shows_pages_in_turn_and_leaves_no_trace(start: Start) -> None:
    person = start()
    person.shell.open_page("seats")
    person.console.prefs.put("wallboard_pages", ["overview", "seats"])
    QTest.keyClick(person.console.window, Qt.Key.Key_F11)
    assert person.console.window.isFullScreen()
    assert person.shell.wall_header.isVisible()
    assert not person.shell.sidebar.isVisible()
    assert not person.shell.topbar.isVisible()
    assert person.shell.current == "seats"  # begins with what was looked at
    assert "wallboard True" in person.page.calls
    person.shell.rotation.next()
    assert person.shell.current == "overview"
    QTest.keyClick(person.console.window, Qt.Key.Key_Escape)
    assert not person.console.window.isFullScreen()
    assert person.shell.sidebar.isVisible()
    assert person.page.calls[-1] != "wallboard True"
    assert person.shell.current == "seats"
    assert person.console.prefs.get("page") == "seats"


def test_a_broken_page_on_the_wallboard_is_tried_again_in_its_turn(
    start: Start, broken: type[BrokenPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broken, "broken", "refresh")
    person = start()
    person.shell.start_wallboard()
    person.shell.rotation.next()
    assert person.shell.host.failed
    monkeypatch.setattr(broken, "broken", "")
    person.shell.rotation.next()
    assert person.shell.current == "overview"
    person.shell.rotation.next()
    person.settle()
    assert not person.shell.host.failed


def test_a_console_can_begin_as_a_wallboard(start: Start) -> None:
    person = start(wallboard=True)
    assert person.shell.rotation.running
    person.console.set_language("en")
    assert not person.shell.rotation.running


# -- menus and end --


def test_menus_go_when_they_close(start: Start) -> None:
    person = start()
    for open_menu in (person.shell._open_user_menu, person.shell._open_pill_menu, person.shell.bell._open):
        open_menu()
        for menu in person.shell.findChildren(QMenu):
            menu.close()
    person.until(lambda: person.shell.findChildren(QMenu) == [])


def test_closing_and_signing_out_leaves_the_database(start: Start, world: World) -> None:
    person = start()
    person.console.leave()
    assert person.console.welcome is not None
    person.until(lambda: world.closed == 1)
    assert world.lines == []


def test_fifty_consoles_leave_nothing_behind(start: Start, world: World, qapp: object) -> None:
    start().console.end()  # what is made once for all
    before = running()
    for _ in range(50):
        person = start()
        person.shell.open_page("seats")
        person.shell.open_palette()
        person.console.end()
        person.console.deleteLater()
    assert_nothing_left(before)
    assert world.closed == 51


def test_forty_changes_of_theme_leave_nothing_behind(start: Start) -> None:
    person = start()

    def change(name: str) -> int:
        person.console.set_theme(name)
        person.shell.open_palette()
        person.settle()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        return len(person.console.window.findChildren(QObject))

    objects = change("dark")
    before = running()
    for number in range(40):
        assert change("light" if number % 2 == 0 else "dark") == objects
    assert_nothing_left(before)


def test_the_end_waits_for_nobody_stuck(start: Start, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading
    import time

    held = threading.Event()
    person = start()
    monkeypatch.setattr(world, "ask", lambda: held.wait(30))
    person.shell.refresh()
    began = time.monotonic()
    person.console.end()
    assert time.monotonic() - began < 4
    held.set()


def test_preferences_are_written_at_the_end(start: Start) -> None:
    person = start()
    person.page.text.setText("最后一刻")
    person.console.end()
    assert Preferences(config_dir() / "preferences.json").page("overview") == {"text": "最后一刻"}


def test_an_unreachable_server_says_so_once(start: Start, world: World) -> None:
    """Each failed try replaces nothing on the screen."""
    world.refuse = unreachable()
    person = start(connected=False, url="postgresql://anna@db.example.com/kefu")
    person.until(lambda: person.shell._trouble is not None)
    trouble = person.shell._trouble
    trouble.retried.emit()
    person.settle()
    assert person.shell._trouble is trouble
