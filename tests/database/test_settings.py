"""Settings on both databases: revisions one after another, nobody's lost, each save all or nothing; and their command line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.cli import run
from app.domain.assessment import AssessedRule
from app.domain.clock import StoreClock
from app.domain.language import set_language
from app.domain.permissions import Actor, NotAllowedError, local_owner
from app.domain.settings import ASSESSMENT, DOCUMENTS
from app.services.settings import InvalidError, Saved, StaleError
from app.services.workspace import StoreInfo, Workspace
from app.storage import revisions
from app.storage.bulk import Bulk
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.notices import Notices
from app.storage.recorder import lock_store
from app.storage.stores import set_clock
from tests.database.compare import agent_days, record, summed_by_agent
from tests.oracle.streams import random_place, random_stream

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workspace(database: Database) -> Workspace:
    workspace = Workspace(database, local_owner())
    workspace.create_store("shop", "Shop")
    return workspace


@pytest.fixture
def store(workspace: Workspace) -> StoreInfo:
    return workspace.store("shop")


@pytest.fixture
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("zh")


def as_(name: str, workspace: Workspace, *permissions: str) -> Workspace:
    return Workspace(workspace.database, Actor(name, frozenset(permissions or {"groups.edit"})))


def held(database: Database) -> tuple[Any, ...]:
    """Everything a save writes."""
    with database.read() as connection:
        return tuple(
            tuple(connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2, 3")).all())
            for table in ("settings_revisions", "changes", "stores", "agent_days")
        )


class TestRevisions:
    def test_before_anything_is_saved_the_defaults_hold(self, workspace: Workspace, store: StoreInfo) -> None:
        for document, saved in workspace.settings.documents(store):
            assert saved == Saved(0, document.default())
            assert workspace.settings.get(store, document.key) == saved
            assert workspace.settings.history(store, document.key) == []
        assert workspace.settings.order_window(store) == "24h"
        assert workspace.settings.assessed(store) == AssessedRule((108, 276), (0,))
        assert workspace.settings.standards(store)["first_reply"] == (30, 30, 60)

    def test_each_save_is_one_revision(self, workspace: Workspace, store: StoreInfo) -> None:
        settings = workspace.settings
        assert settings.save(store, "order_window", {"window": "7d"}, note="一周") == 1
        assert as_("小王", workspace).settings.save(store, "order_window", {"window": "15d"}) == 2
        newest, first = settings.history(store, "order_window")
        assert (newest.revision, newest.body, newest.author, newest.note) == (2, {"window": "15d"}, "小王", "")
        assert (first.revision, first.body, first.author, first.note) == (1, {"window": "7d"}, "owner", "一周")
        assert first.at is not None
        assert newest.at is not None
        assert 0 <= newest.at - first.at < 60_000
        assert settings.get(store, "order_window") == newest
        assert settings.get(store, "order_window", 1) == first
        assert settings.get(store, "order_window", 0) == Saved(0, {"window": "24h"})
        assert settings.order_window(store) == "15d"

    def test_it_is_told_when_by_the_clock_of_the_store(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        """So that a revision, what was decided by it and what was commanded meanwhile can be put in order."""
        moment = 1_790_000_000_000
        set_clock(database, store.id, StoreClock.running(0, moment))
        workspace.settings.save_all(store, {"order_window": ({"window": "7d"}, None), "standards": ({"first_reply": {"target": 20}}, None)})
        assert {workspace.settings.get(store, key).at for key in ("order_window", "standards")} == {moment}

    def test_the_whole_document_is_kept(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        """Also what was left out, so that a later change of a default changes no store's settings."""
        workspace.settings.save(store, "standards", {"first_reply": {"target": 20}})
        with database.read() as connection:
            body = json.loads(connection.execute(text("SELECT body FROM settings_revisions")).scalar_one())
        assert body == DOCUMENTS["standards"].complete({"first_reply": {"target": 20}})
        assert workspace.settings.standards(store)["first_reply"] == (20, 30, 60)

    def test_documents_and_stores_are_apart(self, workspace: Workspace, store: StoreInfo) -> None:
        workspace.create_store("other", "Other")
        workspace.settings.save(store, "order_window", {"window": "7d"})
        assert workspace.settings.get(store, "assessment").revision == 0
        assert workspace.settings.get(workspace.store("other"), "order_window").revision == 0

    @pytest.mark.usefixtures("english")
    def test_restored(self, workspace: Workspace, store: StoreInfo) -> None:
        settings = workspace.settings
        settings.save(store, "order_window", {"window": "7d"})
        settings.save(store, "order_window", {"window": "15d"})
        assert settings.restore(store, "order_window", 1, base=2) == 3
        assert settings.restore(store, "order_window", 0, note="back to the start") == 4
        assert [saved.body["window"] for saved in settings.history(store, "order_window")] == ["24h", "7d", "15d", "7d"]
        assert settings.get(store, "order_window").note == "back to the start"
        with pytest.raises(StaleError, match=r"Not restored.*restore again"):
            settings.restore(store, "order_window", 1, base=3)
        assert settings.get(store, "order_window").revision == 4

    @pytest.mark.usefixtures("english")
    def test_compared(self, workspace: Workspace, store: StoreInfo) -> None:
        settings = workspace.settings
        settings.save(store, "assessment", {"to": "24:00", "leave_out": []})
        settings.save(store, "assessment", {"to": "24:00", "leave_out": ["bot_only"]})
        assert [(c.path, str(c.before), str(c.after)) for c in settings.difference(store, "assessment", 0)] == [
            ("to", "23:00", "24:00"),
            ("leave_out", "spam, bot only", "bot only"),
        ]
        assert [str(c.before) for c in settings.difference(store, "assessment", 1, 2)] == ["none"]
        assert [c.path for c in settings.changes_of(store, "assessment", {"from": "08:00"})] == ["from", "to", "leave_out"]

    def test_two_documents_are_saved_together_or_not_at_all(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        settings = workspace.settings
        groups = {"groups": [{"code": "presale", "name": "售前", "members": [{"agent": "a1", "weight": 3}]}]}
        agents = {"agents": [{"agent": "a1", "capacity": 4}]}
        assert settings.save_all(store, {"groups": (groups, 0), "agents": (agents, 0)}, "开组") == {"groups": 1, "agents": 1}
        assert {settings.get(store, key).note for key in ("groups", "agents")} == {"开组"}
        settings.save(store, "agents", {"agents": []})
        before = held(database)
        with pytest.raises(StaleError) as stale:
            settings.save_all(store, {"groups": ({"groups": []}, 1), "agents": (agents, 1)})
        assert stale.value.document.key == "agents"
        with pytest.raises(InvalidError, match=r"agents\[0\]\.capacity"):
            settings.save_all(store, {"groups": ({"groups": []}, 1), "agents": ({"agents": [{"agent": "a1", "capacity": -1}]}, 2)})
        with pytest.raises(NotAllowedError):
            as_("guest", workspace, "history.view").settings.save_all(store, {"groups": ({"groups": []}, 1)})
        assert held(database) == before

    @pytest.mark.parametrize("number", [-1, 7, 2**31, 2**63, 10**30])
    def test_a_revision_that_never_was(self, workspace: Workspace, store: StoreInfo, number: int) -> None:
        settings = workspace.settings
        settings.save(store, "order_window", {"window": "7d"})
        attempts: tuple[Callable[[], Any], ...] = (
            lambda: settings.get(store, "order_window", number),
            lambda: settings.save(store, "order_window", {"window": "15d"}, base=number),
            lambda: settings.difference(store, "order_window", 1, number),
            lambda: settings.restore(store, "order_window", number),
        )
        for attempt in attempts:
            with pytest.raises(FaultError, match=str(number)):
                attempt()
        assert settings.get(store, "order_window").revision == 1

    def test_a_document_that_is_none(self, workspace: Workspace, store: StoreInfo) -> None:
        with pytest.raises(FaultError, match="order_window"):
            workspace.settings.get(store, "window")


class TestAssessment:
    def test_what_it_comes_to_is_written_with_it(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        workspace.settings.save(store, "assessment", {"from": "22:30", "to": "06:05", "leave_out": ["spam"]})
        assert workspace.settings.assessed(store) == AssessedRule((270, 73), (0, 2))
        with database.read() as connection:
            rule = json.loads(connection.execute(text("SELECT assessed_rule FROM stores")).scalar_one())
        assert rule == {"slots": [270, 73], "flags": [0, 2]}
        workspace.settings.restore(store, "assessment", 0)
        assert workspace.settings.assessed(store) == AssessedRule((108, 276), (0,))

    def test_the_whole_day(self, workspace: Workspace, store: StoreInfo) -> None:
        workspace.settings.save(store, "assessment", {"from": "00:00", "to": "24:00", "leave_out": []})
        assert workspace.settings.assessed(store) == AssessedRule((0, 288), (0, 1, 2))

    def test_what_has_been_counted_is_assessed_anew(self, database: Database) -> None:
        """In the same transaction; going back to the defaults brings the old rows back."""
        zone, start = random_place(41)
        record(database, [random_stream(41, 60, zone=zone, start=start)], zone)
        workspace = Workspace(database, local_owner())
        (store,) = workspace.stores()

        def assessed() -> dict[Any, Any]:
            with database.read() as connection:
                found = agent_days(connection)
                assert found == summed_by_agent(connection)
            return {key: counts for key, counts in found.items() if key[1]}

        before = assessed()
        workspace.settings.save(store, "assessment", {"from": "00:00", "to": "24:00", "leave_out": []})
        everything = assessed()
        assert everything != before
        workspace.settings.save(store, "assessment", {"from": "09:00", "to": "09:05"})
        assert assessed() != before
        workspace.settings.restore(store, "assessment", 0)
        assert assessed() == before


class TestRefusals:
    @pytest.mark.usefixtures("english")
    def test_one_line_per_fault(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        before = held(database)
        body = {"from": "9", "leave_out": ["spam", "other"], "too": "23:00"}
        with pytest.raises(InvalidError) as refused:
            workspace.settings.save(store, "assessment", body)
        assert str(refused.value).splitlines() == [
            "too: is not known; did you mean to?",
            'from: "9" is not a time of the day; write HH:MM, such as 09:00',
            'leave_out[1]: "other" is not one of spam, bot_only',
        ]
        assert refused.value.faults == workspace.settings.check(store, "assessment", body)
        assert held(database) == before

    @pytest.mark.parametrize("note", ["x" * 501, "a\0b", "a\ud800"])
    def test_a_note_that_cannot_be_kept(self, workspace: Workspace, store: StoreInfo, note: str) -> None:
        with pytest.raises(InvalidError, match="note: "):
            workspace.settings.save(store, "order_window", {"window": "7d"}, note=note)
        assert workspace.settings.save(store, "order_window", {"window": "7d"}, note=note[:1] * 500) == 1

    def test_without_the_permission(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        workspace.settings.save(store, "order_window", {"window": "7d"})
        before = held(database)
        ordinary = as_("小李", workspace, "live.view", "history.view").settings
        for document in DOCUMENTS.values():
            with pytest.raises(NotAllowedError):
                ordinary.save(store, document.key, document.default())
            with pytest.raises(NotAllowedError):
                ordinary.restore(store, document.key, 0)
        assert held(database) == before
        assert ordinary.order_window(store) == "7d"

    @pytest.mark.usefixtures("english")
    def test_a_base_that_is_no_longer_current(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        settings = workspace.settings
        settings.save(store, "assessment", {"from": "08:00"})
        as_("小王", workspace).settings.save(store, "assessment", {"from": "07:00", "leave_out": []}, base=1, note="spring")
        as_("小李", workspace).settings.save(store, "assessment", {"from": "08:00", "leave_out": []}, base=2)
        before = held(database)
        with pytest.raises(StaleError) as refused:
            settings.save(store, "assessment", {"from": "10:00"}, base=1)
        assert held(database) == before
        stale = refused.value
        assert (stale.base.revision, [(saved.author, saved.note) for saved in stale.meanwhile]) == (1, [("小王", "spring"), ("小李", "")])
        assert [change.path for change in stale.changes] == ["leave_out"]
        said = str(stale)
        assert "revision 1 is no longer current" in said
        for saved in stale.meanwhile:
            assert saved.at is not None
            assert f"{saved.author} saved revision {saved.revision} at {workspace.local(store).local(saved.at):%Y-%m-%d %H:%M}" in said
        assert "(spring)" in said
        assert "changed: Leave out" in said
        assert settings.save(store, "assessment", {"from": "10:00"}, base=3) == 4

    def test_two_at_once_one_wins(self, workspace: Workspace, store: StoreInfo) -> None:
        """Again and again, each from the revision it sees; whoever loses is told whose save came first."""
        gate = threading.Barrier(2, timeout=30)
        told: dict[str, list[int | StaleError]] = {"A": [], "B": []}
        broken: list[BaseException] = []

        def save(name: str, window: str) -> None:
            settings = as_(name, workspace).settings
            try:
                for _ in range(8):
                    base = settings.get(store, "order_window").revision
                    gate.wait()  # both have read
                    try:
                        told[name].append(settings.save(store, "order_window", {"window": window}, base=base))
                    except StaleError as stale:
                        told[name].append(stale)
                    gate.wait()  # both have saved
            except BaseException as error:
                broken.append(error)
                gate.abort()

        threads = [threading.Thread(target=save, args=who) for who in (("A", "7d"), ("B", "15d"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert broken == []
        for number, (a, b) in enumerate(zip(told["A"], told["B"], strict=True), 1):
            won, lost, winner = (a, b, "A") if isinstance(a, int) else (b, a, "B")
            assert won == number
            assert isinstance(lost, StaleError)
            assert [(saved.revision, saved.author) for saved in lost.meanwhile] == [(number, winner)]
        assert [saved.revision for saved in workspace.settings.history(store, "order_window")] == list(range(8, 0, -1))


class TestNotices:
    def test_a_save_is_heard(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        notices = Notices(database, store.id)
        try:
            workspace.settings.save(store, "order_window", {"window": "7d"})
            (notice,) = notices.wait(5)
            assert (notice.topics, notice.agents) == (frozenset({"settings"}), ())
            with pytest.raises(InvalidError):
                workspace.settings.save(store, "order_window", {"window": "8d"})
            with pytest.raises(StaleError):
                workspace.settings.save(store, "order_window", {"window": "15d"}, base=0)
            workspace.settings.save(store, "assessment", {"from": "09:00"})
            assert [notice.revision for notice in notices.wait(5)] == [notice.revision + 1]
        finally:
            notices.close()


SAVER = """
import sys
from app.domain.permissions import local_owner
from app.services.workspace import Workspace

workspace = Workspace.open(sys.argv[1], local_owner(), create=False)
store = workspace.store(None)
while True:
    for first in ("07:00", "08:00"):
        print(workspace.settings.save(store, "assessment", {"from": first}), flush=True)
"""


class TestAllOrNothing:
    def test_when_the_last_step_fails(
        self, workspace: Workspace, store: StoreInfo, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workspace.settings.save(store, "assessment", {"from": "08:00"})
        before = held(database)

        def fail(*_: object) -> None:
            raise OSError("the disk is gone")

        with monkeypatch.context() as broken:
            broken.setattr(revisions, "announce", fail)
            with pytest.raises(OSError, match="gone"):
                workspace.settings.save(store, "assessment", {"from": "07:00"})
        assert held(database) == before
        assert workspace.settings.save(store, "assessment", {"from": "07:00"}) == 2

    def test_killed_while_saving(self, workspace: Workspace, store: StoreInfo, database: Database, url: str) -> None:
        """What was acknowledged is there, and whatever is there is whole: revision, rule and notice."""
        for kill in range(3):
            command = [sys.executable, "-c", SAVER, url]
            saver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            assert saver.stdout is not None
            acknowledged = [int(saver.stdout.readline()) for _ in range(3 + kill)][-1]
            saver.kill()
            saver.communicate()
            with database.read() as connection:  # one moment: a server may still be busy with what it was last told
                saves = revisions.history(connection, store.id, ASSESSMENT, 10_000)
                rule = revisions.assessed_rule(connection, store.id)
                log = connection.execute(text("SELECT count(*), max(revision) FROM changes")).one()
                notices = connection.execute(text("SELECT revision FROM stores")).scalar_one()
            newest = saves[0]
            assert newest.revision >= acknowledged
            assert [saved.revision for saved in saves] == list(range(newest.revision, 0, -1))
            assert log == (newest.revision, newest.revision)
            assert notices == newest.revision
            assert rule.slots == (int(newest.body["from"][:2]) * 12, 276)


class Said:
    """The command line on one store."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.where = ("--db", url, "--store", "shop")
        self.capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What is printed, on standard error for a refusal; the other stream stays silent."""
        self.capsys.readouterr()
        assert run(["--language", "en", "settings", *arguments, *self.where]) == code
        out, err = self.capsys.readouterr()
        assert (err if code == 0 else out) == ""
        return out if code == 0 else err


@pytest.fixture
def said(url: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Iterator[Said]:
    yield Said(url, capsys)
    set_language("zh")


def file_of(folder: Path, body: Any) -> str:
    file = folder / "body.json"
    file.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return str(file)


class TestCommandLine:
    def test_a_document_goes_round(self, said: Said, tmp_path: Path) -> None:
        assert json.loads(said("get", "assessment")) == DOCUMENTS["assessment"].default()
        changed = {"from": "08:00", "to": "24:00", "leave_out": ["spam"]}
        assert said("set", "assessment", "--file", file_of(tmp_path, changed), "--note", "早班").strip() == "Saved as revision 1"
        assert json.loads(said("get", "assessment")) == changed
        assert json.loads(said("get", "assessment", "--revision", "0")) == DOCUMENTS["assessment"].default()
        listed = {row["document"]: (row["revision"], row["author"], row["note"]) for row in json.loads(said("list", "--format", "json"))}
        assert listed == {key: (1, "owner", "早班") if key == "assessment" else (0, "", "") for key in DOCUMENTS}
        said("restore", "assessment", "--revision", "0", "--base", "1")
        assert [row["revision"] for row in json.loads(said("history", "assessment", "--format", "json"))] == [2, 1]
        assert json.loads(said("diff", "assessment", "--format", "json")) == [
            {"path": "from", "label": "From", "before": "08:00", "after": "09:00"},
            {"path": "to", "label": "To", "before": "24:00", "after": "23:00"},
            {"path": "leave_out", "label": "Leave out", "before": "spam", "after": "spam, bot only"},
        ]
        assert said("diff", "assessment", "--base", "0", "--revision", "2").strip() == "No difference"
        assert "08:00" in said("diff", "assessment", "--base", "0", "--file", file_of(tmp_path, changed))

    def test_tables_for_people(self, said: Said, tmp_path: Path) -> None:
        said("set", "order_window", "--file", file_of(tmp_path, {"window": "7d"}), "--note", "a\nweek")
        assert said("list").splitlines()[1].split()[:4] == ["order_window", "Order", "window", "1"]
        assert said("history", "order_window").splitlines()[1].endswith("owner   a week")
        assert said("diff", "order_window").splitlines()[1].split() == ["window", "Window", "24", "hours", "7", "days"]

    def test_from_standard_input(self, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
        for more in ((), ("--file", "-")):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'\xef\xbb\xbf{"window": "7d"}')))
            said("set", "order_window", *more)
        assert json.loads(said("get", "order_window")) == {"window": "7d"}

    def test_one_line_per_fault(self, said: Said, tmp_path: Path) -> None:
        lines = said("set", "standards", "--file", file_of(tmp_path, {"satisfaction": {"warn": 101}, "x": 1}), code=1).splitlines()
        assert lines == ["x: is not known", "satisfaction.warn: 101 is not between 0 and 100 %"]
        assert json.loads(said("list", "--format", "json"))[2]["revision"] == 0

    def test_a_base_that_is_no_longer_current(self, said: Said, tmp_path: Path) -> None:
        file = file_of(tmp_path, {"window": "7d"})
        said("set", "order_window", "--file", file, "--base", "0")
        line = said("set", "order_window", "--file", file, "--base", "0", code=1)
        assert line.count("\n") == 1
        assert "owner saved revision 1" in line

    @pytest.mark.parametrize(
        ("written", "said_"),
        [("{", "not JSON at line 1"), ('{"window": "7d", "window": "7d"}', "written twice"), ("[" * 50_000, "nested"), ("", "not JSON")],
    )
    def test_what_is_no_document(self, said: Said, tmp_path: Path, written: str, said_: str) -> None:
        line = said("set", "order_window", "--file", file_of(tmp_path, written), code=1)
        assert said_ in line
        assert line.count("\n") == 1

    def test_files_that_cannot_be_read(self, said: Said, tmp_path: Path) -> None:
        latin = tmp_path / "latin.json"
        latin.write_bytes(b'{"window": "\xe9"}')
        for file in (tmp_path / "missing.json", tmp_path, latin):
            line = said("set", "order_window", "--file", str(file), code=1)
            assert str(file) in line
            assert line.count("\n") == 1

    @pytest.mark.parametrize("arguments", [("get",), ("restore", "order_window"), ("get", "order_window", "--revision", "x")])
    def test_wrong_usage(self, said: Said, arguments: tuple[str, ...]) -> None:
        assert "Usage" in said(*arguments, code=2)

    def test_refusals(self, said: Said) -> None:
        assert "order_window, assessment, standards" in said("get", "nothing", code=1)
        assert "no revision 4" in said("restore", "order_window", "--revision", "4", code=1)


class TestWaiting:
    def test_it_can_be_called_off(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        stop = threading.Event()
        stop.set()
        with database.write() as other:
            bulk = Bulk(other)
            lock_store(bulk, store.id)
            with pytest.raises(FaultError) as caught:
                workspace.settings.save_all(store, {"order_window": ({"window": "7d"}, None)}, stop=stop)
            bulk.close()
        assert caught.value.kind == "cancelled"
        assert workspace.settings.get(store, "order_window").revision == 0
        # What nobody holds up is saved, whether somebody could call it off or not, and the next to wait waits as before.
        assert workspace.settings.save_all(store, {"order_window": ({"window": "7d"}, None)}, stop=stop) == {"order_window": 1}
        assert workspace.settings.save(store, "order_window", {"window": "15d"}) == 2

    def test_it_goes_on_when_the_other_has_written(self, workspace: Workspace, store: StoreInfo, database: Database) -> None:
        saved: list[dict[str, int]] = []
        draft = {"order_window": ({"window": "7d"}, None)}
        waiting = threading.Thread(target=lambda: saved.append(workspace.settings.save_all(store, draft, stop=threading.Event())))
        with database.write() as other:
            bulk = Bulk(other)
            lock_store(bulk, store.id)
            waiting.start()
            waiting.join(0.2)
            assert saved == []
            bulk.close()
        waiting.join(10)
        assert saved == [{"order_window": 1}]
