"""One agent or several, edited beside the table: what they agree in is shown, what is changed is changed for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QGridLayout, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.domain.documents import Field
from app.domain.kinds import Text
from app.domain.language import tr
from app.domain.routing_edits import AGENT, MAX_WEIGHT, AgentLine
from app.domain.routing_settings import DEFAULT_WEIGHT
from ui.theme import SPACE_1, SPACE_2, SPACE_4
from ui.widgets.editors import NumberEditor
from ui.widgets.field import FormField
from ui.widgets.inputs import NumberEdit
from ui.widgets.weight_matrix import Edits

_MIXED = -1


class AgentPanel(QWidget):
    """`edited(codes, {field: value})`, `weighed(Edits)`."""

    edited = Signal(object, object)
    weighed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: list[AgentLine] = []
        self._groups: list[tuple[str, str]] = []
        self._rows: dict[str, tuple[QCheckBox, NumberEdit]] = {}
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
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
        self._team_line.editingFinished.connect(self._team_typed)
        self.team.activated.connect(self._team_chosen)
        declared = _field("team")
        self._team_field = FormField(str(declared.label), self.team, str(declared.help), parent=holder, target=self._team_line)
        column.addWidget(self._team_field)
        declared = _field("capacity")
        self.capacity = NumberEditor(declared.kind, declared.null)  # type: ignore[arg-type]
        self.capacity.line.editingFinished.connect(self._capacity_typed)
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

    def show_lines(self, lines: Sequence[AgentLine], groups: Sequence[tuple[str, str]], teams: Sequence[str]) -> None:
        """These agents; what is being typed into is left alone while they stay the same."""
        others = [line.code for line in lines] != self._codes()
        self._lines = list(lines)
        one = lines[0] if len(lines) == 1 else None
        names = tr("、", ", ").join(line.label for line in lines[:8]) + (" …" if len(lines) > 8 else "")
        self._who.setText(" · ".join(part for part in (one.code, one.role) if part) if one is not None else names)
        self._name_field.setVisible(one is not None)
        if one is not None and (others or not self.name.hasFocus()):
            self.name.setText(one.name)
            self._name_field.set_error("")
        if [self.team.itemText(i) for i in range(self.team.count())] != list(teams):
            self.team.clear()
            self.team.addItems(list(teams))
        mixed = tr("各不相同", "various")
        if others or not self._team_line.hasFocus():
            held = {line.team for line in lines}
            self.team.setEditText(held.pop() if len(held) == 1 else "")
            self._team_line.setPlaceholderText("" if not held else mixed)
            self._team_line.setModified(False)
            self._team_field.set_error("")
        capacities = {line.capacity for line in lines}
        if others or not self.capacity.line.hasFocus():
            self.capacity.set_value(next(iter(capacities)) if len(capacities) == 1 else None)
            self.capacity.line.setPlaceholderText(str(_field("capacity").null) if len(capacities) == 1 else mixed)
            self.capacity.line.setModified(False)
            self._capacity_field.set_error("")
        receiving = sum(line.receives for line in lines)
        _tick(self.receives, receiving, len(lines))
        self._show_groups(lines, list(groups))

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
            weight.blockSignals(True)
            weight.setValue(held[0] if held and len(set(held)) == 1 else _MIXED)
            weight.blockSignals(False)
            weight.setEnabled(bool(held))

    def _group_row(self, place: int, code: str, name: str) -> tuple[QCheckBox, NumberEdit]:
        box = QCheckBox(name, self._grid_holder)
        box.clicked.connect(lambda _=False: self._group_clicked(code))
        weight = NumberEdit(_MIXED, MAX_WEIGHT, parent=self._grid_holder)
        weight.setSpecialValueText("--")
        weight.setFixedWidth(80)
        weight.setAccessibleName(tr(f"在「{name}」的权重", f"Weight in {name}"))
        weight.valueChanged.connect(lambda value: self._weight_changed(code, value))
        self._grid.addWidget(box, place, 0)
        self._grid.addWidget(weight, place, 1)
        self._grid.setColumnStretch(0, 1)
        return box, weight

    def _codes(self) -> list[str]:
        return [line.code for line in self._lines]

    # -- what the person does --

    def _text_field(self, line: QLineEdit, key: str, parent: QWidget) -> FormField:
        kind = _field(key).kind
        assert isinstance(kind, Text)
        field = FormField(str(_field(key).label), line, str(_field(key).help), kind.most, parent)
        line.editingFinished.connect(lambda: self._send(key, line.text().strip(), line, field))
        self._column.addWidget(field)
        return field

    def _team_chosen(self) -> None:
        self._team_line.setModified(True)
        self._team_typed()

    def _team_typed(self) -> None:
        self._send("team", self.team.currentText().strip(), self._team_line, self._team_field)

    def _capacity_typed(self) -> None:
        self._send("capacity", self.capacity.value(), self.capacity.line, self._capacity_field)

    def _send(self, key: str, value: Any, line: QLineEdit, field: FormField) -> None:
        """What the declaration refuses stays in the field with its sentence."""
        faults = list(_field(key).faults(value, key))
        field.set_error(str(faults[0].sentence) if faults else "")
        if not faults and line.isModified():
            line.setModified(False)
            self.edited.emit(self._codes(), {key: value})

    def _receives_clicked(self) -> None:
        self.receives.setTristate(False)
        self.edited.emit(self._codes(), {"receives": self.receives.isChecked()})

    def _group_clicked(self, code: str) -> None:
        """In or out; whoever is in already keeps the weight."""
        box, _ = self._rows[code]
        box.setTristate(False)
        if box.isChecked():
            self._weigh({line.code: DEFAULT_WEIGHT for line in self._lines if code not in line.weights}, code)
        else:
            self._weigh(dict.fromkeys(line.code for line in self._lines if code in line.weights), code)

    def _weight_changed(self, code: str, value: int) -> None:
        if value != _MIXED:
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
