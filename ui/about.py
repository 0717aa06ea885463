"""What this is, in which version, and where it keeps its things."""

from __future__ import annotations

import platform

from PySide6.QtCore import Qt, QUrl, qVersion
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.runtime.paths import log_dir
from ui.theme import SPACE_2, SPACE_4, SPACE_6
from ui.widgets.buttons import Button

_KEYS = (
    ("Ctrl+K", "命令面板", "Command palette"), ("F5", "刷新", "Refresh"), ("F11", "大屏", "Wallboard"), ("Ctrl+F", "筛选", "Filter"),
    ("Ctrl+E", "导出", "Export"), ("Ctrl+B", "侧栏", "Sidebar"), ("Alt+←", "返回", "Back"), ("F1", "解释所选数字", "Explain the figure"),
    ("Ctrl+S", "保存", "Save"), ("Alt+↑ Alt+↓", "按所选列排序", "Sort by the column"),
)  # fmt: skip


class AboutDialog(QDialog):
    def __init__(self, store: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("关于客服管家", "About Kefu Manager"))
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_4)
        column.setSpacing(SPACE_2)
        title = QLabel(tr("客服管家", "Kefu Manager"), self)
        title.setProperty("look", "title")
        column.addWidget(title)
        lines = [
            tr(f"版本 {_version()}", f"Version {_version()}"),
            f"Python {platform.python_version()} · Qt {qVersion()} · {platform.system()} {platform.machine()}",
            *([tr(f"已打开：{store}", f"Open: {store}")] if store else []),
        ]
        for line in lines:
            label = QLabel(line, self)
            label.setProperty("look", "quiet")
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        column.addSpacing(SPACE_4)
        for keys, zh, en in _KEYS:
            row = QHBoxLayout()
            name = QLabel(tr(zh, en), self)
            key = QLabel(keys, self)
            key.setProperty("look", "quiet")
            row.addWidget(name)
            row.addStretch(1)
            row.addWidget(key)
            column.addLayout(row)
        column.addSpacing(SPACE_4)
        buttons = QHBoxLayout()
        logs = Button(tr("打开日志文件夹", "Open the log folder"), parent=self)
        logs.clicked.connect(_open_logs)
        close = Button(tr("关闭", "Close"), "primary", parent=self)
        close.setDefault(True)
        close.clicked.connect(self.close)
        buttons.addWidget(logs)
        buttons.addStretch(1)
        buttons.addWidget(close)
        column.addLayout(buttons)
        self.setMinimumWidth(400)


def _open_logs() -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_dir())))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # 18 ms that the first paint need not wait for

    try:
        return version("kefu-manager")
    except PackageNotFoundError:
        return "0.1.0"
