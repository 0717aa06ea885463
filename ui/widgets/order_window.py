"""The switch of the order window, as every page has it that counts orders."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.domain.language import tr
from app.domain.terms import WINDOWS
from ui.widgets.segmented import Segmented


class OrderWindow(Segmented):
    """Its keys are those of WINDOWS."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(list(WINDOWS.items()), name=tr("订单时效", "Order window"), parent=parent)
        self.setToolTip(
            tr("订单时效：咨询后多久内下单算促成。所有历史页面一起切换，立即生效。",
               "Order window: how long after a consultation an order counts. Switches all history pages at once.")
        )  # fmt: skip
