"""What the pages of groups and agents share: both documents as one draft, judged beside the store's facts while it is edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.documents import Body
from app.domain.kinds import Fault
from app.domain.language import tr
from app.domain.routing_checks import Check, checks
from app.domain.routing_edits import AgentLine, Facts, agent_lines, last_changed
from app.services.routing_facts import routing_facts
from ui.pages.registry import PAGES, PageContext
from ui.pages.settings.base import DraftPage, Judgement, Standing, judge, wrong_in
from ui.pages.settings.checks import ChecksList
from ui.runtime.drafts import Bodies
from ui.runtime.finder import Reading, plain, typed, with_pinyin
from ui.theme import SPACE_2, SPACE_3, SPACE_4, SPACE_6
from ui.widgets.buttons import Button
from ui.widgets.drawer import Drawer

_TRY = "replay"
_ROOM_FOR_TABLE = 360


class _Gathered(NamedTuple):
    standing: Standing
    facts: Facts
    readings: dict[str, Reading]
    changed: dict[str, tuple[str, int | None]]


class _Looked(NamedTuple):
    """told: faults of which the checks tell."""

    judgement: Judgement
    checks: list[Check]
    told: list[Fault]


class RoutingPage(DraftPage):
    """Edits `groups` and `agents` together. A page shows the draft by `render`, and changes it by `edit`."""

    keys = ("groups", "agents")
    history_length = 30

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self.facts = Facts()
        self.changed_by: Mapping[str, tuple[str, int | None]] = {}
        self._readings: dict[str, Reading] = {}
        self._version = 0
        self._told: frozenset[Fault] = frozenset()
        self.checks = ChecksList(self)
        self.checks.set_editable(self.allowed)
        self.checks.remedied.connect(self._remedy)
        self.checks.wanted.connect(self.open_check)
        self.try_it = Button(tr("试算", "Try it"), icon_name="replay", parent=self.foot)
        self._offer_trying(())
        self.try_it.clicked.connect(self._try)
        self.foot.add(self.try_it)
        self.past_button = Button(tr("历史版本", "History"), icon_name="clock", parent=self)
        self.past_button.setCheckable(True)
        self.past_button.toggled.connect(self._show_past)
        self.past.hide()

    def card(self, tools: Sequence[QWidget], body: QWidget) -> QWidget:
        """The page's own part: a row of tools with the history at its end, what has to be told, and the body."""
        card = QFrame(self)
        card.setProperty("look", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(1, 0, 1, 1)
        column.setSpacing(0)
        top = QVBoxLayout()
        top.setContentsMargins(SPACE_4, SPACE_3, SPACE_4, SPACE_3)
        top.setSpacing(SPACE_2)
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        for tool in tools:
            row.addWidget(tool)
        row.addStretch(1)
        row.addWidget(self.past_button)
        top.addLayout(row)
        top.addWidget(self.refusal)
        top.addWidget(self.conflict)
        column.addLayout(top)
        column.addWidget(body, 1)
        return card

    def keep_room(self, drawer: Drawer) -> None:
        """Where history and the open drawer would leave the table too little, opening one closes the other."""

        def narrow() -> bool:
            taken = drawer.sizeHint().width() + self.past.width() + SPACE_4 + 2 * SPACE_6
            return self.isVisible() and self.width() - taken < _ROOM_FOR_TABLE

        def drawer_opened() -> None:
            if narrow():
                self.past_button.setChecked(False)

        def past_opened(on: bool) -> None:
            if on and narrow():
                drawer.close_drawer()

        drawer.opened.connect(drawer_opened)
        self.past_button.toggled.connect(past_opened)

    # -- the draft --

    def show_bodies(self, bodies: Bodies) -> None:
        self.render_draft()

    def render_draft(self) -> None:
        """Show the draft and the facts as they are now."""
        raise AssertionError(type(self))

    @property
    def groups(self) -> Body:
        return self.draft.bodies["groups"]

    @property
    def agents(self) -> Body:
        return self.draft.bodies["agents"]

    def edit(self, groups: Body | None = None, agents: Body | None = None) -> None:
        """The person has made these of the draft."""
        if self.allowed:
            self.change_to({"groups": groups or self.groups, "agents": agents or self.agents})

    def lines(self) -> list[AgentLine]:
        return agent_lines(self.groups, self.agents, self.facts)

    def names(self) -> Mapping[str, str]:
        return {line.code: line.label for line in self.lines()} if self.known() else {}

    def finder(self, text: str) -> Callable[[AgentLine], bool]:
        """Whether an agent fits what was typed: a part of the name, its pinyin or initials, or of the code."""
        wanted = typed(text)

        def fits(line: AgentLine) -> bool:
            reading = self._readings.get(line.name) or plain(line.name)
            return wanted in typed(line.code) or reading.score(wanted) is not None

        return fits if wanted else lambda line: True

    # -- hooks --

    def refresh(self) -> None:
        bases = self.draft.bases()
        self.read("documents", lambda: self._gather_all(bases), self._all_arrived)

    def on_notice(self, topics: frozenset[str]) -> None:
        if topics & {"settings", "agents"}:
            self.refresh()

    def _gather_all(self, bases: Mapping[str, int]) -> _Gathered:
        standing = self.gather(bases)
        facts = routing_facts(self.context.workspace, self.context.store)
        names = sorted({agent.name for agent in facts.agents.values() if agent.name} - self._readings.keys())
        held, history = standing.documents["groups"]
        revisions = [(saved.body, saved.author, saved.at) for saved in history]
        if held.revision <= len(history):  # all of them: the first is compared with nothing
            revisions.append((self.documents["groups"].default(), "", None))
        return _Gathered(standing, facts, dict(zip(names, with_pinyin(names), strict=True)), last_changed(revisions))

    def _all_arrived(self, found: _Gathered) -> None:
        news = found.facts != self.facts or found.changed != self.changed_by
        self.facts, self.changed_by = found.facts, found.changed
        self._readings |= found.readings
        known = self.known()
        self.arrived(found.standing)
        if news and known:
            self.render_draft()

    # -- judging, off this thread: large documents take a while --

    def judge(self) -> None:
        if not self.known():
            return
        self._version += 1
        saved, bodies, facts, documents = self.saved_bodies(), self.bodies(), self.facts, self.documents
        self.judged(None)

        def look() -> _Looked:
            wrong = wrong_in(documents, bodies)
            told = [fault for faults in wrong.values() for fault in faults]
            names = {line.code: line.label for line in agent_lines(bodies["groups"], bodies["agents"], facts)}
            return _Looked(judge(documents, saved, bodies, wrong, names), checks(bodies["groups"], bodies["agents"], facts, told), told)

        self.read("judge", look, self._looked_at, self._version)

    def judged(self, judgement: Judgement | None) -> None:
        super().judged(judgement)
        if judgement is not None:
            self._offer_trying(judgement.faults)

    def _offer_trying(self, faults: Sequence[Fault]) -> None:
        """Nobody can try what nobody could save."""
        self.try_it.setEnabled(not faults and self.context.actor.may(PAGES[_TRY].permission))
        wrong = len(faults)
        self.try_it.setToolTip(
            tr(f"有 {wrong} 处需要改正，改好后才能试算", "Put right what is wrong first; then it can be tried")
            if wrong
            else tr("用近几天的真实会话试算这些修改", "Runs the sessions of the last days under these changes")
        )

    def _looked_at(self, found: _Looked) -> None:
        self.checks.show_checks(found.checks)
        self._told = frozenset(found.told)
        self.judged(found.judgement)

    def show_faults(self, faults: Sequence[Fault]) -> Sequence[Fault]:
        """The checks tell them in words, but for those of the way from what is saved."""
        return [fault for fault in faults if fault not in self._told]

    def _remedy(self, check: Check) -> None:
        assert check.remedy is not None
        groups, agents = check.remedy.change(self.groups, self.agents)
        self.edit(groups, agents)

    def open_check(self, check: Check) -> None:
        """Show the place where a check is put right by hand; by default the page of the groups."""
        self.context.navigate("groups", {"group": check.group, "part": check.part, "field": check.field})

    # -- around --

    def state(self) -> dict[str, Any]:
        return {**super().state(), "past": self.past_button.isChecked()}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.past_button.setChecked(state.get("past") is True)

    def _show_past(self, on: bool) -> None:
        self.past.setVisible(on)
        self.state_changed.emit()

    def _try(self) -> None:
        self.context.navigate(_TRY, {"draft": True})
