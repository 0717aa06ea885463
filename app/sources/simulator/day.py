"""Local days of the store: visitors come and write, agents come, pause and go, and live with what is decided about their sessions."""

from __future__ import annotations

from math import sqrt

from app.domain.events import (
    AgentPresence,
    Channel,
    CustomerUpserted,
    EntryClicked,
    Page,
    QuestionClicked,
    SessionFlagged,
    SessionOpened,
    State,
    VisitorEntered,
)
from app.domain.localtime import SLOT_MS, day_date
from app.sources.simulator import talk
from app.sources.simulator.chance import SIZE, even, weighted
from app.sources.simulator.chats import TURNS, Chats, facts
from app.sources.simulator.deciding import Decides
from app.sources.simulator.floor import Chat, Customer, Seat
from app.sources.simulator.goods import GOODS, POPULAR
from app.sources.simulator.people import FALLBACK
from app.sources.simulator.plan import CURVE
from app.sources.simulator.shifts import UNDISTURBED_MS, Verb
from app.sources.simulator.storefront import ENTRIES, QUESTIONS
from app.sources.simulator.world import BUYERS_RETURN_DAYS, HESITANT_AGO_DAYS, HESITANT_RETURN_DAYS, World

_BROWSE = even(2, 40)
_UNHEARD = even(8, 25)
_BOT_ONLY_IDLE = even(60, 180)
_LEAVE_TURNS = weighted((0, 0.6, 0.28, 0.12))
_CHANNEL_NAMES: tuple[Channel, ...] = ("app", "web", "mini", "phone", "other")
_CHANNELS = weighted((0.68, 0.12, 0.14, 0.04, 0.02))
_PAGES: dict[str, tuple[Page, ...]] = {
    "presale": ("item", "item", "item", "item", "shop"),
    "aftersale": ("order",),
    "logistics": ("logistics", "logistics", "order"),
    FALLBACK: ("shop",),
}
_VISITS_PER_ARRIVAL = 1.05
_LURKERS_PER_ARRIVAL = 0.34
_PAUSES: dict[Verb, State] = {"away": "away", "pause": "suspended", "meal": "suspended"}


