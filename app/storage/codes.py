"""The sources' codes turned into this database's integers; whoever is new is created on first sight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

from app.domain import events as ev
from app.storage.bulk import Bulk

_CACHED_CUSTOMERS = 200_000
_WithAgent = ev.MessageSent | ev.SessionOpened | ev.AgentPresence | ev.AgentUpserted
_WithCustomer = ev.SessionOpened | ev.OrderPlaced | ev.CustomerUpserted | ev.VisitorEntered | ev.QuestionClicked | ev.EntryClicked
_WITH_AGENT: tuple[type[_WithAgent], ...] = get_args(_WithAgent)
_WITH_CUSTOMER: tuple[type[_WithCustomer], ...] = get_args(_WithCustomer)


class Codes:
    """code → id of one store's agents, groups, SKUs, customers; valid inside the transaction that resolved them and after its commit."""

    def __init__(self, store: int) -> None:
        self.store = store
        self.agents: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        self.skus: dict[str, int] = {}
        self.customers: dict[str, int] = {}
        self.fresh_customers: dict[int, str] = {}
        """id → code of customers that this batch has met first: nothing is known of them yet, and they have still to be written."""
        self._sku_names: dict[str, str] = {}

    def forget(self) -> None:
        """Drops everything: a transaction that was rolled back took its new codes along."""
        self.agents.clear()
        self.groups.clear()
        self.skus.clear()
        self.customers.clear()
        self._sku_names.clear()

    def resolve(self, bulk: Bulk, events: ev.ByType) -> None:
        """Makes every code in the events known."""
        opened, assigned, placed = events.of(ev.SessionOpened), events.of(ev.SessionAssigned), events.of(ev.OrderPlaced)
        agents: set[str | None] = {event.agent for event in assigned}
        for kind in _WITH_AGENT:
            agents.update(event.agent for event in events.of(kind))
        groups = {event.group for event in opened} | {event.group for event in assigned}
        self._small(bulk, "agents", self.agents, agents)
        self._small(bulk, "skill_groups", self.groups, groups)
        names: dict[str, str] = {}
        for order in placed:
            for line in order.lines:
                names[line.sku] = max(names.get(line.sku, ""), line.name or "")
        self._small(bulk, "skus", self.skus, {event.sku for event in opened}.union(names))
        self._name(bulk, names)
        customers: set[str] = set()
        for who in _WITH_CUSTOMER:
            customers.update(event.customer for event in events.of(who))
        self._customers(bulk, customers)

    def new_ids(self, bulk: Bulk, table: str, count: int) -> Sequence[int]:
        """`count` ids never used before, ascending. The store's lock (SQLite: the write lock) is held."""
        if not count:
            return ()
        if bulk.sqlite:
            last = bulk.rows(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0]
            return range(last + 1, last + 1 + count)
        return [row[0] for row in bulk.rows(f"SELECT nextval('{table}_ids') FROM generate_series(1, ?)", (count,))]

    def _small(self, bulk: Bulk, table: str, known: dict[str, int], wanted: Iterable[str | None]) -> None:
        missing = sorted(code for code in wanted if code and code not in known)
        if not missing:
            return
        find = f"SELECT code, id FROM {table} WHERE store_id = ? AND code IN {{keys}}"
        known.update(bulk.rows_in(find, (self.store,), missing))
        new = [code for code in missing if code not in known]
        if new:
            bulk.many(f"INSERT INTO {table} (store_id, code) VALUES (?, ?)", [(self.store, code) for code in new])
            known.update(bulk.rows_in(find, (self.store,), new))

    def _name(self, bulk: Bulk, names: dict[str, str]) -> None:
        """Of several names of a SKU the largest is kept, whatever the order of arrival."""
        better = [(name, self.skus[code]) for code, name in names.items() if name > self._sku_names.get(code, "")]
        bulk.many("UPDATE skus SET name = ? WHERE id = ? AND name < ?", [(name, id, name) for name, id in sorted(better)])
        self._sku_names.update({code: name for code, name in names.items() if name > self._sku_names.get(code, "")})

    def _customers(self, bulk: Bulk, wanted: set[str]) -> None:
        if len(self.customers) > _CACHED_CUSTOMERS:
            self.customers.clear()
        missing = sorted(code for code in wanted if code not in self.customers)
        found = bulk.rows_in("SELECT code, id FROM customers WHERE store_id = ? AND code IN {keys}", (self.store,), missing)
        self.customers.update(found)
        new = [code for code in missing if code not in self.customers]
        self.fresh_customers = dict(zip(self.new_ids(bulk, "customers", len(new)), new))
        self.customers.update(zip(new, self.fresh_customers))
