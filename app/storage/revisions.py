"""Revisions of a store's settings documents: read, and saved one after another without losing anybody's.

A save is one transaction under the store's lock: it looks at what is current, writes the next revision with all that follows from it, and
announces it. So of two who save at once one is told, and after a crash there is either all of it or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select

from app.domain import assessment
from app.domain.documents import Body, Document
from app.domain.kinds import Change, Fault, fill, joined
from app.domain.language import T
from app.domain.localtime import LocalTime
from app.domain.settings import ASSESSMENT
from app.storage import schema
from app.storage.agent_days import rebuild_assessed
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import announce, lock_store
from app.storage.stores import present

_NAMED = 5
"""Revisions and places that a sentence names."""


class Saved(NamedTuple):
    """A revision. `at` is epoch ms by the store's clock, as with decisions and commands; 0 is the number of the defaults, which nobody has
    saved: no author, `at` None."""

    revision: int
    body: Body
    author: str = ""
    at: int | None = None
    note: str = ""


class InvalidError(FaultError):
    """A body that breaks its declaration; `str()` has one line per fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("refused", T("\n".join(f.path + ": " * bool(f.path) + f.sentence.zh for f in faults),
                                      "\n".join(f.path + ": " * bool(f.path) + f.sentence.en for f in faults)))  # fmt: skip
        self.faults = list(faults)


class StaleError(FaultError):
    """Somebody has saved since the revision that a change was made on.

    base: that revision. meanwhile: those saved after it, the oldest first, the last being current. changes: from base to current.
    """

    def __init__(self, document: Document, base: Saved, meanwhile: Sequence[Saved], changes: Sequence[Change], local: LocalTime) -> None:
        super().__init__("refused", _stale_sentence(document, base, meanwhile, changes, local))
        self.document = document
        self._told = document, base, meanwhile, changes, local
        self.base = base
        self.meanwhile = list(meanwhile)
        self.changes = list(changes)

    def of_restoring(self) -> StaleError:
        """The same, told to somebody who wanted an earlier revision back."""
        told = StaleError(*self._told)
        told.sentence = _stale_sentence(*self._told, _NOT_RESTORED)
        return told


_NOT_SAVED = T(
    "没有保存，{3}的第 {0} 版已不是最新：{1}；改动：{2}。请查看差异后再保存。",
    "Not saved, {3}: revision {0} is no longer current: {1}; changed: {2}. Look at the difference, then save again.",
)
_NOT_RESTORED = T(
    "没有恢复，{3}的第 {0} 版已不是最新：{1}；改动：{2}。请看恢复会带来哪些变化，再恢复。",
    "Not restored, {3}: revision {0} is no longer current: {1}; changed: {2}. Look at what would change, then restore again.",
)


def _stale_sentence(
    document: Document, base: Saved, meanwhile: Sequence[Saved], changes: Sequence[Change], local: LocalTime, sentence: T = _NOT_SAVED
) -> T:
    who = [
        fill(
            T("{0} 于 {1} 保存了第 {2} 版{3}", "{0} saved revision {2} at {1}{3}"),
            *(saved.author, f"{local.local(saved.at):%Y-%m-%d %H:%M}", saved.revision),
            fill(T("（{0}）", " ({0})"), saved.note) if saved.note else "",
        )
        for saved in meanwhile[-_NAMED:]
        if saved.at is not None
    ]
    places = [change.label for change in changes[:_NAMED]]
    if len(changes) > _NAMED:
        places.append(fill(T("另有 {0} 处", "{0} more"), len(changes) - _NAMED))
    said = joined(places) if places else T("无", "nothing")
    return fill(sentence, base.revision, joined(who, "；", "; "), said, document.title)


_r = schema.settings_revisions.c


def current(connection: Connection, store: int, document: Document) -> Saved:
    """What holds now: one row, found by its key."""
    found = connection.execute(_of(store, document).limit(1)).first()
    return Saved(0, document.default()) if found is None else _saved(document, found)


def number(connection: Connection, store: int, document: Document) -> int:
    """Of the current revision, 0 where nothing was saved."""
    where = _r.store_id == store, _r.document == document.key
    return connection.execute(select(func.max(_r.revision)).where(*where)).scalar() or 0


