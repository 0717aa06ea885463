"""The doctor finds what is wrong, says nothing where nothing is, and the repair puts it right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.domain.language import set_language
from app.storage import doctor, recount
from app.storage.database import Database
from app.storage.doctor import Finding, examine, repair_counters
from app.storage.notices import TOPICS, Notices
from app.storage.recorder import Recorder, open_store
from tests.database.compare import expected, record, stored
from tests.database.proxy import Proxy
from tests.databases import Fill, nothing, prepared
from tests.oracle.recompute import recompute
from tests.oracle.streams import DAY, places, random_stream, scramble


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("zh")


def wrong(database: Database) -> list[Finding]:
    return [finding for finding in examine(database) if finding.level == "fault"]


def spoil(database: Database, statement: str) -> None:
    with database.write() as connection:
        assert connection.execute(text(statement)).rowcount > 0


def a_stream(database: Database) -> None:
    events = random_stream(21, 15, agents=3, days=3)
    never_opened = next(event["session"] for event in events if event["type"] == "message.sent")
    events = [event for event in events if (event["type"], event.get("session")) != ("session.opened", never_opened)]
    record(database, scramble(events, 21), "Asia/Shanghai")


@pytest.fixture
def content(request: pytest.FixtureRequest) -> Fill:
    return a_stream if "filled" in request.fixturenames else nothing


@pytest.fixture
def filled(database: Database) -> Database:
    return database


@pytest.mark.parametrize(("zone", "start"), [places()[i] for i in (1, 9, 10, 11)])
def test_a_sound_store_day_by_day(database: Database, zone: str, start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where clocks change, days are skipped or midnight comes twice; every day is a window of its own."""
    monkeypatch.setattr(recount, "_SESSIONS_AT_ONCE", 1)
    record(database, scramble(random_stream(7, 25, zone=zone, start=start), 7), zone)
    assert wrong(database) == []


def test_every_check_has_something_to_say(filled: Database) -> None:
    open_store(filled, "empty")
    findings = examine(filled)
    assert all(finding.detail and finding.title.zh and finding.title.en for finding in findings)
    assert len({finding.title for finding in findings}) == len(findings)
    assert {finding.level for finding in findings} <= {"ok", "warn"}
    assert all(finding.remedy for finding in findings if finding.level != "ok")


DAMAGE = {
    "five-minute counters": "UPDATE slot_counters SET received = received + 1 WHERE received = (SELECT max(received) FROM slot_counters)",
    "five-minute counters of nobody": "UPDATE slot_counters SET agent_id = agent_id + 1000",
    "five-minute counters deleted": "DELETE FROM slot_counters WHERE consults > 0",
    "histograms": "UPDATE slot_histograms SET n = n + 1",
    "time logged in": "UPDATE slot_counters SET login_ms = login_ms - 1 WHERE login_ms > 0",
    "visitors": "UPDATE slot_counters SET visitors_online = 0 WHERE visitors_online > 0",
    "day counters": "UPDATE day_counters SET order_amount_7d = order_amount_7d + 1 WHERE order_amount_7d > 0",
    "day histograms": "UPDATE day_counters SET turn_h0 = turn_h0 + 1",
    "days of agents": "UPDATE agent_days SET received = received + 1 WHERE received > 0 AND span = 1 AND assessed = 0",
    "assessed days of agents": "UPDATE agent_days SET first_reply_h0 = coalesce(first_reply_h0, 0) + 1 WHERE span = 1 AND assessed = 1",
    "weeks of agents": "UPDATE agent_days SET order_amount_7d = order_amount_7d + 1 WHERE span = 7 AND order_amount_7d > 0",
    "weeks of agents deleted": "DELETE FROM agent_days WHERE span = 7 AND assessed = 1",
    "hours of agents": "UPDATE agent_hours SET received = received + 1 WHERE received > 0",
    "hours of agents deleted": "DELETE FROM agent_hours WHERE flag = 0 AND turns > 0",
    "half hours of groups": "UPDATE group_halves SET first_reply_ms = first_reply_ms + 1 WHERE half > 20 AND received > 0",
    "half hours of nobody": "UPDATE group_halves SET group_id = group_id + 1000",
    "half hours deleted": "DELETE FROM group_halves WHERE group_id = 0",
    "sessions": "UPDATE sessions SET agent_messages = agent_messages + 1 WHERE agent_messages > 0",
    "sessions of the wrong day": "UPDATE sessions SET day = day + 3 WHERE day IS NOT NULL",
    "sessions never opened": "UPDATE sessions SET customer_messages = 77 WHERE day IS NULL",
    "credits": "UPDATE order_lines SET session_7d = 0 WHERE session_7d > 0",
}


def test_what_is_spoilt_is_found_and_repaired(filled: Database) -> None:
    sound = stored(filled)
    store = filled.stores()[0][0]
    for what, statement in DAMAGE.items():
        spoil(filled, statement)
        found = wrong(filled)
        assert found, what
        assert all(finding.remedy is doctor._REPAIR for finding in found), what
        assert "difference" in found[0].detail, what
        repair_counters(filled, store)
        assert wrong(filled) == [], what
        assert stored(filled) == sound, what


