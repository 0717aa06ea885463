"""Saved reports: a question under a name, with a relative period, written to a folder when asked or on a schedule.

A scheduled report is due from ten minutes after midnight, store time, of its day and is about the days completed by then. Missed turns
are made up for once, with the newest. Whoever sends it (an engine, a command) claims it in the database first: `sent_at` is set to now
and `problem` to "interrupted", so that nobody sends it twice. The claim is renewed while the report is written, however long that takes;
one whose holder died is taken up again as a failure is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.localtime import day_date, day_number
from app.domain.period import EVERY, PRESETS, Every, Period, last_turn
from app.domain.permissions import NotAllowedError
from app.services.listings import LISTINGS, Wanted
from app.services.questions import check, check_metric
from app.services.report_kinds import REPORTS, By, Kind, Population
from app.services.reports import Question
from app.services.sheets import Answer, Format, Tell, save
from app.storage import schema
from app.storage.faults import FaultError

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace

SETTLED_MS = 10 * 60_000
"""After midnight: by then the last events of the day have come in."""
RETRY_MS = 2 * 60_000
"""A failed sending is tried again after this long, at the next upkeep."""
RENEW_SECONDS = 15.0
"""A claim is renewed this often while its report is written: well within RETRY_MS, and oftener where the store's clock is faster."""
FORMATS = ("xlsx", "csv", "json")
_LONGEST_NAME = 100
_LONGEST_STEM = 180
"""Bytes: systems take 255, and days, a number and the ending of a half-written file follow."""
_INTERRUPTED = T("上次发送被中断，会自动重试。", "The last sending was interrupted; it will be tried again.")
_UNSAFE = re.compile(r'[\\/:*?"<>|\s\x00-\x1f]+')


