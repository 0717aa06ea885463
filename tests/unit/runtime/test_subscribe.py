from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from ui.runtime.subscribe import subscribe


class Sender(QObject):
    said = Signal(object)


def test_it_ends_with_its_owner_and_frees_what_it_held(qtbot: QtBot) -> None:
    sender, owner, heard = Sender(), QObject(), []
    subscribe(sender.said, owner, heard.append)
    sender.said.emit(1)
    with qtbot.waitSignal(owner.destroyed):
        owner.deleteLater()
    sender.said.emit(2)
    assert heard == [1]


def test_a_sender_on_another_thread_is_heard_on_the_owners(qtbot: QtBot) -> None:
    sender, owner, threads = Sender(), QObject(), []
    subscribe(sender.said, owner, lambda _: threads.append(threading.current_thread()))
    talker = threading.Thread(target=lambda: sender.said.emit(1))
    talker.start()
    talker.join()
    qtbot.waitUntil(lambda: bool(threads))
    assert threads == [threading.main_thread()]
    owner.deleteLater()
