"""Holds one page: builds it when it is first shown, keeps what it remembers, and stands in for it when it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from app.domain.language import tr
from ui.pages.registry import Page, PageContext, PageSpec
from ui.runtime.feed import Quality
from ui.runtime.problems import Problem, sort
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6, icon
from ui.widgets.buttons import Button
from ui.widgets.commands import Command

REMEMBER_AFTER_MS = 400


class ErrorPage(QWidget):
    """Stands where a page cannot: the sentence, the details of a bug, and a way to try again."""

    retried = Signal()

    def __init__(self, problem: Problem, parent: QWidget) -> None:
        super().__init__(parent)
        self.kind = problem.kind
        picture = QLabel(self)
        picture.setPixmap(icon("error" if problem.kind == "bug" else "warn", "warn").pixmap(32, 32))
        title = QLabel(tr("这个页面没能显示", "This page could not be shown"), self)
        title.setProperty("look", "section")
        sentence = QLabel(problem.sentence, self)
        sentence.setTextFormat(Qt.TextFormat.PlainText)
        sentence.setWordWrap(True)
        self.retry = Button(tr("重试", "Try again"), "primary", "refresh", self)
        self.retry.clicked.connect(self.retried)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_2)
        buttons.addWidget(self.retry)
        column = QVBoxLayout()
        column.setSpacing(SPACE_3)
        column.addStretch(1)
        for widget in (picture, title, sentence):
            column.addWidget(widget)
        self.details = QPlainTextEdit(problem.details, self)
        if problem.details:
            self.details.setReadOnly(True)
            self.details.setAccessibleName(tr("错误详情", "Details of the error"))
            self.details.setMaximumHeight(240)
            self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            column.addWidget(self.details, 2)
            copy = Button(tr("复制详情", "Copy details"), "quiet", "copy", self)
            copy.clicked.connect(self._copy)
            buttons.addWidget(copy)
        else:
            self.details.hide()
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addStretch(2)
        middle = QHBoxLayout(self)
        middle.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_6)
        middle.addStretch(1)
        middle.addLayout(column, 6)
        middle.addStretch(1)
        self.setAccessibleName(problem.sentence)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.details.toPlainText())


class _Banner(QFrame):
    """A line above a page that still shows what it last knew."""

    retried = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("look", "raised")
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_4, SPACE_2, SPACE_2, SPACE_2)
        mark = QLabel(self)
        mark.setPixmap(icon("warn", "warn").pixmap(18, 18))
        self.words = QLabel(self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        retry = Button(tr("重试", "Try again"), "plain", parent=self)
        retry.clicked.connect(self.retried)
        row.addWidget(mark)
        row.addWidget(self.words, 1)
        row.addWidget(retry)


class PageHost(QWidget):
    """Every hook of the page is called through here, so that a page that raises hurts only itself.

    faulted(error) hands a bug on to be logged; worked() says that the page got an answer; changed() that title or filters may
    differ now.
    """

    faulted = Signal(object)
    worked = Signal()
    changed = Signal()

    def __init__(self, spec: PageSpec, context: PageContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.page: Page | None = None
        self.filters: QWidget | None = None
        self._context = context
        self._active = False
        self._wall = False
        self._has_worked = False
        self._error: ErrorPage | None = None
        self._stack = QStackedWidget(self)
        self._banner = _Banner(self)
        self._banner.retried.connect(self.refresh)
        self._banner_room = QWidget(self)
        room = QVBoxLayout(self._banner_room)
        room.setContentsMargins(SPACE_6, SPACE_3, SPACE_6, 0)
        room.addWidget(self._banner)
        self._banner_room.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._banner_room)
        column.addWidget(self._stack, 1)
        self._remember_timer = QTimer(self, singleShot=True, interval=REMEMBER_AFTER_MS)
        self._remember_timer.timeout.connect(self.remember)

    # -- what the shell calls --

    def activate(self, where: dict[str, Any] | None = None, place: object = None) -> None:
        """Show the page, building it if need be, and make it read everything; `where` goes to its `open_at`, `place` to its `return_to`."""
        if self.page is None and self._error is None and not self._build():
            return
        page = self.page
        if page is None:
            return
        if not self._active:
            self._active = True
            self._guard(page.activate)
        self._guard(lambda: page.on_quality(self._context.feed.quality))
        if where:
            self._guard(lambda: page.open_at(where))
        if place is not None:
            self._guard(lambda: page.return_to(place))
        self.refresh()

    def deactivate(self) -> None:
        if self._active and self.page is not None:
            self._active = False
            self._guard(self.page.deactivate)
            self.remember()

    def place(self) -> object:
        found: object = None
        if self.page is not None and self._error is None:
            try:
                found = self.page.place()
            except Exception as error:
                self.faulted.emit(error)
        return found

    def back(self) -> bool:
        """Whether the page had something to take back."""
        try:
            return self.page is not None and self._error is None and self.page.back()
        except Exception as error:
            self.faulted.emit(error)
            return False

    def refresh(self) -> None:
        if self.page is not None:
            self._guard(self.page.refresh)

    def retry(self) -> None:
        """After an error page: a page that lives reads again, one that broke is built again."""
        broken = self._error is not None and self._error.kind == "bug"
        if self.page is None or broken:
            self.remember()
            self._drop_page()
            self._drop_error()
            self._active = False
            self.activate()
        else:
            self.refresh()

    def on_notice(self, topics: frozenset[str]) -> None:
        if self.page is not None and self._error is None:
            page = self.page
            self._guard(lambda: page.on_notice(topics))

    def on_quality(self, quality: Quality) -> None:
        if self.page is not None:
            page = self.page
            self._guard(lambda: page.on_quality(quality))

    def export(self) -> None:
        if self.page is not None and self._error is None:
            self._guard(self.page.export)

    def commands(self) -> list[Command]:
        """What the page offers the palette; nothing where it shows an error."""
        found: list[Command] = []
        if self.page is not None and self._error is None:
            page = self.page
            self._guard(lambda: found.extend(page.commands()))
        return found

    def focus_filter(self) -> None:
        if self.page is not None:
            self._guard(self.page.focus_filter)

    def set_wallboard(self, on: bool) -> None:
        self._wall = on
        if self.page is not None:
            page = self.page
            self._guard(lambda: page.set_wallboard(on))

    @property
    def breadcrumb(self) -> tuple[str, ...]:
        try:
            return tuple(self.page.breadcrumb) if self.page is not None and self._error is None else ()
        except Exception as error:
            self.faulted.emit(error)
            return ()

    @property
    def failed(self) -> bool:
        """Whether an error page stands in for the page."""
        return self._error is not None

    def remember(self) -> None:
        """Keep the page's state with the preferences."""
        self._remember_timer.stop()
        if self.page is None:
            return
        try:
            self._context.prefs.put_page(self.spec.key, self.page.state())
        except Exception as error:
            self.faulted.emit(error)

    # -- inside --

    def _build(self) -> bool:
        try:
            page = self.spec.build(self._context)
        except Exception as error:
            self.faulted.emit(error)
            self._show_problem(sort(error))
            return False
        self.page = page
        self._has_worked = False
        page.setObjectName("page")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        page.failed.connect(self._on_failed)
        page.worked.connect(self._on_worked)
        page.breadcrumb_changed.connect(self.changed)
        page.state_changed.connect(self._remember_timer.start)
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        try:
            self.filters = page.filters()
            if self.filters is not None:
                self.filters.setParent(self)  # until the top bar takes it
                self.filters.hide()
            page.restore(self._context.prefs.page(self.spec.key))
            if self._wall:
                page.set_wallboard(True)
        except Exception as error:
            self.faulted.emit(error)
            self._show_problem(sort(error))
        self.changed.emit()
        return True

    def _guard(self, hook: Callable[[], None]) -> None:
        try:
            hook()
        except Exception as error:
            self.faulted.emit(error)
            self._show_problem(sort(error))

    def _on_failed(self, problem: Problem) -> None:
        if problem.kind == "act" and self._has_worked and self._error is None:
            self._banner.words.setText(problem.sentence)
            self._banner_room.show()
        else:
            self._show_problem(problem)

    def _on_worked(self) -> None:
        self.worked.emit()
        self._has_worked = True
        self._banner_room.hide()
        # What broke stays broken until it is built again; a fault passes by itself.
        if self._error is not None and self._error.kind != "bug" and self.page is not None:
            self._drop_error()
            self._stack.setCurrentWidget(self.page)
            self.changed.emit()

    def _show_problem(self, problem: Problem) -> None:
        self._drop_error()
        self._banner_room.hide()
        self._error = ErrorPage(problem, self)
        self._error.retried.connect(self.retry)
        self._stack.addWidget(self._error)
        self._stack.setCurrentWidget(self._error)
        self.changed.emit()

    def _drop_error(self) -> None:
        if self._error is not None:
            self._stack.removeWidget(self._error)
            self._error.deleteLater()
            self._error = None

    def _drop_page(self) -> None:
        if self.filters is not None:
            self.filters.hide()
            self.filters.deleteLater()
            self.filters = None
        if self.page is not None:
            self._stack.removeWidget(self.page)
            self.page.deleteLater()
            self.page = None
