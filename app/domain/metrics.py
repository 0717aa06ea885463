"""The metric catalogue: one table from which headers, tiles, tooltips, thresholds, exports and the reference are derived.

A metric is a sum of counters, or a ratio of such sums taken after summing; a rate is never averaged. No value (a denominator
of 0) is None everywhere in code, null in JSON and `--` on screen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal

from app.domain.counters import FIRST_REPLY_BINS, PRESENCE_FIELDS, VISITOR_FIELDS, WINDOWS, Window, percentile_ms
from app.domain.language import T

Unit = Literal["n", "%", "s", "min", "h", "yuan"]
Better = Literal["up", "down", ""]
Level = Literal["", "warn", "alarm"]
Source = Literal["K", "JD", "P"]
Value = float | int | None
Part = Literal["agent", "group", "channel"]
SOURCES: dict[Source, T] = {
    "K": T("商家后台的口径", "as the store's own manager tool counts it"),
    "JD": T("京东公布的规则", "rules published by JD"),
    "P": T("本工具的定义", "defined by this tool"),
}
"""Where a definition comes from."""
Numbers = Mapping[str, int]
"""Counters by field name. The live pages add the gauges of `GAUGES`, which are numbers of this moment and never stored."""

GAUGES = (
    "seats_total", "seats_serving", "seats_online", "seats_suspended", "seats_offline",
    "active", "active_capped", "capacity", "waiting", "longest_wait_ms", "pending",
)  # fmt: skip

IMPORTED_DAYS = "imported_days"
"""How many days of agents in a sum are from files. A file that says nothing of a figure does not say 0: what such days would bring into one
side of a formula stands beside the counters as its gaps (`Metric.gaps`), additive as they are, and is taken back out."""

_UNIT_SCALE: dict[Unit, int] = {"n": 1, "%": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "yuan": 100}
MEAN_DECIMALS = 1
"""Of a count's mean over rows that is no whole number: 593.5 sessions a day are neither 593 nor 594."""
_MORE_DECIMALS = 5
"""So many numbers of decimals are tried until what is shown is on the value's side of a threshold."""
_UNIT_DECIMALS: dict[Unit, int] = {"n": 0, "%": 1, "s": 1, "min": 1, "h": 2, "yuan": 2}


def unit_text(value: float | int, unit: Unit, places: int | None = None) -> str:
    """A number as shown, half-up, without its unit except for the percent sign. places: decimals; None for what is usual for the unit."""
    rounded = _rounded(value, unit, _UNIT_DECIMALS[unit] if places is None else places)
    return f"{rounded:,}" + ("%" if unit == "%" else "")


