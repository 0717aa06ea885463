"""One field of a form: label above, the editor, help or the error below, the counter at the right edge."""

from __future__ import annotations

from PySide6.QtCore import QTextBoundaryFinder
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.theme import SPACE_1, SPACE_2


def graphemes(text: str) -> int:
    """Characters as a person counts them: an emoji with its modifiers is one."""
    if text.isascii():
        return len(text)
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Grapheme, text)
    count = 0
    while finder.toNextBoundary() != -1:
        count += 1
    return count


class FormField(QWidget):
    """Wraps an editor. `limit` counts the characters of a line or text editor; a text over its limit is kept and refused in words.

    target: what takes the keyboard, the name and the mark of an error, where that is not the editor itself.
    """

    def __init__(
        self, label: str, editor: QWidget, help_text: str = "", limit: int | None = None, parent: QWidget | None = None,
        target: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.editor = target or editor
        self._help_text, self._limit, self._error = help_text, limit, ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_1)
        self._label = QLabel(label, self)
        self._label.setBuddy(self.editor)
        self._label.setVisible(bool(label))
        column.addWidget(self._label)
        column.addWidget(editor)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_2)
        self._foot = QLabel(self)
        self._foot.setWordWrap(True)
        self._counter = QLabel(self)
        self._counter.setVisible(limit is not None)
        foot.addWidget(self._foot, 1)
        foot.addWidget(self._counter)
        column.addLayout(foot)
        self.editor.setAccessibleName(label)
        if isinstance(self.editor, QLineEdit | QPlainTextEdit):
            self.editor.textChanged.connect(self._refresh)
        self._refresh()

    def text(self) -> str:
        """What the line or text editor holds; "" for other editors."""
        if isinstance(self.editor, QLineEdit):
            return self.editor.text()
        return self.editor.toPlainText() if isinstance(self.editor, QPlainTextEdit) else ""

    def set_error(self, sentence: str) -> None:
        """Shows the sentence in place of the help; "" takes it away."""
        if sentence != self._error:
            self._error = sentence
            self._refresh()

    def error(self) -> str:
        """The sentence shown at the moment, "" when the field is in order."""
        return self._error or self._over_limit()

    def _over_limit(self) -> str:
        if self._limit is None:
            return ""
        over = graphemes(self.text()) - self._limit
        if over <= 0:
            return ""
        return tr(f"超出 {over} 个字，最多 {self._limit} 个字。", f"{over} over the limit of {self._limit} characters.")

    def _refresh(self) -> None:
        error = self.error()
        self._foot.setText(error or self._help_text)
        _look(self._foot, "error" if error else "caption")
        self._foot.setVisible(bool(error or self._help_text or self._limit is not None))
        self.editor.setAccessibleDescription(error or self._help_text)
        if self.editor.property("invalid") != bool(error):
            self.editor.setProperty("invalid", bool(error))
            _restyle(self.editor)
        if self._limit is not None:
            self._counter.setText(f"{graphemes(self.text())}/{self._limit}")
            _look(self._counter, "error" if self._over_limit() else "caption")


def _look(label: QLabel, look: str) -> None:
    if label.property("look") != look:
        label.setProperty("look", look)
        _restyle(label)


def _restyle(widget: QWidget) -> None:
    """A style sheet reads properties only when a widget is polished."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
