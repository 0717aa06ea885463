"""What can be asked: a question, its names looked up, and the refusals of what makes no sense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from app.domain.assessment import AssessedRule
from app.domain.conversation import CHANNELS
from app.domain.counters import Window
from app.domain.events import EARLIEST, LATEST
from app.domain.language import T, tr
from app.domain.localtime import DAY_MS, LocalTime, day_number
from app.domain.metrics import METRICS, Part
from app.domain.naming import told_apart
from app.domain.settings import ORDER_WINDOW
from app.services.report_kinds import By, Kind, Population
from app.storage import revisions, schema
from app.storage.faults import FaultError
from app.storage.queries import Slice

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Days are inclusive and in the store's zone; None means yesterday (for the live reports: today).

    window None is the store's own setting. agents and team narrow further than agent, all that is given must hold. channel is a name of
    conversation.CHANNELS. What follows `channel` chooses sessions, so only listings take it: hours are [first, past) in slots of the day,
    weekdays 0 for Monday to 6, any of these; only is a name of drill.ONLY; grouped leaves out what belongs to no group.
    """

    report: str
    first: date | None = None
    last: date | None = None
    agent: str | None = None
    group: str | None = None
    by: By | None = None
    population: Population = "overall"
    window: Window | None = None
    at: int | None = None
    metrics: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    team: str | None = None
    channel: str | None = None
    hours: tuple[int, int] | None = None
    only: str = ""
    weekdays: tuple[int, ...] = ()
    grouped: bool = False


@dataclass(slots=True)
class Asked:
    """A question with its names looked up; `question.window` is set. `chosen` are the agents that `agents` and `team` leave.

    agents, groups: (code, what people call them) by id; namesakes among agents are told apart by their codes.
    """

    question: Question
    store: StoreInfo
    local: LocalTime
    at: int
    first: int
    last: int
    agent: int | None
    group: int | None
    agents: dict[int, tuple[str, str]]
    groups: dict[int, tuple[str, str]]
    teams: dict[int, str]
    chosen: tuple[int, ...] | None
    channel: int | None
    rule: AssessedRule

    @property
    def window(self) -> Window:
        return self.question.window or "24h"

    @property
    def slice(self) -> Slice:
        """The counters asked for; `hours` are left to the listings."""
        assessed = self.question.population == "assessed"
        slots = self.rule.slots if assessed and self.rule.slots[0] != self.rule.slots[1] else None
        return Slice(
            self.store.id, self.first, self.last, self.agent, self.group, slots,
            self.rule.flags if assessed else None, self.chosen, self.channel, assessed,
        )  # fmt: skip

    @property
    def names(self) -> dict[str, str]:
        """What people call the agents and the group that are asked for, by code."""
        wanted = {self.question.agent, self.question.group, *self.question.agents}
        return {code: name for code, name in (*self.agents.values(), *self.groups.values()) if code in wanted}

    def has(self, agent: int) -> bool:
        """Whether an agent is among those asked for."""
        return self.agent in (None, agent) and (self.chosen is None or agent in self.chosen)

    @property
    def parts(self) -> frozenset[Part]:
        found: set[Part] = set()
        if self.agent is not None or self.chosen is not None:
            found.add("agent")
        if self.group is not None:
            found.add("group")
        if self.channel is not None:
            found.add("channel")
        return frozenset(found)


def look_up(workspace: Workspace, connection: Connection, store: StoreInfo, question: Question) -> Asked:
    """The question with its names, days, order window and assessed rule looked up. Raises FaultError for what is not there."""
    local = LocalTime(store.zone)
    at = workspace.now(store) if question.at is None else question.at
    yesterday = local.day(at) - 1
    first = yesterday if question.first is None else day_number(question.first)
    last = (yesterday if question.first is None else max(first, yesterday)) if question.last is None else day_number(question.last)
    if question.first is None and question.last is not None:
        first = last
    if first > last:
        raise FaultError("refused", tr("开始日期晚于结束日期", "The first day is after the last"))
    if last - first > 3700:
        raise FaultError("refused", tr("时间范围不能超过十年", "A period cannot be longer than ten years"))
    a, g = schema.agents.c, schema.skill_groups.c
    known = connection.execute(select(a.id, a.code, a.name, a.team).where(a.store_id == store.id)).all()
    called = told_apart((row.code, row.name) for row in known)
    agents = {row.id: (row.code, called[row.code]) for row in known}
    teams = {row.id: row.team for row in known}
    groups = {r.id: (r.code, r.name or r.code) for r in connection.execute(select(g.id, g.code, g.name).where(g.store_id == store.id))}
    agent = _find(agents, question.agent, T("客服", "agent"))
    group = _find(groups, question.group, T("咨询组", "group"))
    if question.window is None:
        question = replace(question, window=revisions.current(connection, store.id, ORDER_WINDOW).body["window"])
    rule = revisions.assessed_rule(connection, store.id)
    chosen = _chosen(agents, teams, question)
    return Asked(
        question, store, local, at, first, last, agent, group, agents, groups, teams, chosen, _channel(question.channel), rule
    )  # fmt: skip