def _rounded(value: float | int, unit: Unit, places: int) -> Decimal:
    shown = Decimal(repr(value)) * (100 if unit == "%" else 1)
    return shown.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the catalogue.

    `top` and `bottom` map counter names to coefficients; a metric without `bottom` is a sum. `{W}` in a name stands for the order
    window. `warn` and `alarm` are in display units (percent, seconds …) and mean "this or worse" in the direction of `better`,
    or "this or more" where neither direction is better.
    """

    key: str
    label: T
    unit: Unit
    top: Mapping[str, int]
    definition: T
    source: Source
    bottom: Mapping[str, int] = field(default_factory=dict)
    better: Better = ""
    target: float | None = None
    warn: float | None = None
    alarm: float | None = None
    live: bool = False
    """True for a number of this moment that exists only on the live pages."""
    largest: bool = False
    """True where the total of rows is their largest value, not their sum."""
    percentile: float | None = None
    may_miss: bool = False
    """True for a gauge that somebody may not have at all, such as a cap: no value then, where others have 0."""

    @property
    def is_ratio(self) -> bool:
        return bool(self.bottom) or self.percentile is not None

    def fields(self, window: Window = "24h") -> frozenset[str]:
        """The counters it is made of; a percentile is made of bins besides."""
        return frozenset(name.replace("{W}", window) for name in (*self.top, *self.bottom))

    def gaps(self, window: Window = "24h") -> tuple[str, str]:
        """Names of its gaps, of imported days that do not say all it is made of: (what they have of the numerator, what they have of the
        denominator or, for a sum, how many they are)."""
        name = f"{self.key}_{window}" if any("{W}" in field for field in (*self.top, *self.bottom)) else self.key
        return f"alone_{name}", f"unsaid_{name}"

    @property
    def decimals(self) -> int:
        return 1 if self.key == "replies_per_session" else _UNIT_DECIMALS[self.unit]

    def parts(self, numbers: Numbers, window: Window = "24h", pending: bool = False) -> tuple[int, int | None]:
        """(numerator, denominator) in the counters' own units (ms, fen); the denominator of a sum is None.

        Imported days that do not say all it is made of are in neither. pending: the live rule; sessions still inside their first 30 s and
        unanswered are left out of the denominator.
        """
        top, bottom = _combine(self.top, numbers, window), _combine(self.bottom, numbers, window)
        if IMPORTED_DAYS in numbers:
            alone, unsaid = self.gaps(window)
            top -= numbers.get(alone, 0)
            bottom -= numbers.get(unsaid, 0)
        if not self.bottom:
            return top, None
        if pending and self.key in PENDING_RULE:
            bottom -= numbers.get("pending", 0)
        return top, bottom

    def value(self, numbers: Numbers, window: Window = "24h", pending: bool = False) -> float | int | None:
        """The unrounded value: rates as fractions, durations in the metric's unit, amounts in yuan; None for no value."""
        scale = _UNIT_SCALE[self.unit]
        if self.percentile is not None:
            found = percentile_ms([numbers.get(name, 0) for name in FIRST_REPLY_BINS], self.percentile)
            return None if found is None else found / scale
        top, bottom = self.parts(numbers, window, pending)
        if bottom is None:
            if self.may_miss and not any(name in numbers for name in self.top):
                return None
            if not top and self._is_unsaid(numbers, window):
                return None
            return top if scale == 1 else top / scale
        if bottom <= 0:
            return None
        return top / (bottom * scale)

    def _is_unsaid(self, numbers: Numbers, window: Window) -> bool:
        """Whether these are days from files alone, and none of them says it."""
        return is_from_files(numbers) and numbers.get(self.gaps(window)[1], 0) >= numbers[IMPORTED_DAYS]

    def places(self, value: float | int) -> int:
        """Decimals this value is shown with: a count has none, the mean of counts one where it is no whole number.

        One that rounding would carry over a threshold has as many as show on which side of it the value is: 79.97%, not 80.0%.
        """
        if self.unit == "n" and not self.is_ratio:
            usual = 0 if value == int(value) else MEAN_DECIMALS
        else:
            usual = self.decimals
        shown = value * 100 if self.unit == "%" else value
        if any(limit is not None and 0 < abs(shown - limit) <= 10**-usual for limit in (self.warn, self.alarm)):
            level = self.level(value)
            for places in range(usual, usual + _MORE_DECIMALS):
                if self._level_shown(float(_rounded(value, self.unit, places))) == level:
                    return places
        return usual

    def text(self, value: float | int | None) -> str:
        """The value as shown, half-up, without its unit except for the percent sign; `--` for no value."""
        return "--" if value is None else unit_text(value, self.unit, self.places(value))

    def level(self, value: float | int | None) -> Level:
        """Whether the value has crossed its warn or alarm threshold."""
        if value is None:
            return ""
        return self._level_shown(round(value * 100, 9) if self.unit == "%" else value)  # 0.29 * 100 is a little below 29

    def _level_shown(self, shown: float) -> Level:
        for name, limit in (("alarm", self.alarm), ("warn", self.warn)):
            if limit is not None and (shown < limit if self.better == "up" else shown >= limit):
                return name  # type: ignore[return-value]
        return ""

    def formula(self, window: Window = "24h") -> str:
        """The formula in counter names, for tooltips and the reference."""
        if self.percentile is not None:
            return f"P{round(self.percentile * 100)}(first_reply)"
        top = _spell(self.top, window)
        return f"{top} / {_spell(self.bottom, window)}" if self.bottom else top


