"""Every page in one table, and what a page is.

The sidebar, the command palette, the wallboard chooser and the permission checks are derived from `PAGES`. A page without a
factory is announced but not there yet. Pages are built when they are first shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.language import T, tr
from app.domain.permissions import Actor
from ui.runtime.drafts import Draft, Drafts
from ui.runtime.operations import Operations
from ui.runtime.problems import Problem, sort
from ui.widgets.commands import Command

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace
    from ui.runtime.feed import LiveFeed, Quality
    from ui.runtime.preferences import Preferences

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    label: T


GROUPS: tuple[Group, ...] = (
    Group("live", T("实时监控", "Live")),
    Group("history", T("数据", "History")),
    Group("groups", T("咨询组", "Groups")),
    Group("storefront", T("店铺后台", "Storefront")),
    Group("access", T("权限", "Access")),
)


@dataclass(frozen=True, slots=True)
class PageSpec:
    """One page. `icon` is a name of ui.theme.icons.ICONS, `factory` is "module:Class" or None while the page does not exist yet."""

    key: str
    title: T
    group: str
    icon: str
    permission: str
    factory: str | None = None
    wallboard: bool = False
    """Whether it makes sense on a wall."""

    def build(self, context: PageContext) -> Page:
        """Import and construct the page; whatever goes wrong there is raised here."""
        if self.factory is None:
            raise LookupError(f"page {self.key!r} does not exist yet")
        module, _, name = self.factory.partition(":")
        page = getattr(import_module(module), name)(context)
        if not isinstance(page, Page):
            raise TypeError(f"{self.factory} is not a Page")
        return page


PAGES: dict[str, PageSpec] = {
    page.key: page
    for page in (
        PageSpec("overview", T("全局监控", "Overview"), "live", "overview", "live.view", "ui.pages.overview:OverviewPage", wallboard=True),
        PageSpec("seats", T("坐席监控", "Seats"), "live", "seats", "live.view", "ui.pages.seats:SeatsPage", wallboard=True),
        PageSpec("store", T("服务商经营数据", "Store"), "history", "history", "history.view", "ui.pages.history:StorePage"),
        PageSpec("compare", T("客服数据对比", "Compare agents"), "history", "compare", "history.view", "ui.pages.history:ComparePage"),
        PageSpec("agent", T("客服个人工作数据", "One agent"), "history", "agent", "history.view", "ui.pages.history:AgentPage"),
        PageSpec("lookup", T("查询", "Look up"), "history", "lookup", "history.view", "ui.pages.lookup:LookupPage"),
        PageSpec("standards", T("指标标准", "Standards"), "history", "checks", "history.view", "ui.pages.settings:StandardsPage"),
        PageSpec("assessment", T("考核口径", "Assessment"), "history", "clock", "history.view", "ui.pages.settings:AssessmentPage"),
        PageSpec("agents", T("客服总览", "Agents"), "groups", "agents", "history.view", "ui.pages.settings:AgentsPage"),
        PageSpec("groups", T("咨询组管理", "Groups"), "groups", "groups", "history.view", "ui.pages.settings:GroupsPage"),
        PageSpec("replay", T("试算", "Try before apply"), "groups", "replay", "groups.edit", "ui.pages.replay:ReplayPage"),
        PageSpec("order_window", T("订单时效", "Order window"), "groups", "window", "history.view", "ui.pages.settings:OrderWindowPage"),
        PageSpec("account_sync", T("账号同步", "New accounts"), "groups", "user", "history.view", "ui.pages.settings:AccountSyncPage"),
        PageSpec("auto_reply", T("自动回复", "Automatic replies"), "storefront", "welcome", "storefront.edit"),
        PageSpec("entries", T("快捷入口", "Quick entries"), "storefront", "entries", "storefront.edit"),
        PageSpec("order_card", T("订单卡片", "Order card"), "storefront", "order_card", "storefront.edit"),
        PageSpec("leave", T("留言分配", "Leave messages"), "storefront", "leave", "storefront.edit"),
        PageSpec("roles", T("角色", "Roles"), "access", "roles", "access.edit"),
        PageSpec("audit", T("审计", "Audit"), "access", "audit", "access.edit"),
        PageSpec("connections", T("连接", "Connections"), "access", "connections", "access.edit"),
    )
}


class Clock(Protocol):
    def __call__(self) -> int:
        """Epoch milliseconds."""


def system_clock() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class PageContext:
    """What a page may use. It outlives the page: subscribe to `feed` through the page hooks or ui.runtime.subscribe only."""

    workspace: Workspace
    store: StoreInfo
    actor: Actor
    feed: LiveFeed
    prefs: Preferences
    operations: Operations
    clock: Clock
    """The store's present moment; a simulated store runs on its own, faster clock."""
    navigate: Callable[[str, dict[str, Any]], None]
    """Show another page by key and hand it `dict` through `open_at`, with a way back; an unknown or forbidden key is told to the person."""
    toast: Callable[[str, str], None]
    """(text, level): say something in passing; level is "", "good", "warn", "alarm" or "info"."""
    simulated: bool = False
    """Whether the store's engine is a simulator: an empty store is then one that is about to fill."""
    drafts: Drafts = field(default_factory=Drafts)

    def draft(self, *keys: str) -> Draft:
        """What is edited of these settings documents and not saved yet: one draft for all pages that edit the same ones."""
        return self.drafts.over(keys, self.prefs, f"{self.workspace.place} {self.store.code}")

    def preparing(self) -> tuple[str, str] | None:
        """(title, sentence) of an empty store that is about to fill by itself; None for one that waits for its source."""
        if not self.simulated:
            return None
        return (
            tr("正在准备演示店铺", "The demo store is being made"),
            tr(
                "模拟器正在生成今天的会话，几秒后数字会自动出现。",
                "The simulator is making today's sessions; numbers appear by themselves in a few seconds.",
            ),
        )


