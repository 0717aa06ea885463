from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import asdict
from importlib.resources import files

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QApplication

from ui import theme
from ui.theme.icons import ICONS
from ui.theme.roles import THEMES, contrast, mix
from ui.theme.style import style_sheet

INKS = ("text", "quiet", "accent", "good", "warn", "alarm", "info")
GROUNDS = ("window", "surface", "raised", "hover", "selection")


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("ink", INKS)
@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_ink_can_be_read_on_every_ground(name: str, ink: str, ground: str) -> None:
    roles = asdict(THEMES[name].roles)  # type: ignore[index]
    assert contrast(roles[ink], roles[ground]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_words_on_a_primary_button_can_be_read(name: str) -> None:
    roles = THEMES[name].roles  # type: ignore[index]
    assert contrast(roles.on_accent, roles.accent) >= 4.5


def test_contrast_agrees_with_the_known_extremes() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert mix("#000000", "#FFFFFF", 0.5) == "#808080"


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_style_sheet_names_only_roles_and_images_that_exist(name: str) -> None:
    sheet = style_sheet(THEMES[name])  # type: ignore[index]
    assert "$" not in re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    for path in re.findall(r'url\("([^"]+)"\)', sheet):
        assert (files("resources") / "qss" / path.rsplit("/", 1)[1]).is_file(), path


def test_applying_a_theme_changes_palette_and_painted_colours(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    assert theme.theme().name == "dark"
    assert qapp.palette().window().color() == QColor("#14171C") == theme.color("window")
    theme.apply(qapp, "light")
    assert theme.color("window") == qapp.palette().window().color() == QColor("#F5F6F8")


def test_the_system_scheme_is_followed(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    theme.apply(qapp, "system")
    wanted = "dark" if qapp.styleHints().colorScheme().name == "Dark" else "light"
    assert theme.theme().name == wanted


def test_figures_are_tabular_and_there_are_two_weights() -> None:
    assert theme.font(28).featureValue(QFont.Tag("tnum")) == 1
    assert {theme.font(13, strong).weight() for strong in (False, True)} == {QFont.Weight.Normal, QFont.Weight.DemiBold}


@pytest.mark.parametrize("name", sorted(ICONS))
def test_every_declared_icon_draws_something_in_its_colour(name: str) -> None:
    image = theme.icon(name, "alarm").pixmap(QSize(24, 24)).toImage()
    inked = [image.pixelColor(x, y) for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 200]
    assert inked
    assert all(abs(c.red() - theme.color("alarm").red()) < 12 for c in inked)


def test_an_undeclared_icon_is_refused() -> None:
    with pytest.raises(KeyError):
        theme.icon("nothing of the kind")


def test_the_first_window_needs_neither_pyqtgraph_nor_qtawesome() -> None:
    code = (
        "import sys, ui.theme, ui.widgets.tile_grid, ui.widgets.table, ui.widgets.chart, ui.widgets.drawer, ui.widgets.transcript\n"
        "print([name for name in ('pyqtgraph', 'numpy', 'qtawesome') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