def _combine(terms: Mapping[str, int], numbers: Numbers, window: Window) -> int:
    found = 0
    for name, factor in terms.items():
        if name[-1] == "}":  # {W}; a report of many rows comes here for each of its cells
            name = name[:-3] + window
        found += factor * numbers.get(name, 0)
    return found


def _spell(terms: Mapping[str, int], window: Window) -> str:
    names = [("" if factor > 0 else "−") + name.replace("{W}", window) for name, factor in terms.items()]
    spelled = " + ".join(names).replace("+ −", "− ")
    return f"({spelled})" if len(names) > 1 else spelled


PENDING_RULE = frozenset({"answer_rate", "reply_30s_rate"})

_ENTRIES = (
    Metric("seats_total", T("账号总数", "Seats"), "n", {"seats_total": 1},
           T("在用的客服账号数", "Active agent accounts"), "K", live=True),
    Metric("seats_serving", T("接待客服", "Serving"), "n", {"seats_serving": 1},
           T("在线、未挂起且至少有一个进行中会话的客服数", "Agents online, not suspended, holding at least one session"), "K", live=True),
    Metric("seats_online", T("在线客服", "Online"), "n", {"seats_online": 1},
           T("除离线外任何状态的客服数（含挂起）", "Agents in any state but offline, suspended included"), "K", live=True),
    Metric("seats_suspended", T("挂起", "Suspended"), "n", {"seats_suspended": 1},
           T("当前处于挂起状态的客服数", "Agents suspended now"), "K", live=True),
    Metric("seats_offline", T("离线", "Offline"), "n", {"seats_offline": 1},
           T("当前离线的客服数", "Agents offline now"), "K", live=True),
    Metric("visitors_online", T("在线UPV", "Online visitors"), "n", {"visitors_online": 1},
           T("有客服在线时进入咨询的去重客户数，按天去重", "Distinct customers per day who entered while an agent was available"), "K"),
    Metric("visitors_leave", T("留言UPV", "Leaving visitors"), "n", {"visitors_leave": 1},
           T("无客服在线时进入咨询的去重客户数，按天去重", "Distinct customers per day who entered while nobody was available"), "K"),
    Metric("consults", T("咨询量", "Consultations"), "n", {"consults": 1},
           T("客户发过消息的在线会话数；未分配的只计入店铺",
             "Online sessions in which the customer has written; unassigned ones count for the store only"), "K"),
    Metric("received", T("接待量", "Handled"), "n", {"received": 1},
           T("至少有一次人工回复的会话数", "Sessions with at least one human reply"), "K"),
    Metric("unanswered", T("无响应量", "Unanswered"), "n", {"consults": 1, "received": -1},
           T("咨询量 − 接待量", "Consultations minus handled"), "K", better="down", target=0),
    Metric("answer_rate", T("应答率", "Answer rate"), "%", {"received": 1},
           T("接待量 ÷ 咨询量", "Handled ÷ consultations"), "K", {"consults": 1}, "up", 100, warn=90, alarm=70),
    Metric("reply_30s_rate", T("30s应答率", "First reply within 30 s"), "%", {"replied_30s": 1},
           T("客户首条消息后30秒内得到人工首次回复的会话 ÷ 咨询量",
             "Sessions whose first human reply came within 30 s of the customer's first message ÷ consultations"),
           "JD", {"consults": 1}, "up", 80, warn=80, alarm=60),
    Metric("reply_180s_rate", T("3分钟回复率", "Reply within 3 min"), "%", {"replied_180s": 1},
           T("客户首条消息后3分钟内得到人工首次回复的会话 ÷ 咨询量",
             "Sessions whose first human reply came within 3 minutes ÷ consultations"), "JD", {"consults": 1}, "up"),
    Metric("first_reply", T("首次平均响应时间", "First response time"), "s", {"first_reply_ms": 1},
           T("首次回复等待时间之和 ÷ 接待量", "Sum of the waits for the first reply ÷ handled"),
           "K", {"received": 1}, "down", 30, warn=30, alarm=60),
    Metric("avg_reply", T("新平均响应时长", "Average response time"), "s", {"turn_ms": 1},
           T("每一轮从客户第一条未回复消息到下一次人工回复的时间的平均",
             "Mean time from the first unanswered customer message to the next human reply"),
           "JD", {"turns": 1}, "down", 40, warn=40, alarm=90),
    Metric("first_reply_p90", T("首次响应P90", "First response P90"), "s", {"first_reply_ms": 1},
           T("90%的接待会话的首次回复不慢于此值（由直方图求得）", "90 % of handled sessions got their first reply no later than this"),
           "P", {}, "down", percentile=0.9),
    Metric("closed", T("结束会话量", "Closed"), "n", {"closed": 1}, T("已结束的接待会话数", "Handled sessions that have been closed"), "P"),
    Metric("session_minutes", T("平均会话时长", "Average session length"), "min", {"session_ms": 1},
           T("已结束的接待会话时长之和 ÷ 其数量", "Length of closed handled sessions ÷ their number"),
           "K", {"closed": 1}, "down", 10, warn=10),
    Metric("replies_per_session", T("平均回复消息数", "Replies per session"), "n", {"agent_messages": 1},
           T("客服消息数 ÷ 接待量", "Agent messages ÷ handled"), "K", {"received": 1}),
    Metric("reply_ratio", T("答问比", "Reply ratio"), "%", {"agent_messages": 1},
           T("客服消息数 ÷ 客户消息数", "Agent messages ÷ customer messages"), "JD", {"customer_messages": 1}),
    Metric("invite_rate", T("邀评率", "Invitation rate"), "%", {"invited": 1},
           T("邀请评价的会话 ÷ 接待量", "Sessions invited to rate ÷ handled"), "K", {"received": 1}, "up"),
    Metric("invited", T("邀评量", "Invited"), "n", {"invited": 1}, T("邀请客户评价的会话数", "Sessions invited to rate"), "K"),
    Metric("rated", T("评价量", "Ratings"), "n", {"rated": 1}, T("客户评价过的会话数", "Sessions rated by the customer"), "K"),
    Metric("rating_rate", T("评价率", "Rating rate"), "%", {"rated": 1},
           T("评价量 ÷ 接待量", "Ratings ÷ handled"), "K", {"received": 1}, "up"),
    Metric("satisfaction", T("满意率", "Satisfaction"), "%", {"satisfied": 1},
           T("(非常满意 + 满意) ÷ 评价量，五级评价", "(Very satisfied + satisfied) ÷ ratings, five levels"),
           "K", {"rated": 1}, "up", 90, warn=90, alarm=80),
    Metric("very_satisfied", T("非常满意", "Very satisfied"), "n", {"very_satisfied": 1}, T("评为5分的会话数", "Sessions rated 5"), "K"),
    Metric("satisfied", T("满意", "Satisfied"), "n", {"satisfied": 1, "very_satisfied": -1},
           T("评为4分的会话数，不含非常满意", "Sessions rated 4, very satisfied not included"), "K"),
    Metric("neutral", T("一般", "Neutral"), "n", {"rated": 1, "satisfied": -1, "dissatisfied": -1},
           T("评为3分的会话数", "Sessions rated 3"), "K"),
    Metric("dissatisfied", T("不满意", "Dissatisfied"), "n", {"dissatisfied": 1, "very_dissatisfied": -1},
           T("评为2分的会话数，不含非常不满意", "Sessions rated 2, very dissatisfied not included"), "K", better="down"),
    Metric("very_dissatisfied", T("非常不满意", "Very dissatisfied"), "n", {"very_dissatisfied": 1},
           T("评为1分的会话数", "Sessions rated 1"), "K", better="down"),
    Metric("bad_rate", T("咨询差评率", "Bad-rating rate"), "%", {"dissatisfied": 1},
           T("(不满意 + 非常不满意) ÷ 评价量", "(Dissatisfied + very dissatisfied) ÷ ratings"), "JD", {"rated": 1}, "down"),
    Metric("resolved", T("已解决", "Resolved"), "n", {"resolved": 1},
           T("客户评价时答已解决的会话数", "Sessions whose customer said it was resolved"), "K", better="up"),
    Metric("unresolved", T("未解决", "Unresolved"), "n", {"unresolved": 1},
           T("客户评价时答未解决的会话数", "Sessions whose customer said it was not resolved"), "K", better="down"),
    Metric("resolution", T("解决率", "Resolution rate"), "%", {"resolved": 1},
           T("已解决 ÷ (已解决 + 未解决)，只计回答了的客户", "Resolved ÷ (resolved + unresolved), among customers who answered"),
           "K", {"resolved": 1, "unresolved": 1}, "up", 85, warn=85),
    Metric("connect_rate", T("连通率", "Connection rate"), "%", {"consults": 1},
           T("咨询量 ÷ 在线UPV", "Consultations ÷ online visitors"), "K", {"visitors_online": 1}, "up"),
    Metric("transferred_in", T("转入量", "Transferred in"), "n", {"transferred_in": 1},
           T("由其他客服转来的会话数", "Sessions that came from another agent"), "K"),
    Metric("transferred_out", T("转出量", "Transferred out"), "n", {"transferred_out": 1},
           T("转给其他客服的次数", "Times a session was handed to another agent"), "K"),
    Metric("transfer_rate", T("转接率", "Transfer rate"), "%", {"transferred_out": 1},
           T("转出会话 ÷ 咨询量", "Sessions transferred out ÷ consultations"), "JD", {"consults": 1}, "down"),
    Metric("active", T("正在接待量", "Active now"), "n", {"active": 1},
           T("当前持有的未结束会话数", "Open sessions held now"), "K", live=True),
    Metric("capacity", T("最大接待量", "Capacity"), "n", {"capacity": 1},
           T("同时接待上限；未设置即不限", "Concurrency cap; unlimited when none is set"), "K", live=True, may_miss=True),
    Metric("saturation", T("饱和度", "Saturation"), "%", {"active_capped": 1},
           T("正在接待量 ÷ 最大接待量；未设上限时无值", "Active ÷ concurrency cap; no value where no cap is set"),
           "K", {"capacity": 1}, warn=80, alarm=100, live=True),
    Metric("waiting", T("等待回复", "Waiting for a reply"), "n", {"waiting": 1},
           T("最后一条消息尚未得到回复的客户数", "Customers whose last message is unanswered"), "P", better="down", live=True),
    Metric("longest_wait", T("最长等待", "Longest wait"), "s", {"longest_wait_ms": 1},
           T("等待回复的客户中最长的等待时间", "Longest wait among customers waiting for a reply"),
           "P", better="down", warn=30, alarm=180, live=True, largest=True, may_miss=True),
    Metric("leave_left", T("留言量", "Leave messages"), "n", {"leave_left": 1},
           T("客户在无人在线时留下的留言数", "Messages left while nobody was online"), "K"),
    Metric("leave_rate", T("留言率", "Leave-message rate"), "%", {"leave_left": 1},
           T("留言量 ÷ (咨询量 + 留言量)", "Leave messages ÷ (consultations + leave messages)"),
           "K", {"consults": 1, "leave_left": 1}, "down", 50, warn=50),
    Metric("leave_assigned", T("留言分配量", "Leave messages assigned"), "n", {"leave_assigned": 1},
           T("分配给客服的留言数", "Leave messages assigned to an agent"), "K"),
    Metric("leave_received", T("留言接待量", "Leave messages answered"), "n", {"leave_received": 1},
           T("客服回复过的留言数", "Leave messages an agent has answered"), "K"),
    Metric("leave_response", T("留言响应率", "Leave-message response"), "%", {"leave_received": 1},
           T("留言接待量 ÷ 留言分配量", "Leave messages answered ÷ assigned"), "K", {"leave_assigned": 1}, "up", 100),
    Metric("login_hours", T("登录时长", "Login time"), "h", {"login_ms": 1},
           T("除离线外任何状态的时长", "Time in any state but offline"), "K"),
    Metric("serving_hours", T("接待时长", "Serving time"), "h", {"serving_ms": 1},
           T("处于接待或离开状态的时长", "Time available or away"), "K"),
    Metric("suspended_hours", T("挂起时长", "Suspended time"), "h", {"suspended_ms": 1},
           T("处于挂起状态的时长", "Time suspended"), "K"),
    Metric("logins", T("登录次数", "Logins"), "n", {"logins": 1}, T("由离线变为其他状态的次数", "Times an agent came online"), "K"),
    Metric("serving_share", T("接待利用率", "Availability"), "%", {"serving_ms": 1},
           T("接待时长 ÷ 登录时长", "Serving time ÷ login time"), "P", {"login_ms": 1}, "up"),
    Metric("presale_customers", T("售前接待人数", "Pre-sale customers"), "n", {"presale_customers": 1},
           T("接待时尚未下单的去重客户数，按客服和天去重", "Distinct customers handled before ordering, per agent and day"), "K"),
    Metric("order_customers", T("促成下单人数", "Converted customers"), "n", {"order_customers_{W}": 1},
           T("订单时效内下单的去重客户数，按客服和天去重", "Distinct customers who ordered within the order window, per agent and day"),
           "K", better="up"),
    Metric("orders", T("促成订单数", "Orders"), "n", {"orders_{W}": 1},
           T("订单时效内促成的去重订单数，按客服和天去重", "Distinct orders credited within the order window, per agent and day"),
           "K", better="up"),
    Metric("order_items", T("促成下单商品数", "Items ordered"), "n", {"order_items_{W}": 1},
           T("促成订单行的商品件数", "Quantity of the credited order lines"), "K", better="up"),
    Metric("order_amount", T("促成下单金额", "Order amount"), "yuan", {"order_amount_{W}": 1},
           T("促成订单行的净额，下单口径", "Net amount of the credited order lines, when placed"), "K", better="up"),
    Metric("conversion", T("咨询下单转化率", "Conversion"), "%", {"order_customers_{W}": 1},
           T("促成下单人数 ÷ 售前接待人数", "Converted customers ÷ pre-sale customers"), "K", {"presale_customers": 1}, "up"),
    Metric("average_order", T("客单价", "Average order value"), "yuan", {"order_amount_{W}": 1},
           T("促成下单金额 ÷ 促成下单人数", "Order amount ÷ converted customers"), "K", {"order_customers_{W}": 1}, "up"),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.key: metric for metric in _ENTRIES}


