"""What the console remembers for this person on this machine: one JSON file, never a password.

The file is replaced in one step, so it is whole or old. A broken one is set aside and told about; the console then starts with
defaults.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.language import T, tr

SAVE_AFTER_MS = 500


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing remembered. A stored value of another type, or outside `choices`, counts as absent."""

    key: str
    default: Any
    label: T
    choices: tuple[Any, ...] = ()

    def fits(self, value: Any) -> bool:
        return type(value) is type(self.default) and (not self.choices or value in self.choices)


SETTINGS: dict[str, Setting] = {
    s.key: s
    for s in (
        Setting("language", "zh", T("语言", "Language"), ("zh", "en")),
        Setting("theme", "system", T("主题", "Theme"), ("system", "light", "dark")),
        Setting("sidebar_collapsed", False, T("收起侧栏", "Sidebar collapsed")),
        Setting("sidebar_closed", [], T("收起的分组", "Closed groups")),
        Setting("geometry", "", T("窗口位置", "Window geometry")),
        Setting("page", "overview", T("上次的页面", "Last page")),
        Setting("connections", [], T("最近的连接", "Recent connections")),
        Setting("wallboard_pages", ["overview", "seats"], T("大屏轮播页面", "Wallboard pages")),
        Setting("wallboard_seconds", 20, T("大屏轮播间隔（秒）", "Wallboard rotation (seconds)"), (10, 20, 30, 60, 120)),
        Setting("history_population", "overall", T("历史数据的口径", "Population of history"), ("overall", "assessed")),
        Setting("history_window", "", T("历史数据的订单时效", "Order window of history"), ("", "24h", "7d", "15d")),
        Setting("palette_recent", [], T("最近的命令", "Recent commands")),
    )
}


class Preferences(QObject):
    """`get` and `put` for SETTINGS, `page` and `put_page` for what a page remembers; saved half a second after the last change."""

    changed = Signal(str)

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self.note = ""
        """One sentence for the person if the stored preferences could not be used or kept."""
        self._values, self._pages = self._load()
        self._timer = QTimer(self, singleShot=True, interval=SAVE_AFTER_MS)
        self._timer.timeout.connect(self.flush)
        self._dirty = False

    def get(self, key: str) -> Any:
        """The remembered or the default value; a copy. Raises KeyError for a key that SETTINGS does not declare."""
        setting = SETTINGS[key]
        value = self._values.get(key)
        return deepcopy(value if setting.fits(value) else setting.default)

    def put(self, key: str, value: Any) -> None:
        """Raises KeyError for an undeclared key and ValueError for a value that does not fit it."""
        setting = SETTINGS[key]
        if not setting.fits(value):
            raise ValueError(f"{value!r} does not fit the setting {key!r}")
        if self._values.get(key) != value:
            self._values[key] = deepcopy(value)
            self._touch()
            self.changed.emit(key)

    def page(self, name: str) -> dict[str, Any]:
        """What this page remembers; a copy, empty at first."""
        return deepcopy(self._pages.get(name, {}))

    def put_page(self, name: str, state: dict[str, Any]) -> None:
        """Raises TypeError or ValueError for what JSON cannot hold."""
        json.dumps(state, allow_nan=False)
        if self._pages.get(name) != state:
            self._pages[name] = deepcopy(state)
            self._touch()

    def flush(self) -> None:
        """Write now what has changed. A disk that refuses leaves the note and the values in memory."""
        self._timer.stop()
        if not self._dirty:
            return
        self._dirty = False
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            text = json.dumps({"settings": self._values, "pages": self._pages}, indent=1, allow_nan=False)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text, "utf-8")  # without fsync, which can stall the window: a torn file is set aside at the next start
            os.replace(temporary, self.path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            self.note = tr(
                f"无法保存个人设置（{error.strerror}）。请检查文件夹：{self.path.parent}",
                f"Your preferences could not be saved ({error.strerror}). Check the folder {self.path.parent}",
            )

    def _touch(self) -> None:
        self._dirty = True
        self._timer.start()

    def _load(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        try:
            stored = json.loads(self.path.read_text("utf-8"))
            values, pages = stored["settings"], stored["pages"]
            if not isinstance(values, dict) or not isinstance(pages, dict):
                raise ValueError("not preferences")
            return values, {name: page for name, page in pages.items() if isinstance(page, dict)}
        except (FileNotFoundError, NotADirectoryError):
            return {}, {}
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            self._set_aside()
            return {}, {}

    def _set_aside(self) -> None:
        aside = self.path.with_name(f"{self.path.stem}.broken-{time.strftime('%Y%m%d-%H%M%S')}{self.path.suffix}")
        try:
            os.replace(self.path, aside)
        except OSError as error:
            self.note = tr(
                f"个人设置文件无法读取（{error.strerror}），现在使用默认设置：{self.path}",
                f"Your preferences could not be read ({error.strerror}); defaults are used: {self.path}",
            )
            return
        self.note = tr(
            f"个人设置文件无法读取，已另存为 {aside.name}，现在使用默认设置。",
            f"Your preferences could not be read and were set aside as {aside.name}; defaults are used.",
        )
