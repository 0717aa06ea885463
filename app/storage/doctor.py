"""A database examined: can it be trusted, is it in good shape, and what to do if not."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

from app.domain.counters import IMPORTED, Key
from app.domain.language import T, tr
from app.domain.localtime import day_date
from app.storage import schema
from app.storage.backup import copies
from app.storage.bulk import Bulk
from app.storage.database import HEAD, Database
from app.storage.faults import FaultError
from app.storage.notices import TOPICS
from app.storage.recorder import announce, lock_store
from app.storage.recount import Recount, Window, by_day, differences, rebuild
from app.storage.search import MOST_PENDING, indexed, pending

Level = Literal["ok", "warn", "fault"]

_OLDEST_POSTGRES = 13
_LARGEST_SKEW_SECONDS = 2.0
_LARGE_WAL_BYTES = 256 << 20
_LITTLE_SPACE_BYTES = 1 << 30
_SHOWN = 3
"""Differences spelled out; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `detail` is in the current language; `remedy` says what to do where something is wrong."""

    level: Level
    title: T
    detail: str
    remedy: T | None = None


class _Seen(NamedTuple):
    """What a check has seen: a finding without its title."""

    detail: str
    level: Level = "ok"
    remedy: T | None = None


_Check = Callable[[Database], _Seen]

_RESTORE = T("从 backups 文件夹恢复最近的备份。", "Restore the newest copy from the backups folder.")
_REPAIR = T("运行 doctor --repair，按会话事实重建。", "Run doctor --repair: it rebuilds them from the facts.")
_FREE = T("请清理磁盘。", "Free some space on the disk.")
_CLOCK = T("请校准电脑的时钟。", "Set this computer's clock right.")


def examine(database: Database) -> list[Finding]:
    """Looks at everything and changes nothing; takes as long as reading all sessions once. Raises nothing: trouble is a finding."""
    checks = [*_BOTH, *(_LOCAL if database.is_sqlite else _SERVER)]
    findings = [_look(title, check, database) for title, check in checks]
    try:
        stores = database.stores()
    except FaultError:
        return findings
    for id, code, _, _ in stores:
        findings += _examine_store(database, id, code)
    return findings


def repair_counters(database: Database, store: int) -> None:
    """Builds everything that is derived from a store's facts anew, in one transaction: rows of sessions, credits, counters.

    Writers to the store wait meanwhile; consoles are told to read everything again.
    """
    with database.write(long=True) as connection:
        bulk = Bulk(connection)
        revision = lock_store(bulk, store)
        rebuild(bulk, store)
        announce(bulk, store, revision + 1, TOPICS, None)
        bulk.close()


def _look(title: T, check: _Check, database: Database) -> Finding:
    try:
        found = check(database)
    except FaultError as fault:
        return Finding("fault", title, str(fault), _RESTORE if fault.kind == "damaged" and database.is_sqlite else None)
    except Exception as error:  # an examination goes on to its end, whatever it comes upon
        return Finding("fault", title, f"{type(error).__name__}: {error}")
    return Finding(found.level, title, found.detail, found.remedy)


# Both


def _revision(database: Database) -> _Seen:
    found = database.schema_revision()
    return _Seen(str(found), "ok" if found == HEAD else "fault")


def _times(database: Database) -> _Seen:
    """A commit from the future: this computer's clock, or that of whoever committed, was wrong."""
    with database.read() as connection:
        bulk = Bulk(connection)
        newest = bulk.rows("SELECT max(at) FROM changes")[0][0]
        bulk.close()
    ahead = (newest or 0) / 1000 - time.time()
    if ahead > 60:
        detail = tr(f"最近一次写入在未来 {ahead:.0f} 秒", f"the last commit lies {ahead:.0f} s in the future")
        return _Seen(detail, "warn", _CLOCK)
    return _Seen(tr("没有来自未来的写入", "no commit from the future"))


# Local files


def _integrity(database: Database) -> _Seen:
    with database.read() as connection:
        bulk = Bulk(connection)
        trouble = [str(row[0]) for row in bulk.rows("PRAGMA integrity_check(20)") if row[0] != "ok"]
        bulk.close()
    return _Seen("; ".join(trouble[:_SHOWN]) or "ok", "fault" if trouble else "ok", _RESTORE if trouble else None)


def _foreign_keys(database: Database) -> _Seen:
    with database.read() as connection:
        bulk = Bulk(connection)
        orphans = bulk.rows("PRAGMA foreign_key_check")
        bulk.close()
    if orphans:
        tables = ", ".join(sorted({str(row[0]) for row in orphans}))
        return _Seen(
            tr(f"{len(orphans)} 行没有所属店铺（{tables}）", f"{len(orphans)} rows without their store ({tables})"), "fault", _RESTORE
        )
    return _Seen("ok")


