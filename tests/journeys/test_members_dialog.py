"""Who serves a group: the dialog by keyboard, and what a drag tells while it lasts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.domain.permissions import local_owner
from tests.journeys.seats_desk import Shop, opened
from tests.journeys.settings_desk import RoutingHands as Hands
from tests.journeys.settings_desk import three_agents, with_two_groups
from ui.pages.settings.members import MembersDialog


@pytest.fixture
def groups(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Hands]:
    with opened(with_two_groups(three_agents(shop)), tmp_path, qtbot, local_owner(), "groups") as desk:
        yield Hands(desk)


@pytest.fixture
def dialog(groups: Hands) -> Iterator[MembersDialog]:
    groups.groups.open_members("pre")
    found = groups.groups.members_dialog
    assert found is not None
    yield found
    found.reject()


def test_typing_searches_from_the_first_letter_on(dialog: MembersDialog) -> None:
    QApplication.processEvents()
    at = dialog.focusWidget()
    assert at is dialog.search
    QTest.keyClicks(at, "a3")
    QTest.keyClick(at, Qt.Key.Key_Return)
    assert dialog.search.text() == "a3"
    assert dialog.weights == {"a1": 6, "a2": 3}
    assert [not dialog._items[code].isHidden() for code in ("a1", "a2", "a3")] == [False, False, True]
    found = dialog.focusWidget()
    assert found is dialog.tree
    QTest.keyClick(found, Qt.Key.Key_Space)
    assert dialog.weights == {"a1": 6, "a2": 3, "a3": 6}


def test_share_and_sum_follow_a_drag(dialog: MembersDialog) -> None:
    matrix, left, none = dialog.matrix, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    start = matrix.cell_rect("a2", "group").center()
    QTest.mousePress(matrix.viewport(), left, none, start)
    QTest.mouseMove(matrix.viewport(), start - QPoint(0, 24))
    assert matrix.share("a2", "group") == pytest.approx(6 / 12)
    assert matrix.total("group") == 12
    assert dialog.weights["a2"] == 3
    QTest.mouseMove(matrix.viewport(), start)
    assert matrix.share("a2", "group") == pytest.approx(3 / 9)
    QTest.mouseRelease(matrix.viewport(), left, none, start)
    assert matrix.total("group") == 9


def test_all_ways_are_told(dialog: MembersDialog) -> None:
    assert any("拖动" in label.text() for label in dialog.findChildren(QLabel))
