"""Whether recorded days really ran under the routing settings that hold now, and when these changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select

from app.domain.kinds import fill
from app.domain.language import T
from app.domain.localtime import LocalTime
from app.domain.routing.scopes import Plan
from app.domain.routing_settings import AGENTS, GROUPS, LEAVE_RULE
from app.services.recorded import Recorded, told_agents
from app.storage import revisions, schema

if TYPE_CHECKING:
    from app.domain.documents import Body

_DOCUMENTS = GROUPS, AGENTS, LEAVE_RULE
_Numbers = tuple[int, ...]
"""Their revisions."""


class _Moment(NamedTuple):
    """A save of one or several documents; numbers: what holds from then on."""

    at: int
    author: str
    numbers: _Numbers


def note(connection: Connection, store: int, local: LocalTime, first: int, last: int, found: Recorded) -> T | None:
    """A sentence for days (both included) of which some really ran under settings by which sessions are given out otherwise than by those
    that hold; None where all ran under the same.

    What was in force is told by the decisions of the engine. On days when it decided nothing it is what was saved then, by the time of
    saving; past days of a simulated store were made under the first that was saved (docs/decisions/0016).
    """
    moments = _moments(connection, store)
    if not moments:
        return None
    begun, now = moments[0], moments[-1]
    rules = _rules(connection, store, found)
    changes = [after for before, after in pairwise(moments) if rules(before.numbers) != rules(after.numbers)]
    without = [day for day in found.unrouted if local.start_of_day(day + 1) <= begun.at] if not found.made_by_day else []
    if changes:
        held = _decided(connection, store, first, last, now.numbers)
        for day in found.unrouted:
            held |= {begun.numbers} if found.made_by_day else _saved(moments, local.start_of_day(day), local.start_of_day(day + 1))
        if any(rules(numbers) != rules(now.numbers) for numbers in held):
            what = T("{1} 于 {0} 更改过设置，这些天（或其中一部分）实际用的是另外的设置：与实际的比较，两边设置不同。",
                     "{1} last changed the settings on {0}, and some or all of these days really ran under others: the comparison with "
                     "what happened is between different settings.")  # fmt: skip
            return fill(what, _time(local, changes[-1]), changes[-1].author)
    if without:
        what = T("{1} 于 {0} 才首次保存咨询组，此前会话由来源按自己的规则分配：与实际的比较，两边规则不同。",
                 "{1} first saved groups on {0}; before, the source gave out sessions by rules of its own: the comparison with what "
                 "happened is between different rules.")  # fmt: skip
        return fill(what, _time(local, begun), begun.author)
    return None


def _time(local: LocalTime, moment: _Moment) -> str:
    return f"{local.local(moment.at):%Y-%m-%d %H:%M}"


def _moments(connection: Connection, store: int) -> list[_Moment]:
    """In order, from the first that groups were saved. Whatever clocks told, later revisions are later."""
    r = schema.settings_revisions.c
    keys = [document.key for document in _DOCUMENTS]
    wanted = select(r.at, r.document, r.revision, r.author).where(r.store_id == store, r.document.in_(keys)).order_by(r.revision)
    latest, saves = dict.fromkeys(keys, 0), []
    for at, document, revision, author in connection.execute(wanted):
        latest[document] = max(latest[document] + 1, at)
        saves.append((latest[document], revision, document, author))
    held = dict.fromkeys(keys, 0)
    found: list[_Moment] = []
    for at, revision, document, author in sorted(saves):
        held[document] = revision
        if found and found[-1].at == at:
            found.pop()
        if held[GROUPS.key]:
            found.append(_Moment(at, author, tuple(held.values())))
    return found


def _saved(moments: list[_Moment], start: int, end: int) -> set[_Numbers]:
    """What was in force at any time in [start, end)."""
    return {
        moment.numbers
        for moment, after in zip(moments, [*moments[1:], None], strict=True)
        if moment.at < end and (after is None or after.at > start)
    }


def _decided(connection: Connection, store: int, first: int, last: int, now: _Numbers) -> set[_Numbers]:
    """Of what was decided without a word of a document, what holds now is taken to have held."""
    s, d = schema.sessions.c, schema.decisions.c
    of_days = s.store_id == store, s.day >= first, s.day <= last
    told = select(d.groups_revision, d.agents_revision, d.leave_rule_revision).distinct()
    wanted = told.join(schema.sessions, d.session_id == s.id).where(*of_days)
    return {tuple(n if held is None else held for held, n in zip(row, now)) for row in connection.execute(wanted)}


def _rules(connection: Connection, store: int, found: Recorded) -> Callable[[_Numbers], object]:
    """What revisions come to for routing: equal where it decides alike, whatever else was saved with them."""
    known = told_agents(found)

    @cache
    def body(place: int, number: int) -> Body:
        saved = revisions.revision(connection, store, _DOCUMENTS[place], number)
        assert saved is not None, "revisions are never deleted"
        return saved.body

    @cache
    def rules(numbers: _Numbers) -> object:
        groups, agents, leave_rule = (body(place, number) for place, number in enumerate(numbers))
        return Plan.of(groups, agents, leave_rule, known).rules()

    return rules
