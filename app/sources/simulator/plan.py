"""What a simulated store is a function of, and its calendar: how much happens on a day and when."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.localtime import SLOTS_PER_DAY, day_date
from app.sources.simulator.chance import source


@dataclass(frozen=True, slots=True)
class Plan:
    """The same plan gives the same events, on any machine and in any process.

    `sessions_per_agent` is the mean number of sessions per agent on duty on an ordinary day.
    Raises ValueError when there is nobody to work or nothing to do.
    """

    seed: int = 7
    agents: int = 24
    sessions_per_agent: int = 100
    zone: str = "Asia/Shanghai"
    store: str = "demo"

    def __post_init__(self) -> None:
        if not 1 <= self.agents <= 2000:
            raise ValueError("a simulated store has 1 to 2000 agents")
        if not 1 <= self.sessions_per_agent <= 2000:
            raise ValueError("an agent has 1 to 2000 sessions a day")


# (month, day) of the big sales; the evening before each is as busy.
_FESTIVALS = ((6, 18), (11, 11), (12, 12))
PROMOTION_DAYS = frozenset((month, day - before) for month, day in _FESTIVALS for before in (0, 1))
PROMOTION_VOLUME = 10
PROMOTION_STAFF = 1.3
WORKING_SHARE = 5 / 7
_WEEKDAYS = (1.06, 1.0, 0.99, 1.0, 1.02, 0.95, 0.98)
# Share of the day's visitors by local hour, in percent: peaks at 10–11, 15–16 and 20–22.
_HOURS = (
    1.1, 0.55, 0.3, 0.2, 0.15, 0.2, 0.45, 1.2, 3.4, 6.2, 8.4, 6.6,
    4.8, 5.0, 6.2, 7.8, 6.4, 5.0, 4.6, 5.8, 8.2, 8.6, 5.6, 2.6,
)  # fmt: skip


def _curve() -> tuple[float, ...]:
    """Share of the day's visitors per five-minute slot: straight lines between the middles of the hours."""
    raw: list[float] = []
    for slot in range(SLOTS_PER_DAY):
        position = (slot + 0.5) / 12 - 0.5
        hour = int(position // 1)
        part = position - hour
        raw.append(_HOURS[hour % 24] * (1 - part) + _HOURS[(hour + 1) % 24] * part)
    total = sum(raw)
    return tuple(value / total for value in raw)


CURVE = _curve()


def is_promotion(day: int) -> bool:
    date = day_date(day)
    return (date.month, date.day) in PROMOTION_DAYS


def ordinary_staff(plan: Plan) -> int:
    """Agents on duty on an ordinary day."""
    return max(1, round(plan.agents * WORKING_SHARE))


def volume(plan: Plan, day: int) -> int:
    """Sessions expected to start on a day: staff, weekday, promotion, and a few percent of its own."""
    own = 0.95 + 0.1 * source(plan.seed, "volume", day).random()
    sale = PROMOTION_VOLUME if is_promotion(day) else 1
    return max(1, round(ordinary_staff(plan) * plan.sessions_per_agent * _WEEKDAYS[day_date(day).weekday()] * own * sale))
