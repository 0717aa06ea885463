"""Try before apply: recorded days under edited settings, beside the same days under the current ones."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from threading import Event
from typing import TYPE_CHECKING, Any

from app.domain.kinds import Change, calling, fill
from app.domain.language import T
from app.domain.localtime import LocalTime, day_date, day_number
from app.domain.naming import told_apart
from app.domain.outcomes import GroupLoad, Outcomes
from app.domain.replay import replay
from app.domain.routing.scopes import Plan
from app.domain.routing_settings import AGENTS, GROUPS, LEAVE_RULE
from app.services import earlier_settings
from app.services.questions import iso
from app.services.recorded import Recorded, cancelled, derived_groups, last_recorded, read_recorded, told_agents
from app.storage.faults import FaultError
from app.storage.revisions import InvalidError, Saved, current

if TYPE_CHECKING:
    from app.domain.documents import Body, Document
    from app.services.sheets import Tell
    from app.services.workspace import StoreInfo, Workspace

DAYS = 7
"""Days that are replayed where none are chosen: the last whole ones."""
LONGEST_DAYS = 31
_DOCUMENTS: tuple[Document, ...] = (GROUPS, AGENTS, LEAVE_RULE)


@dataclass(frozen=True, slots=True)
class Replay:
    """tried: what the days come to under the settings that were given; current: under those that hold (the same where none were given).

    names: of agents, by code. notes: sentences one should know to read the figures. changes: what was tried, against what holds.
    revisions: those that hold, by document.
    """

    first: date
    last: date
    tried: Outcomes
    current: Outcomes
    names: Mapping[str, str]
    zone: str
    notes: list[T] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    revisions: Mapping[str, int] = field(default_factory=dict)

    @property
    def unchanged(self) -> bool:
        return self.tried is self.current

    def tried_groups(self) -> list[GroupLoad]:
        """Those of the settings tried, then those that they no longer have, without anything."""
        here = {load.group for load in self.tried.groups}
        return [*self.tried.groups, *(GroupLoad(load.group, load.name) for load in self.current.groups if load.group not in here)]

    def likeness_words(self) -> T | None:
        """How closely the unchanged settings reproduce what really happened; None where nobody really had a session."""
        found = self.current.likeness
        if found is None:
            return None
        what = T("按现行设置重演，各客服的会话数与实际 {0} 相符，{1} 的会话由同一位客服接待；平均等待 {2}，实际 {3}。",
                 "Replayed under the current settings, the sessions per agent agree with what really happened by {0}, and {1} of the "
                 "sessions go to the same agent; the mean wait is {2}, in fact {3}.")  # fmt: skip
        shares = f"{found.loads:.1%}", f"{found.same_agent:.1%}"
        return fill(what, *shares, _seconds(self.current.waits.mean), _seconds(found.real_waits.mean))

    def as_json(self) -> dict[str, Any]:
        """As the events contract has it; times as ISO texts, waits in seconds, shares as fractions."""
        found = {**self._part(self.tried), "current": self._part(self.current), "notes": [str(note) for note in self.notes]}
        if self.tried.fates:
            found["sessions"] = [
                {
                    "session": fate.session, "group": fate.group or None, "agent": fate.agent, "outcome": fate.outcome,
                    "wait_s": fate.wait_ms / 1000, "reason": fate.reason,
                }
                for fate in self.tried.fates
            ]  # fmt: skip
        return found

    def _part(self, o: Outcomes) -> dict[str, Any]:
        local = LocalTime(self.zone)
        summary = {
            "from": self.first.isoformat(), "to": self.last.isoformat(),
            "sessions": o.sessions, "assigned": o.assigned, "waited": o.waited, "overflow": o.overflow, "leave": o.leave,
            "returning": o.returning, "handed_over": o.handed_over, "unassigned": o.unassigned,
            "mean_wait_s": o.waits.mean, "p90_wait_s": o.waits.p90, "longest_wait_s": o.waits.longest,
            "busiest": o.busiest, "busiest_at": iso(local, o.busiest_at),
            "likeness": None if o.likeness is None else asdict(o.likeness),
            "half_hours": [{**asdict(half_hour), "at": iso(local, half_hour.at)} for half_hour in o.half_hours],
        }  # fmt: skip
        agents = [
            {
                "agent": load.agent, "name": self.names.get(load.agent, load.agent), "sessions": load.sessions, "peak": load.peak,
                "share": load.share, "half_hours": list(load.half_hours),
            }
            for load in o.agents
        ]  # fmt: skip
        groups = [
            {
                "group": load.group or None, "name": load.name, "sessions": load.sessions, "assigned": load.assigned,
                "overflow": load.overflow, "waited": load.waited, "leave": load.leave, "mean_wait_s": load.mean_wait,
                "longest_wait_s": load.longest_wait,
            }
            for load in o.groups
        ]  # fmt: skip
        return {"summary": summary, "agents": agents, "groups": groups}


class ReplayService:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def run(
        self, store: StoreInfo, first: date | None = None, last: date | None = None, groups: Any = None, agents: Any = None,
        detail: bool = False, tell: Tell | None = None, stop: Event | None = None,
    ) -> Replay:  # fmt: skip
        """Days (both included; the last 7 whole ones where not given) under the bodies of the documents `groups` and `agents`.

        What is not given, or given as it is saved, is as it holds now. Where a store has never saved a document, what it would say is
        derived from the record, and the notes say so. tell(done, of), in sessions read and decided. Raises NotAllowedError; InvalidError
        as saving these bodies would; FaultError for days that cannot be replayed, and of kind "cancelled" when `stop` is set meanwhile.
        """
        self._workspace.actor.require(GROUPS.permission)
        days = self._days(store, first, last)
        with _uncollected():
            found = self._replay(store, days, groups, agents, detail, tell, stop)
        if last is not None and days[1] < last:
            what = T("{0} 还没到：只试算到 {1}。", "{0} is still to come: the days up to {1} were replayed.")
            found.notes.append(fill(what, str(last), str(days[1])))
        return found

    def _replay(
        self, store: StoreInfo, days: tuple[date, date], groups: Any, agents: Any, detail: bool, tell: Tell | None, stop: Event | None
    ) -> Replay:  # fmt: skip
        with self._workspace.database.read() as connection:
            saved = {document.key: current(connection, store.id, document) for document in _DOCUMENTS}
            given = {}
            for document, body in ((GROUPS, groups), (AGENTS, agents)):
                if body is not None:
                    faults = document.validate(body, saved[document.key].body)
                    if faults:
                        raise InvalidError(faults)
                    whole = document.complete(body)
                    if whole != saved[document.key].body:  # what nobody changed is as it holds, be it only derived
                        given[document.key] = whole
            progress = _Progress(tell, 2 if given else 1)
            local = self._workspace.local(store)
            first, last = map(day_number, days)
            found = read_recorded(connection, store.id, local, first, last, progress.read, stop)
            since = earlier_settings.note(connection, store.id, local, first, last, found)
        if not found.recording.sessions:
            raise FaultError("refused", T("这些天没有会话，无法试算。请换几天。", "There are no sessions on these days; choose others."))
        now = self._run(found, _plan(found, saved, {}), detail and not given, progress, stop)
        tried = self._run(found, _plan(found, saved, given), detail, progress, stop) if given else now
        notes = _notes(found, saved, since if now.likeness is not None else None)
        names = told_apart(found.names.items())
        with calling(names):
            changes = [
                change
                for document in _DOCUMENTS
                if document.key in given
                for change in document.difference(saved[document.key].body, given[document.key])
            ]
        revisions = {key: held.revision for key, held in saved.items()}
        return Replay(*days, tried, now, names, store.zone, notes, changes, revisions)

    def _run(self, found: Recorded, plan: Plan, detail: bool, progress: _Progress, stop: Event | None) -> Outcomes:
        outcomes = replay(found.recording, plan, detail, progress.decided, None if stop is None else stop.is_set)
        if outcomes is None:
            raise cancelled()
        progress.next()
        return outcomes

    def _days(self, store: StoreInfo, first: date | None, last: date | None) -> tuple[date, date]:
        """Those asked for, up to today or whatever is recorded later."""
        local = self._workspace.local(store)
        today = local.day(self._workspace.now(store))
        past = last or (day_date(today - 1) if first is None or day_number(first) < today else first)
        if day_number(past) > today:
            with self._workspace.database.read() as connection:
                past = day_date(max(today, last_recorded(connection, store.id, day_number(past))))
        begin = first or day_date(day_number(past) - DAYS + 1)
        if last is not None and begin > last:
            raise FaultError(
                "refused", fill(T("开始日期 {0} 在结束日期 {1} 之后", "The first day {0} is after the last, {1}"), str(begin), str(last))
            )
        if begin > past:
            what = T("{0} 还没到，请选择今天或以前的日期。", "{0} is still to come; choose today or days before.")
            raise FaultError("refused", fill(what, str(begin)))
        if day_number(past) - day_number(begin) >= LONGEST_DAYS:
            raise FaultError("refused", fill(T("一次最多试算 {0} 天", "At most {0} days can be replayed at once"), LONGEST_DAYS))
        return begin, past


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for cycles, which walks all that was read again and again and finds none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Progress:
    """Of reading and one or two passes: all together three or two times the sessions."""

    def __init__(self, tell: Tell | None, passes: int) -> None:
        self._tell, self._parts = tell, passes + 1
        self._each, self._done = 0, 0

    def read(self, done: int, count: int | None) -> None:
        self._each = self._done = max(done, count or 0)
        if self._tell is not None:
            self._tell(done, self._each * self._parts)

    def decided(self, done: int) -> None:
        if self._tell is not None:
            self._tell(self._done + done, self._each * self._parts)

    def next(self) -> None:
        self._done += self._each


def _plan(found: Recorded, saved: Mapping[str, Saved], given: Mapping[str, Body]) -> Plan:
    """The documents given, else those saved. Groups that were never saved are what the record says."""
    groups, agents, leave_rule = (given.get(document.key) or saved[document.key].body for document in _DOCUMENTS)
    plan = Plan.of(groups, agents, leave_rule, told_agents(found))
    unsaid = GROUPS.key not in given and saved[GROUPS.key].revision == 0
    return Plan(derived_groups(found), list(plan.agents.values()), plan.designated) if unsaid else plan


def _notes(found: Recorded, saved: Mapping[str, Saved], settings_since: T | None) -> list[T]:
    """settings_since: what has become of the settings since these days."""
    notes = [] if settings_since is None else [settings_since]
    if saved[GROUPS.key].revision == 0:
        notes.append(
            T("还没有保存过咨询组设置：现行设置按记录推算，会话去它们实际所在的组，成员为接待过该组会话的客服，权重相同。",
              "No groups were ever saved: the current settings are derived from the record. Sessions go to the group they were in, whose "
              "members are those who served any there, with equal weights.")
        )  # fmt: skip
    if not found.recording.is_anybody_here():
        notes.append(
            T("这些天没有出勤记录，所有人都按离线计：会话全部成为留言。",
              "There is no presence on these days, so everybody counts as offline and every session becomes a leave message.")
        )  # fmt: skip
    return notes


def _seconds(value: float | None) -> T:
    return T("--", "--") if value is None else T(f"{value:.1f} 秒", f"{value:.1f} s")
