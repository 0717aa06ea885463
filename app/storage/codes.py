"""The sources' codes turned into this database's integers; whoever is new is created on first sight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.domain import events as ev
from app.storage import schema
from app.storage.bulk import Bulk

_CACHED_CUSTOMERS = 200_000


class Codes:
    """code → id of one store's agents, groups, SKUs, customers; valid inside the transaction that resolved them and after its commit."""

    def __init__(self, store: int) -> None:
        self.store = store
        self.agents: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        self.skus: dict[str, int] = {}
        self.customers: dict[str, int] = {}
        self.fresh_customers: set[int] = set()
        """Customers that this batch has created: nothing can be known of them yet."""

    def forget(self) -> None:
        """Drops everything: a transaction that was rolled back took its new codes along."""
        for known in (self.agents, self.groups, self.skus, self.customers):
            known.clear()

    def resolve(self, bulk: Bulk, events: Iterable[ev.AnyEvent]) -> None:
        """Makes every code in the events known."""
        agents: set[str] = set()
        groups: set[str] = set()
        skus: dict[str, str] = {}
        customers: set[str] = set()
        for event in events:
            if isinstance(event, ev.MessageSent):
                if event.agent:
                    agents.add(event.agent)
                continue
            if isinstance(event, ev.SessionOpened):
                customers.add(event.customer)
                if event.sku:
                    skus.setdefault(event.sku, "")
                if event.agent:
                    agents.add(event.agent)
                if event.group:
                    groups.add(event.group)
            elif isinstance(event, ev.SessionAssigned):
                agents.add(event.agent)
                if event.group:
                    groups.add(event.group)
            elif isinstance(event, ev.AgentPresence | ev.AgentUpserted):
                agents.add(event.agent)
            elif isinstance(event, ev.OrderPlaced):
                customers.add(event.customer)
                for line in event.lines:
                    if line.name or line.sku not in skus:
                        skus[line.sku] = line.name or ""
            elif isinstance(event, ev.CustomerUpserted | ev.VisitorEntered | ev.QuestionClicked | ev.EntryClicked):
                customers.add(event.customer)
        self._small(bulk, "agents", self.agents, agents)
        self._small(bulk, "skill_groups", self.groups, groups)
        self._small(bulk, "skus", self.skus, skus)
        named = sorted((name, self.skus[code]) for code, name in skus.items() if name)
        for name, id in named:
            bulk.run("UPDATE skus SET name = ? WHERE id = ? AND name < ?", (name, id, name))
        self._customers(bulk, customers)

    def new_ids(self, bulk: Bulk, table: str, count: int) -> Sequence[int]:
        """`count` ids never used before, ascending. The store's lock (SQLite: the write lock) is held."""
        if not count:
            return ()
        if bulk.sqlite:
            last = bulk.rows(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0]
            return range(last + 1, last + 1 + count)
        return [row[0] for row in bulk.rows(f"SELECT nextval('{table}_ids') FROM generate_series(1, ?)", (count,))]

    def _small(self, bulk: Bulk, table: str, known: dict[str, int], wanted: Iterable[str]) -> None:
        missing = sorted(code for code in wanted if code not in known)
        if not missing:
            return
        find = f"SELECT code, id FROM {table} WHERE store_id = ? AND code IN {{keys}}"
        known.update(bulk.rows_in(find, (self.store,), missing))
        new = [code for code in missing if code not in known]
        if new:
            for code in new:
                bulk.run(f"INSERT INTO {table} (store_id, code) VALUES (?, ?)", (self.store, code))
            known.update(bulk.rows_in(find, (self.store,), new))

    def _customers(self, bulk: Bulk, wanted: set[str]) -> None:
        if len(self.customers) > _CACHED_CUSTOMERS:
            self.customers.clear()
        self.fresh_customers.clear()
        missing = sorted(code for code in wanted if code not in self.customers)
        found = bulk.rows_in("SELECT code, id FROM customers WHERE store_id = ? AND code IN {keys}", (self.store,), missing)
        self.customers.update(found)
        new = [code for code in missing if code not in self.customers]
        if new:
            ids = self.new_ids(bulk, "customers", len(new))
            bulk.insert(schema.customers, ("id", "store_id", "code"), [(id, self.store, code) for id, code in zip(ids, new)])
            self.customers.update(zip(new, ids))
            self.fresh_customers.update(ids)
