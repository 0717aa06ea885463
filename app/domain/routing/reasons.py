"""Why a session went where it went: codes with what they are about, stored with the assignment, and the sentences they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from app.domain.kinds import fill, joined, plain, same
from app.domain.language import T
from app.domain.routing_settings import REGIONS
from app.domain.terms import ORDER_STATES, PAGES

Why = tuple[Any, ...]
"""A code of `SENTENCES` and what it is about, in the order of that table; all of it JSON."""

_ITEM_SHOWN = 24
"""Characters of the name of an item: shops put a whole description there."""
STANDINGS = {
    "free": T("可接", "free"),
    "offline": T("离线", "offline"),
    "suspended": T("挂起", "suspended"),
    "not_receiving": T("不接待", "not receiving"),
    "transfers_only": T("只接转接", "for transfers only"),
    "full": T("满载", "full"),
    "given": T("刚由来源分配了会话", "just given a session by the source"),
    "gone": T("已不在组内", "not a member any more"),
}
"""How an agent stands to new sessions of a group."""


class Names(NamedTuple):
    """What people call agents, groups and items, by code. Who or what is not there is called by the code."""

    agents: Mapping[str, str] = {}
    groups: Mapping[str, str] = {}
    items: Mapping[str, str] = {}


class Waits(NamedTuple):
    """A session that nobody has. group and before (who had it last): as people call them, "" for none; since: epoch ms."""

    group: str
    since: int
    before: str


_NOBODY = Names()
_Say = Callable[[Any, Names], T]


def _agent(value: Any, names: Names) -> T:
    return same(names.agents.get(value, value))


def _group(value: Any, names: Names) -> T:
    return same(names.groups.get(value, value))


def _item(value: Any, names: Names) -> T:
    name = names.items.get(value, "")
    short = name if len(name) <= _ITEM_SHOWN else f"{name[: _ITEM_SHOWN - 1]}…"
    return fill(T("{0}（{1}）", "{0} ({1})"), value, short) if name else T(f"{value} ", value)


def _text(value: Any, _names: Names) -> T:
    return same(str(value))


def _count(value: Any, _names: Names) -> T:
    return same(plain(value))


def _among(words: Mapping[str, T]) -> _Say:
    return lambda value, _names: words.get(value, same(str(value)))


def _limit(value: Any, _names: Names) -> T:
    return T("，不限接待量", ", no limit") if value is None else fill(T("，上限 {0}", " of {0}"), plain(value))


def _others(value: Any, _names: Names) -> T:
    """Who waits, too."""
    what = T("，另有 {0} 人在等", ", beside {0} other") if value == 1 else T("，另有 {0} 人在等", ", beside {0} others")
    return fill(what, plain(value)) if value else same("")


def _people(value: Any, names: Names) -> T:
    """Who they are, where they are few enough to have been named."""
    return fill(T("（{0}）", " ({0})"), joined(_agent(code, names) for code in value)) if value else same("")


def _span(value: Any, _names: Names) -> T:
    seconds = value // 1000
    if seconds < 1:
        return T("不到 1 秒", "less than 1 s")
    if seconds < 120:
        return T(f"{seconds} 秒", f"{seconds} s")
    minutes = seconds // 60
    return T(f"{minutes} 分钟", f"{minutes} min") if minutes < 120 else T(f"{minutes // 60} 小时", f"{minutes // 60} h")


SENTENCES: dict[str, tuple[T, tuple[_Say, ...]]] = {
    # Which group, and by what
    "only": (T("「{0}」是唯一的咨询组，接待所有人", "{0} is the only group and takes everybody"), (_group,)),
    "customer_tags": (T("「{0}」接待有标签「{1}」的客户", "{0} takes customers tagged {1}"), (_group, _text)),
    "skus": (T("「{0}」接待咨询商品 {1}的客户", "{0} takes customers who ask about item {1}"), (_group, _item)),
    "order_state": (T("「{0}」接待「{1}」的客户", "{0} takes customers by order state: {1}"), (_group, _among(ORDER_STATES))),
    "pages": (T("「{0}」接待从{1}进入的客户", "{0} takes customers from: {1}"), (_group, _among(PAGES))),
    "regions": (T("「{0}」接待{1}的客户", "{0} takes customers from the region {1}"), (_group, _among(REGIONS))),
    "everybody": (T("「{0}」没有服务范围，接待所有人", "{0} has no scope and takes everybody"), (_group,)),
    "fallback": (T("由兜底咨询组「{0}」接待", "The fallback group {0} takes over"), (_group,)),
    "first": (
        T("没有咨询组的服务范围包含此客户，也没有兜底咨询组，由首个开放的「{0}」接待",
          "No scope takes this customer and there is no fallback group: the first that is open, {0}"),
        (_group,),
    ),
    "closed": (T("「{0}」的入口已关闭", "The entry of {0} is closed"), (_group,)),
    "no_group": (T("没有开放的咨询组可以接待", "No open group takes this customer"), ()),
    # Who could have taken it
    "members": (T("「{0}」{1} 名成员中 {2} 名可接{3}", "{2} of {1} members of {0} are free{3}"), (_group, _count, _count, _people)),
    "left_out": (T("{1} 名{0}{2}", "{1} {0}{2}"), (_among(STANDINGS), _count, _people)),
    # Why this agent
    "returning": (
        T("{0} {1}前接待过此客户，仍由其接待", "{0} served this customer {1} ago and takes them again"), (_agent, _span),
    ),
    "not_returning": (
        T("48 小时内接待过此客户的 {0} 现在不能接（{1}）", "{0} served this customer within 48 h but cannot take them now ({1})"),
        (_agent, _among(STANDINGS)),
    ),
    "turn": (
        T("按权重轮到 {0}：权重 {1}，可接成员合计 {2}；正接待 {3}{4}",
          "It is the turn of {0}: weight {1} of {2} among those free; holding {3}{4}"),
        (_agent, _count, _count, _count, _limit),
    ),
    "spare": (
        T("没有别的成员可接，交给只接转接的 {0}，正接待 {1}", "No other member is free: to {0}, who takes transfers only, holding {1}"),
        (_agent, _count),
    ),
    "waited": (T("等待了 {0}", "After waiting {0}"), (_span,)),
    # Why nobody yet
    "overflow": (T("从「{0}」溢出到兜底咨询组「{1}」", "Overflow from {0} to the fallback group {1}"), (_group, _group)),
    "full_beyond": (T("兜底咨询组「{0}」也无人可接", "Nobody in the fallback group {0} is free either"), (_group,)),
    "no_overflow": (T("「{0}」不溢出到兜底咨询组", "{0} does not overflow to the fallback group"), (_group,)),
    "in_line": (T("在「{0}」排队{1}", "Waiting in {0}{1}"), (_group, _others)),
    "nobody_online": (T("店铺无客服在线，请客户留言", "Nobody is online anywhere: a leave message"), ()),
    # Leave messages
    "left_message": (T("这是一条留言", "This is a leave message"), ()),
    "designated": (
        T("留言只分给 {0} 名指定客服，其中 {1} 名在线", "Leave messages go to {0} designated agents; online: {1}"), (_count, _count),
    ),
    "of_group": (T("留言分给「{0}」的成员，其中 {1} 名在线", "Leave messages go to the members of {0}; online: {1}"), (_group, _count)),
    "leave_turn": (T("轮到 {0}", "It is the turn of {0}"), (_agent,)),
    "leave_waits": (T("等待其中一位上线", "It waits until one of them comes online"), ()),
    # What somebody or something else caused
    "by_hand": (T("人工指定给 {0}", "Given to {0} by hand"), (_agent,)),
    "handed_to": (T("转到咨询组「{0}」", "Handed to the group {0}"), (_group,)),
    "went_offline": (T("原客服 {0} 已离线", "{0}, who had it, went offline"), (_agent,)),
    "reconfigured": (T("设置已更改，重新分配", "The settings were changed, so it was matched again"), ()),
}  # fmt: skip


def items(reasons: Iterable[Why]) -> set[str]:
    """Codes of the items that the reasons name."""
    return {str(about[1]) for code, *about in reasons if code == "skus"}


def told(sentences: Iterable[T]) -> T:
    """As one text."""
    return joined(sentences, "；", ". ")


def words(reasons: Iterable[Why], names: Names = _NOBODY) -> list[T]:
    """A sentence for each reason."""
    found = []
    for code, *about in reasons:
        sentence, says = SENTENCES[code]
        found.append(fill(sentence, *(say(value, names) for say, value in zip(says, about, strict=True))))
    return found