def _gap_fields() -> Iterable[str]:
    for metric in _ENTRIES:
        if not metric.live and metric.percentile is None:
            for window in WINDOWS:
                alone, unsaid = metric.gaps(window)
                yield from (alone, unsaid) if len(metric.fields()) > 1 else (unsaid,)  # of one counter nothing is half said


GAP_FIELDS = (IMPORTED_DAYS, *dict.fromkeys(_gap_fields()))
"""What sums of imported days have beside the counters, and nothing else has."""

# Column and tile orders of the pages (product.md); a page never spells its own.
OVERVIEW_TILES = (
    "seats_total", "seats_serving", "seats_online", "seats_suspended", "seats_offline", "visitors_online", "visitors_leave",
    "consults", "received", "answer_rate", "reply_30s_rate", "invite_rate", "rating_rate", "connect_rate", "satisfaction",
    "order_amount", "order_items", "resolution",
)  # fmt: skip
OVERVIEW_CHART = (
    ("visitors_online",), ("visitors_leave",), ("consults",), ("received",), ("received", "consults"), ("reply_30s_rate",),
    ("invite_rate",), ("rating_rate",), ("connect_rate",), ("satisfaction",), ("order_amount",), ("order_items",), ("resolution",),
)  # fmt: skip
SEAT_COLUMNS = (
    "capacity", "active", "saturation", "consults", "received", "unanswered", "invite_rate", "rated", "rating_rate",
    "answer_rate", "reply_30s_rate", "satisfaction", "order_amount", "order_items", "resolution",
)  # fmt: skip
SEAT_OPTIONAL = (
    "waiting", "longest_wait", "login_hours", "serving_hours", "first_reply", "first_reply_p90", "avg_reply", "session_minutes",
    "replies_per_session", "reply_ratio", "transfer_rate", "bad_rate", "orders", "order_customers", "average_order", "conversion",
    "leave_assigned", "leave_received", "leave_response",
)  # fmt: skip
WORKLOAD_COLUMNS = (
    "login_hours", "serving_hours", "consults", "received", "unanswered", "answer_rate", "reply_30s_rate", "satisfaction", "invite_rate",
    "replies_per_session", "session_minutes", "first_reply", "avg_reply", "leave_assigned", "leave_received", "leave_response",
    "resolution",
)  # fmt: skip
SALES_COLUMNS = ("presale_customers", "order_customers", "orders", "order_items", "order_amount", "conversion", "average_order")
RATING_COLUMNS = (
    "invited", "rated", "very_satisfied", "satisfied", "neutral", "dissatisfied", "very_dissatisfied", "satisfaction", "bad_rate",
    "resolved", "unresolved",
)  # fmt: skip
ATTENDANCE_COLUMNS = ("logins", "login_hours", "serving_hours", "suspended_hours")
ASSESSED_COLUMNS = (
    "consults", "leave_left", "received", "answer_rate", "reply_30s_rate", "satisfaction", "avg_reply", "leave_rate",
)  # fmt: skip
GROUP_COLUMNS = (
    "consults", "received", "unanswered", "answer_rate", "reply_30s_rate", "satisfaction", "invite_rate", "replies_per_session",
    "session_minutes", "first_reply", "avg_reply", "leave_left", "leave_assigned", "leave_received", "leave_response", "resolution",
)  # fmt: skip
_SALES_WORDS = {"order_items": T("促成商品数", "Items ordered"), "order_amount": T("促成金额", "Order amount")}
# Words a page or report of the original tool uses where they differ from the catalogue's: merchants look for them.
_PAGE_WORDS: dict[str, dict[str, T]] = {
    "overview": {"satisfaction": T("总满意率", "Overall satisfaction")},
    "seats": {
        "consults": T("总咨询量", "Consultations"),
        "received": T("总接待量", "Handled"),
        "order_amount": T("促成下单商品金额", "Order amount"),
    },
    "store_assessed": {"avg_reply": T("平均响应时间", "Average response time")},
    "sales": _SALES_WORDS,
    "agent_sales": _SALES_WORDS,
}


