"""What a person looks for on the page, and what of it is told as chips."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, get_args

from app.domain.counters import Window
from app.domain.events import Sender
from app.domain.language import T, tr
from app.domain.localtime import SLOTS_PER_DAY
from app.domain.terms import WEEKDAYS
from ui.widgets.period import Period

if TYPE_CHECKING:
    from app.services.listings import Wanted

View = Literal["orders", "skus", "account", "sessions", "transcripts", "visitors"]
VIEWS: dict[View, T] = {
    "orders": T("促成订单", "Orders"),
    "skus": T("单品", "Items"),
    "account": T("订单核算", "Order check"),
    "sessions": T("客户咨询", "Sessions"),
    "transcripts": T("聊天记录", "Transcripts"),
    "visitors": T("访客", "Visitors"),
}
FILTERS: dict[View, frozenset[str]] = {
    "orders": frozenset({"period", "window", "text", "agent", "group", "team", "cancelled"}),
    "skus": frozenset({"period", "window", "text", "agent", "group", "team"}),
    "account": frozenset({"window", "order"}),
    "sessions": frozenset({"period", "text", "agent", "group", "team", "channel", "kind"}),
    "transcripts": frozenset({"period", "words", "agent", "group", "sender", "newest"}),
    "visitors": frozenset({"period", "text"}),
}
"""Which controls a view has."""
_KEPT = ("view", "agent", "group", "team", "channel", "kind", "cancelled", "newest", "sender")


@dataclass(frozen=True, slots=True)
class Choices:
    """ "" means all. text: part of a code or name; words: what a transcript is searched for; order: the one to be checked.

    What follows `newest` has no control of its own: another page asked for it, and a chip tells it. agents: any of these; hours,
    weekdays and grouped: as in Question; days: that the period was asked for.
    """

    view: View = "orders"
    period: Period = field(default_factory=Period)
    text: str = ""
    words: str = ""
    order: str = ""
    agent: str = ""
    group: str = ""
    team: str = ""
    channel: str = ""
    kind: str = ""
    cancelled: bool = False
    sender: Sender | Literal[""] = ""
    newest: bool = True
    only: str = ""
    agents: tuple[str, ...] = ()
    hours: tuple[int, int] | None = None
    weekdays: tuple[int, ...] = ()
    grouped: bool = False
    customer: str = ""
    sku: str = ""
    assessed: bool = False
    window: Window | Literal[""] = ""
    days: bool = False

    @property
    def lists(self) -> bool:
        """Whether the view is a listing."""
        return self.view not in ("account", "transcripts")

    @property
    def narrows(self) -> bool:
        """Whether anything but the days leaves rows out."""
        return self.without_filters() != self

    def without_filters(self) -> Choices:
        return Choices(self.view, self.period, order=self.order, newest=self.newest, cancelled=self.cancelled, days=self.days)

    def without(self, key: str) -> Choices:
        """Without what the chip of this key tells."""
        if key == "days":
            return replace(self, period=Period(), days=False)
        return replace(self, **{key: getattr(_NOTHING, key)})

    def known_to(self, agents: Container[str], groups: Container[str], teams: Container[str]) -> Choices:
        """Without whom and what this store does not have: they were chosen in another one."""
        given = (("agent", agents), ("group", groups), ("team", teams))
        gone: dict[str, Any] = {name: "" for name, known in given if getattr(self, name) not in known}
        return replace(self, **gone)

    def state(self) -> dict[str, Any]:
        """Made of plain JSON types, for `of_state`. What another page asked for and what was searched is for the moment."""
        return {**{name: getattr(self, name) for name in _KEPT}, "period": None if self.days else self.period.state()}

    @staticmethod
    def of_state(state: Mapping[str, Any]) -> Choices:
        """What of a `state()`, from another version too, still fits."""
        found: dict[str, Any] = {
            name: state[name] for name in _KEPT if name in state and type(state[name]) is type(getattr(_NOTHING, name))
        }  # fmt: skip
        if found.get("view") not in VIEWS:
            found.pop("view", None)
        if found.get("sender") not in ("", *get_args(Sender)):
            found.pop("sender", None)
        if (period := Period.of_state(state.get("period"))) is not None:
            found["period"] = period
        return Choices(**found)


_NOTHING = Choices()


def opened(where: Mapping[str, Any], choices: Choices) -> Choices:
    """What another page asks for (the fields of a Question to a listing, days as dates or ISO texts; or "view" with "order" or "words"),
    in place of what was chosen. What does not fit is passed over.
    """
    view = where.get("view", where.get("report"))
    found = Choices(view if view in VIEWS else choices.view, choices.period, newest=choices.newest)
    first, last = _day(where.get("first")), _day(where.get("last"))
    if first is not None and last is not None:
        found = replace(found, period=Period("custom", first, last), days=True)
    plain = {f.name for f in fields(Choices) if isinstance(getattr(_NOTHING, f.name), str)} - {"view"}
    told: dict[str, Any] = {name: where[name] for name in plain if isinstance(where.get(name), str)}
    agents, hours = where.get("agents"), where.get("hours")
    if isinstance(agents, list | tuple):
        told["agents"] = tuple(str(code) for code in agents)
    if isinstance(hours, list | tuple) and len(hours) == 2:
        told["hours"] = (int(hours[0]), int(hours[1]))
    if isinstance(where.get("weekdays"), list | tuple):
        told["weekdays"] = tuple(int(day) for day in where["weekdays"])
    told["grouped"] = where.get("grouped") is True
    told["assessed"] = where.get("population") == "assessed"
    return replace(found, **told)


def question_of(choices: Choices, days: tuple[date, date], window: Window) -> Wanted:
    """The question to the listing of the view; the reverse of `opened`."""
    from app.services.listings import Wanted

    narrowing = [name for name in ("agent", "group", "team", "channel", "kind") if name in FILTERS[choices.view]]
    chosen: dict[str, Any] = {name: getattr(choices, name) or None for name in narrowing}
    return Wanted(
        choices.view, *days, **chosen, population="assessed" if choices.assessed else "overall", window=window,
        agents=choices.agents, hours=choices.hours, weekdays=choices.weekdays, grouped=choices.grouped,
        only=choices.only if choices.view in ("sessions", "visitors") else "",
        customer=choices.customer or None, sku=choices.sku or None, order=choices.order or None, text=choices.text,
        cancelled=choices.cancelled,
    )  # fmt: skip


def chips(choices: Choices, names: Mapping[str, str], only: str) -> list[tuple[str, str]]:
    """(key, words) of what another page asked for. names: of agents, by code; only: the words of the choice of sessions."""
    view = FILTERS[choices.view]
    found = []
    if choices.only:
        found.append(("only", only))
    if choices.agents:
        first = names.get(choices.agents[0], choices.agents[0])
        many = len(choices.agents)
        found.append(("agents", first if many == 1 else tr(f"{first} 等 {many} 位客服", f"{first} and {many - 1} more")))
    if choices.days and choices.period.first is not None and choices.period.last is not None and "period" in view:
        if choices.agent:
            found.append(("agent", names.get(choices.agent, choices.agent)))
        first_day, last_day = f"{choices.period.first:%m-%d}", f"{choices.period.last:%m-%d}"
        found.append(("days", first_day if first_day == last_day else tr(f"{first_day}至{last_day}", f"{first_day} to {last_day}")))
    if choices.weekdays:
        found.append(("weekdays", tr("、", ", ").join(str(WEEKDAYS[day]) for day in choices.weekdays)))
    if choices.hours is not None:
        start, end = (f"{slot // 12:02}:{slot % 12 * 5:02}" for slot in (choices.hours[0], min(choices.hours[1], SLOTS_PER_DAY)))
        found.append(("hours", f"{start}–{end}"))
    if choices.grouped:
        found.append(("grouped", tr("属于任一咨询组", "Of any group")))
    if choices.assessed:
        found.append(("assessed", tr("考核口径", "Assessed")))
    for key, zh, en in (("customer", "客户", "Customer"), ("sku", "商品", "SKU"), ("order", "订单", "Order")):
        if getattr(choices, key) and not (key == "order" and choices.view == "account"):
            found.append((key, f"{tr(zh, en)} {getattr(choices, key)}"))
    return found


def _day(given: object) -> date | None:
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        return None
