"""The page of one document of single values: the form made from its declaration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.domain.kinds import Fault
from app.domain.language import tr
from ui.pages.registry import PageContext
from ui.pages.settings.base import DraftPage
from ui.runtime.drafts import Bodies
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6
from ui.widgets.buttons import Button
from ui.widgets.form import Form

_FORM_WIDTH = 640


class DocumentPage(DraftPage):
    """Edits the document named by `key`."""

    key: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.keys = (cls.key,)

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self.form = Form(self.documents[self.key].body)
        self.form.changed.connect(lambda: self.change_to({self.key: self.form.body()}))
        self.form.set_editable(self.allowed)
        self.lay_out(self._left())

    def show_bodies(self, bodies: Bodies) -> None:
        if self.form.body() != bodies[self.key]:
            self.form.set_body(bodies[self.key])

    def show_faults(self, faults: Sequence[Fault]) -> Sequence[Fault]:
        return self.form.show_faults(faults)

    def _left(self) -> QWidget:
        document = self.documents[self.key]
        card = QFrame(self)
        card.setProperty("look", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_3)
        words = QLabel(str(document.help), card)
        words.setProperty("look", "quiet")
        words.setWordWrap(True)
        column.addWidget(words)
        column.addWidget(self.refusal)
        column.addWidget(self.conflict)
        if document.presets:
            row = QHBoxLayout()
            row.setSpacing(SPACE_2)
            row.addWidget(QLabel(tr("套用", "Start from"), card))
            for preset in document.presets:
                button = Button(str(preset.label), parent=card)
                button.setEnabled(self.allowed)
                button.setProperty("preset", preset.key)
                button.clicked.connect(self._use_preset)
                row.addWidget(button)
            row.addStretch(1)
            column.addLayout(row)
        area = QScrollArea(card)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        holder = QWidget(area)
        holder.setObjectName("scrolled")
        inside = QHBoxLayout(holder)
        inside.setContentsMargins(0, 0, SPACE_4, 0)
        holder.setMaximumWidth(_FORM_WIDTH + SPACE_4)  # and so at the left, below the words about it
        inside.addWidget(self.form)
        area.setWidget(holder)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(area, 1)
        return card

    def _use_preset(self) -> None:
        chosen, presets = self.sender().property("preset"), self.documents[self.key].presets
        self.change_to({self.key: next(preset.body for preset in presets if preset.key == chosen)})


class OrderWindowPage(DocumentPage):
    key = "order_window"


class AssessmentPage(DocumentPage):
    key = "assessment"


class StandardsPage(DocumentPage):
    key = "standards"
