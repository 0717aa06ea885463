"""What happens inside sessions: queueing, being assigned, turns of talk, transfers, ratings, orders, closing.

How long an answer takes depends on the agent's pace and on how full the agent's hands are at that moment, so waits grow at peaks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque

from app.domain.events import (
    ClosedBy,
    Content,
    MessageSent,
    RatingGiven,
    RatingInvited,
    Reason,
    Sender,
    SessionAssigned,
    SessionClosed,
    SessionFlagged,
    VisitorEntered,
)
from app.domain.localtime import day_date
from app.sources.simulator import orders, talk
from app.sources.simulator.chance import SIZE, even, lognormal, source, weighted
from app.sources.simulator.clockwork import Clockwork
from app.sources.simulator.floor import Chat, Customer, Floor, Seat
from app.sources.simulator.people import FALLBACK
from app.sources.simulator.plan import is_promotion
from app.sources.simulator.world import RUN_DAYS, World

# Durations are tables of SIZE equally likely milliseconds.
FIRST = lognormal(13.5, 0.8, 2, 420)
LATER = lognormal(12.5, 0.75, 2, 420)
LEAVE_FIRST = lognormal(75, 0.9, 8, 1200)
_THINK = lognormal(21, 0.75, 3, 240)
_TYPE = even(2.2, 8)
_PATIENCE = lognormal(75, 0.5, 30, 300)
_OVERFLOW = even(6, 20)
_QUEUE_TICK = even(35, 80)
_IDLE = even(110, 200)
_SOON = even(6, 55)
_RATE = lognormal(16, 0.8, 4, 120)
_ORDER = lognormal(720, 1.9, 15, 23.5 * 3600)
_CONTINUE = even(40, 570)
_COME_BACK = lognormal(5400, 1.0, 660, 8 * 3600)
_HAND_OVER = even(3, 7)
_OFFLINE = even(5, 40)
TURNS = weighted((0, 0.05, 0.13, 0.2, 0.2, 0.15, 0.11, 0.07, 0.04, 0.03, 0.02))
_PROMOTION_PACE = 0.6
_NEIGHBOUR = {"presale": "aftersale", "aftersale": "logistics", "logistics": "aftersale", FALLBACK: "presale"}


class Chats(Clockwork, ABC):
    def __init__(self, world: World, day: int, transcripts: bool) -> None:
        super().__init__(f"{day}-", world.unasked_orders(day))
        plan = world.plan
        self._store = plan.store
        self._rnd = source(plan.seed, "day", day).random
        self._talk = talk.voice(plan.seed, day) if transcripts else None
        self._floor = Floor(world.agents)
        self._order_tag, self._ordered = f"3{day_date(day):%y%m%d}", 0
        self._settled = world.local.start_of_day(day + RUN_DAYS + 1)
        self._returns_until = world.wall_clock(day, 21.5)
        self._park_from = world.wall_clock(day, 22.5)
        self._pace = _PROMOTION_PACE if is_promotion(day) else 1.0
        self._parked: deque[Chat] = deque()
        """Sessions left for a specialist of the next morning."""

    @abstractmethod
    def _come_back(self, at: int, customer: Customer) -> None:
        """A step: the customer of an earlier session enters again."""

    def _draw(self, table: tuple[int, ...]) -> int:
        return table[int(self._rnd() * SIZE)]

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

    def _route(self, at: int, chat: Chat) -> None:
        floor, rnd = self._floor, self._rnd
        known = chat.customer.seat
        if known is not None and known in floor.ready[chat.topic] and known.active < known.capacity:
            self._assign(at, chat, known, chat.topic, "returning")
            return
        group = chat.topic if floor.attended(chat.topic) else FALLBACK
        seat = None if floor.queued(group) else floor.choose(rnd, group)
        if seat is not None:
            self._assign(at, chat, seat, group, "routed")
            return
        chat.waiting = True
        floor.queues[group].append(chat)
        self._say(at + 200, chat, "system", talk.QUEUE)
        self._plan(at + self._draw(_OVERFLOW), self._waits, chat)

    def _waits(self, at: int, chat: Chat) -> None:
        """A customer in the queue: offered to the fallback first, then chasing, at last gone."""
        if not chat.waiting:
            return
        chat.ticks += 1
        floor, rnd = self._floor, self._rnd
        seat = floor.choose(rnd, FALLBACK) if chat.ticks <= 2 and not floor.queued(FALLBACK) else None
        if seat is not None:
            self._assign(at, chat, seat, FALLBACK, "routed")
        elif chat.ticks > 5 or (chat.ticks > 1 and rnd() < 0.22):
            chat.waiting = False
            self._walk_out(at, chat)
        else:
            if rnd() < 0.5:
                self._say(at, chat, "customer", talk.CHASE)
            self._plan(at + self._draw(_QUEUE_TICK), self._waits, chat)

    def _assign(self, at: int, chat: Chat, seat: Seat, group: str, reason: Reason) -> None:
        chat.waiting = False
        chat.seat = chat.customer.seat = seat
        chat.group = group
        seat.active += 1
        self._soon.append(
            SessionAssigned(id=self._id(), at=at, store=self._store, session=chat.code, agent=seat.code, group=group, reason=reason)
        )
        if chat.script is not None:
            chat.script.context["agent"] = seat.agent.name[-2:]
        if self._rnd() < 0.3:
            self._say(at + 150, chat, "system", talk.JOINED)
        self._await_reply(at, chat, at, LEAVE_FIRST if chat.leave else FIRST)

    def _free(self, at: int, seat: Seat) -> None:
        """A place has become free: the next customer in the queue, or home."""
        seat.active -= 1
        if seat.ending:
            if not seat.active:
                self._plan(at + self._draw(_OFFLINE), self._goes_home, seat)
        else:
            self._serve_queue(at, seat)

    def _serve_queue(self, at: int, seat: Seat) -> None:
        while seat.state in ("available", "away") and not seat.ending and seat.active < seat.capacity:
            found = self._floor.next_for(seat)
            if found is None:
                return
            self._assign(at, found[0], seat, found[1], "routed")

    @abstractmethod
    def _goes_home(self, at: int, seat: Seat) -> None:
        """A step: the last open session of an agent whose shift is over has closed."""

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
            if overlooked or (not chat.answered and rnd() < 0.03):
                self._close_at(at + 1_800_000, chat, "timeout")
            else:
                self._plan(at + delay, self._reply, chat)
            return
        patience = self._draw(_PATIENCE)
        reply = max(since + delay, at + 900)
        if overlooked or reply > asked + 60_000 + 4 * patience:
            leaves = max(asked + 60_000 + 4 * patience, at + 5_000)
            self._say(max(asked + patience, at + 1_000), chat, "customer", talk.CHASE)
            self._plan(leaves, self._walk_out, chat)
            return
        if reply > asked + patience > at:
            self._say(asked + patience, chat, "customer", talk.CHASE)
            if reply > asked + 2 * patience > at:
                self._say(asked + 2 * patience, chat, "customer", talk.CHASE)
        self._plan(reply, self._reply, chat)

    def _reply(self, at: int, chat: Chat) -> None:
        """A step: the owner answers, and the customer says the next thing, or nothing more."""
        seat, rnd = chat.seat, self._rnd
        assert seat is not None
        if not chat.leave and rnd() < (0.25 if seat.ending else 0.012 if chat.turn < 3 else 0.0):
            self._say(at, chat, "agent", talk.TRANSFER)
            self._plan(at + self._draw(_HAND_OVER), self._hand_over, chat)
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
        """A step: a colleague of the same or a neighbouring group takes over, or nobody can and the owner goes on."""
        old, rnd = chat.seat, self._rnd
        assert old is not None
        group = chat.group if old.ending or rnd() < 0.45 else _NEIGHBOUR[chat.group]
        seat = self._floor.choose(rnd, group, old)
        if seat is None:
            self._await_reply(at, chat, at, LATER)
            return
        chat.answered = False
        chat.asked = at
        self._assign(at, chat, seat, group, "transfer")
        self._free(at, old)

    def _park(self, at: int, chat: Chat) -> None:
        seat = chat.seat
        assert seat is not None
        chat.answered = chat.parked = True
        self._say(at, chat, "agent", talk.OVERNIGHT)
        self._parked.append(chat)
        self._free(at, seat)

    # ---- the end

    def _finish(self, last: int, chat: Chat, silent: bool) -> None:
        """Thanks and goodbye, an invitation, a rating, perhaps an order; closed by whoever loses patience first."""
        rnd, seat, customer = self._rnd, chat.seat, chat.customer
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
        if chat.presale and customer.decides and customer.ordered_at is None and not chat.leave:
            keen = 0.55 if chat.topic == FALLBACK else 1.0
            if rnd() < seat.agent.conversion * keen:
                room = self._settled - last - 2 * orders.LATEST_PAYMENT_MS
                self._order(last + orders.within(rnd, _ORDER, room), customer, chat.good)
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

    def _order(self, placed: int, customer: Customer, good: int) -> None:
        self._ordered += 1
        customer.order = f"{self._order_tag}{self._ordered:06d}"
        customer.ordered_at = placed
        orders.write(self._rnd, self._add_order, self._id, self._store, customer.order, customer.code, good, placed, self._settled)

    def _close_at(self, at: int, chat: Chat, by: ClosedBy) -> None:
        chat.by = by
        self._plan(at, self._close, chat)

    def _close(self, at: int, chat: Chat) -> None:
        """A step: the end, after which some customers go on within ten minutes and some come back another time."""
        rnd, seat, customer = self._rnd, chat.seat, chat.customer
        self._soon.append(SessionClosed(id=self._id(), at=at, store=self._store, session=chat.code, by=chat.by))
        if seat is not None and not chat.parked:
            self._free(at, seat)
        if chat.leave or chat.morning or chat.spam or not chat.answered or customer.visits > 2:
            return
        again = rnd()
        if again < 0.025:
            self._plan(at + self._draw(_CONTINUE), self._continue, chat)
        elif again < 0.075:
            back = at + self._draw(_COME_BACK)
            if back < self._returns_until:
                self._plan(back, self._come_back, customer)

    def _continue(self, at: int, chat: Chat) -> None:
        """A step: the customer writes again within ten minutes; the session goes on if its owner is there to go on with it."""
        seat = chat.seat
        assert seat is not None
        if seat.state != "available" or seat.ending or seat.active >= seat.capacity:
            return
        seat.active += 1
        chat.customer.visits += 1
        self._soon.append(VisitorEntered(id=self._id(), at=at, store=self._store, customer=chat.customer.code, available=True))
        chat.turns = chat.turn + 1 + self._draw(TURNS) // 3
        self._ask(at + 2_000, chat)
