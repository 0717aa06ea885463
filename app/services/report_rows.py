"""The rows of a report: counters summed over what each of them stands for, and the sentences that go with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from app.domain.counters import IMPORTED, PRESENCE_FIELDS, VISITOR_FIELDS, Counts, Window
from app.domain.language import T
from app.domain.localtime import day_date
from app.domain.metrics import CUSTOMER_METRICS, METRICS, VISITOR_METRICS, Part, Tally, Value, is_known_by, label_on, total
from app.services.attendance import Attended, attendance
from app.services.periods import Period, dimension, grain, periods
from app.services.questions import Asked
from app.services.report_kinds import By, Kind
from app.storage import schema
from app.storage.queries import Dimension, sums


@dataclass(frozen=True, slots=True)
class Place:
    """What a row narrows its question to; None where it does not."""

    first: date | None = None
    last: date | None = None
    agent: str | None = None
    group: str | None = None
    hours: tuple[int, int] | None = None


_ANYWHERE = Place()


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its key, what people call it, its summed counters, and what is said beside the metrics (`state` …).

    Rows of attendance have `first_login` and `last_logout` (epoch ms or None) and `stays` (list of attendance.Stay) in `extra`.
    """

    key: str
    label: str
    numbers: Counts
    extra: dict[str, Any]
    place: Place = _ANYWHERE

    @property
    def head(self) -> str:
        """What stands in the first column: the agent or group of a row that is one of several of theirs, else the key."""
        return head_of(self.key, self.extra)


def head_of(key: str, extra: Mapping[str, Any]) -> str:
    """`Row.head` of a row of which only these are at hand."""
    found: str = extra.get("agent") or extra.get("group") or key
    return found


class Summary:
    """Rows gone through one at a time, for what is said of all of them."""

    def __init__(self, keys: Iterable[str], window: Window, rows: Iterable[Row] = ()) -> None:
        self._tally = Tally(keys, window)
        self.lasting = False
        """Whether somebody is still in a state."""
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        self._tally.add(row.numbers)
        self.lasting = self.lasting or any(stay.running for stay in row.extra.get("stays", ()))

    @property
    def whole(self) -> Counts:
        return self._tally.whole

    @property
    def rows(self) -> int:
        return self._tally.rows

    def mean(self) -> dict[str, Value]:
        return self._tally.mean()


_Cells = dict[tuple[Period, int], Counts]
"""Counters by period and id, of an agent or a group; 0 where rows are periods alone."""
_ANY_DATA = (
    "consults", "agent_messages", "invited", "rated", "transferred_in", "transferred_out", "leave_left", "leave_assigned", "login_ms",
    "logins", *VISITOR_FIELDS,
)  # fmt: skip
"""Where any counter of a slot is not 0, one of these is not: a reply is a message, a sale has a reply, every state but offline is login."""
_AT_ONCE = 2_000
"""Rows that are read at once; one has two or three kilobytes."""
_PARTS: dict[str, Part] = {"agent": "agent", "agent_period": "agent", "group": "group", "group_period": "group"}


def parts_of(asked: Asked, kind: Kind) -> frozenset[Part]:
    """What the figures are told apart by, by filters or by rows."""
    return asked.parts | {_PARTS[kind.rows]} if kind.rows in _PARTS else asked.parts


def is_long(asked: Asked, kind: Kind, by: By | None) -> bool:
    """Whether its rows may be more than are read at once, so that whoever needs each of them only once had better not hold them."""
    return by is not None and kind.rows == "agent_period" and len(_parts(asked, by)) > 1


def read_rows(connection: Connection, asked: Asked, kind: Kind, by: By | None, keys: Sequence[str]) -> Iterator[list[Row]]:
    """All periods of the days asked for, also empty ones; of agents and groups those that have any data. Some thousands at a time where
    there may be many.

    Their numbers have what the metrics `keys` are made of, and whether there is any data at all.
    """
    if by is None:
        yield _by_name(connection, asked, kind, keys)
    elif kind.rows == "period":
        cut = periods(by, asked.first, asked.last)
        found = _sums(connection, asked, (dimension(by),), keys)
        cells: _Cells = {(p, asked.agent or 0): total(found.get(i, {}) for i in range(p.first, p.past)) for p in cut}
        yield _made(connection, asked, kind, by, cut, cells)
    elif kind.rows == "group_period":
        cut = periods(by, asked.first, asked.last)
        yield _made(connection, asked, kind, by, cut, _groups_crossed(connection, asked, by, cut, keys))
    else:
        for part in _parts(asked, by):
            some = replace(asked, first=part[0].first, last=part[-1].past - 1)
            yield _made(connection, some, kind, by, part, _agents_crossed(connection, some, by, part, keys))


