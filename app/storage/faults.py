"""Database trouble a person can act on, sorted at the border: one sentence and what to do."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from app.domain.language import tr


class FaultError(Exception):
    """Something is wrong that the user can put right; `str()` is one clear sentence with the remedy.

    kind: "unreachable" (may come back by itself), "refused" (password, missing database), "damaged", "newer", "readonly",
    "full", "locked", "unknown".
    """

    def __init__(self, kind: str, sentence: str) -> None:
        self.kind = kind
        super().__init__(sentence)


_CAUSES: tuple[tuple[str, tuple[str, ...], tuple[str, str]], ...] = (
    ("refused", ("password authentication failed", "no password supplied"),
     ("用户名或密码不正确。请修改密码或换一个账号。", "The user name or password is wrong. Change the password or use another account.")),
    ("refused", ("does not exist",),
     ("数据库或账号不存在。请检查名称，或请管理员创建。",
      "The database or account does not exist. Check the name or ask an administrator to create it.")),
    ("unreachable", ("could not translate host", "failed to resolve host", "name or service not known"),
     ("找不到这台服务器。请检查主机名和网络。", "The server cannot be found. Check the host name and the network.")),
    ("unreachable", ("connection refused", "connection failed", "timeout expired", "connection timeout", "server closed the connection",
                     "terminating connection", "starting up", "shutting down", "connection is lost", "connection is closed",
                     "consuming input failed", "no route to host"),
     ("无法连接数据库服务器。请检查它是否在运行；恢复后会自动重连。",
      "The database server cannot be reached. Check that it is running; the connection comes back by itself.")),
    ("damaged", ("file is not a database", "malformed"),
     ("这个文件不是可用的数据库，或已损坏。请换一个文件，或从 backups 文件夹恢复备份。",
      "The file is not a usable database or is damaged. Choose another file or restore one from the backups folder.")),
    ("readonly", ("readonly database", "read-only", "permission denied"),
     ("没有写入权限。请检查文件和文件夹的权限。", "Writing is not allowed. Check the permissions of the file and its folder.")),
    ("full", ("disk is full", "no space left", "could not extend file"),
     ("磁盘已满，没有写入任何内容。请清理磁盘后重试。", "The disk is full; nothing was written. Free some space and try again.")),
    ("locked", ("database is locked",),
     ("数据库正被另一个程序占用。请关闭它或稍后重试。", "Another program is holding the database. Close it or try again in a moment.")),
    ("unreachable", ("unable to open database file",),
     ("无法打开数据库文件。请检查路径和权限。", "The database file cannot be opened. Check the path and its permissions.")),
)  # fmt: skip


def explain(error: BaseException) -> FaultError | None:
    """The fault a driver error stands for, or None when it is a programming error that must not be dressed up."""
    if isinstance(error, FaultError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = str(cause).lower()
    module = type(cause).__module__
    if module.startswith(("sqlite3", "psycopg", "sqlalchemy")) or isinstance(cause, OSError):
        for kind, marks, (zh, en) in _CAUSES:
            if any(mark in text for mark in marks):
                return FaultError(kind, tr(zh, en))
    return None
