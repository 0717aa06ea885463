"""Why no seat is shown, and what helps."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from app.domain.language import tr
from ui.pages.seats.lines import Filters, Picture


class Reason(NamedTuple):
    """Words of an empty table. `remedy` are the filters that its button sets; None: the button reads again."""

    icon: str
    title: str
    sentence: str
    action: str
    remedy: Filters | None


def reason(picture: Picture, preparing: tuple[str, str] | None = None) -> Reason | None:
    """None while there is a seat to show. preparing: (title, sentence) for a store that is about to fill by itself."""
    if picture.lines:
        return None
    filters, known = picture.filters, len(picture.seats.rows)
    if not known and not filters.group:
        if preparing is not None:
            return Reason("seats", *preparing, tr("重新读取", "Read again"), None)
        return Reason(
            "seats",
            tr("店铺里还没有客服", "This store has no agents yet"),
            tr("数据源送来客服、在线状态或会话后，这里会自动出现。可以用 ingest 命令写入事件文件，或用 demo 命令打开演示店铺。",
               "Agents appear by themselves once a source sends them, their presence or their sessions. Feed a file of events with the "
               "ingest command, or open a demo store with the demo command."),
            tr("重新读取", "Read again"),
            None,
        )  # fmt: skip
    if not known:
        return Reason(
            "groups",
            tr("这个咨询组没有客服", "This group has no agents"),
            tr("最近7天没有客服在这个咨询组接待过。", "No agent has worked in this group within the last 7 days."),
            tr("显示全部咨询组", "Show all groups"),
            replace(filters, group=""),
        )
    if text := filters.text.strip():
        shown = text if len(text) <= 24 else text[:23] + "…"
        title = tr(f"没有符合“{shown}”的客服", f"No agent matches “{shown}”")
        if not filters.everyone:
            return Reason(
                "search", title, tr("现在只在非离线的客服中查找。", "Only agents who are not offline are searched."),
                tr("在全部客服中查找", "Search all agents"), replace(filters, everyone=True),
            )  # fmt: skip
        return Reason(
            "search", title,
            tr("可以输入姓名、拼音、首字母或编号的一部分。", "Type a part of a name, of its pinyin or initials, or of a code."),
            tr("清除搜索", "Clear the search"), replace(filters, text=""),
        )  # fmt: skip
    members = sum(not filters.team or row.team == filters.team for row in picture.seats.rows)
    if not members:
        return Reason(
            "agents", tr(f"“{filters.team}”没有客服", f"“{filters.team}” has no agents"),
            tr("所选的咨询组里没有这个行政组的客服。", "The chosen group has no agents of this team."),
            tr("显示全部行政组", "Show all teams"), replace(filters, team=""),
        )  # fmt: skip
    return Reason(
        "offline", tr("现在没有客服在线", "Nobody is online now"),
        tr(f"{members} 位客服都处于离线状态。", f"All {members} agents are offline."),
        tr("显示离线客服", "Show offline agents"), replace(filters, everyone=True),
    )  # fmt: skip
