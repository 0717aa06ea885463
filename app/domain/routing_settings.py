"""The settings documents that routing reads: consulting groups with their scopes and members, agents with their capacity, and who gets
leave messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.domain.documents import Document, Field, List, Object
from app.domain.kinds import Agent, Choice, Clock, Fault, Number, Option, Subset, Switch, Text, fill, joined, said, same
from app.domain.language import T
from app.domain.terms import ORDER_STATES, PAGES

MAX_CODE = 128  # as in the event contract
MAX_GROUPS = 200
DEFAULT_WEIGHT = 6
MAX_MEMBERS = 5_000
PROVINCES = (
    "北京", "天津", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "上海", "江苏", "浙江", "安徽", "福建", "江西", "山东", "河南",
    "湖北", "湖南", "广东", "广西", "海南", "重庆", "四川", "贵州", "云南", "西藏", "陕西", "甘肃", "青海", "宁夏", "新疆", "香港", "澳门",
    "台湾",
)  # fmt: skip
HONG_KONG_MACAU, ABROAD, ELSEWHERE = "港澳", "海外", "其他"
_IN_ENGLISH = (
    "Beijing", "Tianjin", "Hebei", "Shanxi", "Inner Mongolia", "Liaoning", "Jilin", "Heilongjiang", "Shanghai", "Jiangsu", "Zhejiang",
    "Anhui", "Fujian", "Jiangxi", "Shandong", "Henan", "Hubei", "Hunan", "Guangdong", "Guangxi", "Hainan", "Chongqing", "Sichuan",
    "Guizhou", "Yunnan", "Tibet", "Shaanxi", "Gansu", "Qinghai", "Ningxia", "Xinjiang", "Hong Kong", "Macau", "Taiwan",
)  # fmt: skip
REGIONS = {
    **{zh: T(zh, en) for zh, en in zip(PROVINCES, _IN_ENGLISH, strict=True)},
    HONG_KONG_MACAU: T("港澳", "Hong Kong and Macau"),
    ABROAD: T("海外", "abroad"),
    ELSEWHERE: T("其他", "elsewhere"),
}
_SUFFIXES = frozenset(("", "省", "市", "自治区", "壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区"))
"""What official names of regions end with."""
DIMENSIONS = ("customer_tags", "skus", "order_state", "pages", "regions")
"""What a scope may ask for, the most specific first."""

Scope = Mapping[str, Any]


def asked(scope: Scope) -> tuple[str, ...]:
    """The dimensions that a scope asks for, the most specific first: its specificity. () takes everybody."""
    return tuple(d for d in DIMENSIONS if (scope[d] != "any" if d == "order_state" else scope[d]))


def claimed(scope: Scope, dimension: str) -> frozenset[str]:
    """The values of a dimension that a scope takes; 港澳 is both of them."""
    held = scope[dimension]
    found = frozenset((held,) if dimension == "order_state" else held)
    return found | {"香港", "澳门"} if dimension == "regions" and HONG_KONG_MACAU in found else found


def _one_fallback(body: Mapping[str, Any]) -> Iterator[Fault]:
    """At most one, always open, without a scope; beside it every other group has one."""
    groups = body["groups"]
    fallbacks = [group for group in groups if group["type"] == "fallback"]
    for index, group in enumerate(groups):
        place = f"groups[{index}]"
        scoped = bool(asked(group["scope"]))
        if group["type"] != "fallback":
            if fallbacks and not scoped:
                what = T("已有兜底咨询组「{0}」，请为此组设置服务范围", "With the fallback group {0} present, give this group a scope")
                yield Fault(f"{place}.scope", fill(what, fallbacks[0]["name"]))
            continue
        if group is not fallbacks[0]:
            what = T("「{0}」已是兜底咨询组，只能有一个", "{0} is the fallback group already; there can be only one")
            yield Fault(f"{place}.type", fill(what, fallbacks[0]["name"]))
        if not group["open"]:
            yield Fault(f"{place}.open", T("兜底咨询组的入口不能关闭", "The entry of the fallback group cannot be closed"))
        if scoped:
            what = T("兜底咨询组接待所有人，请清空服务范围", "The fallback group takes everybody; leave its scope empty")
            yield Fault(f"{place}.scope", what)


class Overlap(NamedTuple):
    """Two groups, by their places, that take the same customers. shared: values that both claim, by each dimension that both ask for;
    leading: the one to part them by, the most specific that is a list if there is any."""

    first: int
    second: int
    leading: str
    shared: Mapping[str, frozenset[str]]


def overlaps(groups: Sequence[Mapping[str, Any]]) -> Iterator[Overlap]:
    """In order of `second`, then `first`. Only groups of the same specificity overlap: of others the more specific takes the customer.
    Customers may have several tags, so groups for different tags may meet at one; the first of them takes it."""
    claims: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(dict)
    taken = [{d: claimed(group["scope"], d) for d in asked(group["scope"])} for group in groups]
    for second, group in enumerate(groups):
        dimensions = tuple(taken[second])
        if not dimensions or group["type"] == "fallback":
            continue
        leading = next((d for d in dimensions if d != "order_state"), dimensions[0])
        values, before = taken[second][leading], claims[dimensions]
        for first in sorted({first for value in values & before.keys() for first in before[value]}):
            shared = {d: taken[second][d] & taken[first][d] for d in dimensions}
            if all(shared.values()):
                yield Overlap(first, second, leading, shared)
        for value in values:
            before.setdefault(value, []).append(second)


def overlap_faults(groups: Sequence[Mapping[str, Any]], found: Overlap) -> Iterator[Fault]:
    """One for every value of the leading dimension that both groups take, at its place where the order is as it was written."""
    first, second, leading, shared = found
    with_it = [
        joined(value_words(d, value) for value in sorted(values))
        for d, values in shared.items()
        if d != leading and (d == "order_state" or len(values) <= 3)
    ]
    where = fill(T("（{0}）", " ({0})"), joined(with_it)) if with_it else same("")
    what = T("「{0}」{1}已属于咨询组「{2}」，请从其中一组去掉", "{0}{1} already belongs to the group {2}; take it out of one of them")
    held = groups[second]["scope"][leading]
    for place, value in enumerate([held] if leading == "order_state" else held):
        if claimed({leading: value if leading == "order_state" else [value]}, leading) & shared[leading]:
            at = f"[{place}]" if leading in ("skus", "customer_tags") else ""
            sentence = fill(what, value_words(leading, value), where, groups[first]["name"])
            yield Fault(f"groups[{second}].scope.{leading}{at}", sentence)


def _no_overlaps(body: Mapping[str, Any]) -> Iterator[Fault]:
    groups = body["groups"]
    return (fault for found in overlaps(groups) for fault in overlap_faults(groups, found))


def value_words(dimension: str, value: str) -> T:
    """What people call a value that a scope asks for."""
    words = {"pages": PAGES, "order_state": ORDER_STATES, "regions": REGIONS}.get(dimension, {})
    return words[value] if value in words else same(value)


def _known_default(body: Mapping[str, Any]) -> Iterator[Fault]:
    code = body["default_group"]
    if code is not None and all(group["code"] != code for group in body["groups"]):
        yield Fault("default_group", fill(T("没有编号为 {0} 的咨询组", "There is no group {0}"), said(code)))


def _fallback_stays(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Fault]:
    after = {group["code"]: group["type"] for group in new["groups"]}
    for group in old["groups"]:
        if group["type"] == "fallback" and after.get(group["code"]) != "fallback":
            what = T("兜底咨询组「{0}」不能删除，也不能改为普通咨询组", "The fallback group {0} cannot be removed or made ordinary")
            yield Fault("groups", fill(what, group["name"]))


def _options(words: Mapping[str, T]) -> tuple[Option, ...]:
    return tuple(Option(value, label) for value, label in words.items())


_SCOPE = Object((
    Field("pages", T("页面", "Pages"), Subset(_options(PAGES)), [], T("从这些页面进入的客户", "Customers who come from these pages")),
    Field("skus", T("商品", "SKUs"), List(Text(MAX_CODE, 1, word=True), 5_000, item=T("商品", "SKUs")), [],
          T("咨询这些商品的客户；填商品编号（SKU），不是名称", "Customers who ask about these items; SKU codes, not names")),
    Field("regions", T("地区", "Regions"), Subset(_options(REGIONS)), [], T("空即全部地区", "Empty means all")),
    Field("order_state", T("订单状态", "Order state"), Choice((*_options(ORDER_STATES), Option("any", T("不限", "any")))), "any"),
    Field("customer_tags", T("客户标签", "Customer tags"), List(Text(30, 1), 100, item=T("标签", "tags")), [],
          T("至少有其中一个标签的客户", "Customers with at least one of these tags")),
))  # fmt: skip
_MEMBER = Object((
    Field("agent", T("客服", "Agent"), Agent(MAX_CODE, 1)),
    Field("weight", T("分配权重值", "Weight"), Number(0, 10, whole=True), DEFAULT_WEIGHT,
          T("按权重轮流分配；0 只接转接", "Sessions go round by weight; 0 means transfers only")),
))  # fmt: skip
_GROUP = Object((
    Field("code", T("咨询组ID", "Code"), Text(MAX_CODE, 1)),
    Field("name", T("名称", "Name"), Text(30, 1)),
    Field("type", T("类型", "Type"),
          Choice((Option("ordinary", T("普通咨询组", "ordinary")), Option("fallback", T("兜底咨询组", "fallback")))), "ordinary"),
    Field("open", T("入口开放", "Entry open"), Switch(), True,
          T("关闭后，本应进入此组的客户去兜底咨询组", "While closed, its customers go to the fallback group")),
    Field("overflow", T("溢出到兜底", "Overflow to fallback"), Switch(), True,
          T("无人可接时由兜底咨询组接待；关闭则排队", "While nobody here is free the fallback group takes over; off means they wait")),
    Field("prompt", T("提示语", "Prompt"), Text(700, lines=True), ""),
    Field("offline_prompt", T("离线提示语", "Offline prompt"), Text(700, lines=True), ""),
    Field("scope", T("服务范围", "Scope"), _SCOPE, help=T("所有设置的条件都满足才属于此组", "All that is set must hold")),
    Field("members", T("成员", "Members"),
          List(_MEMBER, MAX_MEMBERS, unique=("agent",), item=T("成员", "members"), beside=("weight",)), []),
))  # fmt: skip

GROUPS = Document(
    "groups",
    T("咨询组", "Groups"),
    T("谁接待哪些客户：服务范围、成员和权重。", "Who serves which customers: scopes, members and weights."),
    "groups.edit",
    Object(
        (
            Field("groups", T("咨询组", "Groups"),
                  List(_GROUP, MAX_GROUPS, unique=("code", "name"), title="name", ordered=True, item=T("咨询组", "groups")), []),
            Field("default_group", T("默认咨询组", "Default group"), Text(MAX_CODE, 1), None,
                  T("没有写进任何组、也没有写进客服文档的账号以默认权重属于它",
                    "Agents whom neither a group nor the document of agents names are in it, with the default weight"),
                  T("未设置", "not set")),
        ),
        (_one_fallback, _no_overlaps, _known_default),
    ),
    steps=(_fallback_stays,),
)  # fmt: skip

_AGENT = Object((
    Field("agent", T("客服ID", "Agent"), Agent(MAX_CODE, 1)),
    Field("name", T("姓名", "Name"), Text(64), ""),
    Field("team", T("所属行政组", "Team"), Text(64), ""),
    Field("capacity", T("最大接待量", "Capacity"), Number(0, 999, whole=True), None,
          T("同时接待的会话数上限；0 只接转接", "Sessions held at a time; 0 means transfers only"), T("不限", "unlimited")),
    Field("receives", T("是否接待", "Receives"), Switch(), True, T("关闭后不分配也不转入", "Off means neither new sessions nor transfers")),
))  # fmt: skip

AGENTS = Document(
    "agents",
    T("客服", "Agents"),
    T("每位客服的班组和最大接待量。", "Team and capacity of each agent."),
    "groups.edit",
    Object((
        Field("agents", T("客服", "Agents"),
              List(_AGENT, MAX_MEMBERS, unique=("agent",), title="name", item=T("客服", "agents")), []),
    )),
)  # fmt: skip


def _somebody(body: Mapping[str, Any]) -> Iterator[Fault]:
    if body["on"] and not body["agents"]:
        yield Fault("agents", T("已开启指定分配，请至少选一名客服", "With this rule on, choose at least one agent"))


LEAVE_RULE = Document(
    "leave_rule",
    T("留言分配", "Leave messages"),
    T("留言分给谁：开启则只分给指定的客服，轮流分给其中在线的；关闭则分给咨询组的成员。",
      "Who gets leave messages: with the rule on, the chosen agents alone, in turn among those online; else the members of the group."),
    "storefront.edit",
    Object(
        (
            Field("on", T("指定分配", "Chosen agents only"), Switch(), False),
            Field("agents", T("指定客服", "Chosen agents"),
                  List(Agent(MAX_CODE, 1), MAX_MEMBERS, item=T("客服", "agents")), [],
                  T("每天至少要有一位上线", "At least one of them must come online every day")),
            Field("alert_at", T("提醒时间", "Alert at"), Clock(5), "10:00",
                  T("到这个时间还没有一位上线就提醒；店铺所在时区", "If none of them has come online by then; in the store's time zone")),
        ),
        (_somebody,),
    ),
)  # fmt: skip


def newcomers(groups: Mapping[str, Any], agents: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """Those of the agents known to the store who are in the default group because neither document names them."""
    if groups["default_group"] is None:
        return []
    named = {member["agent"] for group in groups["groups"] for member in group["members"]} | {entry["agent"] for entry in agents["agents"]}
    return [code for code in known if code not in named]


def region_of(text: str) -> str:
    """The region of REGIONS that a source's text means: 广东 for 广东省, 其他 for what is none of them."""
    return text if text in REGIONS else next((name for name in PROVINCES if text.startswith(name)), ELSEWHERE)


def region_words(text: str) -> T:
    """What people call the region that a source wrote. What is not one of REGIONS, or says more than that, stays as it was written."""
    region = region_of(text)
    return T(text, REGIONS[region].en) if text.startswith(region) and text.removeprefix(region) in _SUFFIXES else same(text)
