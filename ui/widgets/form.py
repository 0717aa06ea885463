"""A form made from a declared object: one field per declaration, errors where they belong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app.domain.documents import Body, Field, Object
from app.domain.kinds import Fault, Number, Text
from ui.theme import SPACE_1, SPACE_2, SPACE_4
from ui.widgets.editor import Editor
from ui.widgets.editors import NUMBER_WIDTH, editor_for
from ui.widgets.field import FormField


class Form(QWidget):
    """Edits a body of `declared`. `changed` is sent when the person changes anything."""

    changed = Signal()

    def __init__(self, declared: Object, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editors: dict[tuple[str, ...], Editor] = {}
        self._errors: dict[tuple[str, ...], FormField | QLabel] = {}
        if declared.table:
            self._build_table(declared)
        else:
            column = QVBoxLayout(self)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(SPACE_4)
            for field in declared.fields:
                column.addWidget(self._field(field))
            column.addStretch(1)
        for editor in self._editors.values():
            editor.changed.connect(self.changed)

    def body(self) -> Body:
        """What the editors hold, right or wrong."""
        found: Body = {}
        for path, editor in self._editors.items():
            place = found
            for key in path[:-1]:
                place = place.setdefault(key, {})
            place[path[-1]] = editor.value()
        return found

    def set_body(self, body: Body) -> None:
        """Show a faultless, complete body."""
        for path, editor in self._editors.items():
            held: Any = body
            for key in path:
                held = held[key]
            if editor.value() != held:
                editor.set_value(held)
        self.show_faults(())

    def take_typed(self) -> str | None:
        """Make what is typed part of the body, as leaving the fields does; answers the key of a field where something waits, told there."""
        waiting = [path[0] for path, editor in self._editors.items() if not editor.take_typed()]
        return waiting[0] if waiting else None

    def show_faults(self, faults: Iterable[Fault]) -> list[Fault]:
        """Tells each fault at its field, the first of a field only; answers those that belong to no field."""
        said: dict[tuple[str, ...], str] = {}
        homeless = []
        for fault in faults:
            home = next(_homes(tuple(fault.path.split(".")), self._errors), None)
            if home is None:
                homeless.append(fault)
            else:
                said.setdefault(home, str(fault.words))
        for path, place in self._errors.items():
            sentence = said.get(path, "")
            if isinstance(place, FormField):
                place.set_error(sentence)
            else:
                place.setText(sentence)
                place.setVisible(bool(sentence))
        return homeless

    def set_editable(self, editable: bool) -> None:
        for editor in self._editors.values():
            editor.setEnabled(editable)

    def keys(self) -> list[str]:
        """Of its fields, from top to bottom."""
        return list(dict.fromkeys(path[0] for path in self._editors))

    def editor(self, path: str) -> Editor:
        """The editor of `key` or `key.key`. Raises KeyError."""
        return self._editors[tuple(path.split("."))]

    def _field(self, field: Field) -> FormField:
        editor = editor_for(field.kind, str(field.label), field.null)
        limit = field.kind.most if isinstance(field.kind, Text) else None
        held = FormField(str(field.label), editor, str(field.help), limit, self, editor.target())
        editor.target().setAccessibleName(str(field.label))
        self._editors[(field.key,)] = editor
        self._errors[(field.key,)] = held
        return held

    def _build_table(self, declared: Object) -> None:
        """A row per field, a column per field of those."""
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE_4)
        grid.setVerticalSpacing(SPACE_1)
        for line, row in enumerate(declared.fields, 1):
            assert isinstance(row.kind, Object)
            unit = ""
            for place, cell in enumerate(row.kind.fields, 1):
                if line == 1:
                    head = QLabel(str(cell.label), self)
                    head.setProperty("look", "caption")
                    head.setFixedWidth(NUMBER_WIDTH)
                    head.setAlignment(Qt.AlignmentFlag.AlignRight)
                    grid.addWidget(head, 0, place)
                editor = editor_for(cell.kind, f"{row.label} {cell.label}", cell.null, with_unit=False)
                editor.target().setAccessibleName(f"{row.label} {cell.label}")
                editor.target().setAccessibleDescription(str(cell.help))
                unit = str(cell.kind.unit) if isinstance(cell.kind, Number) else unit
                self._editors[row.key, cell.key] = editor
                grid.addWidget(editor, line * 2 - 1, place)
            name = QLabel(str(row.label), self)
            name.setToolTip(str(row.help))
            quiet = QLabel(unit, self)
            quiet.setProperty("look", "quiet")
            error = QLabel(self)
            error.setProperty("look", "error")
            error.setWordWrap(True)
            error.hide()
            self._errors[(row.key,)] = error
            grid.addWidget(name, line * 2 - 1, 0)
            grid.addWidget(quiet, line * 2 - 1, len(row.kind.fields) + 1)
            grid.addWidget(error, line * 2, 0, 1, len(row.kind.fields) + 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnMinimumWidth(4, 3 * SPACE_2)
        grid.setRowStretch(len(declared.fields) * 2 + 1, 1)


def _homes(path: tuple[str, ...], known: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """The longest beginnings of a path that have a place of their own."""
    places = set(known)
    for length in range(len(path), 0, -1):
        start = tuple(part.partition("[")[0] for part in path[:length])
        if start in places:
            yield start