def label_on(page: str, key: str) -> T:
    """What a metric is called on a page ("overview", "seats") or in a report ("sales"): the catalogue's word unless it has its own."""
    return _PAGE_WORDS.get(page, {}).get(key, METRICS[key].label)


_PRESENCE, _VISITORS = frozenset(PRESENCE_FIELDS), frozenset(VISITOR_FIELDS)
# Metrics of people, who are told apart within a day only (and, those who order, within an agent's day).
VISITOR_METRICS = ("visitors_online", "visitors_leave", "connect_rate")
CUSTOMER_METRICS = ("presale_customers", "order_customers", "conversion", "average_order")


def is_from_files(numbers: Numbers) -> bool:
    """Whether these are days from files alone: no file knows how much customers have written."""
    return numbers.get(IMPORTED_DAYS, 0) > 0 and not numbers.get("customer_messages")


def is_known_by(key: str, parts: Collection[Part]) -> bool:
    """Whether a metric can be told apart by these parts of a store. Presence knows neither group nor channel, visitors are the
    store's, and a leave message has no agent yet when it is left: such a figure has no value there, which is not 0."""
    fields = METRICS[key].fields()
    if parts and fields & _VISITORS:
        return False
    if ("group" in parts or "channel" in parts) and fields & _PRESENCE:
        return False
    return "agent" not in parts or "leave_left" not in fields