class Body(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """What is asked: a Question (for listings a Wanted) whose days are a `Period.state()`, and the order of a listing."""

    report: str
    period: dict[str, Any] = {}
    agent: str | None = None
    agents: tuple[str, ...] = ()
    group: str | None = None
    team: str | None = None
    channel: str | None = None
    by: By | None = None
    population: Population = "overall"
    window: Window | None = None
    metrics: tuple[str, ...] = ()
    hours: tuple[int, int] | None = None
    only: str = ""
    weekdays: tuple[int, ...] = ()
    grouped: bool = False
    customer: str | None = None
    order: str | None = None
    sku: str | None = None
    kind: Literal["online", "leave"] | None = None
    text: str = ""
    cancelled: bool = False
    sort: str = ""
    descending: bool = False

    @staticmethod
    def of(question: Question, period: Period, sort: str = "", descending: bool = False) -> Body:
        """The question with a period in place of its days."""
        kept = {f.name: getattr(question, f.name) for f in fields(question) if f.name in Body.__struct_fields__}
        return Body(**kept, period=period.state(), sort=sort, descending=descending)

    @property
    def declared(self) -> Kind:
        """Raises FaultError for a report there is none of."""
        found = (REPORTS | LISTINGS).get(self.report)
        if found is None:
            raise FaultError("refused", T(f"没有报表 {self.report}。请删除它，重新保存。",
                                          f"There is no report {self.report}. Delete it and save another."))  # fmt: skip
        return found

    @property
    def days(self) -> Period:
        """Raises FaultError for what is no period."""
        found = Period.of_state(self.period) if self.period else Period()
        if found is None:
            raise FaultError("refused", T("看不懂它的日期范围。请重新保存。", "Its days cannot be understood. Save it again."))
        return found

    def question(self, days: tuple[date, date] | None) -> Question:
        """Of a live report the days are left out."""
        first, last = (None, None) if days is None or self.declared.live else days
        form = Wanted if self.report in LISTINGS else Question
        kept = {f.name: getattr(self, f.name) for f in fields(form) if f.name in self.__struct_fields__}
        return form(**kept, first=first, last=last)


@dataclass(frozen=True, slots=True)
class SavedReport:
    """`sent_at`: when it was last written, epoch ms of the store, or tried to; `problem`: why that failed, "" when it did not."""

    id: int
    name: str
    body: Body
    every: Every
    folder: str
    format: Format
    author: str
    sent_at: int | None
    problem: str

    @property
    def words(self) -> str:
        """What it is about, in words."""
        kind = (REPORTS | LISTINGS).get(self.body.report)
        title = str(kind.title) if kind is not None else self.body.report
        if kind is not None and kind.live:
            return title
        period = Period.of_state(self.body.period) or Period()
        if period.preset == "custom":
            return f"{title} {period.first} ~ {period.last}"
        return tr(f"{title}，{PRESETS[period.preset]}", f"{title}, {PRESETS[period.preset]}")


_Reports = list[SavedReport]
_Paths = list[Path]


@dataclass(slots=True)
class SavedService:
    workspace: Workspace

    def list(self, store: StoreInfo) -> _Reports:
        """In order of their names."""
        self.workspace.actor.require("history.view")
        s = schema.saved_reports
        with self.workspace.database.read() as connection:
            rows = connection.execute(select(s).where(s.c.store_id == store.id).order_by(s.c.name, s.c.id)).all()
        return [_saved(row) for row in rows]

    def get(self, store: StoreInfo, name: str) -> SavedReport:
        """Raises FaultError when there is none of this name."""
        for found in self.list(store):
            if found.name == name:
                return found
        raise FaultError("refused", T(f"没有名为 {name} 的保存报表。", f"There is no saved report {name}."))

    def save(self, store: StoreInfo, name: str, body: Body | Mapping[str, Any], every: Every = "", folder: str = "",
             format: Format = "xlsx") -> int:  # fmt: skip
        """Keeps a question under a name that is still free and returns its id.

        Raises FaultError, in one sentence, for what could not be asked or sent.
        """
        self.workspace.actor.require("export")
        found = _body(body)
        self._check(store, found)
        s, sending = schema.saved_reports, _sending(name, every, folder, format)
        asked, author = msgspec.json.encode(found).decode(), self.workspace.actor.name
        values = insert(s).values(store_id=store.id, body=asked, author=author, **sending)
        return int(self._write(values.returning(s.c.id), sending["name"]))

    def change(self, store: StoreInfo, id: int, name: str, every: Every, folder: str, format: Format) -> None:
        """Another name, schedule, folder or form; what is asked stays. Raises as `save`."""
        self.workspace.actor.require("export")
        s, values = schema.saved_reports, _sending(name, every, folder, format)
        self._write(update(s).where(s.c.id == id, s.c.store_id == store.id).values(**values, problem="").returning(s.c.id), values["name"])

    def delete(self, store: StoreInfo, id: int) -> None:
        self.workspace.actor.require("export")
        s = schema.saved_reports
        self._write(delete(s).where(s.c.id == id, s.c.store_id == store.id).returning(s.c.id), "")

    def run(
        self, store: StoreInfo, id: int, path: Path | None = None, *, tell: Tell | None = None, stop: Event | None = None
    ) -> Path:  # fmt: skip
        """Writes it now and returns where: to `path`, or into its folder, which is remembered as its sending. Raises FaultError."""
        saved = next((found for found in self.list(store) if found.id == id), None)
        if saved is None:
            raise FaultError("refused", T("这个报表已被删除。", "This report has been deleted."))
        now = self.workspace.now(store)
        try:
            return self._send(store, saved, now, path, tell, stop)
        except FaultError as fault:
            if path is None and fault.kind != "cancelled":
                self._remember(saved, saved.sent_at, str(fault))
            raise

    def due(self, store: StoreInfo, now: int | None = None) -> _Reports:
        """What has not been sent since it last came round, or failed then. now: epoch ms of the store."""
        at = self.workspace.now(store) if now is None else now
        return [saved for saved in self.list(store) if self._is_due(store, saved, at)]

    def send_due(self, store: StoreInfo, now: int | None = None, stop: Event | None = None) -> _Paths:
        """Sends what is due, each by one sender only, and remembers what fails; returns the files written."""

        def present() -> int:
            return self.workspace.now(store) if now is None else now

        written = []
        for saved in self.due(store, present()):
            at = present()
            if not self._claim(saved, at):
                continue
            try:
                with self._holding(replace(saved, sent_at=at), present, self.workspace.clock(store).speed):
                    written.append(self._send(store, saved, at, None, None, stop))
            except (FaultError, NotAllowedError) as fault:
                self._remember(saved, at, str(fault))
        return written

    # -- inside --

    def _is_due(self, store: StoreInfo, saved: SavedReport, at: int) -> bool:
        if not saved.every:
            return False
        turn = self._turn(store, saved.every, at)
        if saved.sent_at is None or saved.sent_at < self.workspace.local(store).start_of_day(day_number(turn)) + SETTLED_MS:
            return True
        return bool(saved.problem) and at - saved.sent_at >= RETRY_MS

    def _turn(self, store: StoreInfo, every: Every, at: int) -> date:
        """The newest day whose turn has come."""
        return last_turn(every, day_date(self.workspace.local(store).day(at - SETTLED_MS)))

    def _claim(self, saved: SavedReport, at: int) -> bool:
        s = schema.saved_reports
        held = s.c.sent_at.is_(None) if saved.sent_at is None else s.c.sent_at == saved.sent_at
        with self.workspace.database.write() as connection:
            claimed = connection.execute(update(s).where(s.c.id == saved.id, held).values(sent_at=at, problem=str(_INTERRUPTED)))
            return bool(claimed.rowcount)

    @contextmanager
    def _holding(self, claimed: SavedReport, present: Callable[[], int], speed: float) -> Iterator[None]:
        """Renews a claim until the block is left; one that somebody else took meanwhile stays theirs."""
        done = Event()

        def renew() -> None:
            held = claimed
            while not done.wait(RENEW_SECONDS / max(1.0, speed)):
                with suppress(FaultError):  # a database that cannot be written now is asked again
                    at = present()
                    if not self._claim(held, at):
                        return
                    held = replace(held, sent_at=at)

        thread = Thread(target=renew, name=f"claim of report {claimed.id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _send(self, store: StoreInfo, saved: SavedReport, at: int, path: Path | None, tell: Tell | None, stop: Event | None) -> Path:
        self.workspace.actor.require("export")
        answer = self._ask(store, saved, at)
        file = path or _place(saved) / f"{self._stem(store, saved)}_{_days_text(answer)}.{saved.format}"
        save(answer, saved.format, file, store=store, made=at, tell=tell, stop=stop)
        if path is None:
            self._remember(saved, at, "")
        return file

    def _stem(self, store: StoreInfo, saved: SavedReport) -> str:
        """What its files begin with. Of those in one folder that would begin alike, all but the oldest have their number at the end."""
        stores = self.workspace.stores()
        others = [(one, other) for one in stores for other in self.list(one) if other.format == saved.format]
        taken: set[str] = set()
        for one, other in sorted(others, key=lambda each: each[1].id):
            if other.id != saved.id and _folder(other) != _folder(saved):
                continue
            stem = _stem_of(other, "" if len(stores) == 1 else one.code)
            while stem.casefold() in taken:
                stem += f"_{other.id}"
            taken.add(stem.casefold())
            if other.id == saved.id:
                return stem
        return _stem_of(saved, store.code)  # deleted meanwhile

    def _ask(self, store: StoreInfo, saved: SavedReport, at: int) -> Answer:
        period, local = saved.body.days, self.workspace.local(store)
        if saved.every:
            days = period.completed(self._turn(store, saved.every, at))
        else:
            days = period.days(day_date(local.day(at)))
        if days is None:
            raise FaultError("refused", T("所选的日期里还没有完整的一天。", "Not a single day of its period is complete yet."))
        question = replace(saved.body.question(days), at=at)
        if saved.body.report in LISTINGS:
            return self.workspace.listings.ask(store, question, saved.body.sort, saved.body.descending, told=saved.format != "json")
        return self.workspace.reports.read(store, question)

    def _remember(self, saved: SavedReport, sent_at: int | None, problem: str) -> None:
        s = schema.saved_reports
        with self.workspace.database.write() as connection:
            connection.execute(update(s).where(s.c.id == saved.id).values(sent_at=sent_at, problem=problem))

    def _check(self, store: StoreInfo, body: Body) -> None:
        """Asks nothing, but refuses what could not be asked."""
        kind, period = body.declared, body.days
        question = body.question((period.first, period.last) if period.preset == "custom" and period.first and period.last else None)
        if body.report in LISTINGS:
            for key in question.metrics:
                check_metric(key)
        else:
            check(kind, question, question.metrics or kind.keys)
        with self.workspace.database.read() as connection:
            self.workspace.reports.look_up(connection, store, question)

    def _write(self, statement: Any, name: str) -> Any:
        """The id that the statement returns."""
        try:
            with self.workspace.database.write() as connection:
                found = connection.execute(statement).scalar()
        except IntegrityError:
            raise FaultError("refused", T(f"已有名为 {name} 的报表，请换一个名称。",
                                          f"There is a report {name} already; choose another name.")) from None  # fmt: skip
        if found is None:
            raise FaultError("refused", T("这个报表已被删除。", "This report has been deleted."))
        return found


def _saved(row: Row[Any]) -> SavedReport:
    try:
        body = msgspec.json.decode(row.body, type=Body)
    except msgspec.ValidationError:  # of a newer version: listed, so that it can be deleted
        body = Body(report="?")
    return SavedReport(row.id, row.name, body, row.every, row.folder, row.format, row.author, row.sent_at, row.problem)


def _body(body: Body | Mapping[str, Any]) -> Body:
    if isinstance(body, Body):
        return body
    try:
        return msgspec.convert(body, Body)
    except msgspec.ValidationError as error:
        raise FaultError("refused", T(f"看不懂要保存的报表：{error}", f"The report to be saved cannot be understood: {error}")) from None


def _sending(name: str, every: str, folder: str, format: str) -> dict[str, str]:
    """What a saved report is called and where it goes, as columns. Raises FaultError."""
    if every not in EVERY or format not in FORMATS:
        raise FaultError("refused", T(f"不支持 {every} {format}。", f"{every} {format} is not supported."))
    if every and not folder.strip():
        raise FaultError("refused", T("请选择定时报表存放的文件夹。", "Choose the folder that the scheduled report is put into."))
    return {"name": _name(name), "every": every, "folder": folder.strip(), "format": format}


def _name(name: str) -> str:
    found = " ".join(name.split())
    if not found or len(found) > _LONGEST_NAME or not found.isprintable():
        raise FaultError(
            "refused", T(f"请给报表一个名称（1 至 {_LONGEST_NAME} 个字）。", f"Give the report a name of 1 to {_LONGEST_NAME} characters.")
        )
    return found


def _place(saved: SavedReport) -> Path:
    if not saved.folder:
        raise FaultError("refused", T("没有选择文件夹。请用 --out 指定文件，或重新保存时选择文件夹。",
                                      "It has no folder. Name a file with --out, or choose a folder when saving."))  # fmt: skip
    folder = Path(saved.folder).expanduser()
    if not folder.is_dir():
        raise FaultError("refused", T(f"没有文件夹 {folder}。请新建它，或换一个文件夹重新保存。",
                                      f"There is no folder {folder}. Make it, or save the report with another one."))  # fmt: skip
    return folder


def _folder(saved: SavedReport) -> Path:
    return Path(saved.folder).expanduser().absolute()


def _stem_of(saved: SavedReport, store: str) -> str:
    """Its name as part of a file's, as much of it as fits. store: the code, where there are several."""
    stem = _UNSAFE.sub("_", f"{store}_{saved.name}" if store else saved.name).strip(".")
    cut = stem.encode()[:_LONGEST_STEM].decode(errors="ignore")
    return stem if cut == stem else f"{cut}_{saved.id}"


def _days_text(answer: Answer) -> str:
    first, last = answer.first.isoformat(), answer.last.isoformat()
    return first if first == last else f"{first}_{last}"
