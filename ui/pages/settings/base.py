"""What the pages of settings have in common: a draft on the revisions it was made on, the history, and a bar at the foot.

A page edits one document or several at once; what it saves is one revision of each that changed, all of them or none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.domain.documents import Body, Document
from app.domain.kinds import Change, Fault, calling
from app.domain.language import tr
from app.domain.localtime import LocalTime
from app.domain.permissions import PERMISSIONS, NotAllowedError
from ui.pages.registry import Page, PageContext
from ui.pages.settings.conflict import ConflictBar
from ui.pages.settings.foot import FootBar
from ui.pages.settings.past import Past, change_lines, name_of, who_of
from ui.runtime.drafts import Bodies
from ui.theme import SPACE_4, SPACE_6
from ui.widgets.skeleton import Skeleton
from ui.widgets.tab_order import tab_on

if TYPE_CHECKING:
    from app.services.settings import Saved
    from ui.runtime.problems import Problem


class Standing(NamedTuple):
    """documents: {document key: (what holds, the last revisions, the newest first)}. bases: revisions that the draft was made on."""

    documents: Mapping[str, tuple[Saved, list[Saved]]]
    bases: Mapping[str, Saved]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of a draft: what is wrong with it and, if nothing is, what saving it would change."""

    dirty: tuple[str, ...]
    faults: Sequence[Fault]
    changes: Sequence[Change]


def wrong_in(documents: Mapping[str, Document], bodies: Mapping[str, Body]) -> dict[str, list[Fault]]:
    """What is wrong with each body, whatever is saved."""
    return {key: document.validate(bodies[key]) for key, document in documents.items()}


def judge(
    documents: Mapping[str, Document], saved: Mapping[str, Body], bodies: Mapping[str, Body], wrong: Mapping[str, Sequence[Fault]],
    names: Mapping[str, str],
) -> Judgement:  # fmt: skip
    """A draft against what is saved; neither is touched. wrong: as `wrong_in` found it; names: what agents are called."""
    dirty = tuple(key for key in documents if bodies[key] != saved[key])
    faults = [fault for key in dirty for fault in wrong[key] or documents[key].undone(saved[key], bodies[key])]
    with calling(names):
        changes = [] if faults else [change for key in dirty for change in documents[key].difference(saved[key], bodies[key])]
    return Judgement(dirty, faults, changes)


