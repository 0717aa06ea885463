"""Which settings can be tried: drafts of the settings pages, earlier revisions, and those that hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.language import T
from app.domain.localtime import LocalTime

if TYPE_CHECKING:
    from app.services.settings import Saved

DOCUMENTS = {"groups": T("咨询组", "Groups"), "agents": T("客服", "Agents")}
"""What a replay can be run under."""
DRAFTS = {
    "groups": T("咨询组管理的草稿", "Draft of the page Groups"),
    "agents": T("客服总览的草稿", "Draft of the page Agents"),
}
"""The pages whose drafts are offered, by their keys."""
NOW = "now"
_MOST = 20


@dataclass(frozen=True, slots=True)
class Source:
    """`bodies` by document; what is not there is as it holds now."""

    key: str
    label: str
    bodies: Mapping[str, Any]


def sources(states: Mapping[str, Mapping[str, Any]], history: Mapping[str, list[Saved]], local: LocalTime) -> list[Source]:
    """states: what the settings pages remember, by page. history: the revisions of each document, the newest (current) first."""
    found = [Source(NOW, str(T("现行设置", "Current settings")), {})]
    for page, label in DRAFTS.items():
        bodies = drafted(states.get(page, {}))
        if bodies:
            found.append(Source(f"draft:{page}", str(label), bodies))
    for document, title in DOCUMENTS.items():
        for saved in history.get(document, [])[1:_MOST]:
            when = "" if saved.at is None else f"{local.local(saved.at):%m-%d %H:%M}"
            label = T(f"{title.zh}第 {saved.revision} 版", f"{title.en}, revision {saved.revision}")
            words = " · ".join(part for part in (str(label), when, saved.author) if part)
            found.append(Source(f"revision:{document}:{saved.revision}", words, {document: saved.body}))
    return found


def drafted(state: Mapping[str, Any]) -> dict[str, Any]:
    """The bodies of a settings page's draft, by document; {} where it has none."""
    draft = state.get("draft")
    bodies = draft.get("bodies") if isinstance(draft, dict) else None
    if not isinstance(bodies, dict):
        return {}
    return {key: body for key, body in bodies.items() if key in DOCUMENTS and isinstance(body, dict)}
