"""The two forms of the welcome page: a server, and a new local store."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QCheckBox, QFileDialog, QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.domain.language import T, tr
from ui.runtime import profiles
from ui.runtime.profiles import Profile
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6
from ui.widgets.buttons import Button, IconButton
from ui.widgets.field import FormField

FILES = T("店铺数据库 (*.db);;所有文件 (*)", "Store databases (*.db);;All files (*)")


class _Form(QFrame):
    """A card with fields, a line for what is wrong, and buttons; `left` is the way back."""

    left = Signal()

    def __init__(self, title: str, sentence: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        self.column.setSpacing(SPACE_3)
        head = QHBoxLayout()
        head.setSpacing(SPACE_2)
        back = IconButton("back", tr("返回", "Back"), self)
        back.clicked.connect(self.left)
        name = QLabel(title, self)
        name.setProperty("look", "section")
        head.addWidget(back)
        head.addWidget(name, 1)
        self.column.addLayout(head)
        words = QLabel(sentence, self)
        words.setProperty("look", "quiet")
        words.setWordWrap(True)
        self.column.addWidget(words)
        self._said = QLabel(self)
        self._said.setWordWrap(True)
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._said.setMinimumHeight(20)

    def finish(self, buttons: list[Button]) -> None:
        self.column.addWidget(self._said)
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        self.column.addLayout(row)

    def say(self, text: str, look: str = "quiet") -> None:
        """look: "quiet", "good" or "error"."""
        self._said.setText(text)
        self._said.setProperty("look", look)
        self._said.style().unpolish(self._said)
        self._said.style().polish(self._said)

    @property
    def said(self) -> str:
        return self._said.text()


class ServerForm(_Form):
    """Where a server is and who one is there. `submitted(Profile, password, keep)`, `tested(...)` the same."""

    submitted = Signal(object, str, bool)
    tested = Signal(object, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(
            tr("连接服务器", "Connect to a server"),
            tr("团队共用的 PostgreSQL 数据库。密码只保存在系统钥匙串中。",
               "The team's PostgreSQL database. The password is kept in the system's keyring only."),
            parent,
        )  # fmt: skip
        self.host, self.port, self.database, self.user, self.password = (QLineEdit(self) for _ in range(5))
        self.port.setText("5432")
        self.port.setValidator(QIntValidator(1, 65535, self.port))
        self.host.setPlaceholderText("db.example.com")
        self.database.setText("kefu")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_4)
        grid.setVerticalSpacing(SPACE_3)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 1)
        self._fields = {
            self.host: FormField(tr("主机", "Host"), self.host, parent=self),
            self.port: FormField(tr("端口", "Port"), self.port, parent=self),
            self.database: FormField(tr("数据库", "Database"), self.database, parent=self),
            self.user: FormField(tr("用户名", "User"), self.user, parent=self),
            self.password: FormField(tr("密码", "Password"), self.password, parent=self),
        }
        grid.addWidget(self._fields[self.host], 0, 0, Qt.AlignmentFlag.AlignTop)  # an error below one leaves the other's label in line
        grid.addWidget(self._fields[self.port], 0, 1, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._fields[self.database], 1, 0, 1, 2)
        grid.addWidget(self._fields[self.user], 2, 0, 1, 2)
        grid.addWidget(self._fields[self.password], 3, 0, 1, 2)
        self.column.addLayout(grid)
        self.keep = QCheckBox(tr("在系统钥匙串中记住密码", "Remember the password in the system's keyring"), self)
        self.keep.setChecked(True)
        self.column.addWidget(self.keep)
        self.test = Button(tr("测试连接", "Test"), parent=self)
        self.test.clicked.connect(self._on_test)
        self.submit = Button(tr("连接", "Connect"), "primary", parent=self)
        self.submit.clicked.connect(self._on_submit)
        for editor in self._fields:
            editor.returnPressed.connect(self._on_submit)
            editor.textChanged.connect(self._on_edited)
        self.finish([self.test, self.submit])

    def fill(self, profile: Profile) -> None:
        """Take over a server's profile; the password is never filled in."""
        host, port, database, user = profiles.server_parts(profile.url)
        for editor, text in ((self.host, host), (self.port, str(port)), (self.database, database), (self.user, user)):
            editor.setText(text)

    def _profile(self) -> Profile | None:
        whole = True
        for editor in (self.host, self.port, self.database, self.user):
            missing = not editor.text().strip()
            self._fields[editor].set_error(tr("请填写", "Required") if missing else "")
            whole = whole and not missing
        if not whole:
            return None
        texts = [editor.text().strip() for editor in (self.host, self.port, self.database, self.user)]
        return Profile("server", profiles.server_url(texts[0], int(texts[1]), texts[2], texts[3]))

    def _on_edited(self) -> None:
        self.say("")

    def _on_test(self) -> None:
        profile = self._profile()
        if profile is not None:
            self.tested.emit(profile, self.password.text())

    def _on_submit(self) -> None:
        profile = self._profile()
        if profile is not None:
            self.submitted.emit(profile, self.password.text(), self.keep.isChecked())


class NewStoreForm(_Form):
    """Name of a new store and the file it lives in. `submitted(path, code, name)`."""

    submitted = Signal(str, str, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(
            tr("新建本地店铺", "New local store"),
            tr("数据保存在这台电脑的一个文件里。", "The data lives in one file on this computer."), parent,
        )  # fmt: skip
        self.name, self.code, self.file = QLineEdit(self), QLineEdit(self), QLineEdit(self)
        self.code.setText("shop")
        self.file.setText(str(Path.home() / "kefu.db"))
        self._fields = {
            self.name: FormField(tr("店铺名称", "Name of the store"), self.name, parent=self),
            self.code: FormField(
                tr("店铺编码", "Code of the store"), self.code,
                tr("导入数据时用来指明店铺。", "Names the store when data is imported."), parent=self,
            ),
            self.file: FormField(tr("文件", "File"), self.file, parent=self),
        }  # fmt: skip
        self.column.addWidget(self._fields[self.name])
        self.column.addWidget(self._fields[self.code])
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        row.addWidget(self._fields[self.file], 1)
        browse = Button(tr("浏览…", "Browse …"), parent=self)
        browse.clicked.connect(self._browse)
        row.addWidget(browse, 0, Qt.AlignmentFlag.AlignBottom)
        self.column.addLayout(row)
        self.submit = Button(tr("新建店铺", "Create the store"), "primary", parent=self)
        self.submit.clicked.connect(self._on_submit)
        for editor in self._fields:
            editor.returnPressed.connect(self._on_submit)
        self.finish([self.submit])

    def _browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, tr("新建店铺文件", "New store file"), self.file.text(), str(FILES))
        if path:
            self.file.setText(path if Path(path).suffix else f"{path}.db")

    def _on_submit(self) -> None:
        texts = [editor.text().strip() for editor in (self.file, self.code, self.name)]
        for editor, text in zip((self.file, self.code, self.name), texts, strict=True):
            self._fields[editor].set_error("" if text else tr("请填写", "Required"))
        if not all(texts):
            return
        if Path(texts[0]).exists():
            self._fields[self.file].set_error(
                tr("这个文件已存在。请换一个名字，或返回后打开它。", "This file exists. Choose another name, or go back and open it.")
            )
            return
        self.submitted.emit(*texts)
