"""All that a plan decides before a day begins: staff, shifts, customers by number, and the orders nobody was asked about.

Days are independent. What links them is arithmetic on customer numbers: every day owns a block of the pool, and each part of a block
has a fixed fate, so that another day knows it without having simulated it. A *hesitant* customer asks and does not buy that day
(and may come back undecided), a *buyer* orders without asking (and may come back with a question about that order), a *slow* customer
asks and orders on a later day whatever they were told.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter

from app.domain.localtime import SLOT_MS, LocalTime, day_date
from app.sources.simulator import orders
from app.sources.simulator.chance import SIZE, mix, source, weighted
from app.sources.simulator.people import Persona, staff
from app.sources.simulator.plan import CURVE, Plan, ordinary_staff, volume
from app.sources.simulator.shifts import Shift, duty, wall_clock

TAIL_DAYS = 20
"""Nothing that a day causes happens later than this many days after it."""
BUYERS_RETURN_DAYS = 10
HESITANT_AGO_DAYS, HESITANT_RETURN_DAYS = 3, 5
"""Whoever is undecided comes back so many days later at the earliest, on one of so many days: later than the 48 hours for which routing
remembers who served them, which a day on its own cannot know."""
_BUYERS, _SLOW, _HESITANT = 0.38, 0.035, 0.06
_SLOT_OF_DAY = weighted(CURVE)
_SMALLEST_POOL = 10_000_000
_POOL_DAYS = 90


class World:
    """Shared by all days of a plan; holds no state but caches."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.local = LocalTime(plan.zone)
        self.agents = staff(plan)
        self.salt = mix(plan.seed)
        base = ordinary_staff(plan) * plan.sessions_per_agent + 10
        # Where each fate begins inside a day's block; wide enough for a promotion day.
        self._hesitant_at, self._buyers_at, self._slow_at, self._block = 22 * base, 24 * base, 30 * base, 32 * base
        self._pool = max(_SMALLEST_POOL, _POOL_DAYS * self._block)
        self._digits = len(str(self._pool - 1))
        self.duty = lru_cache(maxsize=4)(self._duty)
        self.volume = lru_cache(maxsize=64)(self._volume)

    def _duty(self, day: int) -> tuple[Shift, ...]:
        return duty(self.plan, self.agents, self.local, day)

    def _volume(self, day: int) -> int:
        return volume(self.plan, day)

    def wall_clock(self, day: int, hour: float) -> int:
        """Epoch milliseconds of a time of the local day."""
        return wall_clock(self.local, day, int(hour * 3_600_000))

    def hesitant(self, day: int) -> int:
        """How many hesitant customers a day may have."""
        return int(self.volume(day) * _HESITANT)

    def buyers(self, day: int) -> int:
        """How many customers order on a day without asking."""
        return int(self.volume(day) * _BUYERS)

    def slow(self, day: int) -> int:
        """How many customers who ask on this day will order on a later one."""
        return int(self.volume(day) * _SLOW)

    def fresh_number(self, day: int, index: int) -> int:
        """Number of a customer without a fate; the number says who they are, on every day."""
        return (day * self._block + index) % self._pool

    def hesitant_number(self, day: int, index: int) -> int:
        return (day * self._block + self._hesitant_at + index) % self._pool

    def buyer_number(self, day: int, index: int) -> int:
        return (day * self._block + self._buyers_at + index) % self._pool

    def slow_number(self, day: int, index: int) -> int:
        return (day * self._block + self._slow_at + index) % self._pool

    def fates(self, day: int) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """[first, past) of the numbers of a day's customers who come with what they want to ask: without a fate, hesitant, slow."""
        return (
            (self.fresh_number(day, 0), self.hesitant_number(day, 0)),
            (self.hesitant_number(day, 0), self.buyer_number(day, 0)),
            (self.slow_number(day, 0), self.fresh_number(day + 1, 0)),
        )

    def decides(self, number: int, day: int) -> bool:
        """Whether a customer who asks on a day may be won by what they are told."""
        place = (number - day * self._block) % self._pool
        return place >= self._block or place < self._hesitant_at

    def number_of(self, customer: str) -> int | None:
        """What `customer_code` made a code of; None for a customer of somebody else."""
        digits = customer.removeprefix("c")
        return int(digits) if len(digits) == self._digits and digits.isascii() and digits.isdigit() and digits != customer else None

    def customer_code(self, number: int) -> str:
        return f"c{number:0{self._digits}d}"

    def persona(self, number: int) -> Persona:
        return Persona(number, self.salt)

    def buyer_order(self, day: int, index: int) -> str:
        """Code of the order of a day's n-th buyer."""
        return f"2{day_date(day):%y%m%d}{index:06d}"

    def unasked_orders(self, day: int) -> list[orders.OrderEvent]:
        """Orders of the day's buyers and slow customers with all that becomes of them, sorted by (at, id)."""
        rnd = source(self.plan.seed, "orders", day).random
        found: list[orders.OrderEvent] = []
        buyers = self.buyers(day)
        settled = self.local.start_of_day(day + TAIL_DAYS + 1)
        for index in range(buyers + self.slow(day)):
            if index < buyers:
                number, later = self.buyer_number(day, index), 0
            else:
                number, later = self.slow_number(day, index - buyers), 1 + int(rnd() * rnd() * 13.8)
            slot = _SLOT_OF_DAY[int(rnd() * SIZE)]
            placed = wall_clock(self.local, day + later, int((slot + rnd()) * SLOT_MS))
            orders.write(
                rnd, found.append, lambda: f"{day}-o{len(found):07d}", self.plan.store,
                self.buyer_order(day, index), self.customer_code(number), self.persona(number).good, placed, settled,
            )  # fmt: skip
        found.sort(key=attrgetter("at"))  # stable, and the ids rise: sorted by (at, id)
        return found
