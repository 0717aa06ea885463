"""A store's settings: documents with history, and what they come to for everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection

from app.domain import settings as declared
from app.domain.assessment import AssessedRule
from app.domain.counters import Window
from app.domain.documents import Body, Document
from app.domain.kinds import Change, Fault, Text, fill, joined, same
from app.domain.language import T
from app.domain.settings import DOCUMENTS, ORDER_WINDOW, STANDARDS, Effective, Standard
from app.storage import revisions
from app.storage.database import waiting_until
from app.storage.faults import FaultError
from app.storage.revisions import Draft, InvalidError, Saved, StaleError

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace

__all__ = ["InvalidError", "Saved", "SettingsService", "StaleError", "Standing"]

NOTE = Text(500, lines=True)


class Standing(NamedTuple):
    """A document and what holds of it."""

    document: Document
    saved: Saved


class SettingsService:
    """Reading is open to everybody who can open the store; saving needs the document's permission.

    Every call with a document's key raises FaultError where there is no such document.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database
        self._effective: dict[int, tuple[tuple[int, int], Effective]] = {}

    def documents(self, store: StoreInfo) -> list[Standing]:
        """All of them, in order of declaration."""
        with self._database.read() as connection:
            return [Standing(document, revisions.current(connection, store.id, document)) for document in DOCUMENTS.values()]

    def get(self, store: StoreInfo, key: str, revision: int | None = None) -> Saved:
        """A revision, or what holds now: revision 0 with the defaults where nothing was saved.

        Raises FaultError when there is no such revision.
        """
        document = document_of(key)
        with self._database.read() as connection:
            now = revisions.current(connection, store.id, document)
            if revision is None or revision == now.revision:
                return now
            found = revisions.revision(connection, store.id, document, revision)
        if found is None:
            raise revisions.no_revision(revision, now.revision)
        return found

    def history(self, store: StoreInfo, key: str, limit: int = 100) -> list[Saved]:
        """The last revisions, the newest first; [] where nothing was saved."""
        with self._database.read() as connection:
            return revisions.history(connection, store.id, document_of(key), limit)

    def check(self, store: StoreInfo, key: str, body: Any) -> list[Fault]:
        """Why `save` would refuse this body now; [] when it would not."""
        return document_of(key).validate(body, self.get(store, key).body)

    def save(self, store: StoreInfo, key: str, body: Any, base: int | None = None, note: str = "") -> int:
        """Saves any JSON value as the next revision and returns its number.

        base: the revision the change was made on; None to save over whatever is current.
        Raises NotAllowedError; InvalidError with one line per fault; StaleError, telling who saved what, when `base` is no longer current.
        """
        return self.save_all(store, {key: (body, base)}, note)[key]

    def save_all(
        self, store: StoreInfo, drafts: Mapping[str, tuple[Any, int | None]], note: str = "", stop: Event | None = None
    ) -> dict[str, int]:
        """Saves {document: (body, base)} together, each as its next revision, or none of them; answers their numbers. Raises as `save`.

        Setting `stop` ends the waiting for another program that is writing: FaultError of kind "cancelled".
        """
        documents = {key: document_of(key) for key in drafts}
        for document in documents.values():
            self._workspace.actor.require(document.permission)
        faults = list(NOTE.faults(note, "note"))
        if faults:
            raise InvalidError(faults)
        made = [Draft(documents[key], body, base) for key, (body, base) in drafts.items()]
        with waiting_until(stop):
            numbers = revisions.save_all(self._database, store.id, made, self._workspace.actor.name, note)
        return dict(zip(documents, numbers, strict=True))

    def difference(self, store: StoreInfo, key: str, old: int, new: int | None = None) -> list[Change]:
        """What changed from one revision to another, or to what holds now."""
        return document_of(key).difference(self.get(store, key, old).body, self.get(store, key, new).body)

    def changes_of(self, store: StoreInfo, key: str, body: Any, old: int | None = None) -> list[Change]:
        """What saving this body would change from a revision, or from what holds now; raises InvalidError."""
        document, before = document_of(key), self.get(store, key, old).body
        faults = document.validate(body, before)
        if faults:
            raise InvalidError(faults)
        return document.difference(before, body)

    def restore(
        self, store: StoreInfo, key: str, revision: int, base: int | None = None, note: str = "", stop: Event | None = None
    ) -> int:  # fmt: skip
        """Saves the body of an earlier revision (0: the defaults) as the next one; raises as `get` and `save_all` do."""
        body = self.get(store, key, revision).body
        why = note or str(fill(T("恢复第 {0} 版", "Revision {0} restored"), revision))
        try:
            return self.save_all(store, {key: (body, base)}, why, stop)[key]
        except StaleError as stale:
            raise stale.of_restoring() from stale

    # -- what they come to --

    def order_window(self, store: StoreInfo) -> Window:
        window: Window = self._now(store, ORDER_WINDOW)["window"]
        return window

    def standards(self, store: StoreInfo) -> dict[str, Standard]:
        """{metric key: (target, warn, alarm)} in display units, None where not set."""
        return declared.standards(self._now(store, STANDARDS))

    def effective(self, connection: Connection, store: int) -> Effective:
        """What they come to for the live pages; the same object until they change."""
        numbers = revisions.number(connection, store, STANDARDS), revisions.number(connection, store, ORDER_WINDOW)
        kept = self._effective.get(store)
        if kept is None or kept[0] != numbers:
            standards = declared.standards(revisions.current(connection, store, STANDARDS).body)
            window: Window = revisions.current(connection, store, ORDER_WINDOW).body["window"]
            kept = self._effective[store] = numbers, Effective(declared.with_standards(standards), window)
        return kept[1]

    def assessed(self, store: StoreInfo) -> AssessedRule:
        """Which sessions are assessed."""
        with self._database.read() as connection:
            return revisions.assessed_rule(connection, store.id)

    def _now(self, store: StoreInfo, document: Document) -> Body:
        with self._database.read() as connection:
            return revisions.current(connection, store.id, document).body


def document_of(key: str) -> Document:
    """Raises FaultError, naming those there are, when there is no such document."""
    if key not in DOCUMENTS:
        known = joined(same(known) for known in DOCUMENTS)
        raise FaultError("refused", fill(T("没有设置文档 {0}；现有：{1}", "There is no settings document {0}; there are: {1}"), key, known))
    return DOCUMENTS[key]
