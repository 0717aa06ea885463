"""The page of one document: the form, its history, and a bar at the foot with what would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.domain.documents import Body, Document
from app.domain.kinds import Fault
from app.domain.language import tr
from app.domain.localtime import LocalTime
from app.domain.permissions import PERMISSIONS, NotAllowedError
from app.domain.settings import DOCUMENTS
from ui.pages.registry import Page, PageContext
from ui.pages.settings.past import Past, change_lines, name_of
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6
from ui.widgets.buttons import Button
from ui.widgets.form import Form
from ui.widgets.skeleton import Skeleton

if TYPE_CHECKING:
    from app.services.settings import Saved
    from ui.runtime.problems import Problem

_FORM_WIDTH = 640
_NOTE_LENGTH = 500
_SUMMARY_LINES = 3


class DocumentPage(Page):
    """Edits the document named by `key`. What is not saved yet is remembered, also over a restart."""

    key: ClassVar[str]

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._document: Document = DOCUMENTS[self.key]
        self._saved: Saved | None = None
        self._draft: tuple[int, Body, str] | None = None  # (revision it was made on, body, note), until the document is there
        self._saving = False
        self._allowed = context.actor.may(self._document.permission)
        self.form = Form(self._document.body)
        self.form.changed.connect(self._edited)
        self.past = Past(self._document, LocalTime(context.store.zone), self)
        self.past.restored.connect(self._restore)
        self._skeleton = Skeleton("rows", self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        columns = QHBoxLayout()
        columns.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        columns.setSpacing(SPACE_4)
        columns.addWidget(self._skeleton, 1)
        columns.addWidget(self._left(), 1)
        columns.addWidget(self.past)
        outer.addLayout(columns, 1)
        outer.addWidget(self._foot())
        self._card.hide()
        self.past.set_editable(self._allowed)
        self.form.set_editable(self._allowed)

    # -- hooks --

    def refresh(self) -> None:
        settings, store = self.context.workspace.settings, self.context.store
        self.read("document", lambda: (settings.get(store, self.key), settings.history(store, self.key)), self._arrived)

    def on_notice(self, topics: frozenset[str]) -> None:
        if "settings" in topics:
            self.refresh()

    def state(self) -> dict[str, Any]:
        if self._saved is None or not self._dirty():
            return {}
        return {"draft": {"base": self._saved.revision, "body": self.form.body(), "note": self.note.text()}}

    def restore(self, state: dict[str, Any]) -> None:
        draft = state.get("draft")
        if isinstance(draft, dict) and isinstance(draft.get("base"), int) and isinstance(draft.get("body"), dict):
            self._draft = draft["base"], draft["body"], str(draft.get("note", ""))

    # -- what is on the page --

    def _left(self) -> QWidget:
        self._card = QFrame(self)
        self._card.setProperty("look", "card")
        column = QVBoxLayout(self._card)
        column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_3)
        words = QLabel(str(self._document.help), self._card)
        words.setProperty("look", "quiet")
        words.setWordWrap(True)
        column.addWidget(words)
        self._refusal = QLabel(self._card)
        self._refusal.setProperty("look", "warn")
        self._refusal.setWordWrap(True)
        self._refusal.setText("" if self._allowed else str(NotAllowedError(PERMISSIONS[self._document.permission])))
        self._refusal.setVisible(not self._allowed)
        column.addWidget(self._refusal)
        column.addWidget(self._conflict_bar())
        if self._document.presets:
            row = QHBoxLayout()
            row.setSpacing(SPACE_2)
            row.addWidget(QLabel(tr("套用", "Start from"), self._card))
            for preset in self._document.presets:
                button = Button(str(preset.label), parent=self._card)
                button.setEnabled(self._allowed)
                button.setProperty("preset", preset.key)
                button.clicked.connect(self._use_preset)
                row.addWidget(button)
            row.addStretch(1)
            column.addLayout(row)
        area = QScrollArea(self._card)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        holder = QWidget(area)
        holder.setObjectName("scrolled")
        inside = QHBoxLayout(holder)
        inside.setContentsMargins(0, 0, SPACE_4, 0)
        self.form.setMaximumWidth(_FORM_WIDTH)
        inside.addWidget(self.form, 1)
        area.setWidget(holder)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(area, 1)
        return self._card

    def _conflict_bar(self) -> QWidget:
        """Shown when somebody else has saved while there are changes here: both sides, and the two ways on."""
        bar = self._conflict = QFrame(self._card)
        bar.setProperty("look", "raised")
        column = QVBoxLayout(bar)
        column.setContentsMargins(SPACE_3, SPACE_3, SPACE_3, SPACE_3)
        column.setSpacing(SPACE_2)
        self._conflict_words = QLabel(bar)
        self._conflict_words.setWordWrap(True)
        self._conflict_words.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self._conflict_words)
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        self.keep = Button(tr("在最新版上保留我的修改", "Keep my changes on top of it"), parent=bar)
        self.keep.clicked.connect(self._keep_mine)
        self.take = Button(tr("放弃我的修改", "Drop my changes"), parent=bar)
        self.take.clicked.connect(self._take_theirs)
        row.addWidget(self.keep)
        row.addWidget(self.take)
        row.addStretch(1)
        column.addLayout(row)
        bar.hide()
        self._newer: Saved | None = None
        return bar

    def _foot(self) -> QWidget:
        foot = QFrame(self)
        foot.setProperty("look", "foot")
        row = QHBoxLayout(foot)
        row.setContentsMargins(SPACE_6, SPACE_3, SPACE_6, SPACE_3)
        row.setSpacing(SPACE_3)
        self._summary = QLabel(foot)
        self._summary.setTextFormat(Qt.TextFormat.PlainText)
        self._summary.setWordWrap(True)
        row.addWidget(self._summary, 1)
        self.note = QLineEdit(foot)
        self.note.setPlaceholderText(tr("备注：为什么改（可不填）", "Note: why (optional)"))
        self.note.setAccessibleName(tr("备注", "Note"))
        self.note.setMaxLength(_NOTE_LENGTH)
        self.note.setFixedWidth(240)
        self.note.textEdited.connect(self.state_changed)
        row.addWidget(self.note)
        self.discard = Button(tr("放弃修改", "Discard"), parent=foot)
        self.discard.clicked.connect(self._discard)
        row.addWidget(self.discard)
        self.save = Button(tr("保存", "Save"), "primary", "save", foot)
        self.save.clicked.connect(self._save)
        row.addWidget(self.save)
        return foot

    # -- what is known --

    def _arrived(self, found: tuple[Saved, list[Saved]]) -> None:
        saved, history = found
        first = self._saved is None
        self._skeleton.hide()
        self._card.show()
        # The way back to the very beginning is always there.
        self.past.show_revisions([*history, type(saved)(0, self._document.default())])
        if first and self._draft is not None:
            self._take_up(saved, *self._draft)
        elif self._saved is not None and saved.revision != self._saved.revision and self._dirty():
            self._meet(saved)
        elif first or saved.revision != (self._saved.revision if self._saved else -1):
            self._saved = saved
            self.form.set_body(saved.body)
        self._judge()

    def _take_up(self, saved: Saved, base: int, body: Body, note: str) -> None:
        """Continue what was being edited before, perhaps on a revision that is no longer current."""
        self._draft = None
        self._saved = saved
        self.form.set_body(saved.body)
        if self._document.validate(body):  # of an older declaration, or half typed: only what is whole can be shown again
            return
        self.form.set_body(self._document.complete(body))
        self.note.setText(note)
        if base != saved.revision:
            self._meet(saved)

    def _meet(self, newer: Saved) -> None:
        assert self._saved is not None
        self._newer = newer
        theirs = self._document.difference(self._saved.body, newer.body)
        who = newer.author or tr("别人", "Somebody")
        self._conflict_words.setText(
            tr(f"{who} 刚保存了{name_of(newer)}：", f"{who} has just saved {name_of(newer).lower()}: ")
            + ("\n" + change_lines(theirs) if theirs else tr("内容没有不同。", "no difference."))
        )
        self._conflict.show()

    def _keep_mine(self) -> None:
        """My changes, field by field, on top of what somebody else saved."""
        assert self._saved is not None
        assert self._newer is not None
        body = merged(self._saved.body, self._newer.body, self.form.body())
        self._saved, self._newer = self._newer, None
        self.form.set_body(body)
        self._conflict.hide()
        self._judge()

    def _take_theirs(self) -> None:
        assert self._newer is not None
        self._saved, self._newer = self._newer, None
        self._conflict.hide()
        self._discard()

    # -- editing --

    def _dirty(self) -> bool:
        return self._saved is not None and self.form.body() != self._saved.body

    def _edited(self) -> None:
        self._judge()
        self.state_changed.emit()

    def _judge(self) -> None:
        """What would be saved, and whether it can be."""
        if self._saved is None:
            self.save.setEnabled(False)
            self.discard.setEnabled(False)
            return
        body, dirty = self.form.body(), self._dirty()
        faults: list[Fault] = self._document.validate(body, self._saved.body) if dirty else []
        homeless = self.form.show_faults(faults)
        if homeless:
            text = "\n".join(str(fault) for fault in homeless)
        elif faults:
            text = tr(f"有 {len(faults)} 处需要改正", f"{len(faults)} to put right" if len(faults) > 1 else "One thing to put right")
        elif dirty:
            text = _short(change_lines(self._document.difference(self._saved.body, body)))
        else:
            text = tr(f"{name_of(self._saved)} · 没有未保存的修改", f"{name_of(self._saved)} · nothing to save")
        self._summary.setText(text)
        look = "error" if faults else "" if dirty else "quiet"
        if self._summary.property("look") != look:
            self._summary.setProperty("look", look)
            self._summary.style().unpolish(self._summary)
            self._summary.style().polish(self._summary)
        self.note.setVisible(self._allowed and dirty)
        self.past.set_editable(self._allowed and not dirty)
        self.discard.setEnabled(dirty)
        self.save.setEnabled(dirty and not faults and self._allowed and not self._saving and self._newer is None)

    def _use_preset(self) -> None:
        chosen = self.sender().property("preset")
        self.form.set_body(next(preset.body for preset in self._document.presets if preset.key == chosen))
        self._edited()

    def _discard(self) -> None:
        if self._saved is not None:
            self.form.set_body(self._saved.body)
            self.note.clear()
            self._edited()

    def _save(self) -> None:
        assert self._saved is not None
        self._keep(self.form.body(), self._saved.revision, self.note.text())

    def _restore(self, revision: int) -> None:
        settings, store, base = self.context.workspace.settings, self.context.store, self._saved.revision if self._saved else None
        self._begin()
        self.context.operations.change(
            self, lambda: settings.restore(store, self.key, revision, base), lambda number: self._kept(number, None), self._refused
        )

    def _keep(self, body: Body, base: int, note: str) -> None:
        settings, store = self.context.workspace.settings, self.context.store
        self._begin()
        self.context.operations.change(
            self, lambda: settings.save(store, self.key, body, base, note), lambda number: self._kept(number, body), self._refused
        )

    def _begin(self) -> None:
        self._saving = True
        self.save.setEnabled(False)

    def _kept(self, number: int, body: Body | None) -> None:
        self._saving = False
        if body is None or self._saved is None:
            self._saved = None  # restored: the form takes over what is read next
        else:
            self._saved = self._saved._replace(revision=number, body=body)
        self.note.clear()
        self.context.toast(tr(f"已保存为第 {number} 版", f"Saved as revision {number}"), "good")
        self.refresh()
        self.state_changed.emit()

    def _refused(self, problem: Problem) -> None:
        """Nothing is lost: what was typed stays in the form."""
        self._saving = False
        self.context.toast(problem.sentence, "warn")
        self._judge()
        self.refresh()


class OrderWindowPage(DocumentPage):
    key = "order_window"


class AssessmentPage(DocumentPage):
    key = "assessment"


class StandardsPage(DocumentPage):
    key = "standards"


def merged(base: Body, theirs: Body, mine: Body) -> Body:
    """Theirs, with every field that mine changed since the base as mine has it."""
    found: Body = {}
    for key, held in theirs.items():
        if isinstance(held, dict) and isinstance(mine[key], dict):
            found[key] = merged(base[key], held, mine[key])
        else:
            found[key] = held if mine[key] == base[key] else mine[key]
    return found


def _short(lines: str) -> str:
    shown = lines.split("\n")
    if len(shown) <= _SUMMARY_LINES:
        return lines
    further = len(shown) - _SUMMARY_LINES + 1
    return "\n".join([*shown[: _SUMMARY_LINES - 1], tr(f"另有 {further} 处修改", f"{further} more changes")])
