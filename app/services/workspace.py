"""A connected database and what can be asked of it: the one thing that pages and commands are handed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.domain.clock import StoreClock
from app.domain.language import tr
from app.domain.localtime import LocalTime
from app.domain.permissions import Actor
from app.storage import schema
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.recorder import open_store

if TYPE_CHECKING:
    from app.services.commands import CommandService
    from app.services.decisions import DecisionService
    from app.services.imports import ImportService
    from app.services.listings import ListingService
    from app.services.live import LiveService
    from app.services.replay import ReplayService
    from app.services.reports import ReportService
    from app.services.saved import SavedService
    from app.services.search import SearchService
    from app.services.settings import SettingsService
    from app.storage.notices import Notices


@dataclass(frozen=True, slots=True)
class StoreInfo:
    id: int
    code: str
    name: str
    zone: str


class Workspace:
    """Thread-safe; every call blocks and belongs on a worker thread.

    Raises FaultError where a person can act, NotAllowedError where the actor lacks a permission.
    """

    def __init__(self, database: Database, actor: Actor) -> None:
        self.database = database
        self.actor = actor
        self._clocks: dict[int, StoreClock] = {}

    @classmethod
    def open(cls, url: str, actor: Actor, create: bool = True) -> Workspace:
        return cls(Database(url, create), actor)

    @property
    def is_local(self) -> bool:
        return self.database.is_sqlite

    @property
    def place(self) -> str:
        """Where the database is, without a password."""
        return self.database.url.render_as_string(hide_password=True)

    def stores(self) -> list[StoreInfo]:
        return [StoreInfo(*row) for row in self.database.stores()]

    def store(self, code: str | None) -> StoreInfo:
        """The store with this code, or the only one when no code is given."""
        stores = self.stores()
        for store in stores:
            if store.code == code or (code is None and len(stores) == 1):
                return store
        if not stores:
            raise FaultError(
                "refused",
                tr("数据库里还没有店铺。请先用 ingest 写入事件。", "The database holds no store yet. Feed events with ingest first."),
            )
        known = tr("、", ", ").join(store.code for store in stores)
        if code is None:
            raise FaultError("refused", tr(f"请用 --store 指定店铺：{known}", f"Say which store with --store: {known}"))
        raise FaultError("refused", tr(f"没有店铺 {code}；现有：{known}", f"There is no store {code}; there are: {known}"))

    def create_store(self, code: str, name: str, zone: str = "Asia/Shanghai") -> None:
        """A new, empty store; nothing when there is one with this code. Raises ValueError for a zone that does not exist."""
        self.actor.require("data.ingest")
        open_store(self.database, code, zone, name)

    def now(self, store: StoreInfo) -> int:
        """The store's present moment, epoch ms: the wall clock, or a simulated store's own faster one."""
        return self.clock(store)()

    def clock(self, store: StoreInfo) -> StoreClock:
        """The store's clock: calling it gives the present moment without asking the database again.

        It is one for all who ask, and whoever asks for it or for `now` has it go by the setting as it is then.
        """
        with self.database.read() as connection:
            setting: str | None = connection.execute(select(schema.stores.c.clock).where(schema.stores.c.id == store.id)).scalar()
        clock = self._clocks.setdefault(store.id, StoreClock(setting))
        clock.follow(setting)
        return clock

    def local(self, store: StoreInfo) -> LocalTime:
        return LocalTime(store.zone)

    @cached_property
    def live(self) -> LiveService:
        from app.services.live import LiveService

        return LiveService(self)

    @cached_property
    def reports(self) -> ReportService:
        from app.services.reports import ReportService

        return ReportService(self)

    @cached_property
    def listings(self) -> ListingService:
        from app.services.listings import ListingService

        return ListingService(self)

    @cached_property
    def saved(self) -> SavedService:
        from app.services.saved import SavedService

        return SavedService(self)

    @cached_property
    def settings(self) -> SettingsService:
        from app.services.settings import SettingsService

        return SettingsService(self)

    @cached_property
    def search(self) -> SearchService:
        from app.services.search import SearchService

        return SearchService(self)

    @cached_property
    def imports(self) -> ImportService:
        from app.services.imports import ImportService

        return ImportService(self)

    @cached_property
    def replay(self) -> ReplayService:
        from app.services.replay import ReplayService

        return ReplayService(self)

    @cached_property
    def commands(self) -> CommandService:
        from app.services.commands import CommandService

        return CommandService(self)

    @cached_property
    def decisions(self) -> DecisionService:
        from app.services.decisions import DecisionService

        return DecisionService(self)

    def notices(self, store_id: int) -> Notices:
        from app.storage.notices import Notices

        return Notices(self.database, store_id)

    def close(self) -> None:
        self.database.close()