class DraftPage(Page):
    """Edits the documents named by `keys`, together with every other page that does: they share one draft.

    A page shows the draft by `show_bodies`, and calls `change_to` when the person has changed something.
    """

    keys: ClassVar[tuple[str, ...]]
    slow_ms: ClassVar[int] = 600
    """Saving that takes longer is told, and can be called off."""
    history_length: ClassVar[int] = 100

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self.draft = context.draft(*self.keys)
        self.draft.changed.connect(self._draft_changed)
        self.documents = self.draft.documents
        self._active = self._revealed = self._behind = False
        self._judgement: Judgement | None = None
        self._save_wanted = False
        self._calling_off = Event()
        QShortcut(QKeySequence(QKeySequence.StandardKey.Save), self, self._save_typed)
        first = self.documents[self.keys[0]]
        self.allowed = all(context.actor.may(document.permission) for document in self.documents.values())
        self.past = Past(tuple(self.documents.values()), LocalTime(context.store.zone), self.names, context.actor.name, self)
        self.past.restored.connect(self._restore)
        self.past.called_off.connect(lambda: self._calling_off.set())
        self.past.set_editable(self.allowed)
        self.conflict = ConflictBar(self)
        self.conflict.kept.connect(self.draft.keep_mine)
        self.conflict.dropped.connect(self.draft.discard)
        self.refusal = QLabel("" if self.allowed else str(NotAllowedError(PERMISSIONS[first.permission])), self)
        self.refusal.setProperty("look", "warn")
        self.refusal.setWordWrap(True)
        self.refusal.setVisible(not self.allowed)
        self.foot = FootBar(self)
        self.note, self.save, self.discard = self.foot.note, self.foot.save, self.foot.discard
        self.note.textChanged.connect(self.draft.annotate)
        self.save.clicked.connect(self._save_typed)
        self.discard.clicked.connect(self.draft.discard)
        self.foot.undo.clicked.connect(self.draft.bring_back)
        self.foot.stop.clicked.connect(lambda: self._calling_off.set())
        self._slow = QTimer(self, singleShot=True, interval=self.slow_ms)
        self._slow.timeout.connect(self._tell_waiting)
        self._skeleton = Skeleton("rows", self)
        self._content: QWidget | None = None
        self._parts: list[QWidget] = []

    def lay_out(self, content: QWidget, above_foot: QWidget | None = None) -> None:
        """Put the page together around its own part, with more above the foot; called once, by the page that has made them."""
        self._content = content
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        columns = QHBoxLayout()
        columns.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        columns.setSpacing(SPACE_4)
        columns.addWidget(self._skeleton, 1)
        columns.addWidget(content, 1)
        columns.addWidget(self.past)
        outer.addLayout(columns, 1)
        if above_foot is not None:
            outer.addWidget(above_foot)
        outer.addWidget(self.foot)
        self._parts = [content, self.past, *([above_foot] if above_foot is not None else []), self.foot]
        content.hide()
        self._tell()

    def parts(self) -> Sequence[QWidget]:
        """What Tab goes through, in the order it is seen."""
        return self._parts

    def focusNextPrevChild(self, forward: bool) -> bool:
        return tab_on(self, self.parts(), forward) or super().focusNextPrevChild(forward)

    # -- what a page says --

    def show_bodies(self, bodies: Bodies) -> None:
        """Show the draft, right or wrong."""
        raise AssertionError(type(self))

    def show_faults(self, faults: Sequence[Fault]) -> Sequence[Fault]:
        """Tell each fault at its place; answers those that have none."""
        return faults

    def take_typed(self) -> bool:
        """Bring what is typed into the draft, as leaving its field does. False when it waits for the person, who has been told."""
        return True

    def names(self) -> Mapping[str, str]:
        """What agents are called, {code: name}."""
        return {}

    # -- hooks --

    def activate(self) -> None:
        self._active = True
        if self._behind:
            self._draft_changed()

    def deactivate(self) -> None:
        self._active = False
        self.draft.keep()

    def refresh(self) -> None:
        bases = self.draft.bases()
        self.read("documents", lambda: self.gather(bases), self.arrived)

    def gather(self, bases: Mapping[str, int]) -> Standing:
        """What holds and what was; called on a reader thread. bases: revisions that are needed, too."""
        settings, store = self.context.workspace.settings, self.context.store
        found = {key: (settings.get(store, key), settings.history(store, key, self.history_length)) for key in self.keys}
        return Standing(found, {key: settings.get(store, key, min(base, found[key][0].revision)) for key, base in bases.items()})

    def on_notice(self, topics: frozenset[str]) -> None:
        if "settings" in topics:
            self.refresh()

    # -- what is known --

    def known(self) -> bool:
        """Whether this page has read the documents."""
        return self._revealed

    def bodies(self) -> Bodies:
        """What is being edited, right or wrong; only asked for once it is known."""
        return dict(self.draft.bodies)

    def saved_bodies(self) -> Bodies:
        return self.draft.saved_bodies()

    def dirty(self) -> bool:
        return self.draft.dirty()

    def arrived(self, found: Standing) -> None:
        """Take up what was gathered: draft or conflict, whichever it comes to."""
        for key, (saved, history) in found.documents.items():
            # The way back to the very beginning is always there.
            self.past.show_revisions(key, [*history, type(saved)(0, self.documents[key].default())])
        self.draft.arrived({key: saved for key, (saved, _) in found.documents.items()}, found.bases)
        if self._revealed:
            self.judge()
            return
        self._revealed = True
        self._skeleton.hide()
        assert self._content is not None
        self._content.show()
        self._show()

    def _draft_changed(self) -> None:
        """Whoever changed it; what nobody sees is shown when they come back."""
        self._behind = not self._active
        if self._active and self._revealed:
            self._show()

    def _show(self) -> None:
        self.show_bodies(self.bodies())
        if self.note.text() != self.draft.note:
            self.note.setText(self.draft.note)
        self._show_conflict()
        self.judge()

    def _show_conflict(self) -> None:
        newer = self.draft.newer
        if not newer:
            self.conflict.hide()
            return
        last = max(newer.values(), key=lambda saved: saved.at or 0)
        who = who_of(last, self.context.actor.name)
        said = tr(
            f"{who} 刚保存了{name_of(last)}，你的修改还没有保存。",
            f"{name_of(last)} has just been saved by {who}; your changes are not saved.",
        )
        with calling(self.names()):
            self.conflict.tell(said, who, self.draft.sides())

    # -- editing --

    def change_to(self, bodies: Mapping[str, Body]) -> None:
        """The person has made these of the draft."""
        self.draft.edit(bodies)

    def judge(self) -> None:
        """What would be saved, and whether it can be."""
        if self.known():
            bodies = self.bodies()
            self.judged(judge(self.documents, self.saved_bodies(), bodies, wrong_in(self.documents, bodies), self.names()))

    def judged(self, judgement: Judgement | None) -> None:
        """Take up the answer; None while there is none yet."""
        self._judgement = judgement
        self._tell()
        if judgement is not None and self._save_wanted:
            self._save_wanted = False
            if self.save.isEnabled():
                self._save()

    def _save_typed(self) -> None:
        """At once, or as soon as it is known that what was typed just now can be saved; nothing is saved without what is half typed."""
        if not self.take_typed():
            return
        self._save_wanted = self.known() and self._judgement is None
        if self.save.isEnabled():
            self._save()

    def _tell(self) -> None:
        found = self._judgement
        self.save.setEnabled(
            found is not None and bool(found.dirty) and not found.faults and self.allowed and not self.draft.saving and not self.draft.newer
        )
        if found is None:
            self.discard.setEnabled(self.dirty())
            self.note.setVisible(self.allowed and self.dirty())
            return
        homeless = self.show_faults(found.faults)
        if homeless:
            text = "\n".join(str(fault) for fault in homeless)
        elif found.faults:
            number = len(found.faults)
            text = tr(f"有 {number} 处需要改正", f"{number} to put right" if number > 1 else "One thing to put right")
        elif found.dirty:
            text = change_lines(found.changes)
        else:
            newest = max(self.draft.saved.values(), key=lambda saved: saved.at or 0)
            nothing = tr("已放弃修改", "changes discarded") if self.draft.discarded() else tr("没有未保存的修改", "nothing to save")
            text = f"{name_of(newest)} · {nothing}"
        self.foot.tell(text, "error" if found.faults else "" if found.dirty else "quiet")
        self.foot.undo.setVisible(self.allowed and self.draft.discarded())
        self.note.setVisible(self.allowed and bool(found.dirty))
        unsaved = tr("先保存或放弃修改，才能恢复", "Save or discard the changes first; then it can be restored") if found.dirty else ""
        self.past.set_editable(self.allowed and not found.dirty, unsaved)
        self.discard.setEnabled(bool(found.dirty))

    def _save(self) -> None:
        assert self._judgement is not None
        settings, store, note, bodies = self.context.workspace.settings, self.context.store, self.draft.note, self.bodies()
        drafts = {key: (bodies[key], self.draft.saved[key].revision) for key in self._judgement.dirty}
        stop, names = self._begin(), self.names()

        def save() -> dict[str, int]:
            with calling(names):
                return settings.save_all(store, drafts, note, stop)

        self.context.operations.change(self, save, lambda numbers: self._kept(numbers, bodies), self._refused)

    def _restore(self, key: str, revision: int, base: int, note: str) -> None:
        settings, store = self.context.workspace.settings, self.context.store
        stop, names = self._begin(), self.names()

        def restore() -> int:
            with calling(names):
                return settings.restore(store, key, revision, base, note, stop)

        self.context.operations.change(self, restore, lambda number: self._kept({key: number}, None), self._refused)

    def _begin(self) -> Event:
        """What ends the waiting for other programs when it is set."""
        self.draft.saver = self
        self.save.setEnabled(False)
        self._calling_off = Event()
        self._slow.start()
        return self._calling_off

    def _tell_waiting(self) -> None:
        words = tr("正在保存：另一个程序正在写入数据库，等它写完…", "Saving: another program is writing to the database; waiting for it …")
        self.foot.tell(words, "quiet")
        self.foot.stop.show()
        if self.past.question is not None:
            self.past.question.tell(words)

    def _end(self) -> None:
        self.draft.saver = None
        self._slow.stop()
        self.foot.stop.hide()

    def _kept(self, numbers: Mapping[str, int], bodies: Bodies | None) -> None:
        self._end()
        if bodies is not None:
            self.draft.kept(numbers, bodies)
        elif self.past.question is not None:
            self.past.question.accept()
        if len(self.keys) == 1:
            (number,) = numbers.values()
            said = tr(f"已保存为第 {number} 版", f"Saved as revision {number}")
        else:
            each = [f"{self.documents[key].title} {tr(f'第 {number} 版', f'revision {number}')}" for key, number in numbers.items()]
            said = tr(f"已保存：{'、'.join(each)}", f"Saved: {', '.join(each)}")
        self.context.toast(said, "good")
        self.judge()
        self.refresh()

    def _refused(self, problem: Problem) -> None:
        """Nothing is lost: what was typed stays in the page."""
        self._end()
        if self.past.question is not None:
            self.past.question.refuse(problem.sentence)
        else:
            self.context.toast(problem.sentence, "info" if problem.fingerprint == "cancelled" else "warn")
        self.judge()
        self.refresh()
