"""What can be allowed, as one table, and the actor every service asks on behalf of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.domain.language import T

Level = Literal["ordinary", "advanced"]


@dataclass(frozen=True, slots=True)
class Permission:
    key: str
    label: T
    level: Level


PERMISSIONS: dict[str, Permission] = {
    p.key: p
    for p in (
        Permission("live.view", T("查看实时监控", "See the live pages"), "ordinary"),
        Permission("history.view", T("查看历史数据", "See history"), "ordinary"),
        Permission("transcripts.view", T("查看聊天记录", "Read transcripts"), "ordinary"),
        Permission("export", T("导出", "Export"), "ordinary"),
        Permission("seats.command", T("挂起、恢复坐席，转移会话", "Suspend and resume agents, move sessions"), "advanced"),
        Permission("groups.edit", T("编辑咨询组与权重", "Edit groups and weights"), "advanced"),
        Permission("storefront.edit", T("编辑店铺后台", "Edit the storefront"), "advanced"),
        Permission("access.edit", T("管理角色", "Manage roles"), "advanced"),
        Permission("data.ingest", T("写入事件与导入报表", "Feed events and import reports"), "advanced"),
    )
}


class NotAllowedError(PermissionError):
    """The actor lacks a permission; `str()` is one sentence for the person."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        super().__init__(str(T("没有权限：{0}。请向管理员申请。", "Not allowed: {0}. Ask an administrator.").format(permission.label)))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a name for the audit and the permissions they hold."""

    name: str
    permissions: frozenset[str]

    def may(self, key: str) -> bool:
        return key in self.permissions

    def require(self, key: str) -> None:
        """Raises NotAllowedError unless the actor holds the permission."""
        if key not in self.permissions:
            raise NotAllowedError(PERMISSIONS[key])


def local_owner() -> Actor:
    """The person at a local store: holds everything."""
    return Actor("owner", frozenset(PERMISSIONS))
