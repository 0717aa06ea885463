"""账号同步: the group that new agents join."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QVBoxLayout, QWidget

from app.domain.language import tr
from app.domain.routing_edits import with_weights
from app.domain.routing_settings import DEFAULT_WEIGHT
from ui.pages.registry import PageContext
from ui.pages.settings.routing import RoutingPage
from ui.theme import SPACE_3, SPACE_4
from ui.widgets.buttons import Button
from ui.widgets.field import FormField

_WIDEST = 480
_NAMED = 8


class AccountSyncPage(RoutingPage):
    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACE_4, 0, SPACE_4, SPACE_4)
        column.setSpacing(SPACE_3)
        self.choice = QComboBox(body)
        self.choice.setEnabled(self.allowed)
        self.choice.activated.connect(self._chosen)
        field = FormField(
            tr("新账号的默认咨询组", "Default group of new agents"), self.choice,
            tr("咨询组和客服设置里都没有的账号自动属于此组，权重 6；在「客服总览」改过的账号以那里为准。",
               "An account that no group and no agent setting names is in this group by itself, with weight 6; whoever was edited on the "
               "page Agents is as set there."), parent=body,
        )  # fmt: skip
        field.setMaximumWidth(_WIDEST)
        column.addWidget(field)
        line = QFrame(body)
        line.setProperty("look", "line")
        line.setMaximumWidth(_WIDEST)
        column.addWidget(line)
        self.outside = QLabel(body)
        self.outside.setWordWrap(True)
        self.outside.setMaximumWidth(_WIDEST)
        column.addWidget(self.outside)
        self.join = Button("", "quiet", "add", body)
        self.join.setMaximumWidth(_WIDEST)
        self.join.clicked.connect(self._join)
        column.addWidget(self.join, 0)
        column.addStretch(1)
        self.lay_out(self.card((), body), self.checks)
        self.try_it.hide()

    def render_draft(self) -> None:
        groups = [(None, tr("不自动加入", "None"))] + [(group["code"], group["name"] or group["code"]) for group in self.groups["groups"]]
        held = [(self.choice.itemData(i), self.choice.itemText(i)) for i in range(self.choice.count())]
        if held != groups:
            self.choice.clear()
            for code, name in groups:
                self.choice.addItem(name, code)
        self.choice.setCurrentIndex(max(0, self.choice.findData(self.groups["default_group"])))
        outside, newcomers, target = self._outside(), self._newcomers(), self.groups["default_group"]
        number = len(outside)
        name = next((group["name"] or group["code"] for group in self.groups["groups"] if group["code"] == target), "")
        if not self.groups["groups"]:
            self.outside.setText(
                tr("还没有咨询组。请先在「咨询组管理」新建。", "There are no groups yet. Make one on the page Groups first.")
            )
        else:
            told = []
            if newcomers:
                who = _named(newcomers)
                told.append(
                    tr(f"{len(newcomers)} 个新账号按默认属于「{name}」：{who}", f"{len(newcomers)} new accounts are in {name}: {who}")
                )
            if number:
                who = _named(outside)
                told.append(tr(f"{number} 名客服不在任何咨询组：{who}", f"{number} agents are in no group: {who}"))
            self.outside.setText("\n".join(told) or tr("所有客服都在咨询组里。", "Every agent is in a group."))
        self.join.setText(tr(f"全部写入「{name}」的成员", f"Make all of them members of {name}"))
        self.join.setVisible(bool((number or newcomers) and name) and self.allowed)

    def _outside(self) -> dict[str, str]:
        return {line.code: line.label for line in self.lines() if line.receives and not line.weights and not line.newcomer}

    def _newcomers(self) -> dict[str, str]:
        return {line.code: line.label for line in self.lines() if line.newcomer}

    def _chosen(self) -> None:
        self.edit({**self.groups, "default_group": self.choice.currentData()})

    def _join(self) -> None:
        self.edit(
            with_weights(self.groups, self.groups["default_group"], dict.fromkeys(self._newcomers() | self._outside(), DEFAULT_WEIGHT))
        )


def _named(people: Mapping[str, str]) -> str:
    return tr("、", ", ").join(list(people.values())[:_NAMED]) + (" …" if len(people) > _NAMED else "")
