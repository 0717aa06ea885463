"""Icons by the name of what they stand for, drawn from the Phosphor font that comes with qtawesome.

The font is read straight from that package: importing qtawesome itself wraps the whole of Qt once more and costs 15 times what
loading the one font costs, before the first window is painted.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

from ui.theme.roles import Role, color

ICONS: dict[str, str] = {
    # places
    "overview": "squares-four", "seats": "headset", "history": "chart-line-up", "store": "storefront", "compare": "users-three",
    "agent": "user", "agents": "users", "lookup": "magnifying-glass", "orders": "receipt", "item": "package",
    "sessions": "chats-circle", "transcripts": "chat-text", "groups": "tree-structure", "replay": "flask",
    "checks": "check-square-offset", "window": "hourglass", "welcome": "hand-waving", "questions": "question", "entries": "lightning",
    "order_card": "cardholder", "leave": "envelope-simple", "access": "shield-check", "roles": "identification-badge",
    "audit": "clipboard-text", "connections": "hard-drives", "database": "database", "settings": "gear-six", "wallboard": "monitor",
    "import": "download-simple", "export": "export", "help": "question",
    # things and actions
    "search": "magnifying-glass", "filter": "funnel-simple", "columns": "columns", "refresh": "arrows-clockwise", "bell": "bell",
    "user": "user-circle", "password": "key", "language": "translate", "theme": "circle-half", "sign_out": "sign-out", "add": "plus",
    "edit": "pencil-simple", "delete": "trash", "copy": "copy", "save": "floppy-disk", "undo": "arrow-counter-clockwise", "close": "x",
    "back": "arrow-left", "forward": "arrow-right", "up": "caret-up", "down": "caret-down", "left": "caret-left",
    "right": "caret-right", "collapse": "layout", "more": "dots-three", "drag": "dots-six-vertical", "check": "check",
    "calendar": "calendar-blank", "clock": "clock", "phone": "device-mobile", "emoji": "smiley", "image": "image", "file": "file",
    "link": "link-simple", "pin": "push-pin-simple", "sort": "arrows-down-up", "play": "play", "pause": "pause",
    "suspend": "pause-circle", "resume": "play-circle", "move": "arrows-left-right", "transfer": "arrow-bend-up-right",
    "upload": "upload-simple", "eye": "eye", "trend": "trend-up", "chart": "chart-line", "bars": "chart-bar-horizontal",
    "table": "table", "command": "command", "full": "arrows-out",
    # states
    "good": "check-circle", "warn": "warning", "alarm": "warning-circle", "info": "info", "empty": "tray", "offline": "wifi-slash",
    "lock": "lock-simple", "waiting": "hourglass-medium", "error": "warning-octagon",
}  # fmt: skip


def icon(name: str, role: Role = "quiet", active: Role | None = None) -> QIcon:
    """The declared icon in a role's colour; `active` colours it when checked or selected.

    The role is looked up when the icon is painted. Raises KeyError for a name that is not declared in ICONS.
    """
    glyph = ICONS[name]
    # WORKAROUND, until PySide6 lets a QIcon keep its engine when Python's cycle collector takes both: the collector would give the
    # engine back to Python and destroy it under the icon. A copy has no such tie.
    return QIcon(QIcon(_Engine(glyph, role, active or role)))


class _Engine(QIconEngine):
    def __init__(self, glyph: str, role: Role, active: Role) -> None:
        super().__init__()
        self._glyph, self._role, self._active = glyph, role, active

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        on = state == QIcon.State.On or (mode in (QIcon.Mode.Active, QIcon.Mode.Selected) and self._active != self._role)
        # Like the words beside it: a light icon made for a strong button would not be seen on a grey one.
        ink = color("quiet", 0.6) if mode == QIcon.Mode.Disabled else color(self._active if on else self._role)
        face = QFont(_family())
        face.setPixelSize(max(1, min(rect.width(), rect.height())))
        painter.save()
        painter.setPen(ink)
        painter.setFont(face)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, _glyphs()[self._glyph])
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        found = QPixmap(size)
        found.fill(Qt.GlobalColor.transparent)
        painter = QPainter(found)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return found

    def clone(self) -> QIconEngine:
        return _Engine(self._glyph, self._role, self._active)


def _file(pattern: str) -> Path:
    found = find_spec("qtawesome")
    assert found is not None
    assert found.origin is not None
    return max(Path(found.origin).parent.joinpath("fonts").glob(pattern))


@lru_cache(maxsize=1)
def _family() -> str:
    loaded = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(_file("phosphor-*.ttf"))))
    return loaded[0] if loaded else ""


@lru_cache(maxsize=1)
def _glyphs() -> dict[str, str]:
    codes: dict[str, str] = json.loads(_file("phosphor-charmap-*.json").read_text("utf-8"))
    return {name: chr(int(codes[name], 16)) for name in ICONS.values()}
