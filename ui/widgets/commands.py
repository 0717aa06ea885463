"""What a person can do, declared once: menus and the command palette are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.domain.language import T, tr
from ui.theme import icon

K = TypeVar("K", bound=str)


@dataclass(frozen=True, slots=True)
class Command:
    """Something a person can do from a menu or the palette. `keys` is its shortcut, `hint` what stands quietly beside its name."""

    key: str
    label: T
    icon: str
    run: Callable[[], None]
    keys: str = ""
    hint: str = ""
    why_not: str = ""
    checked: bool | None = None


def one_of(key: str, title: T, icon_name: str, among: Mapping[K, T], now: K, choose: Callable[[K], None]) -> list[Command]:
    """A command for each of several that exclude each other; `now` is the key of the one that holds."""

    def choice(one: K, label: T) -> Command:
        held = one == now
        words = T(f"{title.zh}：{label.zh}", f"{title.en}: {label.en}")
        return Command(f"{key}:{one}", words, icon_name, lambda: choose(one), hint=tr("当前", "now") if held else "", checked=held)

    return [choice(one, label) for one, label in among.items()]


def menu_of(commands: Sequence[Command | None], parent: QWidget, menu: QMenu | None = None) -> QMenu:
    """A menu of commands, None for a line between; deleted when it closes unless it is a submenu."""
    if menu is None:
        menu = QMenu(parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    for command in commands:
        if command is None:
            menu.addSeparator()
            continue
        action = menu.addAction(str(command.label) + (f"\t{command.keys}" if command.keys else ""))
        if command.checked is not None:
            action.setCheckable(True)
            action.setChecked(command.checked)
        elif command.icon:
            action.setIcon(icon(command.icon))
        action.setEnabled(not command.why_not)
        action.setToolTip(command.why_not)
        action.triggered.connect(command.run)
    return menu
