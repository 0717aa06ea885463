"""What was asked, in the words that stand above an exported table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.domain import terms
from app.domain.clock import wall_clock
from app.domain.language import T, tr
from app.domain.localtime import LocalTime
from app.domain.naming import with_code
from app.services.drill import ONLY
from app.services.listings import Listing, Wanted
from app.services.report_answer import Answered

if TYPE_CHECKING:
    from app.services.questions import Question
    from app.services.workspace import StoreInfo

Words = tuple[str, str]
_NAMED = 12
"""Agents told by name; of more the number is told."""


def heading(answer: Answered | Listing, store: StoreInfo | None, made: int | None) -> list[Words]:
    """(word, what): the store, the days, every filter, what the figures are counted by, and when this was made; see `framed`."""
    first, last = answer.first.isoformat(), answer.last.isoformat()
    days = (tr("日期", "Days"), first if first == last else tr(f"{first} 至 {last}", f"{first} to {last}"))
    return framed([days, *filters(answer)], store, made)


def framed(lines: Sequence[Words], store: StoreInfo | None, made: int | None) -> list[Words]:
    """The lines between the store's name and the moment of making, in store time.

    made: epoch ms; None is now. Without a store, its name and the time are left out.
    """
    if store is None:
        return list(lines)
    at = LocalTime(store.zone).local(wall_clock() if made is None else made)
    shop, time = (tr("店铺", "Store"), store.name or store.code), (tr("制表时间", "Made"), f"{at:%Y-%m-%d %H:%M:%S} ({store.zone})")
    return [shop, *lines, time]


def filters(answer: Answered | Listing) -> list[Words]:
    """(word, what) of everything but the days that decides what is counted."""
    asked = answer.question
    separator = tr("、", ", ")

    def name(code: str) -> str:
        return with_code(code, answer.names.get(code, code))

    found: list[Words] = []
    if asked.agent is not None:
        found.append((tr("客服", "Agent"), name(asked.agent)))
    if asked.agents:
        many, named = len(asked.agents), separator.join(map(name, asked.agents[:_NAMED]))
        found.append((tr("客服", "Agents"), named if many <= _NAMED else tr(f"{named} 等 {many} 位", f"{named} and {many - _NAMED} more")))
    if asked.team is not None:
        found.append((tr("行政组", "Team"), asked.team))
    if asked.group is not None:
        found.append((tr("咨询组", "Group"), name(asked.group)))
    if asked.channel is not None:
        found.append((tr("终端", "Terminal"), str(terms.CHANNELS[asked.channel])))
    found += _of_sessions(asked)
    if isinstance(answer, Answered) and answer.live:
        return found
    found.append((tr("口径", "Population"), str(terms.POPULATIONS[asked.population])))
    if asked.window is not None:
        found.append((tr("订单时效", "Order window"), str(terms.WINDOWS[asked.window])))
    if isinstance(answer, Answered) and answer.by is not None:
        found.append((tr("按", "By"), str(terms.STEPS[answer.by])))
    return found


def _of_sessions(asked: Question) -> list[Words]:
    """What only listings can be asked."""
    found: list[Words] = []
    if asked.hours is not None:
        start, end = (f"{slot // 12:02}:{slot % 12 * 5:02}" for slot in asked.hours)
        found.append((tr("时段", "Time"), f"{start}–{end}"))
    if asked.weekdays:
        found.append((tr("星期", "Weekday"), tr("、", ", ").join(str(terms.WEEKDAYS[day]) for day in asked.weekdays)))
    if asked.grouped:
        found.append((tr("咨询组", "Group"), tr("任一咨询组", "Any group")))
    if asked.only:
        found.append((tr("仅", "Only"), str(ONLY[asked.only].label)))
    if isinstance(asked, Wanted):
        told: list[tuple[T, str | None]] = [
            (T("客户", "Customer"), asked.customer),
            (T("订单编号", "Order"), asked.order),
            (T("商品编号", "SKU"), asked.sku),
            (T("类型", "Kind"), None if asked.kind is None else str(terms.KINDS[asked.kind])),
            (T("包含", "Contains"), asked.text),
            (T("取消的订单", "Cancelled orders"), tr("也列出", "Listed too") if asked.cancelled else None),
        ]
        found += [(str(word), what) for word, what in told if what]
    return found
