from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ui.runtime.preferences import SETTINGS, Preferences


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "preferences.json"


def test_what_is_put_is_there_next_time(path: Path, qtbot: QtBot) -> None:
    prefs = Preferences(path)
    prefs.put("theme", "dark")
    prefs.put_page("seats", {"sort": ["name", 1], "text": "张三"})
    prefs.flush()
    again = Preferences(path)
    assert again.get("theme") == "dark"
    assert again.page("seats") == {"sort": ["name", 1], "text": "张三"}
    assert again.note == ""


def test_saving_follows_a_change_by_itself_and_only_once(path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *paths: (written.append(1), replace(*paths)))
    prefs = Preferences(path)
    for number in range(20):
        prefs.put_page("seats", {"width": number})
    assert not path.exists()
    qtbot.waitUntil(path.exists)
    prefs.put_page("seats", {"width": 19})
    prefs.flush()
    assert written == [1]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"settings": 1, "pages": {}}', '{"settings": {}}', "\x00\x01", "[" * 100_000])
def test_a_broken_file_is_set_aside_and_told_about(path: Path, qtbot: QtBot, content: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content.encode("utf-8"))
    prefs = Preferences(path)
    assert prefs.get("language") == "zh"
    assert "默认设置" in prefs.note
    aside = list(path.parent.glob("preferences.broken-*.json"))
    assert [file.read_bytes() for file in aside] == [content.encode("utf-8")]
    prefs.put("theme", "dark")
    prefs.flush()
    assert Preferences(path).get("theme") == "dark"


def test_values_of_another_version_count_as_absent(path: Path, qtbot: QtBot) -> None:
    path.parent.mkdir()
    settings = {"theme": "sepia", "language": 5, "sidebar_collapsed": "yes", "wallboard_seconds": True, "gone": 1}
    path.write_text(json.dumps({"settings": settings, "pages": {"seats": 3, "overview": {"a": 1}}}), "utf-8")
    prefs = Preferences(path)
    assert {key: prefs.get(key) for key in SETTINGS} == {key: setting.default for key, setting in SETTINGS.items()}
    assert (prefs.page("seats"), prefs.page("overview")) == ({}, {"a": 1})


def test_only_what_is_declared_can_be_kept(path: Path, qtbot: QtBot) -> None:
    prefs = Preferences(path)
    with pytest.raises(KeyError):
        prefs.put("colour", "red")
    with pytest.raises(KeyError):
        prefs.get("colour")
    with pytest.raises(ValueError, match="theme"):
        prefs.put("theme", "red")
    with pytest.raises(TypeError):
        prefs.put_page("seats", {"page": object()})
    with pytest.raises(ValueError, match="JSON"):
        prefs.put_page("seats", {"width": float("nan")})


def test_what_is_handed_out_is_a_copy(path: Path, qtbot: QtBot) -> None:
    prefs = Preferences(path)
    prefs.put("wallboard_pages", ["seats"])
    prefs.get("wallboard_pages").append("overview")
    prefs.get("connections").append({"url": "x"})
    assert prefs.get("wallboard_pages") == ["seats"]
    assert prefs.get("connections") == []


def test_a_place_that_cannot_be_written_costs_nothing_but_the_memory(tmp_path: Path, qtbot: QtBot) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    prefs = Preferences(blocked / "preferences.json")
    prefs.put("theme", "dark")
    prefs.flush()
    assert "无法保存" in prefs.note
    assert prefs.get("theme") == "dark"


def test_any_text_can_be_kept(path: Path, qtbot: QtBot) -> None:
    prefs = Preferences(path)
    prefs.put_page("seats", {"text": "\ud800 \0 👩‍👩‍👧 "})
    prefs.flush()
    assert Preferences(path).page("seats") == {"text": "\ud800 \0 👩‍👩‍👧 "}


def test_no_half_written_file_stays(path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    prefs = Preferences(path)
    prefs.put("theme", "dark")
    prefs.flush()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    prefs.put("theme", "light")
    prefs.flush()
    monkeypatch.undo()
    assert [file.name for file in path.parent.iterdir()] == ["preferences.json"]
    assert Preferences(path).get("theme") == "dark"
