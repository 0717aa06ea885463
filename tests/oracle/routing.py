"""A judge of routing: looks at what a store's database holds before and after the engine's turn and names whatever no rule allows.

Written from the rules alone. It knows nothing of turns, queues and rotations: it does not tell who must take a session, but who must not,
who must not be left waiting, and what must not be lost, doubled or taken away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TWO_DAYS = 48 * 3_600_000
HERE = ("available", "away")
PROVINCES = ("浙江", "北京")
"""Those that the streams speak of."""


@dataclass
class Session:
    """given: [(at, agent)] of what assigned it, whoever did, in order of time. heard: the same as it became known, for clocks differ.

    waits: somebody must be found for it, unless it has an agent. flagged: nobody is looked for.
    """

    code: str
    customer: str
    kind: str
    agent: str
    group: str
    opened_at: int
    closed_at: int | None
    waits: bool
    flagged: bool
    about: Mapping[str, str]
    tags: Collection[str]
    given: Sequence[tuple[int, str]]
    heard: Sequence[tuple[int, str]]


@dataclass
class Decision:
    """outcome: assigned, waited or leave; group, agent, reason: "" for none; why: codes of its reasons.

    after: how much of what its session has `heard` was known when its turn had ended.
    """

    number: int
    at: int
    outcome: str
    group: str
    agent: str
    reason: str
    why: Collection[str]
    after: int


@dataclass
class Shop:
    """What the database says. groups, agents: as the settings have them; commands: [(kind, body, "pending", "done" or "refused")]."""

    groups: Sequence[Mapping[str, Any]]
    agents: Mapping[str, Mapping[str, Any]]
    states: Mapping[str, str]
    sessions: Mapping[str, Session]
    decisions: Mapping[str, Sequence[Decision]]
    commands: Mapping[int, tuple[str, Mapping[str, str], str]] = field(default_factory=dict)

    def group(self, code: str) -> Mapping[str, Any] | None:
        return next((group for group in self.groups if group["code"] == code), None)

    def fallback(self) -> str:
        return next((str(group["code"]) for group in self.groups if group["type"] == "fallback"), "")

    def cap(self, agent: str) -> int | None:
        found: int | None = self.agents.get(agent, {}).get("capacity")
        return found

    def receives(self, agent: str) -> bool:
        return bool(self.agents.get(agent, {}).get("receives", True))

    def takes(self, agent: str) -> bool:
        return self.states.get(agent, "offline") in HERE and self.receives(agent)

    def anybody_online(self) -> bool:
        return any(state != "offline" and self.receives(agent) for agent, state in self.states.items())

    def weights(self, group: str) -> Mapping[str, int]:
        found = self.group(group)
        return {} if found is None else {member["agent"]: member["weight"] for member in found["members"]}

    def last(self, session: str) -> Decision | None:
        found = self.decisions.get(session, ())
        return found[-1] if found else None

    def holder(self, code: str) -> str:
        """Who has a session; "" for nobody, also where the row still names whoever it was taken from."""
        session, last = self.sessions[code], self.last(code)
        if last is None or last.outcome == "assigned":
            return session.agent
        return session.agent if set(session.given[-1:]) & set(session.heard[last.after :]) else ""

    def is_left(self, code: str) -> bool:
        """A leave message takes up no capacity. Whoever else gives an online session to somebody ends its being one."""
        session, mine = self.sessions[code], self.decisions.get(code, ())
        if session.kind == "leave":
            return True
        engine = {(decision.at, decision.agent) for decision in mine if decision.outcome == "assigned"}
        others = max((number for number, each in enumerate(session.heard, 1) if each not in engine), default=0)
        routed = [decision for decision in mine if decision.after >= others and "by_hand" not in decision.why]
        return bool(routed) and "leave" in (routed[-1].outcome, routed[-1].reason)

    def load(self, agent: str, but: Collection[str] = ()) -> int:
        return sum(
            session.closed_at is None and code not in but and self.holder(code) == agent and not self.is_left(code)
            for code, session in self.sessions.items()
        )

    def has_room(self, agent: str, but: Collection[str] = ()) -> bool:
        cap = self.cap(agent)
        return cap is None or self.load(agent, but) < cap

    def belongs(self, session: Session) -> str:
        """The group by the scopes; "" for none."""
        rest, ordinary = self.fallback(), [group for group in self.groups if group["type"] != "fallback"]
        if not rest and len(ordinary) == 1:
            return str(ordinary[0]["code"]) if ordinary[0]["open"] else ""
        order = ("customer_tags", "skus", "order_state", "pages", "regions")
        matching = [group for group in ordinary if self._takes(group["scope"], session)]
        matching.sort(key=lambda group: [not _asks(group["scope"], dimension) for dimension in order])
        if rest:
            return str(matching[0]["code"]) if matching and matching[0]["open"] else rest
        if not matching:
            return next((str(group["code"]) for group in self.groups if group["open"]), "")
        return next((str(group["code"]) for group in matching if group["open"]), "")

    @staticmethod
    def _takes(scope: Mapping[str, Any], session: Session) -> bool:
        region = session.about.get("region", "")
        province = next((name for name in PROVINCES if region.startswith(name)), "其他")
        return (
            (not scope["customer_tags"] or bool(set(scope["customer_tags"]) & set(session.tags)))
            and (not scope["skus"] or session.about.get("sku") in scope["skus"])
            and (scope["order_state"] == "any" or session.about.get("order_state") == scope["order_state"])
            and (not scope["pages"] or session.about.get("page") in scope["pages"])
            and (not scope["regions"] or province in scope["regions"])
        )

    def reach(self, group: str) -> list[str]:
        """The groups whose members may serve what belongs to a group."""
        found = self.group(group)
        if found is None:
            return []
        rest = self.fallback()
        return [group, rest] if found["overflow"] and rest and rest != group else [group]

    def transfers_only(self, group: str) -> list[str]:
        """Members who take what is handed to the group by hand, and nothing else. Whoever has reached a cap above 0 is full."""
        without = [agent for agent, weight in self.weights(group).items() if not weight or self.cap(agent) == 0]
        return [agent for agent in without if self.takes(agent) and (self.cap(agent) == 0 or self.has_room(agent))]

    def who_could(self, code: str, group: str, handed: bool = False) -> list[str]:
        """Who could take a session that waits in a group. handed: it is there by hand."""
        also = self.transfers_only(group) if handed else []
        if self.is_left(code):
            members = self.weights(group).items()
            return [*also, *(agent for agent, weight in members if weight and self.cap(agent) != 0 and self.takes(agent))]
        free = {agent for each in self.reach(group) for agent, weight in self.weights(each).items() if weight}
        return [*also, *sorted(agent for agent in free if self.takes(agent) and self.has_room(agent))]


def _asks(scope: Mapping[str, Any], dimension: str) -> bool:
    return bool(scope[dimension] != "any" if dimension == "order_state" else scope[dimension])


def faults(before: Shop, after: Shop, now: int) -> Iterator[str]:
    """before: all that was committed when the turn began; after: when it had ended; now: when that was, epoch ms."""
    carried_out = [
        (kind, body) for id, (kind, body, what) in after.commands.items() if what == "done" and before.commands[id][2] == "pending"
    ]
    yield from (f"command {id} waits" for id, (_, _, what) in after.commands.items() if what == "pending")
    moved = {body["session"] for kind, body in carried_out if kind == "move"}
    sent = {body["session"]: body["group"] for kind, body in carried_out if kind == "transfer"}
    resumed = {body["agent"] for kind, body in carried_out if kind == "resume"}
    yield from (f"{code} was lost" for code in before.sessions.keys() - after.sessions.keys())
    for code, session in after.sessions.items():
        old = before.sessions[code]
        new = after.decisions.get(code, ())[len(before.decisions.get(code, ())) :]
        yield from _doubled(after, session, old.given, new)
        holder = before.holder(code)
        if new and (old.closed_at is not None or not (old.waits or holder or (old.agent and not old.flagged) or code in moved)):
            yield f"{code} needs nobody, and was decided about"
        if holder and new and code not in moved and code not in sent and before.states.get(holder, "offline") != "offline":
            yield f"{code} was taken from {holder}, who is here"
        for decision in new:
            if decision.outcome == "assigned":
                yield from _may_take(before, after, session, decision, moved, resumed)
            if decision.outcome == "leave" and session.kind == "online" and not before.is_left(code) and before.anybody_online():
                yield f"{code} is a leave message while somebody is online"
        if session.closed_at is None:
            yield from _waits(after, session)
            if new and new[-1].outcome == "waited" and not before.decisions.get(code) and not before.anybody_online():
                yield f"{code} waits while nobody is online, and is no leave message"
        if len(new) == 1 and new[0].reason == "routed" and not before.decisions.get(code):
            yield from _returning(before, after, session, new[0], now)


def _doubled(after: Shop, session: Session, before: Sequence[tuple[int, str]], new: Sequence[Decision]) -> Iterator[str]:
    numbers = [decision.number for decision in after.decisions.get(session.code, ())]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"decisions about {session.code} are numbered {numbers}"
    told = [(decision.at, decision.agent) for decision in new if decision.outcome == "assigned"]
    if len(session.given) != len(before) + len(told) or any(session.given.count(each) != 1 for each in told):
        yield f"{session.code} was given {before}, then {session.given}, and decided {told}"
    if told and session.given[-1] == told[-1] and session.agent != told[-1][1]:
        yield f"{session.code} was given to {told[-1][1]} and {session.agent} has it"


def _may_take(
    before: Shop, after: Shop, session: Session, decision: Decision, moved: Collection[str], resumed: Collection[str]
) -> Iterator[str]:  # fmt: skip
    agent, code = decision.agent, session.code
    is_here = after.takes(agent) or (agent in resumed and after.receives(agent))
    if not is_here:
        yield f"{code} went to {agent}, who is {after.states.get(agent)}"
    if "by_hand" in decision.why:
        if code not in moved:
            yield f"{code} was moved and nobody said so"
        return
    handed = "handed_to" in decision.why and "overflow" not in decision.why
    weights = after.weights(decision.group)
    if not (agent in weights if handed else weights.get(agent)):
        yield f"{code} went to {agent}, who has no weight in {decision.group!r}"
    pinned = {each.group for each in after.decisions[code] if "handed_to" in each.why}
    if decision.group not in {group for home in (after.belongs(session), *pinned) for group in after.reach(home)}:
        yield f"{code} belongs to {after.belongs(session)!r} and went to {decision.group!r}"
    cap = after.cap(agent)
    if decision.reason != "leave" and cap is not None and not (handed and cap == 0) and after.load(agent, but=moved) > cap:
        yield f"{code} went to {agent}, who has {after.load(agent)} of {cap}"
    if decision.reason == "returning" and agent not in _served(before, after, session, decision.group, decision.at):
        yield f"{code} returned to {agent}, who never served {session.customer} in {decision.group!r}"


def _waits(after: Shop, session: Session) -> Iterator[str]:
    last, code = after.last(session.code), session.code
    if after.holder(code) or not after.groups or session.flagged or not (session.waits or session.agent):
        return
    if last is None or last.outcome == "assigned":
        yield f"{code} is with nobody and nothing was decided"
        return
    pinned = {each.group for each in after.decisions[code] if "handed_to" in each.why}
    if last.group not in {after.belongs(session), *pinned}:
        yield f"{code} belongs to {after.belongs(session)!r} and waits in {last.group!r}"
    if could := after.who_could(code, last.group, "handed_to" in last.why):
        yield f"{code} waits in {last.group!r} while {could} could take it"


def _served(before: Shop, after: Shop, session: Session, group: str, until: int) -> set[str]:
    """Who served a customer in a group within two days, as far as the database tells."""
    found = set()
    for code, other in after.sessions.items():
        if other.customer != session.customer:
            continue
        ended = other.closed_at if other.closed_at is not None else until
        if other.agent and other.group == group and until - ended <= TWO_DAYS:
            found.add(other.agent)
        found |= {d.agent for d in after.decisions.get(code, ()) if d.outcome == "assigned" and d.group == group and d.at <= until}
    return found


def _returning(before: Shop, after: Shop, session: Session, decision: Decision, now: int) -> Iterator[str]:
    """Who alone served the customer in this group, and not long ago, takes them again if they can."""
    earlier = [
        other for code, other in before.sessions.items()
        if other.customer == session.customer and code != session.code and (other.given or other.agent)
    ]  # fmt: skip
    new = {other.code for other in earlier} & {code for code in after.decisions if after.decisions[code] and not before.decisions.get(code)}
    whole = [(other.agent, other.group, len(other.given), other.closed_at) for other in earlier]
    if new or len(whole) != 1 or whole[0][1] != decision.group or whole[0][2] != 1:
        return
    agent, group, _, ended = whole[0]
    recent = ended is None or now - ended <= TWO_DAYS
    can = all(shop.takes(agent) and shop.has_room(agent) for shop in (before, after)) and after.weights(group).get(agent)
    if recent and can and agent != decision.agent:
        yield f"{session.code} went to {decision.agent} while {agent}, who served {session.customer} in {group!r}, was free"