class DayRun(Chats):
    """What a local day causes, from its beginning or from a moment of it on. With transcripts off messages have no text and nothing else
    differs.

    At midnight it ends: nobody else comes, and what is left over goes to those who come in the morning. Unless it `goes_on`, which may be
    set at any time before; then the next day begins.
    """

    def __init__(
        self, world: World, day: int, decides: Decides, transcripts: bool = True, since: int | None = None, tag: str = ""
    ) -> None:  # fmt: skip
        super().__init__(world, tag or f"{day}", decides, transcripts)
        self.goes_on = False
        self._since = world.local.start_of_day(day) - 1 if since is None else since
        self._returned: dict[int, None] = {}
        self._unasked = [event for event in world.unasked_orders(day) if event.at > self._since]
        self._begin(day)

    def _begin(self, day: int) -> None:
        super()._begin(day)
        world = self._world
        self._day = day
        self._session_tag, self._opened = f"{day_date(day):%y%m%d}-", 0
        self._end = world.local.start_of_day(day + 1)
        self._returns_from = world.wall_clock(day, 9.5)
        self._arrivals = world.volume(day) / _VISITS_PER_ARRIVAL
        self._fresh = self._hesitant = self._slow = 0
        self._returned.clear()
        for slot in range(world.local.start_of_day(day), self._end, SLOT_MS):
            if slot + SLOT_MS > self._since:
                self._plan(max(slot, self._since), self._slot, slot)
        for shift in world.duty(day):
            for at, verb in shift.moves:
                if at > self._since:
                    self._plan(at, self._move, (self._floor.seats[world.agents[shift.agent].code], verb))
        self._plan(self._end, self._midnight, None)

    # ---- presence

    def _move(self, at: int, what: tuple[Seat, Verb]) -> None:
        """A step of a shift. Nobody takes a break who would leave the store without anybody; whom somebody else has suspended stays so."""
        seat, verb = what
        if verb in _PAUSES:
            if not seat.ordered and (self._floor.able > 1 or seat.state != "available"):
                goes_out = verb == "meal" and not seat.active and not seat.leaves and self._rnd() < 0.3
                self._enter(at, seat, "offline" if goes_out else _PAUSES[verb])
        elif verb == "out":
            seat.ending, seat.ordered = True, False
            self._enter(at, seat, "suspended" if seat.active or seat.leaves else "offline")
        elif verb == "in" or not seat.ordered:
            seat.ending = seat.ordered = False
            self._enter(at, seat, "available")

    def _enter(self, at: int, seat: Seat, state: State) -> None:
        before = seat.state
        if before == state:
            return
        self._floor.enter(seat, state)
        self._soon.append(AgentPresence(id=self._id(), at=at, store=self._store, agent=seat.code, state=state))
        self._told(at, self._decides.presence(seat.code, state, at))
        if before == "offline":
            self._go_on_with(at, seat)

    def _goes_home(self, at: int, seat: Seat) -> None:
        if seat.ending and not seat.active and not seat.leaves:
            self._enter(at, seat, "offline")

    # ---- visitors

    def _slot(self, at: int, slot: int) -> None:
        """A step: draws who comes in five minutes; of those, whoever comes after `at`."""
        rnd = self._rnd
        expected = self._arrivals * CURVE[self._world.local.day_slot(slot)[1]]
        spread = 2 * (rnd() + rnd() + rnd() - 1.5)
        arrivals = max(0, int(expected + sqrt(expected) * spread + rnd()))
        for step, many in ((self._arrive, arrivals), (self._look_round, int(arrivals * _LURKERS_PER_ARRIVAL + rnd()))):
            for _n in range(many):
                come = slot + int(rnd() * SLOT_MS)
                if come >= at:
                    self._plan(come, step, None)

    def _look_round(self, at: int, _: None) -> None:
        """A step: a visitor who does not write."""
        self._fresh += 1
        self._enter_store(at, self._world.customer_code(self._world.fresh_number(self._day, self._fresh)))

    def _enter_store(self, at: int, customer: str) -> None:
        self._soon.append(VisitorEntered(id=self._id(), at=at, store=self._store, customer=customer, available=self._floor.able > 0))
        curious = self._rnd()
        if curious < 0.05:
            entry = ENTRIES[int(curious * 20 * len(ENTRIES))][0]
            self._soon.append(EntryClicked(id=self._id(), at=at + 1_500, store=self._store, customer=customer, entry=entry))

    def _arrive(self, at: int, _: None) -> None:
        """A step: somebody who will write, with what brings them."""
        rnd = self._rnd
        # Only in the middle of the day: whoever came late the day before is certainly done by then.
        may_return = self._returns_from <= at < self._returns_until
        brings = rnd()
        topic = "presale" if brings < 0.54 else "aftersale" if brings < 0.78 else "logistics" if brings < 0.93 else FALLBACK
        customer: Customer | None = None
        if topic == "presale":
            fate = rnd()
            if fate < 0.1 and may_return:
                customer = self._undecided_again()
            elif fate < 0.19 and may_return:
                customer = self._hesitating()
            elif fate < 0.25:
                customer = self._slow_one()
        elif topic != FALLBACK and may_return and rnd() < 0.75:
            customer = self._buyer_again(at)
        if customer is None:
            self._fresh += 1
            number = self._world.fresh_number(self._day, self._fresh)
            presale = topic == "presale" or (topic == FALLBACK and rnd() < 0.5)
            order, ordered_at = ("", None) if presale else (f"1{number:012d}", 0)
            customer = Customer(self._world.customer_code(number), self._world.persona(number), True, True, order, ordered_at)
        self._introduce(at, customer)
        self._visit(at, customer, topic)

    def _undecided_again(self) -> Customer | None:
        """Somebody who hesitated on one of the days before, unless already here today.

        Each of them has one day to come back on, so nobody is undecided again after having ordered meanwhile.
        """
        ago = int(self._rnd() * HESITANT_RETURN_DAYS)
        day = self._day - HESITANT_AGO_DAYS - ago
        choice = int(self._rnd() * self._world.hesitant(day) / HESITANT_RETURN_DAYS)
        number = self._world.hesitant_number(day, choice * HESITANT_RETURN_DAYS + ago)
        return self._known(number, True, "", None)

    def _buyer_again(self, at: int) -> Customer | None:
        """Somebody who ordered without asking on one of the days before, unless already here today."""
        rnd = self._rnd
        day = self._day - 1 - int(rnd() * rnd() * BUYERS_RETURN_DAYS)
        index = int(rnd() * self._world.buyers(day))
        return self._known(self._world.buyer_number(day, index), False, self._world.buyer_order(day, index), 0)

    def _hesitating(self) -> Customer | None:
        if self._hesitant >= self._world.hesitant(self._day):
            return None
        self._hesitant += 1
        return self._known(self._world.hesitant_number(self._day, self._hesitant - 1), False, "", None)

    def _slow_one(self) -> Customer | None:
        if self._slow >= self._world.slow(self._day):
            return None
        self._slow += 1
        return self._known(self._world.slow_number(self._day, self._slow - 1), False, "", None)

    def _known(self, number: int, decides: bool, order: str, ordered_at: int | None) -> Customer | None:
        if number in self._returned:
            return None
        self._returned[number] = None
        return Customer(self._world.customer_code(number), self._world.persona(number), decides, False, order, ordered_at)

    def _introduce(self, at: int, customer: Customer) -> None:
        who = customer.persona
        event = CustomerUpserted(id=self._id(), at=at, store=self._store, customer=customer.code, name=who.name, region=who.region)
        if who.member:
            event.tags = ["PLUS"]
        if customer.ordered_at is not None:
            event.phone, event.address = who.phone, f"{who.region}{who.city}市{who.street}"
        self._soon.append(event)

    def _come_back(self, at: int, customer: Customer) -> None:
        ordered = customer.ordered_at is not None and customer.ordered_at <= at
        self._visit(at, customer, "presale" if not ordered else "aftersale" if self._rnd() < 0.5 else "logistics")

    def _visit(self, at: int, customer: Customer, topic: str) -> None:
        rnd = self._rnd
        customer.visits += 1
        self._enter_store(at, customer.code)
        pages = _PAGES[topic]
        good = customer.persona.good if rnd() < 0.85 else POPULAR[int(rnd() * SIZE)]
        chat = Chat(customer, topic, pages[int(rnd() * len(pages))], good)
        # A session belongs to the day of its start, and this run is of this day.
        self._plan(max(at, min(at + self._draw(_BROWSE), self._end - 1)), self._open, chat)

    def _open(self, at: int, chat: Chat) -> None:
        """A step: the customer writes the first message, to whoever is there."""
        rnd, customer = self._rnd, chat.customer
        self._opened += 1
        chat.code = f"{self._session_tag}{self._opened:06d}"
        chat.asked = chat.opened = at
        chat.presale = customer.ordered_at is None or customer.ordered_at > at
        chat.leave = self._floor.online == 0
        self._chats[chat.code] = chat
        rare = rnd()
        chat.spam = rare < 0.004
        if self._talk is not None:
            chat.script = talk.Script(self._talk, chat.topic, customer.persona, chat.good, customer.order)
        self._soon.append(
            SessionOpened(
                id=self._id(), at=at, store=self._store, session=chat.code, customer=customer.code,
                kind="leave" if chat.leave else "online", channel=_CHANNEL_NAMES[self._draw(_CHANNELS)], page=chat.page,
                sku=None if chat.page == "shop" else GOODS[chat.good].sku, region=customer.persona.region,
                order_state="none" if chat.presale else "placed",
            )
        )  # fmt: skip
        question = None if chat.script is None else chat.script.pair(0).ask
        if chat.spam:
            chat.turns = 1
            self._say(at, chat, "customer", talk.SPAM)
        elif rnd() < 0.3:
            self._say(at, chat, "customer", talk.HELLO)
            self._say(at + 1_500 + int(rnd() * 4_000), chat, "customer", question)
        else:
            self._say(at, chat, "customer", question)
        if chat.leave:
            chat.turns = self._draw(_LEAVE_TURNS)
            self._say(at + 400, chat, "bot", talk.OFFLINES)
            if rnd() < 0.45:
                self._say(at + 9_000 + int(rnd() * 20_000), chat, "customer", talk.MORE)
        else:
            if not customer.welcomed:
                customer.welcomed = True
                self._say(at + 350, chat, "bot", talk.WELCOMES)
            if self._asks_the_robot(at, chat, rare):
                return
            chat.turns = chat.turns or self._draw(TURNS)
        self._then(at + self._draw(_UNHEARD), self._unheard, chat)
        self._told(at, self._decides.opened(facts(chat), at))

    def _asks_the_robot(self, at: int, chat: Chat, rare: float) -> bool:
        """Whether the robot's answer is enough, so that no agent is wanted."""
        rnd = self._rnd
        enough = 0.004 < rare < 0.01
        if not enough and rnd() <= 0.96:
            return False
        code = QUESTIONS[int(rnd() * len(QUESTIONS))][0]
        self._soon.append(
            QuestionClicked(id=self._id(), at=at + 1_200, store=self._store, customer=chat.customer.code, question=code, session=chat.code)
        )
        self._say(at + 1_500, chat, "bot", talk.ANSWERS[code])
        if enough:
            # Said at once: whoever gives sessions to agents leaves this one alone.
            self._soon.append(SessionFlagged(id=self._id(), at=at, store=self._store, session=chat.code, flag="bot_only"))
            self._close_at(at + 2_000 + self._draw(_BOT_ONLY_IDLE), chat, "timeout")
        return enough

    # ---- midnight

    def _midnight(self, at: int, _: None) -> None:
        """A step: the next day begins, or only those of its agents come who may be wanted; their presence is the next day's to tell."""
        following = self._day + 1
        if self.goes_on:
            for event in self._world.unasked_orders(following):
                self._add_order(event)
            self._since = at - 1
            self._begin(following)
            return
        for shift in self._world.duty(following):
            come = shift.moves[0][0]
            seat = self._floor.seats[self._world.agents[shift.agent].code]
            self._plan(come, self._next_morning, (seat, "available"))
            self._plan(come + UNDISTURBED_MS, self._next_morning, (seat, "suspended"))

    def _next_morning(self, at: int, what: tuple[Seat, State]) -> None:
        """A step: an agent is certainly at the desk from now on, or no longer."""
        seat, state = what
        seat.ending = False
        before = seat.state
        self._floor.enter(seat, state)
        self._told(at, self._decides.presence(seat.code, state, at))
        if before == "offline":
            self._go_on_with(at, seat)
