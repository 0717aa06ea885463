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


def who_of(saved: Saved, me: str) -> str:
    """Who saved it, as told to the person whose account is `me`, who has not done so here."""
    if saved.author == me:
        return tr(f"你在另一处（{me}）", f"you, elsewhere ({me})")
    return saved.author or tr("别人", "somebody")


class Past(QFrame):
    """`restored(document key, revision, base, note)`: the person wants an earlier revision back in place of `base`; `question` stands until
    the answer is there, and `called_off` says that it is not waited for. With several documents one is chosen above.

    names: answers what agents are called, {code: name}. me: the person's account.
    """

    restored = Signal(str, int, int, str)
    called_off = Signal()

    def __init__(
        self, documents: Sequence[Document], local: LocalTime, names: Callable[[], Mapping[str, str]], me: str,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setProperty("look", "card")
        self.setFixedWidth(WIDTH)
        self._documents = {document.key: document for document in documents}
        self._key, self._local, self._names, self._me = documents[0].key, local, names, me
        self._known: dict[str, list[Saved]] = {key: [] for key in self._documents}
        self._editable, self._why_not = True, ""
        self.question: RestoreDialog | None = None
        self._asked: tuple[Saved, Saved] | None = None
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
            self._renew_question()

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
        now = self._saved[0]
        self._head.setText(tr(f"{name_of(saved)} → 当前", f"{name_of(saved)} → now"))
        words, possible = self._judged(saved, now, self._difference_of(saved, now))
        self._difference.setText(words)
        self.restore.setEnabled(self._editable and possible)
        self.restore.setToolTip(self._why_not)

    def _judged(self, wanted: Saved, now: Saved, changes: Sequence[Change]) -> tuple[str, bool]:
        """The changes as they are read, and whether the revision that is wanted can come back in place of what holds now."""
        refused = [str(fault.words) for fault in self._documents[self._key].validate(wanted.body, now.body)]
        words = change_lines(changes) or tr("内容与当前版本相同。", "The same as now.")
        if refused and changes:
            words = tr(f"不能恢复：{refused[0]}", f"Cannot be restored: {refused[0]}") + "\n\n" + words
        return words, bool(changes) and not refused

    def _difference_of(self, old: Saved, new: Saved) -> list[Change]:
        with calling(self._names()):
            return self._documents[self._key].difference(old.body, new.body)

    def _restore(self) -> None:
        """Asks first: it holds at once."""
        wanted, key = self._current(), self._key
        if wanted is None:
            return
        title = self._documents[key].title
        dialog = self.question = RestoreDialog(
            tr(f"恢复「{title}」的{name_of(wanted)}？", f"Restore {name_of(wanted).lower()} of {str(title).lower()}?"), self
        )
        self._ask(wanted, self._saved[0])
        dialog.wanted.connect(self._wanted)
        dialog.called_off.connect(self.called_off)
        dialog.finished.connect(self._answered)
        dialog.open()

    def _ask(self, wanted: Saved, now: Saved) -> None:
        """Let the question tell what would change now."""
        assert self.question is not None
        self._asked = wanted, now
        changes = self._difference_of(now, wanted)
        number = len(changes)
        self.question.show_changes(
            tr(f"{self._title(wanted)}。恢复后存为新的一版，立即生效，共 {number} 处变化：",
               f"{self._title(wanted)}. It is saved as a new revision and holds at once. "
               f"{'One thing changes:' if number == 1 else f'{number} things change:'}"),
            *self._judged(wanted, now, changes),
        )  # fmt: skip

    def _renew_question(self) -> None:
        if self.question is None or self._asked is None or self.question.waiting:
            return
        wanted, before = self._asked
        now = self._saved[0]
        if now.revision == before.revision:
            return
        self._ask(wanted, now)
        who = who_of(now, self._me)
        self.question.renewed(
            tr(f"{who} 刚保存了{name_of(now)}，请看现在会有哪些变化，再恢复。",
               f"{name_of(now)} has meanwhile been saved by {who}: look at what would change now, and restore again.")
        )  # fmt: skip

    def _wanted(self, note: str) -> None:
        assert self._asked is not None
        wanted, now = self._asked
        self.restored.emit(self._key, wanted.revision, now.revision, note)

    def _answered(self) -> None:
        self.question = self._asked = None