def check(kind: Kind, question: Question, keys: Sequence[str]) -> None:
    """Raises FaultError for what this report cannot answer, whatever the store holds."""
    name = question.report
    for key in keys:
        check_metric(key)
        if not kind.live and METRICS[key].live:
            raise FaultError(
                "refused", tr(f"{key} 只有实时数据，不能用于报表 {name}", f"{key} is known of this moment only, not in report {name}")
            )
    check_times(question)
    if question.by is not None and question.by not in kind.by:
        raise FaultError("refused", tr(f"报表 {name} 不能按 {question.by} 分", f"Report {name} has no --by {question.by}"))
    if kind.needs_agent and question.agent is None:
        raise FaultError("refused", tr("请用 --agent 指定客服", "Say which agent with --agent"))
    unfit = _unfit(kind, question)
    if unfit:
        raise FaultError("refused", tr(f"报表 {name} 不接受 {'、'.join(unfit)}", f"Report {name} does not take {', '.join(unfit)}"))


def settled(kind: Kind, question: Question) -> Question:
    """The question with the only population a report is about."""
    return question if kind.population is None else replace(question, population=kind.population)


def check_metric(key: str) -> None:
    if key not in METRICS:
        raise FaultError("refused", tr(f"没有这个指标：{key}", f"There is no metric {key}"))


def check_times(question: Question) -> None:
    """Times that no event can have are a slip of the pen."""
    moments = [] if question.at is None else [question.at]
    moments += [day_number(day) * DAY_MS for day in (question.first, question.last) if day is not None]
    if not all(EARLIEST <= moment < LATEST for moment in moments):
        raise FaultError("refused", tr("日期和时间须在2000年至2099年之间", "Days and times lie in the years 2000 to 2099"))


def iso(local: LocalTime, at: int | None) -> str | None:
    return None if at is None else local.local(at).isoformat(timespec="milliseconds")


def _unfit(kind: Kind, question: Question) -> list[str]:
    """What is asked that this report cannot heed, as the command line calls it."""
    q = question
    given = {
        "--from": q.first is not None, "--to": q.last is not None, "--population": q.population != "overall",
        "--agent": q.agent is not None, "--agents": bool(q.agents), "--team": q.team is not None, "--channel": q.channel is not None,
        "--hours": q.hours is not None, "--only": bool(q.only), "--weekdays": bool(q.weekdays), "--grouped": q.grouped,
    }  # fmt: skip
    refused = {"--hours", "--only", "--weekdays", "--grouped"}
    if kind.live:
        refused |= {"--from", "--to", "--population", "--channel"}
    if kind.rows == "store":
        refused |= {"--agent", "--agents", "--team"}
    return [name for name, is_given in given.items() if is_given and name in refused]


def _chosen(agents: dict[int, tuple[str, str]], teams: dict[int, str], question: Question) -> tuple[int, ...] | None:
    if not question.agents and question.team is None:
        return None
    if question.team is not None and question.team not in teams.values():
        raise FaultError("refused", tr(f"没有这个行政组：{question.team}", f"There is no team {question.team}"))
    named = {_find(agents, code, T("客服", "agent")) for code in question.agents} or set(agents)
    return tuple(id for id in agents if id in named and question.team in (None, teams[id]))


def _channel(name: str | None) -> int | None:
    if name is None:
        return None
    if not name or name not in CHANNELS:
        raise FaultError("refused", tr(f"没有这个终端：{name}", f"There is no channel {name}"))
    return CHANNELS.index(name)


def _find(names: dict[int, tuple[str, str]], code: str | None, what: T) -> int | None:
    if code is None:
        return None
    for id, (known, _) in names.items():
        if known == code:
            return id
    raise FaultError("refused", tr(f"没有这个{what.zh}：{code}", f"There is no {what.en} {code}"))
