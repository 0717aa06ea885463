"""What a history page reads beside its numbers: who and what can be chosen, and what the store has set. Read on a worker thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.domain.counters import Window
from app.domain.metrics import METRICS, Metric
from app.domain.settings import with_standards
from app.domain.terms import CHANNELS
from ui.pages.history.controls import Names
from ui.runtime.finder import with_pinyin

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace


@dataclass(frozen=True)
class Reference:
    """`window` is the store's own order window, `metrics` the catalogue with the store's standards; `bare`: a store without any data."""

    names: Names = field(default_factory=Names)
    window: Window = "24h"
    metrics: Mapping[str, Metric] = field(default_factory=lambda: METRICS)
    bare: bool = False


def read_reference(workspace: Workspace, store: StoreInfo) -> Reference:
    offered = workspace.listings.offered(store)
    names = [name for _, name in offered.agents]
    found = Names(
        offered.agents,
        offered.groups,
        offered.teams,
        [(key, str(words)) for key, words in CHANNELS.items()],
        dict(zip(names, with_pinyin(names), strict=True)),
    )
    return Reference(found, offered.window, with_standards(workspace.settings.standards(store)), offered.bare)