HISTORY_METRICS = tuple(key for key, metric in METRICS.items() if not metric.live)


def values(numbers: Numbers, keys: Iterable[str], window: Window = "24h", pending: bool = False) -> dict[str, Value]:
    """{key: unrounded value} of the given metrics for one slice of counters."""
    if pending or IMPORTED_DAYS in numbers:
        return {key: METRICS[key].value(numbers, window, pending) for key in keys}
    return {key: read(numbers) for key, read in _readers(tuple(keys), window)}


@lru_cache(maxsize=64)
def _readers(keys: tuple[str, ...], window: Window) -> list[tuple[str, Callable[[Numbers], Value]]]:
    return [(key, _reader(METRICS[key], window)) for key in keys]


def _reader(metric: Metric, window: Window) -> Callable[[Numbers], Value]:
    """`Metric.value` of counters without imported days, for the many rows of a report: what does not depend on the row is decided here."""
    if metric.percentile is not None or metric.may_miss:
        return lambda numbers: metric.value(numbers, window)
    scale, top, bottom = _UNIT_SCALE[metric.unit], _adder(metric.top, window), _adder(metric.bottom, window)

    def ratio(numbers: Numbers) -> Value:
        below = bottom(numbers)
        return None if below <= 0 else top(numbers) / (below * scale)

    if metric.bottom:
        return ratio
    return top if scale == 1 else lambda numbers: top(numbers) / scale


