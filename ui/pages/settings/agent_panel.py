"""One agent or several, edited beside the table: what they agree in is shown, what is changed is changed for all, as it is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.domain.documents import Field
from app.domain.kinds import Text
from app.domain.language import tr
from app.domain.routing_edits import AGENT, MAX_WEIGHT, AgentLine
from app.domain.routing_settings import DEFAULT_WEIGHT
from ui.theme import SPACE_1, SPACE_2, SPACE_4
from ui.widgets.editors import NumberEditor
from ui.widgets.field import FormField
from ui.widgets.inputs import NameBox, NumberEdit
from ui.widgets.weight_matrix import Edits

_MIXED = -1


class _Weight(NumberEdit):
    """A weight, or none while those of several differ: the first step then goes to `start`, not to 0."""

    start = DEFAULT_WEIGHT

    def __init__(self, parent: QWidget) -> None:
        super().__init__(_MIXED, MAX_WEIGHT, parent=parent)
        self.setSpecialValueText("--")

    def stepBy(self, steps: int) -> None:
        self.setValue(self.start if self.value() == _MIXED else max(0, self.value() + steps))

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flag = QAbstractSpinBox.StepEnabledFlag
        return flag.StepUpEnabled | flag.StepDownEnabled if self.value() == _MIXED else super().stepEnabled()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.value() == _MIXED and event.text().isdigit():
            self.selectAll()  # it takes the place of the "--"
        super().keyPressEvent(event)


class AgentPanel(QWidget):
    """`edited(codes, {field: value})`; `typed`, the same of what is being typed, at every letter, {} while it cannot be taken, and
    `left()` when that is over; `weighed(Edits)`."""

    edited = Signal(object, object)
    typed = Signal(object, object)
    left = Signal()
    weighed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: list[AgentLine] = []
        self._groups: list[tuple[str, str]] = []
        self._rows: dict[str, tuple[NameBox, _Weight]] = {}
        self._showing = False
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        holder = QWidget(area)
        holder.setObjectName("scrolled")
        column = self._column = QVBoxLayout(holder)
        column.setContentsMargins(SPACE_4, 0, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_4)
        self._who = QLabel(holder)
        self._who.setProperty("look", "quiet")
        self._who.setTextFormat(Qt.TextFormat.PlainText)
        self._who.setWordWrap(True)
        column.addWidget(self._who)
        self.name = QLineEdit(holder)
        self._name_field = self._text_field(self.name, "name", holder)
        self.team = QComboBox(holder)
        self.team.setEditable(True)
        self.team.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._team_line = QLineEdit(self.team)
        self.team.setLineEdit(self._team_line)
        self._team_line.textChanged.connect(self._team_typed)  # what is completed is taken, too
        self._team_line.editingFinished.connect(self.left)
        declared = _field("team")
        self.team.setAccessibleName(str(declared.label))
        self._team_field = FormField(str(declared.label), self.team, str(declared.help), parent=holder, target=self._team_line)
        column.addWidget(self._team_field)
        declared = _field("capacity")
        self.capacity = NumberEditor(declared.kind, declared.null)  # type: ignore[arg-type]
        self.capacity.changed.connect(self._capacity_typed)
        self.capacity.line.editingFinished.connect(self.left)
        self._capacity_field = FormField(str(declared.label), self.capacity, str(declared.help), parent=holder, target=self.capacity.line)
        column.addWidget(self._capacity_field)
        self.receives = QCheckBox(str(_field("receives").label), holder)
        self.receives.setToolTip(str(_field("receives").help))
        self.receives.clicked.connect(self._receives_clicked)
        column.addWidget(self.receives)
        title = QLabel(tr("所属技能组和权重", "Groups and weights"), holder)
        title.setProperty("look", "emphasis")
        column.addWidget(title)
        self._grid_holder = QWidget(holder)
        self._grid = QGridLayout(self._grid_holder)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE_2)
        self._grid.setVerticalSpacing(SPACE_1)
        column.addWidget(self._grid_holder)
        column.addStretch(1)
        area.setWidget(holder)

    def codes(self) -> list[str]:
        """Who is edited."""
        return [line.code for line in self._lines]

    def show_lines(self, lines: Sequence[AgentLine], groups: Sequence[tuple[str, str]], teams: Sequence[str]) -> None:
        """These agents; what is being typed into is left alone while they stay the same."""
        others = [line.code for line in lines] != self.codes()
        self._showing, self._lines = True, list(lines)
        one = lines[0] if len(lines) == 1 else None
        names = tr("、", ", ").join(line.label for line in lines[:8]) + (" …" if len(lines) > 8 else "")
        self._who.setText(" · ".join(part for part in (one.code, one.role) if part) if one is not None else names)
        self._name_field.setVisible(one is not None)
        if one is not None and (others or not self.name.hasFocus()):
            self.name.setText(one.name)
            self._name_field.set_error("")
        mixed = tr("各不相同", "various")
        if others or not self._team_line.hasFocus():
            if [self.team.itemText(i) for i in range(self.team.count())] != list(teams):
                self.team.clear()
                self.team.addItems(list(teams))
            held = {line.team for line in lines}
            self.team.setEditText(held.pop() if len(held) == 1 else "")
            self._team_line.setPlaceholderText("" if not held else mixed)
            self._team_field.set_error("")
        capacities = {line.capacity for line in lines}
        if others or not self.capacity.line.hasFocus():
            self.capacity.set_value(next(iter(capacities)) if len(capacities) == 1 else None)
            self.capacity.line.setPlaceholderText(str(_field("capacity").null) if len(capacities) == 1 else mixed)
            self._capacity_field.set_error("")
        receiving = sum(line.receives for line in lines)
        _tick(self.receives, receiving, len(lines))
        self._show_groups(lines, list(groups))
        self._showing = False

    def _show_groups(self, lines: Sequence[AgentLine], groups: list[tuple[str, str]]) -> None:
        if groups != self._groups:
            self._groups = groups
            for box, weight in self._rows.values():
                box.deleteLater()
                weight.deleteLater()
            self._rows = {code: self._group_row(place, code, name) for place, (code, name) in enumerate(groups)}
        for code, (box, weight) in self._rows.items():
            held = [line.weights[code] for line in lines if code in line.weights]
            _tick(box, len(held), len(lines))
            weight.start = max(held, key=lambda one: (held.count(one), one == DEFAULT_WEIGHT, one), default=DEFAULT_WEIGHT)
            weight.setValue(held[0] if held and len(set(held)) == 1 else _MIXED)
            weight.setEnabled(bool(held))

    def _group_row(self, place: int, code: str, name: str) -> tuple[NameBox, _Weight]:
        box = NameBox(name, self._grid_holder)
        box.clicked.connect(lambda _=False: self._group_clicked(code))
        weight = _Weight(self._grid_holder)
        weight.setFixedWidth(80)
        weight.setAccessibleName(tr(f"在「{name}」的权重", f"Weight in {name}"))
        weight.valueChanged.connect(lambda value: self._weight_changed(code, value))
        self._grid.addWidget(box, place, 0)
        self._grid.addWidget(weight, place, 1)
        self._grid.setColumnStretch(0, 1)
        return box, weight

    # -- what the person does --

    def _text_field(self, line: QLineEdit, key: str, parent: QWidget) -> FormField:
        kind = _field(key).kind
        assert isinstance(kind, Text)
        field = FormField(str(_field(key).label), line, str(_field(key).help), kind.most, parent)
        line.textEdited.connect(lambda text: self._send(key, text.strip(), field))
        line.editingFinished.connect(self.left)
        self._column.addWidget(field)
        return field

    def _team_typed(self, text: str) -> None:
        if not self._showing:
            self._send("team", text.strip(), self._team_field)

    def _capacity_typed(self) -> None:
        self._send("capacity", self.capacity.value(), self._capacity_field)

    def _send(self, key: str, value: Any, field: FormField) -> None:
        """What the declaration refuses stays in the field with its sentence."""
        faults = list(_field(key).faults(value, key))
        field.set_error(str(faults[0].words) if faults else "")
        self.typed.emit(self.codes(), {} if faults else {key: value})

    def _receives_clicked(self) -> None:
        self.receives.setTristate(False)
        self.edited.emit(self.codes(), {"receives": self.receives.isChecked()})

    def _group_clicked(self, code: str) -> None:
        """In or out; whoever is in already keeps the weight."""
        box, _ = self._rows[code]
        box.setTristate(False)
        if box.isChecked():
            self._weigh({line.code: DEFAULT_WEIGHT for line in self._lines if code not in line.weights}, code)
        else:
            self._weigh(dict.fromkeys(line.code for line in self._lines if code in line.weights), code)

    def _weight_changed(self, code: str, value: int) -> None:
        if value != _MIXED and not self._showing:
            self._weigh({line.code: value for line in self._lines if code in line.weights}, code)

    def _weigh(self, weights: Mapping[str, int | None], code: str) -> None:
        edits: Edits = {(agent, code): weight for agent, weight in weights.items()}
        self.weighed.emit(edits)


def _tick(box: QCheckBox, number: int, of: int) -> None:
    """All, some or none; a click on some makes it all."""
    some = 0 < number < of
    box.setTristate(some)
    box.setCheckState(Qt.CheckState.PartiallyChecked if some else Qt.CheckState.Checked if number else Qt.CheckState.Unchecked)


def _field(key: str) -> Field:
    return next(field for field in AGENT.fields if field.key == key)