class Page(QWidget):
    """Base of all pages. Built when first shown, kept until language, theme or store change, then built again and restored.

    The shell calls the hooks below on the UI thread; a page overrides what it needs. What a hook raises turns into this page's own
    error page and takes nothing else down. Never wait in a hook: ask through `read`.
    """

    failed = Signal(object)
    """Problem: this page cannot show what it should."""
    worked = Signal()
    """A read of this page was answered; takes back a `failed` of a fault that passed."""
    breadcrumb_changed = Signal()
    state_changed = Signal()
    """Something the page remembers changed (filter, column, order, width); the shell stores `state()` a moment later."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self.context = context

    # -- hooks --

    def filters(self) -> QWidget | None:
        """The page's own controls for the middle of the top bar; asked once after construction. The shell owns the widget."""
        return None

    def activate(self) -> None:
        """The page became visible. `refresh` is called right after."""

    def deactivate(self) -> None:
        """The page is hidden now (another page, a minimised window): stop timers, start nothing."""

    def refresh(self) -> None:
        """Read everything again: on showing, on F5, after a reconnect."""

    def on_notice(self, topics: frozenset[str]) -> None:
        """These topics changed in the database; only called while visible."""

    def on_quality(self, quality: Quality) -> None:
        """How fresh the shown data is; grey it out unless `quality.fresh`. Called on showing and on every change."""

    def state(self) -> dict[str, Any]:
        """What the page remembers, as JSON-able values."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a remembered state, perhaps of an older version: ignore what is unknown or no longer fits. Called before `activate`."""

    def open_at(self, where: dict[str, Any]) -> None:
        """Show a particular thing, as asked by another page or the palette, such as {"agent": code}. Called after `activate`."""

    def place(self) -> object:
        """Where the person is, for `return_to`; called before this page leads them to another, or is built again."""
        return None

    def return_to(self, place: object) -> None:
        """They come back to a `place()`. Called after `activate` and before `refresh`; not for None."""

    def back(self) -> bool:
        """Alt+Left: take back what was opened last on this page. False where there is nothing, and the page before is to be shown."""
        return False

    def export(self) -> None:
        """Ctrl+E, for those who may. The base says that there is nothing to export."""
        self.context.toast(tr("本页没有可导出的内容。", "There is nothing to export on this page."), "info")

    def commands(self) -> Sequence[Command]:
        """What can be done here now, for the command palette, beside what every page has; keys are this page's own. Asked each time the
        palette opens."""
        return ()

    def focus_filter(self) -> None:
        """Ctrl+F. The shell owns the shortcut: a second one inside the page would make both ambiguous, and neither would work."""

    def set_wallboard(self, on: bool) -> None:
        """Large type and nothing to click, for reading from across a room."""

    @property
    def breadcrumb(self) -> tuple[str, ...]:
        """What comes after the page's title, such as an opened agent's name; emit `breadcrumb_changed` when it changes."""
        return ()

    # -- for the page itself --

    def read(self, topic: str, fn: Callable[[], R], done: Callable[[R], None], question: object = None) -> None:
        """Read off the UI thread; see Operations.latest. A failed read, or a `done` that raises, becomes the page's problem."""

        def answered(result: R) -> None:
            try:
                done(result)
            except Exception as error:
                self.context.operations.bug.emit(error)
                self.failed.emit(sort(error))
            else:
                self.worked.emit()

        self.context.operations.latest(self, topic, fn, answered, self._on_failed, question)

    def _on_failed(self, problem: Problem) -> None:
        self.failed.emit(problem)
