"""Database trouble a person can act on, sorted at the border: one sentence and what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Collection
from typing import Literal

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.domain.language import T

Kind = Literal["unreachable", "refused", "damaged", "newer", "readonly", "full", "locked", "unknown"]


class FaultError(Exception):
    """Something is wrong that the user can put right; `str()` is one clear sentence with the remedy, in the current language.

    kind: "unreachable" (may come back by itself), "refused" (password, missing database), "damaged", "newer", "readonly",
    "full", "locked", "unknown".
    """

    def __init__(self, kind: str, sentence: str | T) -> None:
        super().__init__(kind, sentence)
        self.kind = kind
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


_Cause = tuple[Kind, T]
_PASSWORD: _Cause = (
    "refused",
    T("用户名或密码不正确。请修改密码或换一个账号。", "The user name or password is wrong. Change the password or use another account."),
)
_MISSING: _Cause = (
    "refused",
    T(
        "数据库或账号不存在。请检查名称，或请管理员创建。",
        "The database or account does not exist. Check the name or ask an administrator to create it.",
    ),
)
_CERTIFICATE: _Cause = (
    "refused",
    T(
        "无法与服务器建立加密连接：证书或加密设置不符。请检查服务器地址和证书。",
        "No secure connection to the server: the certificate or its settings do not fit. Check the server's address and certificate.",
    ),
)
_RIGHTS: _Cause = (
    "refused",
    T("这个账号没有所需的数据库权限。请向管理员申请。", "This account lacks the rights in the database. Ask an administrator."),
)
_STANDBY: _Cause = (
    "readonly",
    T(
        "这台服务器目前只读（可能是备用服务器）。请连接主服务器。",
        "This server only allows reading at the moment, it may be a standby. Connect to the primary server.",
    ),
)
_HOST: _Cause = (
    "unreachable",
    T("找不到这台服务器。请检查主机名和网络。", "The server cannot be found. Check the host name and the network."),
)
_SERVER: _Cause = (
    "unreachable",
    T(
        "无法连接数据库服务器。请检查它是否在运行、网络是否通畅。",
        "The database server cannot be reached. Check that it is running and that the network is up.",
    ),
)
_SILENT: _Cause = (
    "unreachable",
    T(
        "这一步中途停顿太久，数据库已将它撤销，没有保存。请重试。",
        "This step stood still for too long and the database has taken it back; nothing of it was saved. Try again.",
    ),
)
_CROWDED: _Cause = (
    "unreachable",
    T(
        "数据库服务器的连接数已满。请稍后重试，或请管理员提高上限。",
        "The database server takes no more connections. Try again in a moment or ask an administrator to raise the limit.",
    ),
)
_PATH: _Cause = (
    "unreachable",
    T("无法打开数据库文件。请检查路径和权限。", "The database file cannot be opened. Check the path and its permissions."),
)
_DRIVE: _Cause = (
    "unreachable",
    T(
        "读写磁盘出错，这一步没有完成。请检查磁盘或网络驱动器是否可用，再重试。",
        "The disk cannot be read or written, so this step is not done. Check that the disk or network drive is available and try again.",
    ),
)
_DAMAGED: _Cause = (
    "damaged",
    T(
        "这个文件不是可用的数据库，或已损坏。请换一个文件，或从 backups 文件夹恢复备份。",
        "The file is not a usable database or is damaged. Choose another file or restore one from the backups folder.",
    ),
)
_DAMAGED_SERVER: _Cause = (
    "damaged",
    T("服务器上的数据已损坏。请管理员从备份恢复。", "The data on the server is damaged. Ask an administrator to restore a backup."),
)
_READONLY: _Cause = (
    "readonly",
    T("没有写入权限。请检查文件和文件夹的权限。", "Writing is not allowed. Check the permissions of the file and its folder."),
)
_FULL: _Cause = (
    "full",
    T(
        "磁盘已满，这一步没有完成。请清理磁盘后重试。",
        "The disk is full, so this step is not done. Free some space and try again.",
    ),
)
_LOCKED: _Cause = (
    "locked",
    T("数据库正被另一个程序占用。请关闭它或稍后重试。", "Another program is holding the database. Close it or try again in a moment."),
)

_SQLITE: dict[int, _Cause] = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PERM: _READONLY,
    sqlite3.SQLITE_READONLY: _READONLY,
    sqlite3.SQLITE_IOERR: _DRIVE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: _PATH,
}
"""By primary result code."""

_SILENCE = "25P03"
_POSTGRES: tuple[tuple[str, _Cause], ...] = (
    ("28", _PASSWORD),
    ("3D000", _MISSING),
    ("42501", _RIGHTS),
    ("25006", _STANDBY),
    ("53100", _FULL),
    ("53300", _CROWDED),
    (_SILENCE, _SILENT),  # with its connection
    ("25P04", _SERVER),
    ("57P", _SERVER),
    ("08", _SERVER),
    ("55P03", _LOCKED),
    ("58030", _DRIVE),
    ("XX001", _DAMAGED_SERVER),
    ("XX002", _DAMAGED_SERVER),
)
"""By the beginning of the SQLSTATE."""

# A refusal to connect comes as text alone, in the server's language.
_CONNECTING: tuple[tuple[tuple[str, ...], _Cause], ...] = (
    (("password authentication failed", "no password supplied", "no pg_hba.conf entry", "认证失败"), _PASSWORD),
    (("does not exist", "不存在"), _MISSING),
    (("too many clients", "too many connections", "remaining connection slots"), _CROWDED),
    (("permission denied for database",), _RIGHTS),
    (
        (
            "could not translate host",
            "failed to resolve host",
            "name or service not known",
            "nodename nor servname",
            "name resolution",
            "getaddrinfo",
        ),
        _HOST,
    ),
    (("certificate", "does not support ssl", "ssl is not enabled"), _CERTIFICATE),
)

_ERRNO: dict[int, _Cause] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _READONLY,
    errno.EPERM: _READONLY,
    errno.EROFS: _READONLY,
    errno.ENOENT: _PATH,
    errno.EEXIST: _PATH,
    errno.ENOTDIR: _PATH,
    errno.EISDIR: _PATH,
    errno.EIO: _DRIVE,
}


def unreachable() -> FaultError:
    """The server does not answer."""
    return FaultError(*_SERVER)


class SilenceError(FaultError):
    """The server ended a transaction in which nothing was heard of us for too long. longer: whether the next is given more time."""

    def __init__(self, longer: bool) -> None:
        super().__init__(*_SILENT)
        self.longer = longer


def is_silence(error: BaseException, said: Collection[str | None]) -> bool:
    """Whether that has happened. said: SQLSTATEs of what the server told meanwhile, for it may have told before it was asked.

    The driver may have told of it and then, when it was to roll back or end a pipeline, that the connection is lost.
    """
    last: BaseException | None = error
    while last is not None and is_drivers(last):
        if _SILENCE in said or getattr(getattr(last, "orig", last), "sqlstate", None) == _SILENCE:
            return True
        last = last.__cause__ or last.__context__
    return False


def is_drivers(error: BaseException) -> bool:
    """Whether a database driver raised it, with or without SQLAlchemy around it, or SQLAlchemy for want of a connection."""
    return isinstance(error, DBAPIError | PoolTimeout) or type(error).__module__.partition(".")[0] in ("sqlite3", "psycopg")


def explain(error: BaseException) -> FaultError | None:
    """The fault a driver's or the file system's error stands for, or None when it is a programming error that must not be dressed up."""
    if isinstance(error, FaultError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    found: _Cause | None = None
    if isinstance(cause, sqlite3.Error):
        found = _SQLITE.get((getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF)
    elif isinstance(cause, PoolTimeout):  # whoever holds the others waits for the database
        found = _LOCKED
    elif isinstance(cause, OSError):
        found = _ERRNO.get(cause.errno or 0)
    elif is_drivers(cause):
        found = _of_postgres(cause)
    return None if found is None else FaultError(*found)


def _of_postgres(error: BaseException) -> _Cause | None:
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return next((cause for start, cause in _POSTGRES if state.startswith(start)), None)
    text = str(error).lower()
    if not any(c.__name__ == "OperationalError" for c in type(error).__mro__) and "connection is" not in text:
        return None
    return next((cause for marks, cause in _CONNECTING if any(mark in text for mark in marks)), _SERVER)
