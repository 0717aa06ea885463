"""Routing decisions, with their reasons and without, against a scan over the group's members as one would write it down from the rule.

Everybody is a member of their own group and of the fallback, holds at most four sessions and about two; every fifth customer comes back. A
decision is a session that opens, with the end of an earlier one. The scan keeps no reasons and knows one group: capacity, 48 hours, and
smooth weighted turns with their ties.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from app.domain.routing.router import RETURNING_MS, Router
from app.domain.routing.scopes import AgentPlan, GroupPlan, NewSession, Plan
from benchmarks.harness import Result, paired

SIZES = (20, 200, 2_000)
DECISIONS, QUICK_DECISIONS = 100_000, 20_000
_SCANNED = 10_000_000
"""Members that the scan looks at in a run: it decides less often where they are more."""
_CAP = 4
_EVERY_MS = 250
_REPEATS = 5


def run(quick: bool = False) -> list[Result]:
    return [result for explains in (True, False) for result in _compared(explains, quick)]


def _compared(explains: bool, quick: bool) -> list[Result]:
    found: list[Result] = []
    number = QUICK_DECISIONS if quick else DECISIONS
    speeds: dict[int, float] = {}
    how = "with reasons" if explains else "without reasons"
    for size in SIZES:
        scanned = min(number, _SCANNED // size // (10 if quick else 1))
        ours, scan = paired(_routed(size, number, explains), _scanned(size, scanned), 3 if quick else _REPEATS)
        speeds[size] = ours
        ratio = ours / scan
        most = size == SIZES[-1]
        found.append(
            Result(
                "routing", f"decisions {how}, {size:,} agents", f"{ours:,.0f}/s", f"{scan:,.0f}/s (scan)",
                ratio, f"{ratio:.1f} ×", 5 if most else None, 20 if most else None, at_least=True,
            )
        )  # fmt: skip
    few, many = SIZES[0], SIZES[-1]
    flat = speeds[many] / speeds[few]
    found.append(
        Result(
            "routing", f"{how}, {many:,} agents against {few}", f"{speeds[many]:,.0f}/s", f"{speeds[few]:,.0f}/s",
            flat, f"{flat:.2f} ×", 0.5, 1, at_least=True,
        )
    )  # fmt: skip
    return found


def _agents(size: int) -> dict[str, int]:
    return {f"agent{n:04}": 1 + n % 10 for n in range(size)}


def _customers(number: int) -> list[NewSession]:
    return [NewSession(f"s{n}", f"c{n - 97 if n % 5 == 4 and n > 97 else n}", page="item") for n in range(number)]


def _routed(size: int, number: int, explains: bool) -> Callable[[], float]:
    weights = _agents(size)
    groups = [
        GroupPlan("presale", "presale", True, True, False, {"pages": frozenset({"item"})}, weights),
        GroupPlan("rest", "rest", True, True, True, {}, weights),
    ]
    plan = Plan(groups, [AgentPlan(code, code, _CAP) for code in weights])
    sessions = _customers(number)

    def measure() -> float:
        router = Router(plan, explains)
        for code in weights:
            router.presence(code, "available", 0)
        held: deque[str] = deque()
        started = time.process_time()
        at = 0
        for session in sessions:
            at += _EVERY_MS
            if len(held) >= 2 * size:
                router.closed(held.popleft(), at)
            router.opened(session, at)
            held.append(session.id)
        return number / (time.process_time() - started)

    return measure


def _scanned(size: int, number: int) -> Callable[[], float]:
    sessions = _customers(number)

    def measure() -> float:
        weights = _agents(size)
        active = dict.fromkeys(weights, 0)
        since = dict.fromkeys(weights, 0)
        current = dict.fromkeys(weights, 0)
        served: dict[str, tuple[str, int]] = {}
        held: deque[tuple[str, str]] = deque()
        started = time.process_time()
        at = 0
        for session in sessions:
            at += _EVERY_MS
            if len(held) >= 2 * size:
                agent, customer = held.popleft()
                active[agent] -= 1
                since[agent] = at
                served[customer] = agent, at
            last, when = served.get(session.customer, ("", 0))
            if last and at - when <= RETURNING_MS and active[last] < _CAP:
                chosen = last
            else:
                eligible = [agent for agent, weight in weights.items() if weight and active[agent] < _CAP]
                for agent in eligible:
                    current[agent] += weights[agent]
                chosen = min(eligible, key=lambda agent: (-current[agent], active[agent], since[agent], agent))
                current[chosen] -= sum(weights[agent] for agent in eligible)
            active[chosen] += 1
            since[chosen] = at
            served[session.customer] = chosen, at
            held.append((chosen, session.customer))
        return number / (time.process_time() - started)

    return measure