def test_a_difference_is_said_in_words(filled: Database) -> None:
    with filled.write() as connection:
        connection.execute(text("UPDATE day_counters SET consults = consults + 5 WHERE consults > 0 AND agent_id > 0"))
    (found,) = wrong(filled)
    assert "day counters" in found.title.en
    assert " consults " in found.detail
    assert " ≠ " in found.detail


def test_repair_leaves_other_stores_alone_and_tells_the_consoles(filled: Database) -> None:
    other = open_store(filled, "other")
    recorder = Recorder(filled, other)
    events = random_stream(22, 10)
    record(filled, [events], "Asia/Shanghai", recorder)
    store = next(id for id, code, _, _ in filled.stores() if code == "shop")
    spoil(filled, "UPDATE slot_counters SET consults = consults + 1 WHERE consults > 0")
    notices = Notices(filled, store)
    repair_counters(filled, store)
    (notice,) = notices.wait(5)
    assert (notice.topics, notice.agents) == (TOPICS, None)
    notices.close()
    assert {finding.title.en.partition(":")[0] for finding in wrong(filled)} == {"other"}


def test_recording_goes_on_after_a_repair(database: Database) -> None:
    """A recorder that was at work before must not go on from what it remembers of the time before."""
    events = random_stream(23, 30)
    half = len(events) // 2
    recorder = record(database, [events[:half]], "Asia/Shanghai")
    spoil(database, "UPDATE slot_counters SET consults = consults + 1 WHERE consults > 0")
    repair_counters(database, database.stores()[0][0])
    record(database, [events[half:]], "Asia/Shanghai", recorder)
    assert stored(database) == expected(recompute(events, "Asia/Shanghai"))


def test_a_repair_that_fails_changes_nothing(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = stored(filled)
    monkeypatch.setattr(doctor, "announce", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        repair_counters(filled, filled.stores()[0][0])
    assert stored(filled) == sound


def test_facts_that_cannot_be_read(filled: Database) -> None:
    value = "x'c1'" if filled.is_sqlite else "'\\xc1'"
    with filled.write() as connection:
        connection.exec_driver_sql(f"UPDATE sessions SET facts = {value} WHERE day IS NOT NULL")
    (found,) = wrong(filled)
    assert "counters" in found.title.en


def test_a_commit_from_the_future(filled: Database) -> None:
    spoil(filled, f"UPDATE changes SET at = at + {DAY}")
    (found,) = [finding for finding in examine(filled) if finding.level == "warn"]
    assert "future" in found.detail


def test_a_log_that_lost_its_end(filled: Database) -> None:
    spoil(filled, "DELETE FROM changes")
    (found,) = wrong(filled)
    assert "log of changes" in found.title.en
    repair_counters(filled, filled.stores()[0][0])
    assert wrong(filled) == []


class TestLocal:
    @pytest.fixture
    def url(self, tmp_path: Path, content: Fill) -> str:
        return prepared("sqlite", tmp_path, content)

    def test_damaged_pages(self, filled: Database, url: str) -> None:
        path = filled.path
        assert path is not None
        filled.close()
        with path.open("r+b") as file:
            pages = file.seek(0, 2) // 4096
            for page in range(pages * 3 // 4, pages):
                file.seek(page * 4096)
                file.write(b"\x5a" * 4096)
        database = Database(url)
        found = wrong(database)
        assert "Integrity of the file" in {finding.title.en for finding in found}
        assert any(finding.remedy is doctor._RESTORE for finding in found)
        database.close()

    def test_rows_without_their_store(self, filled: Database) -> None:
        with filled.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA foreign_keys=OFF")
            driver.execute("INSERT INTO skus (store_id, code) VALUES (99, 'x')")
            driver.execute("PRAGMA foreign_keys=ON")
        assert [finding.title.en for finding in wrong(filled)] == ["References"]

    def test_little_space(self, filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor, "_LITTLE_SPACE_BYTES", 1 << 60)
        monkeypatch.setattr(doctor, "_LARGE_WAL_BYTES", -1)
        assert [finding.title.en for finding in examine(filled) if finding.level == "warn"] == ["Size of the write-ahead log", "Disk space"]


class TestServer:
    @pytest.fixture
    def url(self, tmp_path: Path, content: Fill) -> str:
        return prepared("postgresql", tmp_path, content)

    def test_missing_rights(self, filled: Database, url: str) -> None:
        with filled.write() as connection:
            for statement in (
                "DROP ROLE IF EXISTS reader",
                "CREATE ROLE reader LOGIN",
                "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
            ):
                connection.execute(text(statement))
        reader = Database(filled.url.set(username="reader").render_as_string(hide_password=False))
        (found,) = [finding for finding in examine(reader) if finding.level == "warn"]
        assert found.title.en == "Rights"
        assert "INSERT agent_days" in found.detail
        reader.close()

    def test_a_wrong_clock(self, filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        real = doctor.time.time
        monkeypatch.setattr(doctor.time, "time", lambda: real() + 10)
        (found,) = [finding for finding in examine(filled) if finding.level == "warn"]
        assert found.title.en == "Clock"
        assert found.detail.startswith("-10.0")

    def test_a_server_that_is_gone(self, filled: Database) -> None:
        with Proxy() as proxy:
            database = Database(proxy.url(filled.url.render_as_string(hide_password=False)))
            proxy.refuse()
            findings = examine(database)
            assert {finding.level for finding in findings} == {"fault"}
            assert "cannot be reached" in findings[0].detail
            database.close()
