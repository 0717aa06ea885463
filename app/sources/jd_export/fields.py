"""What an exported column can mean, as one table: which headers say it and how its cells are read."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from app.domain.language import T
from app.domain.metrics import METRICS
from app.sources.jd_export.cells import Unit

Kind = Literal["code", "date", "moment", "count", "rate", "h", "min", "s", "number", "yuan"]


@dataclass(frozen=True, slots=True)
class Field:
    """One meaning. `headers` are in order of preference: of two columns with the same meaning the earlier one is taken."""

    key: str
    label: T
    kind: Kind
    headers: tuple[str, ...] = ()


def _metric(key: str, kind: Kind, *headers: str) -> Field:
    return Field(key, METRICS[key].label, kind, headers)


FIELDS: dict[str, Field] = {
    field.key: field
    for field in (
        # Ids before names: two people may go by the same name.
        Field("agent", T("客服", "Agent"), "code",
              ("客服ID", "客服账号", "UID", "账户名", "客服", "客服昵称", "旺旺昵称", "agent")),
        Field("agent_name", T("客服姓名", "Agent's name"), "code"),
        Field("date", T("日期", "Date"), "date", ("日期", "统计日期", "date", "day")),
        _metric("login_hours", "h", "登录时长", "在线时长", "累计登录总时长(小时)"),
        _metric("serving_hours", "h", "接待时长", "累计接待总时长(小时)"),
        _metric("suspended_hours", "h"),
        _metric("logins", "count"),
        _metric("consults", "count", "咨询量", "总咨询量", "咨询次数"),
        _metric("received", "count", "接待量", "总接待量", "接待次数", "接待会话量"),
        _metric("unanswered", "count", "无响应量", "未回复量"),
        _metric("answer_rate", "rate", "应答率", "应答率(回复率)", "回复率", "会话回复率"),
        _metric("reply_30s_rate", "rate", "30s应答率", "30秒应答率", "咚咚30s应答率", "咚咚首次30秒应答率"),
        _metric("reply_180s_rate", "rate", "3分钟回复率", "3分钟人工回复率", "客服3分钟人工回复率"),
        _metric("first_reply", "s", "首次平均响应时间", "首次响应(秒)", "平均首响时长"),
        _metric("avg_reply", "s", "新平均响应时长", "新平均响应时间", "平均响应时长(新)", "平均响应时长(新标)",
                "平均响应时间", "平均响应时长", "平均响应(秒)"),
        _metric("session_minutes", "min", "平均会话时长"),
        _metric("replies_per_session", "number", "平均回复消息数"),
        _metric("transfer_rate", "rate"),
        _metric("transferred_in", "count"),
        _metric("transferred_out", "count"),
        _metric("leave_left", "count"),
        _metric("leave_assigned", "count", "留言分配量"),
        _metric("leave_received", "count", "留言接待量"),
        _metric("leave_response", "rate", "留言响应率"),
        _metric("satisfaction", "rate", "满意率", "总满意率", "咚咚满意度", "客户满意率"),
        _metric("bad_rate", "rate"),
        *(_metric(key, "count") for key in ("very_satisfied", "satisfied", "dissatisfied", "very_dissatisfied", "resolved", "unresolved")),
        _metric("invited", "count"),
        _metric("rated", "count", "评价量", "收到评价数"),
        _metric("invite_rate", "rate", "邀评率"),
        _metric("rating_rate", "rate", "评价率", "评价返回率"),
        _metric("resolution", "rate", "解决率"),
        _metric("presale_customers", "count", "售前接待人数", "询单人数"),
        _metric("order_customers", "count", "促成下单人数"),
        _metric("orders", "count", "促成订单数"),
        _metric("order_items", "count", "促成下单商品数", "促成商品数"),
        _metric("order_amount", "yuan", "促成下单金额", "促成下单商品金额", "促成金额"),
        Field("opened_at", T("咨询时间", "Consulted at"), "moment", ("咨询时间",)),
        Field("placed_at", T("下单时间", "Ordered at"), "moment", ("下单时间",)),
        Field("order", T("订单编号", "Order"), "code", ("所属订单编号", "订单编号", "订单号")),
        Field("customer", T("客户", "Customer"), "code", ("客户", "客户账号", "客户昵称")),
        Field("sku", T("商品编号", "SKU"), "code", ("商品编号",)),
        Field("sku_name", T("商品名称", "Item"), "code", ("商品名称",)),
        Field("price", T("商品单价", "Unit price"), "yuan", ("商品单价(?)", "商品单价")),
        Field("quantity", T("购买数量", "Quantity"), "count", ("购买数量",)),
        Field("order_status", T("订单状态", "Order status"), "code", ("订单状态",)),
    )
}  # fmt: skip

IDENTITY = ("agent", "agent_name", "date")
ORDER = ("opened_at", "placed_at", "order", "customer", "sku", "sku_name", "price", "quantity", "order_status")
FIGURES = tuple(key for key in FIELDS if key not in IDENTITY and key not in ORDER)
NEEDED_OF_ORDERS = ("opened_at", "placed_at", "order", "quantity", "price")

_NOTHING = re.compile(r"[\s()\[\]{}【】〔〕「」_\-‐‑‒–—―−?]+")
_UNIT = re.compile(r"[(\[【]\s*(小时|时|h|分钟|分|min|秒|s|毫秒|ms|%|元|次|个|人)\s*[)\]】]\s*$", re.IGNORECASE)
_UNITS: dict[str, Unit] = {
    "小时": "h", "时": "h", "h": "h", "分钟": "min", "分": "min", "min": "min", "秒": "s", "s": "s", "毫秒": "ms", "ms": "ms",
}  # fmt: skip


def normal(header: str) -> str:
    """A header without white space, line breaks, brackets of either width, underscores and dashes, in lower case."""
    return _NOTHING.sub("", unicodedata.normalize("NFKC", header).lower())[:128]


def unit_of(header: str) -> Unit:
    """The unit of time that stands in brackets at the end of a header."""
    match = _UNIT.search(unicodedata.normalize("NFKC", header))
    return _UNITS.get(match.group(1).lower(), "") if match else ""


def _aliases() -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for field in FIELDS.values():
        own = (field.key, field.label.zh, field.label.en) if field.key in METRICS else ()
        for rank, header in enumerate((*field.headers, *own)):
            found.setdefault(normal(header), (field.key, rank))
    return found


ALIASES = _aliases()
"""Normalised header → (meaning, rank among the headers of that meaning)."""
_DERIVED = {normal(text) for key, metric in METRICS.items() if key not in FIELDS for text in (key, *metric.label)}


def meaning(header: str) -> tuple[str, int] | None:
    """(meaning, rank), with or without the unit that the header ends on; None for one nobody has declared."""
    without = _UNIT.sub("", unicodedata.normalize("NFKC", header))
    return ALIASES.get(normal(header)) or ALIASES.get(normal(without))


def follows_from_others(header: str) -> bool:
    """Whether it is a metric that is worked out from others and so need not be imported."""
    return normal(header) in _DERIVED or normal(_UNIT.sub("", header)) in _DERIVED
