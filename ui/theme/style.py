"""Puts a theme on the application: palette, one style sheet, font."""

from __future__ import annotations

from dataclasses import asdict
from importlib.resources import files
from string import Template
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from ui.theme import fonts
from ui.theme.roles import Roles, Theme, ThemeName, mix, use


def apply(app: QApplication, name: Literal["light", "dark", "system"] = "system") -> Theme:
    """Dress the application and return the theme that is now in force.

    "system" takes the scheme of the desktop at this moment: whoever wants to follow it connects
    `app.styleHints().colorSchemeChanged` and applies again.
    """
    hints = app.styleHints()
    if name == "system":
        hints.unsetColorScheme()
        chosen: ThemeName = "dark" if hints.colorScheme() == Qt.ColorScheme.Dark else "light"
    else:
        chosen = name
        # Title bars and native dialogs follow this.
        hints.setColorScheme(Qt.ColorScheme.Dark if name == "dark" else Qt.ColorScheme.Light)
    current = use(chosen)
    app.setStyle("Fusion")
    app.setFont(fonts.font(fonts.BODY))
    app.setPalette(palette(current.roles))
    app.setStyleSheet(style_sheet(current))
    return current


def palette(roles: Roles) -> QPalette:
    found = QPalette()
    group = QPalette.ColorRole
    for role, value in (
        (group.Window, roles.window), (group.WindowText, roles.text), (group.Base, roles.surface), (group.AlternateBase, roles.window),
        (group.Text, roles.text), (group.Button, roles.surface), (group.ButtonText, roles.text), (group.BrightText, roles.alarm),
        (group.ToolTipBase, roles.raised), (group.ToolTipText, roles.text), (group.PlaceholderText, roles.quiet),
        (group.Highlight, roles.selection), (group.HighlightedText, roles.text), (group.Accent, roles.accent), (group.Link, roles.accent),
        (group.LinkVisited, roles.accent), (group.Light, roles.raised), (group.Midlight, roles.hover), (group.Mid, roles.border),
        (group.Dark, roles.border), (group.Shadow, roles.border),
    ):  # fmt: skip
        found.setColor(role, QColor(value))
    faint = QColor(mix(roles.quiet, roles.surface, 0.6))
    for role in (group.WindowText, group.Text, group.ButtonText):
        found.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return found


def style_sheet(current: Theme) -> str:
    """resources/qss/base.qss with the theme's colours in place of its $names. Raises KeyError for a name no role has."""
    folder = files("resources") / "qss"
    roles = current.roles
    return Template((folder / "base.qss").read_text("utf-8")).substitute(
        asdict(roles),
        accent_hover=mix(roles.text, roles.accent, 0.12),
        accent_pressed=mix(roles.text, roles.accent, 0.22),
        alarm_soft=mix(roles.alarm, roles.surface, 0.12),
        disabled=mix(roles.quiet, roles.surface, 0.6),
        strong_border=mix(roles.quiet, roles.surface, 0.45),
        scroll=mix(roles.quiet, roles.surface, 0.4),
        scroll_hover=mix(roles.quiet, roles.surface, 0.7),
        images=str(folder).replace("\\", "/"),
        name=current.name,
    )
