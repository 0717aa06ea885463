"""What happens inside sessions: waiting, being given to somebody, turns of talk, hand-overs, ratings, orders, closing.

Who takes a session is decided elsewhere; here one waits for it and lives with it. How long an answer takes depends on the agent's pace and
on how full the agent's hands are at that moment, so waits grow at peaks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from app.domain.events import (
    ClosedBy,
    Content,
    MessageSent,
    RatingGiven,
    RatingInvited,
    Sender,
    SessionAssigned,
    SessionClosed,
    SessionFlagged,
    VisitorEntered,
)
from app.domain.routing.router import Decision
from app.domain.routing.scopes import NewSession
from app.sources.base import Wish
from app.sources.simulator import orders, talk
from app.sources.simulator.chance import SIZE, even, lognormal, source, weighted
from app.sources.simulator.clockwork import Clockwork, Step
from app.sources.simulator.deciding import Decides
from app.sources.simulator.floor import Chat, Customer, Floor, Seat
from app.sources.simulator.goods import GOODS
from app.sources.simulator.people import FALLBACK
from app.sources.simulator.plan import is_promotion
from app.sources.simulator.world import World

# Durations are tables of SIZE equally likely milliseconds.
FIRST = lognormal(13.5, 0.8, 2, 420)
LATER = lognormal(12.5, 0.75, 2, 420)
LEAVE_FIRST = lognormal(75, 0.9, 8, 1200)
_LEAVE_ANSWER = even(20, 60)
_THINK = lognormal(21, 0.75, 3, 240)
_TYPE = even(2.2, 8)
_PATIENCE = lognormal(75, 0.5, 30, 300)
_SURPRISED = even(6, 20)
_QUEUE_TICK = even(35, 80)
_IDLE = even(110, 200)
_SOON = even(6, 55)
_RATE = lognormal(16, 0.8, 4, 120)
_CONTINUE = even(40, 570)
_COME_BACK = lognormal(5400, 1.0, 660, 8 * 3600)
_HAND_OVER = even(3, 7)
_NOT_TAKEN = even(40, 70)
_OFFLINE = even(5, 40)
TURNS = weighted((0, 0.05, 0.13, 0.2, 0.2, 0.15, 0.11, 0.07, 0.04, 0.03, 0.02))
_PROMOTION_PACE = 0.6
_MANY_LEAVES = 30
"""Who has more leave messages than so many hurries."""
_GIVE_UP_HOUR = 20.0
_MORNING_MS = 8 * 3_600_000
_NEIGHBOUR = {"presale": "aftersale", "aftersale": "logistics", "logistics": "aftersale", FALLBACK: "presale"}


class Chats(Clockwork, ABC):
    """tag: of the ids of events and of chance; the same tag gives the same. decides: who takes which session."""

    def __init__(self, world: World, tag: str, decides: Decides, transcripts: bool) -> None:
        super().__init__(f"{tag}-")
        plan = world.plan
        self._world = world
        self._store = plan.store
        self._decides = decides
        self._rnd = source(plan.seed, "day", tag).random
        self._talk = talk.voice(plan.seed, tag) if transcripts else None
        self._floor = Floor(world.agents)
        self._chats: dict[str, Chat] = {}
        """Open sessions."""
        self._promised: set[str] = set()
        """Orders that are known of."""
        self._returns_until = self._park_from = 0
        self._pace = 1.0

    def _begin(self, day: int) -> None:
        """What is different on another day."""
        self._returns_until = self._world.wall_clock(day, 21.5)
        self._park_from = self._world.wall_clock(day, 22.5)
        self._pace = _PROMOTION_PACE if is_promotion(day) else 1.0

    @abstractmethod
    def _come_back(self, at: int, customer: Customer) -> None:
        """A step: the customer of an earlier session enters again."""

    @abstractmethod
    def _goes_home(self, at: int, seat: Seat) -> None:
        """A step: the last open session of an agent whose shift is over has closed."""

    def _draw(self, table: tuple[int, ...]) -> int:
        return table[int(self._rnd() * SIZE)]

    def _then(self, at: int, step: Step, chat: Chat) -> None:
        """Has the next step of a chat done when the time comes, unless another is planned before."""
        chat.step = self._stepped + 1
        self._plan(at, self._go_on, (chat, chat.step, step))

    def _go_on(self, at: int, what: tuple[Chat, int, Step]) -> None:
        chat, number, step = what
        if chat.step == number:
            step(at, chat)

    def _say(self, at: int, chat: Chat, sender: Sender, lines: talk.Lines | None, content: Content = "text") -> None:
        """Adds a message; with transcripts its text is one of `lines`."""
        text, voice = None, self._talk
        if voice is not None and lines is not None and chat.script is not None:
            text = lines[int(voice() * len(lines))] % chat.script.context
        agent = chat.seat.code if sender == "agent" and chat.seat is not None else None
        self._soon.append(
            MessageSent(id=self._id(), at=at, store=self._store, session=chat.code, sender=sender, agent=agent, text=text, content=content)
        )

    # ---- who takes it

    def _told(self, at: int, decisions: Sequence[Decision]) -> None:
        """Carries out what was decided at once, and records it: an engine would have."""
        for decision in decisions:
            chat = self._chats[decision.session]
            if decision.agent is None:
                self._unserved(at, chat)
                continue
            seat = self._floor.seats[decision.agent]
            if chat.seat is not seat or chat.handing:  # nobody else was free: it was their turn all the same
                self._soon.append(
                    SessionAssigned(
                        id=f"{chat.code}-{at}" if chat.seat is seat else self._id(), at=at, store=self._store, session=chat.code,
                        agent=seat.code, group=decision.group or None, reason=decision.reason,
                    )
                )  # fmt: skip
            self._given(at, chat, seat, decision.group)

    def _given(self, at: int, chat: Chat, seat: Seat, group: str) -> None:
        """Somebody has decided that the session is this agent's from now on."""
        before = chat.seat
        self._let_go(at, chat)
        self._take(chat, seat, group)
        if chat.gone:
            return
        if before is not None and before is not seat:
            chat.answered = False
            chat.asked = at
        if chat.parked:
            chat.parked, chat.morning = False, True
        if chat.script is not None:
            chat.script.context["agent"] = seat.agent.name[-2:]
        if self._rnd() < 0.3:
            self._say(at + 150, chat, "system", talk.JOINED)
        self._await_reply(at, chat, at, LEAVE_FIRST if chat.leave else FIRST)

    def _take(self, chat: Chat, seat: Seat, group: str) -> None:
        chat.seat, chat.group, chat.held = seat, group, True
        chat.waiting = chat.handing = False
        if chat.leave:
            seat.leaves += 1
        else:
            seat.active += 1

    def _let_go(self, at: int, chat: Chat) -> None:
        """Out of the hands of its agent, who goes home if that was all they stayed for."""
        seat = chat.seat
        if seat is None or not chat.held:
            return
        chat.held = False
        if chat.leave:
            seat.leaves -= 1
        else:
            seat.active -= 1
        if seat.ending and not seat.active and not seat.leaves:
            self._plan(at + self._draw(_OFFLINE), self._goes_home, seat)

    def _unserved(self, at: int, chat: Chat) -> None:
        """Nobody takes it for now. Messages left wait for whoever comes, customers as long as they are patient."""
        self._let_go(at, chat)
        chat.handing = False
        if chat.gone or chat.waiting:
            return
        chat.waiting = True
        if chat.leave or chat.parked:
            world = self._world
            evening = world.wall_clock(world.local.day(at + _MORNING_MS), _GIVE_UP_HOUR)
            self._then(max(evening, at + _MORNING_MS), self._give_up, chat)
            return
        self._say(at, chat, "system", talk.QUEUE)
        self._then(at + self._draw(_SURPRISED), self._waits, chat)

    def _unheard(self, at: int, chat: Chat) -> None:
        """A step: whoever decides has not said anything yet."""
        if chat.seat is None:
            self._unserved(at, chat)

    def _waits(self, at: int, chat: Chat) -> None:
        """A step: a customer whom nobody has: waiting, then chasing, at last gone."""
        chat.ticks += 1
        rnd = self._rnd
        if chat.ticks > 5 or (chat.ticks > 1 and rnd() < 0.22):
            self._walk_out(at, chat)
        else:
            if rnd() < 0.5:
                self._say(at, chat, "customer", talk.CHASE)
            self._then(at + self._draw(_QUEUE_TICK), self._waits, chat)

    def _give_up(self, at: int, chat: Chat) -> None:
        """A step: what nobody came to is closed by the system."""
        self._close_at(at, chat, "system")

    # ---- turns

    def _await_reply(self, at: int, chat: Chat, since: int, table: tuple[int, ...]) -> None:
        """Plans the owner's next message, a drawn delay after `since`; a customer who waits too long chases, and leaves in the end."""
        seat, rnd, asked = chat.seat, self._rnd, chat.asked
        assert seat is not None
        load = seat.active / seat.capacity
        busy = 0.6 + 0.6 * load + 0.9 * load * load
        if seat.state != "available":
            busy *= 1.4
        delay = int(table[int(rnd() * SIZE)] * seat.agent.pace * self._pace * busy)
        overlooked = not chat.answered and rnd() < seat.agent.slips * (1 + 4 * load)
        if chat.leave:
            self._answer_left(at, chat, seat, delay, overlooked)
            return
        patience = self._draw(_PATIENCE)
        reply = max(since + delay, at + 900)
        if overlooked or reply > asked + 60_000 + 4 * patience:
            leaves = max(asked + 60_000 + 4 * patience, at + 5_000)
            self._say(max(asked + patience, at + 1_000), chat, "customer", talk.CHASE)
            self._then(leaves, self._walk_out, chat)
            return
        if reply > asked + patience > at:
            self._say(asked + patience, chat, "customer", talk.CHASE)
            if reply > asked + 2 * patience > at:
                self._say(asked + 2 * patience, chat, "customer", talk.CHASE)
        self._then(reply, self._reply, chat)

    def _answer_left(self, at: int, chat: Chat, seat: Seat, delay: int, overlooked: bool) -> None:
        """Messages left are seen to one after another, the faster the more there are."""
        if overlooked or (not chat.answered and self._rnd() < 0.03):
            self._close_at(at + 1_800_000, chat, "timeout")
        elif chat.answered:
            self._then(at + delay, self._reply, chat)
        else:
            pause = self._draw(_LEAVE_ANSWER) * _MANY_LEAVES // max(_MANY_LEAVES, seat.leaves)
            seat.busy_until = max(at + delay // 4, seat.busy_until + pause)
            self._then(seat.busy_until, self._reply, chat)

    def _reply(self, at: int, chat: Chat) -> None:
        """A step: the owner answers, and the customer says the next thing, or nothing more."""
        seat, rnd = chat.seat, self._rnd
        assert seat is not None
        if not chat.leave and rnd() < (0.25 if seat.ending else 0.012 if chat.turn < 3 else 0.0):
            self._say(at, chat, "agent", talk.TRANSFER)
            self._then(at + self._draw(_HAND_OVER), self._hand_over, chat)
            return
        if at >= self._park_from and chat.customer.parkable and not chat.leave and not chat.morning and rnd() < 0.006:
            self._park(at, chat)
            return
        script = chat.script
        answer = talk.SPAM if script is None else script.pair(chat.turn).answer
        last = at
        if not chat.answered:
            chat.answered = True
            chat.waited = at - chat.asked
            first = talk.LEAVE_ANSWER if chat.leave else talk.MORNING if chat.morning else talk.HANDED if chat.turn else talk.GREET
            if chat.leave or chat.morning or rnd() < 0.6:
                self._say(at, chat, "agent", first)
                last += self._draw(_TYPE)
        self._say(last, chat, "agent", answer)
        extra = rnd()
        if extra < 0.3:
            last += self._draw(_TYPE)
            self._say(last, chat, "agent", talk.EXTRA if extra < 0.26 else talk.CARD, "text" if extra < 0.26 else "card")
        chat.turn += 1
        if chat.spam:
            self._soon.append(SessionFlagged(id=self._id(), at=last + 2_500, store=self._store, session=chat.code, flag="spam"))
            self._close_at(last + 3_000 + self._draw(_SOON), chat, "agent")
        elif chat.turn >= chat.turns:
            self._finish(last, chat, rnd() < 0.2)
        elif rnd() < 0.04:
            self._finish(last, chat, True)
        else:
            self._ask(last + self._draw(_THINK), chat)

    def _ask(self, at: int, chat: Chat) -> None:
        """The customer's next question, now and then in two messages or as a picture."""
        rnd, last = self._rnd, at
        chat.asked = at
        picture = rnd() < (0.08 if chat.topic == "aftersale" else 0.015)
        question = None if chat.script is None else chat.script.pair(chat.turn).ask
        self._say(at, chat, "customer", None if picture else question, "image" if picture else "text")
        if rnd() < 0.27:
            last += self._draw(_TYPE)
            self._say(last, chat, "customer", talk.MORE)
        self._await_reply(last, chat, at, LATER)

    def _walk_out(self, at: int, chat: Chat) -> None:
        """A step: the customer has waited long enough."""
        words = self._rnd()
        if words < 0.4:
            self._say(at, chat, "customer", talk.QUIT)
        self._close_at(at + (self._draw(_SOON) if words < 0.7 else self._draw(_IDLE)), chat, "customer" if words < 0.7 else "timeout")

    # ---- to somebody else

    def _hand_over(self, at: int, chat: Chat) -> None:
        """A step: the owner asks for a colleague of the same or a neighbouring group."""
        seat = chat.seat
        assert seat is not None
        group = chat.group or chat.topic
        if not seat.ending and self._rnd() >= 0.45:
            group = _NEIGHBOUR.get(group, FALLBACK)
        chat.handing = True
        self._then(at + self._draw(_NOT_TAKEN), self._not_taken, chat)
        self._told(at, self._decides.hand_over(Wish(chat.code, seat.code, group), at))

    def _not_taken(self, at: int, chat: Chat) -> None:
        """A step: nothing has come of handing over, so the owner goes on."""
        chat.handing = False
        self._await_reply(at, chat, at, LATER)

    def _park(self, at: int, chat: Chat) -> None:
        """The answer comes in the morning: from whoever has the session then, or from the owner, when they are back."""
        chat.answered = True
        self._say(at, chat, "agent", talk.OVERNIGHT)
        self._let_go(at, chat)
        self._park_until_morning(at, chat)

    def _park_until_morning(self, at: int, chat: Chat) -> None:
        chat.parked = True
        world = self._world
        self._then(world.wall_clock(world.local.day(at + _MORNING_MS), _GIVE_UP_HOUR), self._give_up, chat)

    def _go_on_with(self, at: int, seat: Seat) -> None:
        """An agent is back who still has sessions of the evening before."""
        for chat in self._chats.values():
            if chat.parked and chat.seat is seat and not chat.waiting:
                self._given(at, chat, seat, chat.group)

    # ---- the end

    def _finish(self, last: int, chat: Chat, silent: bool) -> None:
        """Thanks and goodbye, an invitation, a rating, perhaps an order; closed by whoever loses patience first."""
        rnd, seat = self._rnd, chat.seat
        assert seat is not None
        if not silent:
            last += self._draw(_SOON) // 2
            self._say(last, chat, "customer", talk.THANKS)
            if rnd() < 0.75:
                last += self._draw(_TYPE)
                self._say(last, chat, "agent", talk.BYE)
        if not chat.invited and rnd() < seat.agent.invites:
            chat.invited = True
            last += 900
            self._soon.append(RatingInvited(id=self._id(), at=last, store=self._store, session=chat.code))
            self._say(last + 50, chat, "system", talk.INVITE)
        if not chat.rated and rnd() < ((0.1 if silent else 0.25) if chat.invited else 0.02):
            last += self._draw(_RATE)
            self._rate(last, chat, seat)
        closer = rnd()
        if closer < 0.28:
            self._close_at(last + self._draw(_SOON), chat, "agent")
        elif closer < 0.44:
            self._close_at(last + self._draw(_SOON), chat, "customer")
        else:
            self._close_at(last + self._draw(_IDLE), chat, "timeout")

    def _rate(self, at: int, chat: Chat, seat: Seat) -> None:
        rnd = self._rnd
        chat.rated = True
        pleased = rnd() < seat.agent.satisfaction - (0.12 if chat.waited > 60_000 else 0.0)
        grade = rnd()
        if pleased:
            score = 5 if grade < 0.86 else 4
        else:
            score = 3 if grade < 0.42 else 2 if grade < 0.63 else 1
        resolved = None if rnd() < 0.35 else rnd() < (0.92 if pleased else 0.3)
        words = talk.COMMENTS_GOOD if pleased else talk.COMMENTS_FAIR if score == 3 else talk.COMMENTS_BAD
        comment = words[int(rnd() * len(words))] if rnd() < (0.3 if pleased else 0.6) else None
        self._soon.append(
            RatingGiven(id=self._id(), at=at, store=self._store, session=chat.code, score=score, resolved=resolved, comment=comment)
        )

    def _close_at(self, at: int, chat: Chat, by: ClosedBy) -> None:
        chat.by, chat.gone = by, True
        self._then(at, self._close, chat)

    def _close(self, at: int, chat: Chat) -> None:
        """A step: the end, after which some customers order, some go on within ten minutes and some come back another time."""
        rnd, customer = self._rnd, chat.customer
        self._soon.append(SessionClosed(id=self._id(), at=at, store=self._store, session=chat.code, by=chat.by))
        del self._chats[chat.code]
        self._let_go(at, chat)
        self._told(at, self._decides.closed(chat.code, at))
        if chat.leave or chat.morning or chat.spam or not chat.answered:
            return
        self._promise(at, chat)
        if customer.visits > 2:
            return
        again = rnd()
        if again < 0.025:
            self._plan(at + self._draw(_CONTINUE), self._continue, chat)
        elif again < 0.075:
            back = at + self._draw(_COME_BACK)
            if back < self._returns_until:
                self._plan(back, self._come_back, customer)

    def _promise(self, at: int, chat: Chat) -> None:
        """Some who have asked before ordering will order."""
        seat, customer = chat.seat, chat.customer
        if seat is None or chat.promised or not chat.presale or not customer.decides or customer.ordered_at is not None:
            return
        chat.promised = True
        found = orders.promised(self._world, chat.code, customer.code, chat.good, chat.page, seat.agent, chat.opened, at)
        if found:
            customer.order, customer.ordered_at = found[0].order, found[0].at
            self.expect(found, customer.order)

    def expect(self, found: Sequence[orders.OrderEvent], order: str) -> None:
        """What is still to come of an order, unless it is known already."""
        if order not in self._promised:
            self._promised.add(order)
            for event in found:
                self._add_order(event)

    def _continue(self, at: int, chat: Chat) -> None:
        """A step: the customer writes again within ten minutes; the session goes on if its owner is there to go on with it."""
        seat = chat.seat
        if seat is None or seat.state != "available" or seat.ending or seat.active >= seat.capacity:
            return
        self._chats[chat.code] = chat
        chat.gone = False
        chat.customer.visits += 1
        self._take(chat, seat, chat.group)
        self._soon.append(VisitorEntered(id=self._id(), at=at, store=self._store, customer=chat.customer.code, available=True))
        chat.turns = chat.turn + 1 + self._draw(TURNS) // 3
        self._ask(at, chat)
        self._told(at, self._decides.taken(facts(chat), seat.code, chat.group, at))


def facts(chat: Chat) -> NewSession:
    """What whoever decides is told of a session."""
    return NewSession(
        chat.code, chat.customer.code, "leave" if chat.leave else "online", chat.page, "" if chat.page == "shop" else GOODS[chat.good].sku,
        chat.customer.persona.region, "none" if chat.presale else "placed", ("PLUS",) if chat.customer.persona.member else (),
    )  # fmt: skip
