"""Editors by kind: what a value of a declared document may be decides how it is edited.

Each holds any JSON value, also a wrong one just typed: what is wrong is told by the declaration (app/domain/kinds.py), not by the editor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.domain.documents import List
from app.domain.kinds import Choice, Clock, Date, Kind, Number, Option, Subset, Switch, Text, plain
from app.domain.language import T, tr
from ui.theme import SPACE_1, SPACE_2
from ui.widgets.buttons import Button
from ui.widgets.editor import Editor
from ui.widgets.segmented import Segmented
from ui.widgets.texts import TextsEditor

_SEEN_AT_ONCE = 4
"""Up to so many options stand side by side; more go into a list that opens."""
_IN_ONE_COLUMN = 8
_COLUMNS = 4
_CLOCK_WIDTH = 96
_LINES_HEIGHT = 116
NUMBER_WIDTH = 88


class SwitchEditor(Editor):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QCheckBox(tr("开启", "On"), self)
        _row(self, self._box)
        self._box.clicked.connect(self.changed)

    def value(self) -> Any:
        return self._box.isChecked()

    def set_value(self, value: Any) -> None:
        self._box.setChecked(bool(value))

    def target(self) -> QWidget:
        return self._box


class ChoiceEditor(Editor):
    def __init__(self, options: Sequence[Option], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list: QComboBox | None = None
        self._segments: Segmented | None = None
        if len(options) <= _SEEN_AT_ONCE:
            self._segments = Segmented([(option.value, option.label) for option in options], name=name, parent=self)
            self._segments.chosen.connect(self.changed)
        else:
            self._list = QComboBox(self)
            for option in options:
                self._list.addItem(str(option.label), option.value)
            self._list.activated.connect(self.changed)
        _row(self, self.target())

    def value(self) -> Any:
        return self._segments.value() if self._segments is not None else self._combo.currentData()

    def set_value(self, value: Any) -> None:
        if self._segments is not None:
            self._segments.set_value(value)
        else:
            self._combo.setCurrentIndex(self._combo.findData(value))

    def target(self) -> QWidget:
        return self._segments if self._segments is not None else self._combo

    @property
    def _combo(self) -> QComboBox:
        assert self._list is not None
        return self._list


class SubsetEditor(Editor):
    """A check box per option, below each other; many stand in columns, with a way to tick all or none."""

    def __init__(self, options: Sequence[Option], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        many = len(options) > _IN_ONE_COLUMN
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_2)
        grid.setVerticalSpacing(0 if many else SPACE_1)
        self._boxes: dict[str, QCheckBox] = {}
        columns = _COLUMNS if many else 1
        for place, option in enumerate(options):
            box = self._boxes[option.value] = QCheckBox(str(option.label), self)
            box.clicked.connect(self.changed)
            grid.addWidget(box, place // columns, place % columns)
        self.setFocusProxy(next(iter(self._boxes.values())))
        column.addLayout(grid)
        if many:
            row = QHBoxLayout()
            for words, on in ((tr("全选", "Tick all"), True), (tr("清空", "Clear"), False)):
                button = Button(words, "plain", parent=self)
                button.clicked.connect(lambda _=False, on=on: self._all(on))
                row.addWidget(button)
            row.addStretch(1)
            column.addLayout(row)

    def value(self) -> Any:
        return [value for value, box in self._boxes.items() if box.isChecked()]

    def set_value(self, value: Any) -> None:
        for known, box in self._boxes.items():
            box.setChecked(known in value)

    def target(self) -> QWidget:
        return self  # its name is that of all boxes together; each is called by its own words

    def _all(self, on: bool) -> None:
        for box in self._boxes.values():
            box.setChecked(on)
        self.changed.emit()


class LineEditor(Editor):
    """One line of text; subclasses read and write it differently."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit(self)
        self.line.textEdited.connect(self.changed)
        self.row = _row(self, self.line)

    def value(self) -> Any:
        return self.line.text()

    def set_value(self, value: Any) -> None:
        self.line.setText(str(value))

    def target(self) -> QWidget:
        return self.line


class ClockEditor(LineEditor):
    """A time of the day; 9:5 and 9：05 are understood as 09:05."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line.setFixedWidth(_CLOCK_WIDTH)
        self.line.setPlaceholderText("HH:MM")
        self.row.addStretch(1)
        self.line.editingFinished.connect(self._tidy)

    def value(self) -> Any:
        parts = self.line.text().strip().replace("：", ":").split(":")
        if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
            return f"{parts[0]:0>2}:{parts[1]:0>2}"
        return self.line.text().strip()

    def _tidy(self) -> None:
        self.line.setText(self.value())


class NumberEditor(LineEditor):
    """A number with its unit; empty stands for null where the declaration knows what null means."""

    def __init__(self, kind: Number, null: T | None, with_unit: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._nullable = null is not None
        self.line.setFixedWidth(NUMBER_WIDTH)
        self.line.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.line.setPlaceholderText(str(null) if null is not None else "")
        self.line.setToolTip(str(kind.limits()))
        if with_unit and str(kind.unit):
            unit = QLabel(str(kind.unit), self)
            unit.setProperty("look", "quiet")
            self.row.addWidget(unit)
        self.row.addStretch(1)

    def value(self) -> Any:
        text = self.line.text().strip().replace(",", "").replace("，", "").removesuffix("%")
        if not text and self._nullable:
            return None
        for read in (int, float):
            try:
                return read(text)
            except ValueError:
                continue
        return text

    def set_value(self, value: Any) -> None:
        self.line.setText("" if value is None else plain(value) if isinstance(value, int | float) else str(value))


class LinesEditor(Editor):
    """A text of several lines."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QPlainTextEdit(self)
        self._text.setTabChangesFocus(True)
        self._text.setFixedHeight(_LINES_HEIGHT)
        self._setting = False
        self._text.textChanged.connect(self._edited)
        _row(self, self._text)

    def value(self) -> Any:
        return self._text.toPlainText()

    def set_value(self, value: Any) -> None:
        self._setting = True
        self._text.setPlainText(str(value))
        self._setting = False

    def target(self) -> QWidget:
        return self._text

    def _edited(self) -> None:
        if not self._setting:
            self.changed.emit()


def editor_for(kind: Kind, name: str, null: T | None = None, with_unit: bool = True) -> Editor:
    """The editor of a scalar kind or a list of texts. Raises TypeError for a kind that has none of its own (other lists, objects)."""
    match kind:
        case Switch():
            return SwitchEditor()
        case Choice():
            return ChoiceEditor(kind.options, name)
        case Subset():
            return SubsetEditor(kind.options)
        case Clock():
            return ClockEditor()
        case Number():
            return NumberEditor(kind, null, with_unit)
        case List(of=Text() as one):
            return TextsEditor(name, one.word)
        case Text(lines=True):
            return LinesEditor()
        case Text() | Date():
            return LineEditor()
    raise TypeError(type(kind).__name__)


def _row(owner: QWidget, widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout(owner)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(SPACE_2)
    row.addWidget(widget)
    if isinstance(widget, Segmented | QCheckBox | QComboBox):
        row.addStretch(1)
    return row