def revision(connection: Connection, store: int, document: Document, number: int) -> Saved | None:
    """A revision by its number, 0 being the defaults; None when there is no such."""
    if number == 0:
        return Saved(0, document.default())
    found = connection.execute(_of(store, document).where(_r.revision == number)).first() if abs(number) < 2**31 else None
    return None if found is None else _saved(document, found)


def history(connection: Connection, store: int, document: Document, limit: int) -> list[Saved]:
    """The last revisions, the newest first."""
    return [_saved(document, row) for row in connection.execute(_of(store, document).limit(limit))]


def _of(store: int, document: Document) -> Select[Any]:
    columns = _r.revision, _r.body, _r.author, _r.at, _r.note
    return select(*columns).where(_r.store_id == store, _r.document == document.key).order_by(_r.revision.desc())


def _saved(document: Document, row: Row[Any]) -> Saved:
    return Saved(row.revision, document.complete(json.loads(row.body)), row.author, row.at, row.note)


class Draft(NamedTuple):
    """What is to become the next revision of a document. base: the revision it was made on; None to save over whatever is current."""

    document: Document
    body: Any
    base: int | None = None


def save(database: Database, store: int, document: Document, body: Any, author: str, note: str = "", base: int | None = None) -> int:
    """Saves the next revision and returns its number; raises as `save_all` does."""
    (number,) = save_all(database, store, [Draft(document, body, base)], author, note)
    return number


def save_all(database: Database, store: int, drafts: Sequence[Draft], author: str, note: str = "") -> list[int]:
    """Saves the next revision of every document, or of none, in one transaction, and returns their numbers.

    Raises InvalidError with the faults of the first document that has any, StaleError for the first whose base is no longer current,
    FaultError when there never was such a revision.
    """
    numbers = []
    with database.write() as connection:
        bulk = Bulk(connection)
        notices = lock_store(bulk, store)
        at = present(connection, store)
        for document, body, base in drafts:
            now = current(connection, store, document)
            if base is not None and base != now.revision:
                raise _stale(connection, store, document, base, now)
            faults = document.validate(body, now.body)
            if faults:
                raise InvalidError(faults)
            whole = document.complete(body)
            columns = ("store_id", "document", "revision", "at", "author", "note", "body")
            held = json.dumps(whole, ensure_ascii=False, allow_nan=False)
            bulk.insert(schema.settings_revisions, columns, [(store, document.key, now.revision + 1, at, author, note, held)])
            follow = _FOLLOWS.get(document.key)
            if follow is not None:
                follow(bulk, store, whole)
            numbers.append(now.revision + 1)
        announce(bulk, store, notices + 1, {"settings"}, ())
        bulk.close()
    return numbers


def _stale(connection: Connection, store: int, document: Document, base: int, now: Saved) -> FaultError:
    known = revision(connection, store, document, base)
    if known is None:
        return no_revision(base, now.revision)
    meanwhile = history(connection, store, document, now.revision - base)[::-1]
    zone: str = connection.execute(select(schema.stores.c.zone).where(schema.stores.c.id == store)).scalar_one()
    return StaleError(document, known, meanwhile, document.difference(known.body, now.body), LocalTime(zone))


def no_revision(number: int, newest: int) -> FaultError:
    what = T("没有第 {0} 版；最新为第 {1} 版（0 为默认值）", "There is no revision {0}; the newest is {1}, and 0 is the defaults")
    return FaultError("refused", fill(what, number, newest))


def assessed_rule(connection: Connection, store: int) -> assessment.AssessedRule:
    """What the document `assessment` comes to for the counters."""
    return assessment.AssessedRule.from_json(
        connection.execute(select(schema.stores.c.assessed_rule).where(schema.stores.c.id == store)).scalar_one()
    )


def _assess(bulk: Bulk, store: int, body: Body) -> None:
    rebuild_assessed(bulk, store, assessment.of(body))


_FOLLOWS: dict[str, Callable[[Bulk, int, Body], None]] = {ASSESSMENT.key: _assess}
"""What else a save writes in its transaction, given the new body."""
