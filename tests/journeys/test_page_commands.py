"""What the page that is open adds to the command palette: declared by the page, named by it, run from anywhere by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from app.domain.permissions import Actor, local_owner
from tests.journeys.conftest import Person
from tests.journeys.history_desk import HistoryDesk, some_days
from tests.journeys.seats_desk import HOUR, MINUTE, NOON, Shop, opened, quiet_window
from ui.pages.lookup import LookupPage
from ui.pages.seats.lines import Filters
from ui.widgets.commands import Command


def by_key(commands: Sequence[Command]) -> dict[str, Command]:
    found = {command.key: command for command in commands}
    assert len(found) == len(commands)
    return found


def dialog_of(widget: QWidget) -> QDialog:
    (found,) = [dialog for dialog in widget.findChildren(QDialog) if dialog.isVisible()]
    return found


def test_the_palette_begins_with_what_the_open_page_can_do(start: Callable[..., Person]) -> None:
    person = start()
    person.shell.open_palette()
    palette = person.shell._palette
    first = palette.found[0]
    assert (first.key, first.hint) == ("here:overview:greet", "全局监控 · shop")
    QTest.keyClicks(palette.field, "dzh")  # initials
    person.settle()
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert person.page.calls[-1] == "greet"

    person.shell.open_page("seats")
    person.settle()
    person.shell.open_palette()
    keys = [command.key for command in palette.found]
    assert "here:overview:greet" not in keys  # used last, yet of a page that is not open
    assert "here:seats:greet" in keys


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[HistoryDesk]:
    with quiet_window(), closing(HistoryDesk(shop, tmp_path, qtbot, local_owner())) as desk:
        yield desk


def test_a_report_is_saved_and_switched(shop: Shop, desk: HistoryDesk) -> None:
    some_days(shop)
    page = desk.open("compare", {"report": "sales"})
    commands = by_key(page.commands())
    assert [key for key, command in commands.items() if command.checked] == ["population:overall", "window:24h"]
    commands["population:assessed"].run()
    commands["window:7d"].run()
    desk.settle()
    question = page._question()
    assert question is not None
    assert (question.population, question.window) == ("assessed", "7d")
    assert [key for key, command in by_key(page.commands()).items() if command.checked] == ["population:assessed", "window:7d"]
    by_key(page.commands())["save"].run()
    dialog_of(page).reject()


def test_whoever_may_not_export_is_told_so_in_the_palette(shop: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    reader = Actor("reader", frozenset({"history.view"}))
    with quiet_window(), closing(HistoryDesk(shop, tmp_path, qtbot, reader)) as desk:
        assert by_key(desk.open("store").commands())["save"].why_not == "没有权限"


def test_look_up_turns_to_its_views_and_exports_what_was_said(shop: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    shop.agent("a1", "王敏")
    session = shop.session("a1", NOON - HOUR, reply_after=5_000, closed=True)
    with opened(shop, tmp_path, qtbot, local_owner(), "lookup") as desk:
        desk.host.activate(None)
        desk.settle()
        page = desk.host.page
        assert isinstance(page, LookupPage)
        by_key(page.commands())["view:sessions"].run()
        desk.settle()
        commands = by_key(page.commands())
        assert commands["view:sessions"].checked
        assert "save" in commands
        assert not commands.keys() & {"transcript", "window:7d"}  # nothing is open, and no order is listed
        page._detail.open(session)
        desk.settle()
        by_key(page.commands())["transcript"].run()
        dialog_of(page).close()


def test_the_chosen_seat_is_suspended_and_its_session_handed_over(shop: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    shop.agent("a1", "王敏")
    shop.agent("a2", "李华", state="offline")
    session = shop.session("a1", NOON - MINUTE)
    with opened(shop, tmp_path, qtbot, local_owner()) as desk:
        page = desk.open(filters=Filters(everyone=True))
        assert list(page.commands()) == []  # no row is chosen
        page._table.select("a2")
        assert by_key(page.commands())["attend"].why_not == "离线，无需挂起"
        page._table.select("a1")
        commands = by_key(page.commands())
        assert list(commands) == ["attend", "record"]
        assert (str(commands["attend"].label), commands["attend"].hint) == ("挂起…", "王敏")
        commands["attend"].run()
        assert dialog_of(page).windowTitle() == "挂起 王敏？"
        dialog_of(page).reject()
        desk.open({"agent": "a1", "session": session})
        commands = by_key(page.commands())
        assert list(commands) == ["agent", "group", "attend", "record"]
        commands["group"].run()
        assert "转移" in dialog_of(page).windowTitle()
        dialog_of(page).reject()


def test_who_may_not_command_is_offered_none(shop: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    shop.agent("a1", "王敏")
    with opened(shop, tmp_path, qtbot, Actor("reader", frozenset({"live.view"}))) as desk:
        page = desk.open()
        page._table.select("a1")
        assert list(page.commands()) == []
