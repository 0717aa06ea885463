"""Exports from the live pages, and an export that is taken back: real stores, real pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import openpyxl
import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.domain.permissions import local_owner
from app.services.reports import Question, Report
from tests.journeys.seats_desk import Desk, Shop, opened
from ui.exporting import export_to
from ui.pages.registry import Page
from ui.pages.seats.lines import Filters
from ui.widgets.toast import Toast


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.agent("a1", "王敏", "售前一组")
    shop.agent("a2", "李华", "售后一组", state="offline")
    shop.session("a1", reply_after=10_000)
    return shop


@pytest.fixture(params=["seats"])
def desk(shop: Shop, tmp_path: Path, qtbot: QtBot, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with opened(shop, tmp_path, qtbot, local_owner(), request.param) as desk:
        yield desk


def exported(desk: Desk, page: Page, file: Path) -> list[tuple[object, ...]]:
    page.export()
    dialog = page.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit(str(file))
    dialog.close()
    desk.settle()
    return list(openpyxl.load_workbook(file).worksheets[0].values)


def sentences(page: Page) -> list[str]:
    return [toast.label.text() for toast in page.window().findChildren(Toast) if not toast.isHidden()]


def test_the_seats_shown_can_be_exported(desk: Desk, tmp_path: Path) -> None:
    page = desk.open(filters=Filters(everyone=False))
    rows = exported(desk, page, tmp_path / "seats.xlsx")
    top = next(i for i, row in enumerate(rows) if "咨询量" in str(row))
    assert [row[0] for row in rows[top - 2 : top]] == ["总值", "均值"]
    assert [row[0] for row in rows[top + 1 :]] == ["a1"]
    consults = next(i for i, name in enumerate(rows[top]) if str(name).endswith("咨询量"))
    assert [rows[line][consults] for line in (top - 2, top - 1, top + 1)] == [1, 1, 1]
    assert sentences(page) == [f"已导出：{tmp_path / 'seats.xlsx'}"]


@pytest.mark.parametrize("desk", ["overview"], indirect=True)
def test_the_tiles_can_be_exported(desk: Desk, tmp_path: Path) -> None:
    desk.host.activate(None)
    desk.settle()
    page = desk.host.page
    assert page is not None
    rows = exported(desk, page, tmp_path / "live.xlsx")
    top = next(i for i, row in enumerate(rows) if "账号总数" in str(row))
    assert dict(zip(rows[top], rows[top + 1]))["账号总数"] == 2
    assert ("店铺", "小店") in [row[:2] for row in rows[:top]]


def test_an_export_that_is_taken_back_leaves_no_file(desk: Desk, tmp_path: Path) -> None:
    page = desk.open()
    started, go_on = Event(), Event()

    def answer() -> Report:
        started.set()
        assert go_on.wait(10)
        return desk.workspace.reports.ask(desk.store, Question("seats"))

    export_to(desk.context, page, tmp_path / "seats.xlsx", answer)
    desk.until(started.is_set)
    (telling,) = page.window().findChildren(Toast)
    assert "正在导出" in telling.label.text()
    telling.acted.emit()  # 取消
    go_on.set()
    desk.settle()
    assert not list(tmp_path.glob("*seats.xlsx*"))
    assert desk.toasts == ["已取消，没有写入文件。"]
