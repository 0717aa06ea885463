"""A store of the tests that the engine routes, turn by turn: a source writes events, settings are saved, time is told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.desk.routing import Routing
from app.domain.events import AgentPresence, AnyEvent, CustomerUpserted, MessageSent, SessionAssigned, SessionClosed, SessionOpened
from app.domain.permissions import local_owner
from app.services.decisions import Explained
from app.services.workspace import Workspace
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store

NOON = 1_790_000_000_000


def group(code: str, weights: dict[str, int] | None = None, /, **fields: Any) -> dict[str, Any]:
    members = [{"agent": agent, "weight": weight} for agent, weight in (weights or {}).items()]
    return {"code": code, "name": code, "members": members, **fields}


class RoutedStore:
    """`said` is called between what a source says and what the engine does about it."""

    def __init__(
        self, database: Database, *groups: dict[str, Any], caps: dict[str, int | None] | None = None, here: str = "", code: str = "shop"
    ) -> None:
        self.database = database
        self.store = open_store(database, code)
        self.workspace = Workspace(database, local_owner())
        self.info = self.workspace.store(code)
        self.recorder = Recorder(database, self.store)
        self.now = NOON
        self.number = 0
        self.routing = self.engine()
        if groups:
            self.configure(*groups, caps=caps)
        self.present(**dict.fromkeys(here, "available"))

    def engine(self) -> Routing:
        return Routing(self.database, self.store, lambda: self.now)

    def restart(self) -> None:
        """As after a kill: what is not in the database is gone."""
        self.routing = self.engine()
        self.routing.turn()

    def configure(self, *groups: dict[str, Any], caps: dict[str, int | None] | None = None) -> None:
        agents = [{"agent": agent, "capacity": cap} for agent, cap in (caps or {}).items()]
        drafts = {"groups": ({"groups": list(groups)}, None), "agents": ({"agents": agents}, None)}
        self.workspace.settings.save_all(self.info, drafts)
        self.routing.turn()

    def say(self, *events: AnyEvent, turn: bool = True) -> None:
        self.now += 10
        self.recorder.record(events)
        if turn:
            self.routing.turn()

    def id(self) -> str:
        self.number += 1
        return str(self.number)

    def present(self, **states: Any) -> None:
        if states:
            self.say(*(AgentPresence(id=self.id(), at=self.now, agent=agent, state=state) for agent, state in states.items()))

    def arrival(self, session: str, customer: str = "", wrote: bool = True, tags: list[str] | None = None, **about: Any) -> list[AnyEvent]:
        customer = customer or f"c-{session}"
        events: list[AnyEvent] = [SessionOpened(id=self.id(), at=self.now, session=session, customer=customer, **about)]
        if tags is not None:
            events.append(CustomerUpserted(id=self.id(), at=self.now, customer=customer, tags=tags))
        if wrote:
            events.append(MessageSent(id=self.id(), at=self.now, session=session, sender="customer", text="在吗"))
        return events

    def opens(self, *sessions: str, turn: bool = True, **about: Any) -> None:
        for session in sessions:
            self.say(*self.arrival(session, **about), turn=turn)

    def closes(self, *sessions: str) -> None:
        for session in sessions:
            self.say(SessionClosed(id=self.id(), at=self.now, session=session))

    def assigns(self, session: str, agent: str, group: str | None = None, turn: bool = True) -> None:
        self.say(SessionAssigned(id=self.id(), at=self.now, session=session, agent=agent, group=group), turn=turn)

    def commands(self, kind: Any, **body: str) -> str:
        """Carried out; why it was refused, "" when it was not."""
        number = self.workspace.commands.give(self.info, kind, **body)
        self.now += 10
        self.routing.turn()
        found = self.workspace.commands.status(self.info, number)
        assert found.done_at is not None
        return found.refused.zh if found.refused is not None else ""

    # What came of it

    def has(self, *sessions: str) -> str:
        """Who has them, - for nobody: "a b -"."""
        with self.database.read() as connection:
            rows = connection.execute(
                text("SELECT s.code, a.code FROM sessions s LEFT JOIN agents a ON a.id = s.agent_id WHERE s.store_id = :store"),
                {"store": self.store},
            )
            found = {row[0]: row[1] or "-" for row in rows}
        return " ".join(found[session] for session in sessions)

    def decided(self, session: str) -> list[Explained]:
        return self.workspace.decisions.of(self.info, session)

    def last(self, session: str) -> Explained:
        return self.decided(session)[-1]

    def why(self, session: str) -> list[str]:
        return [line.zh for line in self.last(session).lines]

    def outcomes(self, session: str) -> str:
        return " ".join(decision.outcome for decision in self.decided(session))

    def rows(self, statement: str) -> list[Any]:
        with self.database.read() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def reason(self, session: str) -> str:
        found = self.workspace.live.transcript(self.info, session)
        assert found is not None
        return found.session.reason
