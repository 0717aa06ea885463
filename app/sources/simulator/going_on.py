"""A day of the store that goes on where it was interrupted: from what is recorded, not from what was in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from app.domain.events import State
from app.domain.lived import Ended, Given, Memory, OpenSession
from app.domain.localtime import day_date
from app.sources.simulator import orders, talk
from app.sources.simulator.chats import FIRST, LATER, LEAVE_FIRST, TURNS, facts
from app.sources.simulator.day import DayRun
from app.sources.simulator.deciding import Decides
from app.sources.simulator.floor import Chat, Customer
from app.sources.simulator.goods import GOODS
from app.sources.simulator.people import FALLBACK
from app.sources.simulator.shifts import Verb

_GOODS = {good.sku: index for index, good in enumerate(GOODS)}
_AT_WORK: tuple[Verb, ...] = ("in", "back")


class OngoingDay(DayRun):
    """Told what is recorded, and what others decide from then on."""

    def decided_by(self, decides: Decides) -> None:
        """From now on somebody else decides."""
        self._decides = decides

    def resume(self, memory: Memory, at: int) -> None:
        """Before anything else: who is here, which sessions are open, which orders are still to come."""
        self._count_on(memory)
        self._take_places(memory.presence(), at)
        self.adopt(memory.open_sessions(), at)
        self.await_orders(memory, at)
        for seat in self._floor.seats.values():
            if seat.ending and not seat.active and not seat.leaves:
                self._plan(at, self._goes_home, seat)

    def adopt(self, sessions: Iterable[OpenSession], at: int) -> None:
        """Goes on with open sessions that it does not know yet and that are of this store's own customers."""
        for session in sorted(sessions, key=lambda session: not session.agent):  # who has hands full takes nothing more
            number = self._world.number_of(session.customer)
            if number is not None and session.code not in self._chats:
                self._adopt(session, number, max(at, session.last))

    def await_orders(self, memory: Memory, after: int) -> None:
        """The orders that ended sessions lead to, and those of customers who did not ask, as far as they happen after a moment."""
        world, first = self._world, self._day - orders.RUN_DAYS
        known = memory.orders(world.local.start_of_day(first))
        for ended in memory.ended(first):
            found = self._promise_of(ended)
            if found and (found[0].at > after or found[0].order in known):
                self.expect([event for event in found if event.at > after], found[0].order)

    def await_unasked(self, days: Iterable[int], after: int) -> None:
        """The orders of customers who did not ask, of days before, as far as they happen after a moment."""
        for day in days:
            for event in self._world.unasked_orders(day):
                if event.at > after:
                    self._add_order(event)

    def hear(self, at: int, given: Iterable[Given], states: Mapping[str, State]) -> None:
        """What others have decided: who has which session, and who was suspended or resumed."""
        for code, state in states.items():
            seat = self._floor.seats.get(code)
            if seat is not None and seat.state != state:
                seat.ordered = state == "suspended"
                self._floor.enter(seat, state)
        for session in given:
            chat, seat = self._chats.get(session.code), self._floor.seats.get(session.agent)
            if chat is None or seat is None:
                continue
            if session.waits:
                self._unserved(at, chat)
            elif chat.seat is not seat or (chat.waiting and not chat.parked):
                self._given(at, chat, seat, session.group)

    def asked(self) -> Collection[str]:
        """Sessions that may wait for another agent than the one they have."""
        return [chat.code for chat in self._chats.values() if chat.seat is not None and (chat.handing or chat.waiting)]

    @property
    def day(self) -> int:
        return self._day

    def _count_on(self, memory: Memory) -> None:
        """Sessions and customers are numbered on from what there is."""
        last = memory.last_session(self._session_tag, f"{day_date(self._day):%y%m%d}.")
        if last is not None:
            self._opened = int(last.removeprefix(self._session_tag))
        used = []
        for first, past in self._world.fates(self._day):
            code = memory.last_customer(self._world.customer_code(first), self._world.customer_code(past))
            number = None if code is None else self._world.number_of(code)
            used.append(0 if number is None else number - first + 1)
        self._fresh, self._hesitant, self._slow = used

    def _take_places(self, states: Mapping[str, State], at: int) -> None:
        """Who is here in which state; whose shift is over has only stayed to finish, and who is away without a break was sent."""
        world = self._world
        last: dict[str, Verb] = {}
        for shift in world.duty(self._day):
            for when, verb in shift.moves:
                if when <= at:
                    last[world.agents[shift.agent].code] = verb
        for code, seat in self._floor.seats.items():
            state, latest = states.get(code, "offline"), last.get(code)
            seat.ending = latest in (None, "out")
            seat.ordered = state == "suspended" and latest in _AT_WORK
            if state != "offline":
                self._floor.enter(seat, state)
                self._told(at, self._decides.presence(code, state, at))
            elif latest in _AT_WORK:
                self._plan(at, self._move, (seat, latest))

    def _adopt(self, session: OpenSession, number: int, at: int) -> None:
        world = self._world
        persona = world.persona(number)
        order, ordered_at = (f"1{number:012d}", 0) if session.placed else ("", None)
        customer = Customer(
            session.customer, persona, world.decides(number, world.local.day(session.opened)), False, order, ordered_at
        )  # fmt: skip
        customer.welcomed, customer.visits = True, 1
        page = session.page if session.page in ("item", "order", "logistics") else "shop"
        topic = {"item": "presale", "order": "aftersale", "logistics": "logistics"}.get(page, FALLBACK)
        chat = Chat(customer, topic, page, _GOODS.get(session.sku, persona.good))  # type: ignore[arg-type]
        chat.code, chat.opened, chat.leave, chat.presale = session.code, session.opened, session.leave, not session.placed
        chat.answered, chat.turn = session.answered, session.turns
        chat.turns = chat.turn + 1 + (0 if chat.leave else self._draw(TURNS) // 2)
        chat.asked = session.opened if session.waiting_since is None else session.waiting_since
        if self._talk is not None:
            chat.script = talk.Script(self._talk, topic, persona, chat.good, order)
        self._chats[chat.code] = chat
        if session.flagged:
            self._close_at(at + self._draw(LATER), chat, "timeout")
            return
        seat = self._floor.seats.get(session.agent)
        if seat is None:
            self._then(at, self._unheard, chat)
            self._told(at, self._decides.opened(facts(chat), at))
            return
        self._told(at, self._decides.taken(facts(chat), seat.code, session.group, at))
        if chat.script is not None:
            chat.script.context["agent"] = seat.agent.name[-2:]
        if seat.state == "offline":
            chat.seat, chat.group = seat, session.group
            self._park_until_morning(at, chat)
            return
        self._take(chat, seat, session.group)
        if session.waiting_since is not None or not chat.answered:
            self._await_reply(at, chat, at, LEAVE_FIRST if chat.leave else LATER if chat.answered else FIRST)
        elif chat.leave:
            self._finish(at, chat, True)
        else:
            self._ask(at + self._draw(LATER), chat)

    def _promise_of(self, ended: Ended) -> list[orders.OrderEvent]:
        world = self._world
        number, seat = world.number_of(ended.customer), self._floor.seats.get(ended.agent)
        if number is None or seat is None or not world.decides(number, world.local.day(ended.opened)):
            return []
        good = _GOODS.get(ended.sku, world.persona(number).good)
        return orders.promised(world, ended.code, ended.customer, good, ended.page, seat.agent, ended.opened, ended.closed)
