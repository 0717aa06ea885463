"""One group, edited beside the list: 基本信息, 服务范围, 分流规则, each a form made from the declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from app.domain.documents import Body, Object
from app.domain.kinds import Fault
from app.domain.language import tr
from app.domain.routing_checks import Part
from app.domain.routing_edits import GROUP
from ui.theme import SPACE_2, SPACE_4
from ui.widgets.buttons import Button
from ui.widgets.form import Form
from ui.widgets.texts import TextsEditor

WIDTH = 600
_FIELDS = {field.key: field for field in GROUP.fields}
_SCOPE = _FIELDS["scope"].kind
assert isinstance(_SCOPE, Object)
_TABS: dict[Part, tuple[str, ...]] = {
    "basics": ("name", "code", "type", "open"), "scope": (), "routing": ("overflow", "prompt", "offline_prompt"),
}  # fmt: skip


class GroupPanel(QWidget):
    """`edited(Body)`: the group as the forms have it, right or wrong."""

    edited = Signal(object)
    members_wanted = Signal()

    def __init__(self, editable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group: Body = {}
        self._editable = editable
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.forms: dict[Part, Form] = {}
        self._words: dict[Part, QLabel] = {}
        titles = {"basics": tr("基本信息", "Basics"), "scope": tr("服务范围", "Scope"), "routing": tr("分流规则", "Routing")}
        for part, keys in _TABS.items():
            declared = _SCOPE if part == "scope" else Object(tuple(_FIELDS[key] for key in keys))
            assert isinstance(declared, Object)
            self.tabs.addTab(self._tab(part, declared), titles[part])
        self.members = Button("", "plain", "agents", self)
        self.members.setEnabled(editable)
        self.members.clicked.connect(self.members_wanted)
        self.tabs.setCornerWidget(self.members)
        self.setTabOrder(self.tabs.tabBar(), self.members)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, 0, SPACE_2, 0)
        column.addWidget(self.tabs)

    def _tab(self, part: Part, declared: Object) -> QWidget:
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        holder = QWidget(area)
        holder.setObjectName("scrolled")
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, SPACE_4, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_2)
        words = self._words[part] = QLabel(holder)
        words.setWordWrap(True)
        words.setProperty("look", "quiet")
        column.addWidget(words)
        form = self.forms[part] = Form(declared, holder)
        form.changed.connect(self._changed)
        column.addWidget(form, 1)
        area.setWidget(holder)
        return area

    def show_group(self, group: Body, saved: Body | None) -> None:
        """saved: the same group as it is saved, None for a new one; what it is by its code can then no longer be changed."""
        self._group = group
        number = len(group["members"])
        self.members.setText(tr(f"成员 {number} 人…", f"{number} members…" if number != 1 else "1 member…"))
        for part, keys in _TABS.items():
            form = self.forms[part]
            held = group["scope"] if part == "scope" else {key: group[key] for key in keys}
            if form.body() != held:
                form.set_body(held)
            form.set_editable(self._editable)
        fallback, was = group["type"] == "fallback", saved is not None and saved["type"] == "fallback"
        basics = self.forms["basics"]
        basics.editor("code").setEnabled(self._editable and saved is None)
        basics.editor("type").setEnabled(self._editable and not was)
        basics.editor("open").setEnabled(self._editable and not (fallback and group["open"]))
        self.forms["routing"].editor("overflow").setEnabled(self._editable and not fallback)
        why = tr(
            "兜底咨询组接待所有不属于其他组的客户：建立后不能删除、关闭或改为普通组。",
            "The fallback group takes whoever belongs to no other: once saved it cannot be removed, closed or made ordinary.",
        )
        self._tell("basics", why if fallback else "")
        self._tell(
            "scope",
            tr("兜底咨询组没有服务范围。", "The fallback group has no scope.")
            if fallback
            else tr(
                "设置的条件都满足的客户进入此组；没有设置的条件不限。",
                "Customers for whom all that is set holds come here; what is not set is open.",
            ),
        )
        self.forms["scope"].setVisible(not fallback or bool(self.forms["scope"].body() != _SCOPE.complete({})))
        self._tell("routing", "")

    def offer_skus(self, known: Mapping[str, str]) -> None:
        """{code: name} of what the store has seen."""
        editor = self.forms["scope"].editor("skus")
        assert isinstance(editor, TextsEditor)
        editor.offer(known)

    def take_typed(self) -> bool:
        """Make what is typed part of the group, as leaving the fields does. False when something waits; the keyboard is then at it."""
        for part, form in self.forms.items():
            if (waiting := form.take_typed()) is not None:
                self.open_part(part)
                self.take_keyboard(waiting)
                return False
        return True

    def take_keyboard(self, field: str = "", select: bool = False) -> None:
        """Into a field of the tab shown, the first where none is named; `select`: what the line holds is about to be replaced."""
        form = self.forms[self.part()]
        keys = form.keys()
        target = form.editor(field if field in keys else keys[0]).target()
        target.setFocus(Qt.FocusReason.OtherFocusReason)
        if select and isinstance(target, QLineEdit):
            target.selectAll()

    def part(self) -> Part:
        """That is shown."""
        return list(_TABS)[self.tabs.currentIndex()]

    def open_part(self, part: Part) -> None:
        self.tabs.setCurrentIndex(max(0, list(_TABS).index(part) if part in _TABS else 0))

    def show_faults(self, faults: Iterable[Fault]) -> Sequence[Fault]:
        """Faults of this group, their paths relative to it; answers those that belong to no field here."""
        by_part: dict[Part, list[Fault]] = {part: [] for part in _TABS}
        homeless = []
        for fault in faults:
            head, _, rest = fault.path.partition(".")
            if head == "scope":
                by_part["scope"].append(fault._replace(path=rest))
            else:
                part = next((part for part, keys in _TABS.items() if head in keys), None)
                if part is None:
                    homeless.append(fault)
                else:
                    by_part[part].append(fault)
        for part, held in by_part.items():
            left = self.forms[part].show_faults(held)
            if left:
                self._tell(part, str(left[0].words), "error")
        return homeless

    def _tell(self, part: Part, words: str, look: str = "quiet") -> None:
        label = self._words[part]
        label.setText(words)
        label.setVisible(bool(words))
        if label.property("look") != look:
            label.setProperty("look", look)
            label.style().unpolish(label)
            label.style().polish(label)

    def _changed(self) -> None:
        group = {**self._group, **self.forms["basics"].body(), **self.forms["routing"].body(), "scope": self.forms["scope"].body()}
        self._group = group
        self.edited.emit(group)