def _parts(asked: Asked, by: By) -> list[list[Period]]:
    """The periods of a report of agents, so many at a time that they make some thousands of rows."""
    cut = periods(by, asked.first, asked.last)
    agents = 1 if asked.agent is not None else max(1, len(asked.agents if asked.chosen is None else asked.chosen))
    step = max(1, _AT_ONCE // agents)
    return [cut[i : i + step] for i in range(0, len(cut), step)]


def _made(connection: Connection, asked: Asked, kind: Kind, by: By, cut: Sequence[Period], cells: _Cells) -> list[Row]:
    stays: dict[tuple[int, int], Attended] = {}
    if kind.timeline:
        agents = [id for id in asked.agents if asked.has(id)]
        stays = attendance(connection, agents, asked.local, asked.first, asked.last, asked.at)
        if kind.rows != "period":
            day = {period.first: period for period in cut}
            here = {key for key, counts in cells.items() if counts.keys() & set(PRESENCE_FIELDS)}
            cells = {key: cells.get(key, {}) for key in here | {(day[number], agent) for agent, number in stays}}
    rows: list[tuple[tuple[int | str, ...], Row]] = []
    for (period, id), counts in cells.items():
        place, row = _row(asked, kind, by, period, id, counts)
        if kind.timeline:
            attended = stays.get((id, period.first), Attended())
            row.extra.update(first_login=attended.first_login, last_logout=attended.last_logout, stays=attended.stays)
        rows.append((place, row))
    rows.sort(key=itemgetter(0))
    return [row for _, row in rows]


def _row(asked: Asked, kind: Kind, by: By, period: Period, id: int, counts: Counts) -> tuple[tuple[int | str, ...], Row]:
    """A row and what it is ordered by: days with their agents, groups with their hours."""
    if grain(by) == "slot":
        hours, first, last = (period.first, period.past), None, None
    else:
        hours, first, last = None, day_date(period.first), day_date(period.past - 1)
    if kind.rows == "period":
        return (period.first,), Row(period.label, period.label, counts, {}, Place(first, last, hours=hours))
    if kind.rows == "agent_period":
        code, name = asked.agents[id]
        extra = {"agent": code, "name": name, "day": period.label}
        return (period.first, code), Row(f"{period.label} {code}", name, counts, extra, Place(first, last, code, None, hours))
    code, name = asked.groups[id]
    extra = {"group": code, "name": name, "period": period.label}
    return (code, period.first), Row(f"{period.label} {code}", name, counts, extra, Place(first, last, None, code, hours))


def _by_name(connection: Connection, asked: Asked, kind: Kind, keys: Sequence[str]) -> list[Row]:
    rows = []
    for id, counts in _sums(connection, asked, ("agent_id" if kind.rows == "agent" else "group_id",), keys).items():
        code, name = (asked.agents if kind.rows == "agent" else asked.groups).get(id, ("", ""))
        if code:
            place = Place(agent=code) if kind.rows == "agent" else Place(group=code)
            rows.append(Row(code, name, counts, {"name": name}, place))
    return sorted(rows, key=lambda row: row.key)


def _agents_crossed(connection: Connection, asked: Asked, by: By, cut: Sequence[Period], keys: Sequence[str]) -> _Cells:
    if by == "day":
        day = {period.first: period for period in cut}
        found = _sums(connection, asked, ("agent_id", "day"), keys)
        return {(day[number], id): counts for (id, number), counts in found.items() if id in asked.agents}
    cells: _Cells = {}
    for period in cut:  # one by one: whole weeks are kept ready
        some = replace(asked, first=period.first, last=period.past - 1)
        for id, counts in _sums(connection, some, ("agent_id",), keys).items():
            if id in asked.agents:
                cells[period, id] = counts
    return cells


def _groups_crossed(connection: Connection, asked: Asked, by: By, cut: Sequence[Period], keys: Sequence[str]) -> _Cells:
    period_of = {number: period for period in cut for number in range(period.first, period.past)}
    gathered: dict[tuple[Period, int], list[Counts]] = {}
    for (id, number), counts in _sums(connection, asked, ("group_id", dimension(by)), keys).items():
        if id in asked.groups:
            gathered.setdefault((period_of[number], id), []).append(counts)
    return {key: total(parts) for key, parts in gathered.items()}


def _sums(connection: Connection, asked: Asked, by: Sequence[Dimension], keys: Sequence[str]) -> dict[Any, Counts]:
    histograms = any(METRICS[key].percentile is not None for key in keys)
    if asked.slice.grain(by) in ("agent", "day"):
        return sums(connection, asked.slice, by, histograms)
    # So many rows are summed where times matter that every column tells.
    fields = {name for key in keys for name in METRICS[key].fields(asked.window)}.union(_ANY_DATA)
    return sums(connection, asked.slice, by, histograms, fields=fields)


def notes_of(connection: Connection, asked: Asked, kind: Kind, by: By | None, keys: Sequence[str], summary: Summary) -> list[T]:
    """What one should know to read the figures, in whole sentences."""
    notes: list[T] = []
    parts = parts_of(asked, kind)
    report = asked.question.report
    unknown = [label_on(report, key) for key in keys if not is_known_by(key, parts)]
    if unknown:
        notes.append(
            _listed(
                unknown,
                "{0}：不按此处的客服、咨询组或终端区分，没有数值。",
                "{0}: not told apart by the agent, group or terminal here, so there is no value.",
            )
        )
    several_days = asked.first != asked.last
    several_agents = asked.agent is None and kind.rows in ("period", "agent", "agent_period")
    people = [
        label_on(report, key)
        for key in keys
        if is_known_by(key, parts)
        and ((key in VISITOR_METRICS and several_days) or (key in CUSTOMER_METRICS and (several_days or several_agents)))
    ]
    if people:
        notes.append(
            _listed(
                people,
                "{0}：先按天（下单与售前人数按客服和天）去重再相加，同一客户在多天或多位客服处会重复计入。",
                "{0}: distinct within a day (buyers and pre-sale customers within an agent's day), then added up, so that a customer of "
                "several days or agents counts several times.",
            )
        )
    if kind.rows in ("agent", "agent_period") and asked.agent is None and asked.chosen is None and "consults" in keys:
        nobody = sums(connection, replace(asked.slice, agent=0), fields=("consults",)).get((), {}).get("consults", 0)
        if nobody:
            words = T("另有 {0} 个会话没有分到客服，只计入店铺。", "{0} more sessions got no agent and count for the store only.")
            notes.append(words.format(f"{nobody:,}"))
    known = [key for key in keys if is_known_by(key, parts)]
    notes += _imported_notes(connection, asked, by is not None and grain(by) == "slot", known, summary.whole)
    if asked.last >= asked.local.day(asked.at):
        notes.append(T("包含今天：数字还会变化。", "Today is included: its numbers are not final."))
    if summary.lasting:
        notes.append(T("仍在持续的状态在结束后才计入时长。", "A state that lasts on adds to the hours once it has ended."))
    return notes


def _imported_notes(connection: Connection, asked: Asked, by_time: bool, keys: Sequence[str], whole: Counts) -> list[T]:
    d = schema.day_counters.c
    found = select(d.day).where(d.store_id == asked.store.id, d.day >= asked.first, d.day <= asked.last, d.flag == IMPORTED)
    agents = [id for id in asked.agents if asked.has(id)]
    if asked.agent is not None or asked.chosen is not None:
        found = found.where(d.agent_id.in_(agents))
    if connection.execute(found.limit(1)).first() is None:
        return []
    if asked.question.population == "assessed":
        return [T("导入的数据没有时段，不计入考核。", "Imported days have no times and are not in the assessed numbers.")]
    if by_time:
        return [T("导入的数据没有时段，不在此表中。", "Imported days have no times and are not in this table.")]
    if asked.group is not None or asked.channel is not None:
        return [T("导入的数据不分咨询组和终端，不在此表中。", "Imported days know no group or terminal and are not in this table.")]
    notes = [T("含导入的数据：没有可点开的会话。", "Imported days are included: there are no sessions behind them.")]
    if any(METRICS[key].percentile is not None for key in keys):
        notes.append(T("导入的数据没有首次响应P90。", "Imported days have no first response P90."))
    missing = [label_on(asked.question.report, key) for key in keys if any(whole.get(name) for name in METRICS[key].gaps(asked.window))]
    if missing:
        notes.append(
            _listed(
                missing,
                "{0}：部分导入的文件没有这些数据，只按有数据的天计算。",
                "{0}: some imported files do not say it; only the days that do are counted.",
            )
        )
    return notes


def _listed(labels: Sequence[T], zh: str, en: str) -> T:
    return T(zh.format("、".join(label.zh for label in labels)), en.format(", ".join(label.en for label in labels)))