def _adder(terms: Mapping[str, int], window: Window) -> Callable[[Numbers], int]:
    named = [(name.replace("{W}", window), factor) for name, factor in terms.items()]
    if len(named) == 1 and named[0][1] == 1:
        name = named[0][0]
        return lambda numbers: numbers.get(name, 0)
    return lambda numbers: sum([factor * numbers.get(name, 0) for name, factor in named])


def total(rows: Iterable[Numbers]) -> dict[str, int]:
    """Sum of counters over rows: what ratios are then taken of. `longest_wait_ms` takes the largest."""
    summed: dict[str, int] = {}
    for row in rows:
        _sum_up(summed, row)
    return summed


def _sum_up(summed: dict[str, int], row: Numbers) -> None:
    for name, number in row.items():
        summed[name] = summed.get(name, 0) + number if name != "longest_wait_ms" else max(summed.get(name, 0), number)


class Tally:
    """Rows gone through one at a time, for what is said of all of them: `whole`, their sum, and the 均值 row.

    A count or duration is divided by the number of rows that have any data, a ratio is the pooled ratio. A cap alone is a setting and
    no data: who has one and did nothing all day does not lower the others' mean, and neither does a row of which files do not say the
    figure. Source: the arithmetic of the original tool's mean rows, checked against its screens.
    """

    def __init__(self, keys: Iterable[str], window: Window = "24h", pending: bool = False) -> None:
        self.whole: dict[str, int] = {}
        self.rows = 0
        self._keys, self._window, self._pending = tuple(keys), window, pending
        self._with_data = 0
        self._silent = dict.fromkeys(self._keys, 0)

    def add(self, numbers: Numbers) -> None:
        self.rows += 1
        _sum_up(self.whole, numbers)
        if any(number for name, number in numbers.items() if name != "capacity"):
            self._with_data += 1
            if IMPORTED_DAYS in numbers:
                for key in self._keys:
                    self._silent[key] += METRICS[key].value(numbers, self._window) is None

    def mean(self) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key in self._keys:
            metric = METRICS[key]
            value = metric.value(self.whole, self._window, self._pending)
            if value is not None and not metric.is_ratio and not metric.largest:
                saying = self._with_data - (0 if metric.live else self._silent[key])
                value = value / saying if saying else None
            found[key] = value if self._with_data else None
        return found


def mean_values(rows: Iterable[Numbers], keys: Iterable[str], window: Window = "24h", pending: bool = False) -> dict[str, Value]:
    """The 均值 row (`Tally`)."""
    tally = Tally(keys, window, pending)
    for row in rows:
        tally.add(row)
    return tally.mean()
