"""Reports kept under a name from a history page: asked, listed, written, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.domain.permissions import local_owner
from tests.journeys.seats_desk import DAY, LOCAL, NOON, Desk, Shop, opened
from ui.pages.history.page import HistoryPage
from ui.pages.lookup.page import LookupPage
from ui.saving import SavedDialog, SaveDialog

DAY_MS = 86_400_000


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.agent("a1", "王敏", "售前一组", since=NOON - 3 * DAY_MS)
    shop.session("a1", NOON - DAY_MS, reply_after=10_000, closed=True)
    return shop


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    with opened(shop, tmp_path, qtbot, local_owner(), "compare") as desk:
        yield desk


def page_of(desk: Desk) -> HistoryPage:
    desk.host.activate({"report": "workload", "preset": "yesterday"})
    desk.settle()
    assert isinstance(desk.host.page, HistoryPage)
    return desk.host.page


def asking(page: HistoryPage) -> SaveDialog:
    page.save_report()
    found = page.findChildren(SaveDialog)[-1]
    assert isinstance(found, SaveDialog)
    return found


def test_kept_written_opened_and_deleted(desk: Desk, tmp_path: Path) -> None:
    page = page_of(desk)
    dialog = asking(page)
    assert dialog.name.text() == "客服数据对比 工作量"
    dialog.name.setText("昨天的工作量")
    dialog.every.setCurrentIndex(dialog.every.findData("daily"))
    dialog.folder.setText(str(tmp_path))
    dialog.save()
    desk.settle()
    assert desk.toasts == ["已保存报表：昨天的工作量"]
    (kept,) = desk.workspace.saved.list(desk.store)
    assert (kept.every, kept.folder, kept.body.report) == ("daily", str(tmp_path), "workload")
    assert kept.body.period == {"preset": "yesterday", "today": False}
    assert kept.body.metrics == page._table().metric_keys()

    found = SavedDialog(desk.context, page)
    found.open()
    desk.settle()
    assert found.run_it.isEnabled()  # the first one is chosen
    found.write_now()
    desk.settle()
    yesterday = LOCAL.local(LOCAL.start_of_day(DAY - 1)).date()
    file = tmp_path / f"昨天的工作量_{yesterday}.xlsx"
    assert file.exists()
    assert desk.toasts[-1] == f"已写入：{file}"
    found.table.select(kept.id)
    found.delete()
    desk.settle()
    assert desk.workspace.saved.list(desk.store) == []
    assert not found.run_it.isEnabled()
    found.close()


def test_what_is_refused_is_said_in_the_dialog(desk: Desk) -> None:
    dialog = asking(page_of(desk))
    dialog.every.setCurrentIndex(dialog.every.findData("weekly"))
    dialog.folder.clear()
    dialog.save()
    desk.settle()
    assert dialog.said.text() == "请选择定时报表存放的文件夹。"
    assert dialog.go.isEnabled()
    dialog.close()


def test_a_failed_one_tells_why(desk: Desk, tmp_path: Path) -> None:
    page = page_of(desk)
    body = {"report": "workload", "period": {"preset": "yesterday", "today": False}}
    id = desk.workspace.saved.save(desk.store, "x", body, "daily", str(tmp_path / "gone"))
    desk.workspace.saved.send_due(desk.store)
    found = SavedDialog(desk.context, page)
    found.open()
    desk.settle()
    assert found.table.rows().cell(id, "result").text.startswith("没有文件夹")
    found.close()


def test_name_and_schedule_can_be_changed_and_a_name_is_had_once(desk: Desk, tmp_path: Path) -> None:
    page = page_of(desk)
    body = {"report": "workload", "period": {"preset": "yesterday", "today": False}}
    id = desk.workspace.saved.save(desk.store, "日报", body, "daily", str(tmp_path))
    desk.workspace.saved.save(desk.store, "别的", body)
    found = SavedDialog(desk.context, page)
    found.open()
    desk.settle()
    found.table.select(id)
    found.change()
    dialog = found.findChildren(SaveDialog)[-1]
    assert isinstance(dialog, SaveDialog)
    assert (dialog.name.text(), dialog.every.currentData(), dialog.folder.text()) == ("日报", "daily", str(tmp_path))
    dialog.name.setText("别的")
    dialog.save()
    desk.settle()
    assert dialog.said.text().startswith("已有名为 别的")
    dialog.name.setText("周报")
    dialog.every.setCurrentIndex(dialog.every.findData("weekly"))
    dialog.save()
    desk.settle()
    assert found.table.rows().cell(id, "name").text == "周报"
    assert {each.name: each.every for each in desk.workspace.saved.list(desk.store)} == {"周报": "weekly", "别的": ""}
    found.close()


@pytest.fixture
def lookup(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    with opened(shop, tmp_path, qtbot, local_owner(), "lookup") as desk:
        yield desk


def test_a_listing_is_kept_with_its_filters_and_order(lookup: Desk, tmp_path: Path) -> None:
    lookup.host.activate({"report": "sessions", "agent": "a1", "preset": "yesterday"})
    lookup.settle()
    page = lookup.host.page
    assert isinstance(page, LookupPage)
    assert page._bar.save.isVisibleTo(page)
    page.save_report()
    dialog = page.findChildren(SaveDialog)[-1]
    assert isinstance(dialog, SaveDialog)
    dialog.name.setText("昨天的会话")
    dialog.folder.setText(str(tmp_path))
    dialog.save()
    lookup.settle()
    (kept,) = lookup.workspace.saved.list(lookup.store)
    assert (kept.body.report, kept.body.agent) == ("sessions", "a1")
    assert (kept.body.sort, kept.body.descending) == page._listings.table("sessions").order()
    assert lookup.workspace.saved.run(lookup.store, kept.id).exists()
    page._choose(replace(page._choices, view="account"))
    assert not page._bar.save.isVisibleTo(page)
