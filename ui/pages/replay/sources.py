"""Which settings can be tried: what is not saved yet, earlier revisions, and those that hold."""

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
DRAFT = "draft"
NOW = "now"
_MOST = 20


@dataclass(frozen=True, slots=True)
class Source:
    """`bodies` by document; what is not there is as it holds now."""

    key: str
    label: str
    bodies: Mapping[str, Any]


def sources(unsaved: Mapping[str, Any], history: Mapping[str, list[Saved]], local: LocalTime) -> list[Source]:
    """unsaved: the bodies of the draft of the settings pages. history: the revisions of each document, the newest (current) first."""
    found = [Source(NOW, str(T("现行设置", "Current settings")), {})]
    if unsaved:
        found.append(Source(DRAFT, str(T("未保存的修改", "Unsaved changes")), unsaved))
    for document, title in DOCUMENTS.items():
        for saved in history.get(document, [])[1:_MOST]:
            when = "" if saved.at is None else f"{local.local(saved.at):%m-%d %H:%M}"
            label = T(f"{title.zh}第 {saved.revision} 版", f"{title.en}, revision {saved.revision}")
            words = " · ".join(part for part in (str(label), when, saved.author) if part)
            found.append(Source(f"revision:{document}:{saved.revision}", words, {document: saved.body}))
    return found
