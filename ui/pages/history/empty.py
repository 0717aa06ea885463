"""Why a history page shows nothing, and what helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from app.domain.language import tr
from ui.pages.history.choices import Choices
from ui.widgets.period import Period


class Reason(NamedTuple):
    """Words of an empty table. `remedy` makes the choices its button sets; None: the button reads again, or opens the import."""

    icon: str
    title: str
    sentence: str
    action: str = ""
    remedy: Callable[[Choices], Choices] | None = None
    imports: bool = False


def no_store(preparing: tuple[str, str] | None, may_import: bool) -> Reason:
    """Nothing of any day is known yet."""
    if preparing is not None:
        return Reason("history", *preparing)
    return Reason(
        "import",
        tr("店铺里还没有数据", "This store has no data yet"),
        tr("导入从商家后台导出的报表就能看到历史，也可以用 ingest 命令写入事件文件。想先看看演示或连接其他店铺，请在菜单里关闭这个店铺。",
           "Import the reports that the store's own manager tool exports, or feed events with the ingest command. For the demo, or to "
           "connect to another store, close this one in the menu."),
        tr("导入报表", "Import reports") if may_import else tr("重新读取", "Read again"),
        imports=may_import,
    )  # fmt: skip


def no_days() -> Reason:
    return Reason(
        "calendar",
        tr("这个范围还没有完整的一天", "No day of this range is complete yet"),
        tr("历史页面只算已经结束的日子。可以把今天算进来，数字会随时更新。",
           "History counts days that are over. Today can be included; its numbers then follow live."),
        tr("包含今天", "Include today"),
        lambda choices: replace(choices, period=replace(choices.period, today=True)),
    )  # fmt: skip


def no_agent() -> Reason:
    return Reason(
        "agent",
        tr("选择一位客服", "Choose an agent"),
        tr("在上方输入姓名、拼音或编号，也可以在客服数据对比里打开一位客服。",
           "Type a name or code above, or open an agent on the page that compares them."),
    )  # fmt: skip


def no_match(choices: Choices) -> Reason:
    text = choices.text.strip()
    shown = text if len(text) <= 24 else text[:23] + "…"
    return Reason(
        "search",
        tr(f"没有符合“{shown}”的客服", f"No agent matches “{shown}”"),
        tr("可以输入姓名、拼音、首字母或编号的一部分。", "Type a part of a name, of its pinyin or initials, or of a code."),
        tr("清除搜索", "Clear the search"),
        lambda choices: replace(choices, text=""),
    )


def no_data(choices: Choices, preparing: tuple[str, str] | None, may_import: bool) -> Reason:
    """There are days and nobody was searched for, and yet nothing was counted."""
    if choices.group or choices.team or choices.channel:
        return Reason(
            "filter",
            tr("所选条件下没有数据", "Nothing under these filters"),
            tr("换一个咨询组、行政组或终端，或者看全部。", "Choose another group, team or terminal, or show all."),
            tr("显示全部", "Show all"),
            lambda choices: replace(choices, group="", team="", channel=""),
        )
    if preparing is not None:
        return Reason("history", *preparing)
    if choices.period.preset != "30d":
        return Reason(
            "history",
            tr("这些天没有数据", "No data for these days"),
            tr(
                "这个范围内没有会话、订单或出勤。换一个范围看看。",
                "There were no sessions, orders or presence in this range. Try another one.",
            ),
            tr("看近30天", "Show the last 30 days"),
            lambda choices: replace(choices, period=Period("30d", today=choices.period.today)),
        )  # fmt: skip
    return Reason(
        "import",
        tr("近30天没有数据", "No data for the last 30 days"),
        tr("可以导入从商家后台导出的报表，也可以用 ingest 命令写入事件文件。",
           "Reports exported from the store's own manager tool can be imported; events are fed with the ingest command."),
        tr("导入报表", "Import reports") if may_import else tr("重新读取", "Read again"),
        imports=may_import,
    )  # fmt: skip