def _wal(database: Database) -> _Seen:
    path = database.path
    assert path is not None
    wal = path.with_name(path.name + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    if size > _LARGE_WAL_BYTES:
        remedy = T("关闭使用此文件的所有程序后重新打开。", "Close every program that uses this file and open it again.")
        return _Seen(_megabytes(size), "warn", remedy)
    return _Seen(_megabytes(size))


def _space(database: Database) -> _Seen:
    path = database.path
    assert path is not None
    free, size = shutil.disk_usage(path.parent).free, path.stat().st_size
    detail = tr(f"数据库 {_megabytes(size)}，剩余 {_megabytes(free)}", f"database {_megabytes(size)}, free {_megabytes(free)}")
    if free < _LITTLE_SPACE_BYTES or free < size:  # a copy, or an upgrade, needs as much again
        return _Seen(detail, "warn", _FREE)
    return _Seen(detail)


def _copies(database: Database) -> _Seen:
    made = copies(database)
    if not made:
        return _Seen(tr("还没有备份", "no copy yet"))
    return _Seen(tr(f"{len(made)} 份，最近的是 {made[-1].name}", f"{len(made)}, the newest is {made[-1].name}"))


# Servers


def _version(database: Database) -> _Seen:
    version = _answer(database, "SHOW server_version")
    if int(_answer(database, "SHOW server_version_num")) // 10_000 < _OLDEST_POSTGRES:
        remedy = T(f"请升级到 PostgreSQL {_OLDEST_POSTGRES} 或更新版本。", f"Upgrade to PostgreSQL {_OLDEST_POSTGRES} or newer.")
        return _Seen(version, "warn", remedy)
    return _Seen(version)


def _encoding(database: Database) -> _Seen:
    encoding = _answer(database, "SHOW server_encoding")
    if encoding != "UTF8":
        remedy = T("请管理员新建编码为 UTF8 的数据库。", "Ask an administrator for a database with encoding UTF8.")
        return _Seen(encoding, "fault", remedy)
    return _Seen(encoding)


def _rights(database: Database) -> _Seen:
    wanted = ("SELECT", "INSERT", "UPDATE", "DELETE")
    with database.read() as connection:
        bulk = Bulk(connection)
        marks = ", ".join(f"has_table_privilege(t, '{right}')" for right in wanted)
        rows = bulk.rows(f"SELECT t, {marks} FROM unnest(?::text[]) t", (sorted(schema.metadata.tables),))
        user = bulk.rows("SELECT current_user")[0][0]
        bulk.close()
    missing = [f"{right} {table}" for table, *held in rows for right, has in zip(wanted, held) if not has]
    if missing:
        few = ", ".join(missing[:_SHOWN]) + (" …" if len(missing) > _SHOWN else "")
        remedy = T("如需写入，请管理员授权。", "Ask an administrator for them if this account is meant to write.")
        return _Seen(tr(f"{user} 缺少 {len(missing)} 项权限：{few}", f"{user} lacks {len(missing)} rights: {few}"), "warn", remedy)
    return _Seen(tr(f"{user} 可读写全部表", f"{user} may read and write every table"))


def _clock(database: Database) -> _Seen:
    with database.read() as connection:
        bulk = Bulk(connection)
        bulk.rows("SELECT 1")  # the first question also pays for the connection
        before = time.time()
        server = float(bulk.rows("SELECT extract(epoch FROM clock_timestamp())")[0][0])
        after = time.time()
        bulk.close()
    skew = server - (before + after) / 2
    detail = tr(f"与服务器相差 {skew:+.2f} 秒", f"{skew:+.2f} s to the server's")
    if abs(skew) - (after - before) / 2 > _LARGEST_SKEW_SECONDS:
        return _Seen(detail, "warn", _CLOCK)
    return _Seen(detail)


def _answer(database: Database, question: str) -> str:
    with database.read() as connection:
        bulk = Bulk(connection)
        answer = str(bulk.rows(question)[0][0])
        bulk.close()
    return answer


_BOTH: tuple[tuple[T, _Check], ...] = (
    (T("数据库版本", "Schema revision"), _revision),
    (T("写入时间", "Times of commits"), _times),
)
_LOCAL: tuple[tuple[T, _Check], ...] = (
    (T("文件完整性", "Integrity of the file"), _integrity),
    (T("引用完整性", "References"), _foreign_keys),
    (T("预写日志大小", "Size of the write-ahead log"), _wal),
    (T("磁盘空间", "Disk space"), _space),
    (T("备份", "Copies"), _copies),
)
_SERVER: tuple[tuple[T, _Check], ...] = (
    (T("PostgreSQL 版本", "Version of PostgreSQL"), _version),
    (T("编码", "Encoding"), _encoding),
    (T("权限", "Rights"), _rights),
    (T("时钟", "Clock"), _clock),
)


# A store


def _examine_store(database: Database, store: int, code: str) -> list[Finding]:
    return [
        _look(T(f"{code}：变更日志", f"{code}: log of changes"), lambda _: _log(database, store), database),
        _look(T(f"{code}：聊天记录索引", f"{code}: index of transcripts"), lambda _: _searchable(database, store), database),
        *_numbers(database, store, code),
    ]


def _log(database: Database, store: int) -> _Seen:
    with database.read() as connection:
        bulk = Bulk(connection)
        ((revision, rows, newest),) = bulk.rows(
            "SELECT s.revision, count(c.revision), coalesce(max(c.revision), 0) FROM stores s LEFT JOIN changes c ON c.store_id = s.id "
            "WHERE s.id = ? GROUP BY s.revision",
            (store,),
        )
        bulk.close()
    detail = tr(f"修订 {revision}，保留 {rows} 条", f"revision {revision}, {rows} kept")
    return _Seen(detail, "ok" if newest == revision else "fault", None if newest == revision else _REPAIR)


def _searchable(database: Database, store: int) -> _Seen:
    with database.read() as connection:
        bulk = Bulk(connection)
        known, waiting = indexed(bulk, store), pending(bulk, store)
        bulk.close()
    detail = tr(f"已索引 {known:,} 个会话，待索引 {waiting:,} 个", f"{known:,} sessions indexed, {waiting:,} pending")
    if waiting > MOST_PENDING:
        remedy = T("运行 search，或让引擎继续运行，索引会补齐。", "Run search once, or leave the engine running: the index catches up.")
        return _Seen(detail, "warn", remedy)
    return _Seen(detail)


def _numbers(database: Database, store: int, code: str) -> list[Finding]:
    """The counters of a store against its facts, in one consistent snapshot."""
    titles = {
        "sessions": T(f"{code}：会话与其事实一致", f"{code}: sessions equal their facts"),
        "slots": T(f"{code}：五分钟计数与事实一致", f"{code}: five-minute counters equal the facts"),
        "days": T(f"{code}：日计数为五分钟计数之和", f"{code}: day counters are the sums of the five-minute ones"),
        "imports": T(f"{code}：导入的计数与导入的文件一致", f"{code}: imported counters equal what the files say"),
        "agents": T(f"{code}：客服的小时、日、周计数为其他计数之和", f"{code}: agents' hours, days and weeks are the sums of the others"),
        "groups": T(f"{code}：咨询组的半小时计数为五分钟计数之和", f"{code}: groups' half hours are the sums of the five-minute counters"),
        "credits": T(f"{code}：促成订单与事实一致", f"{code}: credited orders equal the facts"),
    }
    wrong = {what: _Differences() for what in titles}

    def compare(_: Database) -> _Seen:
        with database.read() as connection:
            bulk = Bulk(connection)
            recount = Recount(bulk, store)
            agents: dict[int, str] = dict(bulk.rows("SELECT id, code FROM agents WHERE store_id = ?", (store,)))
            for window in recount.windows():
                _compare(recount, window, agents, wrong)
            for summed, weeks in recount.weeks():
                wrong["agents"].take(_words(differences(summed, weeks), agents))
            stale = sum(wanted != held for _, wanted, held in recount.sessions(None))
            wrong["sessions"].count += stale
            bulk.close()
        return _Seen("ok")

    failed = _look(T(f"{code}：计数", f"{code}: counters"), compare, database)
    if failed.level != "ok":
        return [failed]
    return [Finding(wrong[what].level, title, str(wrong[what]), wrong[what].remedy) for what, title in titles.items()]


class _Differences:
    """How many there are, and the first few in words."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str] = []

    def take(self, found: Iterator[str]) -> None:
        self._first += islice(found, _SHOWN - len(self._first))
        self.count += sum(1 for _ in found)

    @property
    def level(self) -> Level:
        return "fault" if self.total else "ok"

    @property
    def remedy(self) -> T | None:
        return _REPAIR if self.total else None

    @property
    def total(self) -> int:
        return self.count + len(self._first)

    def __str__(self) -> str:
        if not self.total:
            return "ok"
        said = tr(f"{self.total} 处不一致", f"{self.total} differences")
        return f"{said}: {'; '.join(self._first)}" if self._first else said


def _compare(recount: Recount, window: Window, agents: dict[int, str], wrong: dict[str, _Differences]) -> None:
    expected = recount.expected(window)
    slots = recount.slots(window)
    wrong["sessions"].count += expected.stale
    wrong["slots"].take(_words(differences(expected.counters, slots), agents))
    days = recount.days(window)
    imported = recount.imported(window)
    wrong["imports"].take(_words(differences(imported, {key: held for key, held in days.items() if key.flag == IMPORTED}), agents))
    own = {key: held for key, held in days.items() if key.flag != IMPORTED}
    wrong["days"].take(_words(differences(by_day(slots), own), agents))
    wrong["agents"].take(_words(differences(recount.by_agent(slots, imported, window), recount.agent_days(window)), agents))
    wrong["agents"].take(_words(differences(recount.by_hour(slots, imported, window), recount.agent_hours(window)), agents))
    wrong["groups"].take(_words(differences(recount.by_half(slots, window), recount.group_halves(window)), agents))
    held = recount.credits(window)
    wrong["credits"].count += sum(lines != held[order] for order, lines in expected.credits.items())


def _words(found: Iterator[tuple[Key, str, int, int]], agents: dict[int, str]) -> Iterator[str]:
    for key, field, wanted, held in found:
        slot = "" if key.slot < 0 else f" {key.slot // 12:02}:{key.slot % 12 * 5:02}"
        yield f"{day_date(key.day)}{slot} {agents.get(key.agent, '-')} {field} {held} ≠ {wanted}"


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MB"
