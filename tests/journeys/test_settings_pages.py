"""The pages of settings documents: a real store in a file, the form made from the declaration, revisions and those who save meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.documents import Document, List
from app.domain.merging import merged
from app.domain.permissions import Actor, local_owner
from app.domain.settings import DOCUMENTS
from tests.journeys.seats_desk import Shop, opened
from tests.journeys.settings_desk import Hands
from ui.pages.registry import PAGES
from ui.pages.settings.page import DocumentPage
from ui.widgets.form import Form


class Settings(Hands):
    @property
    def page(self) -> DocumentPage:
        found = super().page
        assert isinstance(found, DocumentPage)
        return found

    def type(self, path: str, text: str) -> None:
        line = self.page.form.editor(path).target()
        line.setFocus()
        line.selectAll()  # type: ignore[attr-defined]
        if not text:
            QTest.keyClick(line, Qt.Key.Key_Delete)
            return
        written = QInputMethodEvent()  # as Chinese is typed
        written.setCommitString(text)
        QApplication.sendEvent(line, written)

    def summary(self) -> str:
        return self.page.foot.summary.text()


@pytest.fixture
def assessment(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Settings]:
    with opened(shop, tmp_path, qtbot, local_owner(), "assessment") as desk:
        yield Settings(desk)


@pytest.fixture
def standards(shop: Shop, tmp_path: Path, qtbot: QtBot) -> Iterator[Settings]:
    with opened(shop, tmp_path, qtbot, local_owner(), "standards") as desk:
        yield Settings(desk)


FORMS = [document for document in DOCUMENTS.values() if not any(isinstance(field.kind, List) for field in document.body.fields)]
"""Documents without lists are edited in the form that is made from their declaration."""


@pytest.mark.parametrize("document", FORMS, ids=lambda document: document.key)
def test_every_document_of_single_values_has_a_page_and_its_form_holds_every_field(document: Document, qtbot: QtBot) -> None:
    assert PAGES[document.key].factory
    form = Form(document.body)
    qtbot.addWidget(form)
    for body in (document.default(), *(preset.body for preset in document.presets)):
        form.set_body(body)
        assert form.body() == body


def test_a_change_is_told_before_it_is_saved_and_then_is_a_revision(assessment: Settings) -> None:
    page = assessment.page
    assert not page.save.isEnabled()
    assessment.type("from", "8:30")
    assert "09:00 → 08:30" in assessment.summary()
    page.note.setText("早班提前")
    assessment.click(page.save)
    assert assessment.saved()["from"] == "08:30"
    assert not page.save.isEnabled()
    assert page.past.list.count() == 2
    assert "早班提前" in page.past.list.item(0).text()
    assert any("第 1 版" in toast for toast in assessment.desk.toasts)


@pytest.mark.parametrize("wrong", ["25:00", "9:03", "早上", ""])
def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(assessment: Settings, wrong: str) -> None:
    page = assessment.page
    assessment.type("to", "22:00")
    assessment.type("from", wrong)
    assert not page.save.isEnabled()
    told = {path[-1]: place.error() for path, place in page.form._errors.items()}  # type: ignore[union-attr]
    assert told["from"]
    assert not told["to"]
    assert page.form.body()["to"] == "22:00"
    assessment.type("from", "08:00")
    assert page.save.isEnabled()


def test_an_earlier_revision_comes_back(assessment: Settings) -> None:
    page = assessment.page
    assessment.type("from", "08:00")
    assessment.click(page.save)
    page.past.list.setCurrentRow(1)  # the defaults
    assert "09:00 → 08:00" in page.past._difference.text()
    assessment.restore()
    assert assessment.saved()["from"] == "09:00"
    assert page.form.body()["from"] == "09:00"
    assert page.past.list.count() == 3


def test_somebody_elses_save_appears_by_itself(assessment: Settings) -> None:
    assessment.desk.listen()
    body = DOCUMENTS["assessment"].default() | {"to": "22:00"}
    assessment.somebody_saves(body, 0)
    assessment.desk.until(lambda: assessment.page.form.body()["to"] == "22:00")
    assert not assessment.page.conflict.isVisible()


def test_two_who_change_different_fields_lose_nothing(assessment: Settings) -> None:
    page = assessment.page
    assessment.type("from", "08:00")
    assessment.somebody_saves(DOCUMENTS["assessment"].default() | {"to": "22:00"}, 0)
    assessment.click(page.save)  # refused: it was made on the defaults
    assert page.conflict.isVisible()
    assert "张三" in page.conflict.head.text()
    assert ("23:00", "22:00", "") in assessment.sides()
    assert page.form.body()["from"] == "08:00"
    assert not page.save.isEnabled()
    assessment.click(page.conflict.keep)
    assert (page.form.body()["from"], page.form.body()["to"]) == ("08:00", "22:00")
    assessment.click(page.save)
    assert assessment.saved() == {"from": "08:00", "to": "22:00", "leave_out": ["spam", "bot_only"]}


def test_mine_can_be_dropped_for_theirs(assessment: Settings) -> None:
    page = assessment.page
    assessment.type("from", "08:00")
    assessment.somebody_saves(DOCUMENTS["assessment"].default() | {"from": "07:00"}, 0)
    assessment.click(page.save)
    assessment.click(page.conflict.drop)
    assert page.form.body()["from"] == "07:00"
    assert not page.conflict.isVisible()
    assert not page.save.isEnabled()


def test_what_is_not_saved_yet_survives_the_page(assessment: Settings) -> None:
    assessment.type("from", "08:00")
    desk = assessment.desk
    desk.restart()
    again = Settings(desk)
    assert again.page.form.body()["from"] == "08:00"
    assert again.page.save.isEnabled()


def test_presets_fill_the_form(standards: Settings) -> None:
    page = standards.page
    platform = next(preset for preset in DOCUMENTS["standards"].presets if preset.key == "platform")
    button = next(b for b in page.findChildren(QPushButton) if b.property("preset") == "platform")
    standards.click(button)
    assert page.form.body() == platform.body
    standards.click(page.save)
    assert standards.saved() == platform.body


def test_limits_the_wrong_way_round_are_told_at_their_row(standards: Settings) -> None:
    standards.type("satisfaction.alarm", "99")
    row = standards.page.form._errors[("satisfaction",)]
    assert row.isVisible()
    assert "99" in row.text()  # type: ignore[union-attr]
    assert not standards.page.save.isEnabled()
    standards.type("satisfaction.alarm", "")
    assert not row.isVisible()
    assert standards.page.form.body()["satisfaction"]["alarm"] is None


def test_who_may_not_save_sees_and_is_told_why(shop: Shop, tmp_path: Path, qtbot: QtBot) -> None:
    reader = Actor("reader", frozenset({"live.view", "history.view"}))
    with opened(shop, tmp_path, qtbot, reader, "order_window") as desk:
        seen = Settings(desk)
        assert seen.page.refusal.isVisible()
        assert not seen.page.form.editor("window").isEnabled()
        assert not seen.page.save.isEnabled()


def test_fields_changed_on_both_sides_are_merged_one_by_one() -> None:
    body = DOCUMENTS["standards"].body
    base = body.complete({})
    theirs = body.complete({"answer_rate": {"target": 1, "alarm": None}, "satisfaction": {"target": 2}})
    mine = body.complete({"answer_rate": {"target": 3}, "first_reply": {"target": 4}})
    both = {"answer_rate": {"target": 3, "alarm": None}, "satisfaction": {"target": 2}, "first_reply": {"target": 4}}
    assert merged(body, base, theirs, mine) == body.complete(both)


def test_waiting_for_another_program_is_told_and_can_be_called_off(assessment: Settings, shop: Shop) -> None:
    page, desk = assessment.page, assessment.desk
    assessment.type("from", "10:00")
    desk.settle()
    before = assessment.saved()
    holder = sqlite3.connect(str(shop.database.path), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        QTest.mouseClick(page.save, Qt.MouseButton.LeftButton)
        desk.until(lambda: page.foot.stop.isVisibleTo(page))
        assert "另一个程序" in assessment.summary()
        assert not page.save.isEnabled()
        QTest.mouseClick(page.foot.stop, Qt.MouseButton.LeftButton)
        desk.until(lambda: page.save.isEnabled())
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert not page.foot.stop.isVisibleTo(page)
    assert assessment.saved() == before
    assert page.bodies()["assessment"]["from"] == "10:00"
    assessment.click(page.save)
    assert assessment.saved()["from"] == "10:00"
