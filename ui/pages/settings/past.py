"""The revisions of documents beside what is edited: who saved what when, what is different from now, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QListWidget, QListWidgetItem, QScrollArea, QVBoxLayout, QWidget

from app.domain.documents import Document
from app.domain.kinds import Change, calling
from app.domain.language import tr
from app.domain.localtime import LocalTime
from ui.pages.settings.restoring import RestoreDialog
from ui.theme import SPACE_1, SPACE_2, SPACE_4
from ui.widgets.buttons import Button
from ui.widgets.segmented import Segmented

if TYPE_CHECKING:
    from app.services.settings import Saved

WIDTH = 320
_SHOWN_CHANGES = 40


def change_lines(changes: Sequence[Change]) -> str:
    """Differences as people read them, one a line."""
    lines = [str(change.words) for change in changes[:_SHOWN_CHANGES]]
    if len(changes) > _SHOWN_CHANGES:
        lines.append(tr(f"另有 {len(changes) - _SHOWN_CHANGES} 处", f"{len(changes) - _SHOWN_CHANGES} more"))
    return "\n".join(lines)


def name_of(saved: Saved) -> str:
    return tr(f"第 {saved.revision} 版", f"Revision {saved.revision}") if saved.revision else tr("默认值", "Defaults")


class Past(QFrame):
    """`restored(document key, revision, base, note)`: the person wants an earlier revision back in place of `base`. With several documents
    one is chosen above.

    names: answers what agents are called, {code: name}.
    """

    restored = Signal(str, int, int, str)

    def __init__(
        self, documents: Sequence[Document], local: LocalTime, names: Callable[[], Mapping[str, str]], parent: QWidget | None = None
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setProperty("look", "card")
        self.setFixedWidth(WIDTH)
        self._documents = {document.key: document for document in documents}
        self._key, self._local, self._names = documents[0].key, local, names
        self._known: dict[str, list[Saved]] = {key: [] for key in self._documents}
        self._editable, self._why_not = True, ""
        self.question: RestoreDialog | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, SPACE_4, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_2)
        title = QLabel(tr("历史版本", "History"), self)
        title.setProperty("look", "section")
        column.addWidget(title)
        self.choice = Segmented([(document.key, document.title) for document in documents], name=tr("设置文档", "Document"), parent=self)
        self.choice.chosen.connect(self._choose)
        self.choice.setVisible(len(documents) > 1)
        column.addWidget(self.choice, 0, Qt.AlignmentFlag.AlignLeft)
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("历史版本", "History"))
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self._chosen)
        column.addWidget(self.list, 1)
        self._head = QLabel(self)
        self._head.setProperty("look", "emphasis")
        column.addWidget(self._head)
        self._difference = QLabel(self)
        self._difference.setWordWrap(True)
        self._difference.setTextFormat(Qt.TextFormat.PlainText)
        self._difference.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._difference.setContentsMargins(0, SPACE_1, 0, SPACE_1)
        area = QScrollArea(self)
        self._difference.setObjectName("scrolled")
        area.setWidget(self._difference)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        column.addWidget(area, 1)
        self.restore = Button(tr("恢复此版本", "Restore this revision"), "quiet", "undo", self)
        self.restore.clicked.connect(self._restore)
        column.addWidget(self.restore)
        self._chosen(-1)

    def show_revisions(self, key: str, newest_first: Sequence[Saved]) -> None:
        """All that can be gone back to; the first is what holds. An earlier one that is looked at stays chosen."""
        looked_at = self._current() if self.list.currentRow() > 0 else None
        self._known[key] = list(newest_first)
        if key == self._key:
            self._list(looked_at)

    def _choose(self, key: str) -> None:
        self._key = key
        self._list(None)

    def _list(self, looked_at: Saved | None) -> None:
        self.list.clear()
        for saved in self._saved:
            item = QListWidgetItem("\n".join(part for part in (self._title(saved), saved.note) if part))
            item.setToolTip(saved.note)
            item.setSizeHint(QSize(0, 44 if saved.note else 28))
            self.list.addItem(item)
        self.list.setMaximumHeight(sum(self.list.sizeHintForRow(row) for row in range(self.list.count())) + 2 * SPACE_2)
        row = next((i for i, saved in enumerate(self._saved) if looked_at is not None and saved.revision == looked_at.revision), 0)
        self.list.setCurrentRow(row)
        self._chosen(row)

    def set_editable(self, editable: bool, why_not: str = "") -> None:
        """why_not: what has to be done before anything can be restored."""
        if (editable, why_not) != (self._editable, self._why_not):
            self._editable, self._why_not = editable, why_not
            self._chosen(self.list.currentRow())

    def _title(self, saved: Saved) -> str:
        when = "" if saved.at is None else f"{self._local.local(saved.at):%Y-%m-%d %H:%M}"
        return " · ".join(part for part in (name_of(saved), when, saved.author) if part)

    @property
    def _saved(self) -> list[Saved]:
        return self._known[self._key]

    def _current(self) -> Saved | None:
        row = self.list.currentRow()
        return self._saved[row] if 0 <= row < len(self._saved) else None

    def _chosen(self, _row: int) -> None:
        saved = self._current()
        if saved is None or saved is self._saved[0]:
            self._head.setText(tr("当前版本", "The current revision") if saved is not None else "")
            self._difference.setText(tr("选择一个早期版本查看差异。", "Choose an earlier revision to see the difference."))
            self.restore.setEnabled(False)
            self.restore.setToolTip(self._why_not)
            return
        changes = self._difference_of(saved, self._saved[0])
        self._head.setText(tr(f"{name_of(saved)} → 当前", f"{name_of(saved)} → now"))
        words = change_lines(changes) or tr("内容与当前版本相同。", "The same as now.")
        refused = [str(fault.words) for fault in self._documents[self._key].validate(saved.body, self._saved[0].body)]
        if refused and changes:
            words = tr(f"不能恢复：{refused[0]}", f"Cannot be restored: {refused[0]}") + "\n\n" + words
        self._difference.setText(words)
        self.restore.setEnabled(self._editable and bool(changes) and not refused)
        self.restore.setToolTip(self._why_not)

    def _difference_of(self, old: Saved, new: Saved) -> list[Change]:
        with calling(self._names()):
            return self._documents[self._key].difference(old.body, new.body)

    def _restore(self) -> None:
        """Asks first: it holds at once."""
        saved, key = self._current(), self._key
        if saved is None:
            return
        now = self._saved[0]
        changes = self._difference_of(now, saved)
        title, number = self._documents[key].title, len(changes)
        dialog = self.question = RestoreDialog(
            tr(f"恢复「{title}」的{name_of(saved)}？", f"Restore {name_of(saved).lower()} of {str(title).lower()}?"),
            tr(f"{self._title(saved)}。恢复后存为新的一版，立即生效，共 {number} 处变化：",
               f"{self._title(saved)}. It is saved as a new revision and holds at once. "
               f"{'One thing changes:' if number == 1 else f'{number} things change:'}"),
            change_lines(changes), self,
        )  # fmt: skip
        dialog.accepted.connect(lambda: self.restored.emit(key, saved.revision, now.revision, dialog.note.text()))
        dialog.finished.connect(self._answered)
        dialog.open()

    def _answered(self) -> None:
        self.question = None
