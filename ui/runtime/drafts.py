"""What is edited of settings documents and not saved yet: one draft for all pages of a store that edit the same documents.

A draft stands on the revisions it was made on. When somebody else saves what is edited here, the draft meets what they saved: until the
person has decided what becomes of both, it cannot be saved. What was edited is remembered with the preferences, by database and store.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.documents import Body, List, Object
from app.domain.kinds import Kind, Text
from app.domain.merging import Side, meet
from app.domain.settings import DOCUMENTS
from ui.runtime.preferences import Preferences

if TYPE_CHECKING:
    from app.services.settings import Saved

KEEP_AFTER_MS = 400
Bodies = dict[str, Body]
"""{document key: body}."""


class Draft(QObject):
    """`changed()`: the bodies, what they stand on, or what they meet is another now. `recoded({old: new})`: groups of the draft have other
    codes, because somebody else has made others under theirs; `changed` follows."""

    changed = Signal()
    recoded = Signal(object)

    def __init__(self, keys: Sequence[str], prefs: Preferences, name: str) -> None:
        super().__init__()
        self.documents = {key: DOCUMENTS[key] for key in keys}
        self.saved: dict[str, Saved] = {}
        """What the draft is made on; {} until the documents have been read."""
        self.newer: dict[str, Saved] = {}
        """What somebody else has saved since of what is edited here."""
        self.bodies: Bodies = {}
        self.note = ""
        self.saver: QObject | None = None
        """Whoever is saving the draft just now."""
        self._prefs, self._name = prefs, name
        self._remembered = _remembered(prefs.page(name), self.documents.keys())
        self._discarded: tuple[dict[str, Saved], Bodies, str] | None = None
        self._keeping = QTimer(self, singleShot=True, interval=KEEP_AFTER_MS)
        self._keeping.timeout.connect(self.keep)

    # -- what is known --

    @property
    def saving(self) -> bool:
        return self.saver is not None and shiboken6.isValid(self.saver)

    def saved_bodies(self) -> Bodies:
        return {key: saved.body for key, saved in self.saved.items()}

    def dirty(self) -> bool:
        return bool(self.saved) and self.bodies != self.saved_bodies()

    def unsaved(self) -> Bodies:
        """The bodies that differ from what they stand on, also before the documents have been read."""
        if self.saved:
            return {key: body for key, body in self.bodies.items() if body != self.saved[key].body}
        return {} if self._remembered is None else dict(self._remembered[1])

    def bases(self) -> dict[str, int]:
        """Revisions that have to be read beside what holds, for what is remembered to be taken up; {} when nothing waits for it."""
        return {} if self._remembered is None else dict(self._remembered[0])

    def sides(self) -> list[Side]:
        """What was changed here and by whoever saved meanwhile, in all documents that both have changed."""
        return [
            side
            for key, newer in self.newer.items()
            for side in meet(self.documents[key], self.saved[key].body, newer.body, self.bodies[key]).sides
        ]

    def discarded(self) -> bool:
        """Whether something was discarded that can still be brought back."""
        return self._discarded is not None

    # -- what others do --

    def arrived(self, now: Mapping[str, Saved], bases: Mapping[str, Saved]) -> None:
        """What holds, and the revisions asked for by `bases`, as far as they were found."""
        before = dict(self.saved), dict(self.newer), dict(self.bodies)
        if not self.saved:
            self.saved, self.bodies = dict(now), {key: saved.body for key, saved in now.items()}
            self._take_up(bases)
        else:
            for key, found in now.items():
                self._follow(key, found)
            if not self.dirty():  # it was saved, and the page that asked for it is gone
                self.note = ""
        if before != (self.saved, self.newer, self.bodies):
            self.changed.emit()

    def _follow(self, key: str, found: Saved) -> None:
        known = self.newer.get(key, self.saved[key])
        if found.revision < known.revision:  # read before what is known was saved
            return
        if self.bodies[key] in (self.saved[key].body, found.body) or found.revision == self.saved[key].revision:
            untouched = self.bodies[key] == self.saved[key].body
            self.saved[key] = found
            self.newer.pop(key, None)
            if untouched:
                self.bodies[key] = found.body
        elif not self.saving:  # it may be what is being saved here; the answer tells
            self.newer[key] = found

    def _take_up(self, bases: Mapping[str, Saved]) -> None:
        """Continue what was being edited before, perhaps on revisions that are no longer current."""
        if self._remembered is None:
            return
        _, bodies, note = self._remembered
        self._remembered = None
        # Of an older declaration, or half typed: only what has the declared shape can be shown again.
        shaped = {
            key: document.complete(bodies[key])
            for key, document in self.documents.items()
            if key in bodies and _shaped(document.body, bodies[key])
        }
        self._resume({**self.saved, **bases}, shaped, note)

    def _resume(self, bases: Mapping[str, Saved], bodies: Mapping[str, Body], note: str) -> None:
        """Go on with bodies that were made on these revisions."""
        for key, body in bodies.items():
            now, base = self.saved[key], bases[key]
            if body in (base.body, now.body):
                continue
            self.bodies[key] = body
            if base.revision != now.revision:
                self.saved[key], self.newer[key] = base, now
        self.note = note if self.dirty() else ""

    # -- what the person does --

    def edit(self, bodies: Mapping[str, Body]) -> None:
        """The person has made these of the draft, right or wrong."""
        self.bodies |= bodies
        for key in [key for key in self.newer if self.bodies[key] == self.saved[key].body]:  # nothing left that could meet
            self.saved[key] = self.newer.pop(key)
            self.bodies[key] = self.saved[key].body
        self._discarded = None
        self._tell()

    def annotate(self, note: str) -> None:
        self.note = note
        self._keeping.start()

    def keep_mine(self) -> None:
        """My changes, field by field, on top of what somebody else saved."""
        recoded: dict[str, str] = {}
        for key, newer in self.newer.items():
            met = meet(self.documents[key], self.saved[key].body, newer.body, self.bodies[key])
            self.bodies[key] = met.body
            recoded |= met.recoded
        self._stand_on_newest()
        if recoded:
            self.recoded.emit(recoded)
        self._tell()

    def discard(self) -> None:
        """Back to what holds, what somebody else saved meanwhile included."""
        if not self.dirty():
            return
        self._discarded = dict(self.saved), dict(self.bodies), self.note
        self._stand_on_newest()
        self.bodies, self.note = self.saved_bodies(), ""
        self._tell()

    def bring_back(self) -> None:
        """What was discarded last, on the revisions that it was made on."""
        if self._discarded is not None:
            bases, bodies, note = self._discarded
            self._discarded = None
            self._resume(bases, bodies, note)
            self._tell()

    def kept(self, numbers: Mapping[str, int], bodies: Bodies) -> None:
        """These bodies were saved as these revisions."""
        for key, number in numbers.items():
            self.saved[key] = self.saved[key]._replace(revision=number, body=bodies[key])
        self.note, self._discarded = "", None
        self._tell()

    def _stand_on_newest(self) -> None:
        self.saved |= self.newer
        self.newer = {}

    def _tell(self) -> None:
        self._keeping.start()
        self.changed.emit()

    # -- remembering --

    def keep(self) -> None:
        """With the preferences, now."""
        self._keeping.stop()
        if not self.saved:
            return
        state: dict[str, Any] = {}
        if self.dirty():
            state = {"bases": {key: saved.revision for key, saved in self.saved.items()}, "bodies": self.unsaved(), "note": self.note}
        if state or self._prefs.page(self._name):
            self._prefs.put_page(self._name, state)


class Drafts:
    """The drafts of one store, by the documents they are over. They outlive its pages, which a change of language or theme makes anew."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, ...], Draft] = {}

    def over(self, keys: tuple[str, ...], prefs: Preferences, place: str) -> Draft:
        """The one draft over these documents. place: tells the store from all others that the preferences know."""
        if keys not in self._held:
            self._held[keys] = Draft(keys, prefs, f"draft {'+'.join(keys)} {place}")
        return self._held[keys]


def _remembered(state: Mapping[str, Any], keys: Collection[str]) -> tuple[dict[str, int], Bodies, str] | None:
    bases, bodies = state.get("bases"), state.get("bodies")
    if not isinstance(bases, dict) or not isinstance(bodies, dict) or not all(isinstance(bases.get(key), int) for key in keys):
        return None
    return {key: bases[key] for key in keys}, {key: body for key, body in bodies.items() if key in keys}, str(state.get("note", ""))


def _shaped(kind: Kind, value: Any) -> bool:
    """Whether it can be shown, be it right or wrong."""
    if isinstance(kind, Object):
        return isinstance(value, dict) and all(
            f.key in value and ((value[f.key] is None and f.null is not None) or _shaped(f.kind, value[f.key])) for f in kind.fields
        )
    if isinstance(kind, List):
        return isinstance(value, list) and all(_shaped(kind.of, item) for item in value)
    if isinstance(kind, Text):
        return isinstance(value, str)
    return not any(kind.faults(value, ""))
