"""What was said is found: right away, after indexing, after more was said, in whatever order it came, page by page."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import app.storage.search as index
from app.cli import run
from app.desk.serving import Desk
from app.domain.events import decode
from app.domain.permissions import Actor, NotAllowedError, local_owner
from app.domain.words import parse
from app.services.search import SearchQuestion
from app.services.workspace import Workspace
from app.storage.database import Database
from app.storage.doctor import examine
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, open_store

NOON = 1_607_918_400_000
"""14 December 2020 in Shanghai"""
DAY = 86_400_000
Event = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]


class Shop:
    """A store that is talked in and searched."""

    def __init__(self, database: Database) -> None:
        self.recorder = Recorder(database, open_store(database, "shop"))
        self.workspace = Workspace(database, local_owner())
        self.store = self.workspace.store("shop")

    def hear(self, *events: Event) -> None:
        self.recorder.record([decode(json.dumps(event).encode()) for event in events])

    def index(self) -> int:
        return self.workspace.search.catch_up(self.store)

    def find(self, text: str, **more: Any) -> list[str]:
        """Codes of the sessions found, of all pages."""
        return [hit.session for page in self.pages(SearchQuestion(text, **more)) for hit in page]

    def pages(self, question: SearchQuestion) -> Iterator[list[Any]]:
        while True:
            found = self.workspace.search.find(self.store, question)
            yield found.hits
            if found.next is None:
                return
            question = replace(question, after=found.next)


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


_numbers = count(1)


def event(type_: str, at: int, **more: Any) -> Event:
    return {"type": type_, "id": f"e{next(_numbers)}", "at": at, "store": "shop", **more}


def session(
    code: str, *texts: str, at: int = NOON, closed: bool = True, customer: str = "c1", agent: str = "a1", group: str = "g1"
) -> list[Event]:
    """A conversation: the customer and the agent in turns, a second apart."""
    events = [event("session.opened", at, session=code, customer=customer, kind="online", channel="app", agent=agent, group=group)]
    events.append(event("session.assigned", at, session=code, agent=agent, group=group))
    for i, text in enumerate(texts):
        who = {"sender": "agent", "agent": agent} if i % 2 else {"sender": "customer"}
        events.append(event("message.sent", at + 1000 * (i + 1), session=code, content="text", text=text, **who))
    if closed:
        events.append(event("session.closed", at + 60_000, session=code, by="customer"))
    return events


def many(sessions: int) -> list[Event]:
    rng = random.Random(3)
    words = ["退款", "运费", "顺丰", "PLUS", "发票", "尺码", "refund", "😀", "SKU-77"]
    events: list[Event] = []
    for i in range(sessions):
        texts = ["，".join(rng.choices(words, k=2)) for _ in range(rng.randrange(1, 5))]
        at = NOON + rng.randrange(40) * 3_600_000  # some at the same moment
        events += session(f"s{i}", *texts, at=at, closed=rng.random() < 0.8, customer=f"c{i % 7}", agent=f"a{i % 3}", group=f"g{i % 2}")
    return events


def truth(events: list[Event], text: str, newest_first: bool = True) -> list[str]:
    """By reading everything; sessions of the same moment in order of code."""
    said: dict[str, list[str]] = {}
    opened = {e["session"]: e["at"] for e in events if e["type"] == "session.opened"}
    for e in sorted((e for e in events if e["type"] == "message.sent"), key=lambda e: e["at"]):
        said.setdefault(e["session"], []).append(e["text"])
    found = [code for code, texts in said.items() if parse(text).found_in(texts) is not None]
    return sorted(found, key=lambda code: opened[code], reverse=newest_first)


def test_found_right_away_and_after_indexing(shop: Shop) -> None:
    shop.hear(*session("s1", "我要退款", "好的，订单3017740918264已受理"), *session("s2", "运费谁出", at=NOON + DAY, closed=False))
    for indexed in (0, 2):
        assert shop.find("退款") == ["s1"]
        assert shop.find("3017740918264") == ["s1"]
        assert shop.find("费") == ["s2"]
        assert shop.find("退款 受理") == ["s1"]
        assert shop.find('"退款 受理"') == shop.find("潜水艇") == []
        assert shop.index() == (2 if indexed == 0 else 0)


def test_further_messages_are_found(shop: Shop) -> None:
    shop.hear(*session("s1", "我要退款"), *session("s2", "随便看看"))
    shop.index()
    shop.hear(event("message.sent", NOON + 90_000, session="s2", sender="customer", content="text", text="我也要退款"))
    assert shop.workspace.search.pending(shop.store) == 1
    assert sorted(shop.find("退款")) == ["s1", "s2"]
    assert shop.index() == 1
    assert sorted(shop.find("退款")) == ["s1", "s2"]
    assert shop.find("看看") == ["s2"]
    assert sorted(shop.find("。") + shop.find("我")) == ["s1", "s2"]


def test_a_hit_tells_where(shop: Shop) -> None:
    shop.hear(*session("s1", "在吗", "在的", "想问ＲＥＦＵＮＤ的事"))
    (hit,) = shop.workspace.search.find(shop.store, SearchQuestion("refund")).hits
    assert (hit.session, hit.customer, hit.customer_name, hit.agent, hit.group) == ("s1", "c1", "", "a1", "g1")
    assert (hit.opened_at, hit.message_at, hit.sender) == (NOON, NOON + 3000, "customer")
    assert [hit.snippet[span.start : span.end] for span in hit.spans] == ["ＲＥＦＵＮＤ"]


def test_open_sessions_wait_a_day(shop: Shop) -> None:
    now = shop.workspace.now(shop.store)
    shop.hear(*session("s1", "我要退款", at=now - 3_600_000, closed=False))
    assert shop.index() == 0
    assert shop.find("退款") == ["s1"]


def test_a_session_that_moves_in_time_is_found_where_it_is(shop: Shop) -> None:
    shop.hear(*session("s1", "我要退款", at=NOON), *session("s2", "我要退款", at=NOON + 1000))
    shop.index()
    shop.hear(event("session.opened", NOON - DAY, session="s2", customer="c1", kind="online", channel="app"))
    for _ in range(2):
        assert shop.find("退款", limit=1) == ["s1", "s2"]
        assert shop.find("退", last=date(2020, 12, 13)) == ["s2"]
        shop.index()


def test_a_silent_session_is_not_pending_for_ever(shop: Shop) -> None:
    for at in (NOON, NOON - DAY):
        shop.hear(event("session.opened", at, session="s1", customer="c1", kind="online", channel="app"))
    assert shop.index() == 1
    assert shop.workspace.search.pending(shop.store) == 0
    assert shop.find("退款") == []


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_does_not_matter(shop: Shop, seed: int) -> None:
    events = many(60)
    rng = random.Random(seed)
    stream = events + rng.sample(events, 40)
    rng.shuffle(stream)
    while stream:
        size = rng.randrange(1, 60)
        shop.hear(*stream[:size])
        stream = stream[size:]
        if rng.random() < 0.5:
            shop.index()
    for text in ("退款", "运费 顺丰", "refund", "sku-77", "😀", "费", "，", '"退款，运费"'):
        wanted = truth(events, text)
        assert sorted(shop.find(text)) == sorted(wanted)
        opened = {e["session"]: e["at"] for e in events if e["type"] == "session.opened"}
        assert [opened[code] for code in shop.find(text)] == [opened[code] for code in wanted]


@pytest.mark.parametrize("merged", [3, 99])
def test_pages_have_no_gaps(shop: Shop, merged: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much of it is indexed, in few segments or many, which lie across each other in time, whether or not all pending ones
    are read at once."""
    monkeypatch.setattr(index, "PIECE", 3)
    monkeypatch.setattr(index, "MERGED_AT_ONCE", merged)
    monkeypatch.setattr(index, "_ASKED_FIRST", 1)
    monkeypatch.setattr(index, "_ASKED_AT_ONCE", 2)
    monkeypatch.setattr(index, "_CHECKED_FIRST", 3)
    monkeypatch.setattr(index, "_CHECKED_AT_ONCE", 4)
    monkeypatch.setattr(index, "MOST_PENDING", 9)
    events = many(40)
    half = len(events) // 2
    shop.hear(*events[:half])
    shop.index()
    shop.hear(*events[half:])
    assert shop.workspace.search.pending(shop.store) > 9
    asked = [(text, newest_first) for text in ("退款", "款", "，") for newest_first in (True, False)]
    whole = {(text, newest_first): shop.find(text, newest_first=newest_first, limit=1000) for text, newest_first in asked}
    for text, newest_first in asked:
        found = whole[text, newest_first]
        assert sorted(found) == sorted(truth(events, text))
        assert found == whole[text, not newest_first][::-1]
        for limit in (1, 7):
            assert shop.find(text, newest_first=newest_first, limit=limit) == found
    shop.index()
    with shop.workspace.database.read() as connection:
        segments = connection.exec_driver_sql("SELECT count(*) FROM search_segments").scalar_one()
    assert segments > 9 if merged == 99 else segments < 5
    for text, newest_first in asked:
        assert shop.find(text, newest_first=newest_first, limit=5) == whole[text, newest_first]


def test_what_is_not_read_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST_PENDING", 3)
    for i in range(8):
        shop.hear(*session(f"s{i}", "我要退款" if i < 4 else "在吗", at=NOON + i * 1000))
    found = shop.workspace.search.find(shop.store, SearchQuestion("退款"))
    assert (found.hits, found.more, found.pending) == ([], True, 5)
    assert shop.find("退款") == ["s3", "s2", "s1", "s0"]
    shop.index()
    found = shop.workspace.search.find(shop.store, SearchQuestion("退款"))
    assert (len(found.hits), found.more, found.pending) == (4, False, 0)


def test_filters(shop: Shop) -> None:
    shop.hear(
        *session("s1", "退款", "同意退款", customer="c1", agent="a1", group="g1"),
        *session("s2", "退款", at=NOON + DAY, customer="c2", agent="a2", group="g2"),
    )
    Recorder(shop.workspace.database, open_store(shop.workspace.database, "other")).record(
        [decode(json.dumps({**e, "store": "other"}).encode()) for e in session("s9", "退款")]
    )
    for _ in range(2):
        assert shop.find("退款") == ["s2", "s1"]
        assert shop.find("退款", newest_first=False) == ["s1", "s2"]
        assert shop.find("退款", agent="a1") == shop.find("退款", group="g1") == shop.find("退款", customer="c1") == ["s1"]
        assert shop.find("退款", sender="agent") == ["s1"]
        assert shop.find("退款", sender="bot") == []
        assert shop.find("退款", first=date(2020, 12, 15)) == ["s2"]
        assert shop.find("退款", last=date(2020, 12, 14)) == ["s1"]
        shop.index()
    with pytest.raises(FaultError):
        shop.find("退款", agent="nobody")


@pytest.mark.parametrize(
    "text",
    [
        "<b>退款</b>",
        "'; DROP TABLE sessions; --",
        'a" OR "b',
        "NEAR(退款 a)",
        "退款*",
        "words:退款",
        "%",
        "_",
        "a & !b | c:*",
        "\\",
        "^退款",
    ],
)
def test_syntax_is_only_text(shop: Shop, text: str) -> None:
    shop.hear(*session("s1", f"他说{text}。" if not text[0].isascii() else f"他说 {text} 。"), *session("s2", "我要退款 a b"))
    for _ in range(2):
        assert shop.find(text) == ["s1"]
        shop.index()


def test_a_megabyte_of_different_words(shop: Shop) -> None:
    rng = random.Random(1)
    text = "".join(map(chr, rng.choices(range(0x4E00, 0x9FA5), k=300_000)))
    shop.hear(*session("s1", text), *session("s2", "潜水艇"))
    shop.index()
    assert shop.find(text[-3:]) == shop.find(text[150_000:150_005]) == ["s1"]
    assert "s2" in shop.find("潜水艇")


@pytest.mark.parametrize("text", ["", "  ", '""', "x" * 201])
def test_questions_that_cannot_be_asked(shop: Shop, text: str) -> None:
    with pytest.raises(FaultError):
        shop.find(text)


def test_needs_a_permission(shop: Shop) -> None:
    stranger = Workspace(shop.workspace.database, Actor("x", frozenset({"history.view"})))
    with pytest.raises(NotAllowedError):
        stranger.search.find(shop.store, SearchQuestion("退款"))


def test_catching_up_can_be_stopped_and_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "PIECE", 10)
    events = many(50)
    shop.hear(*events)
    stop = threading.Event()
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))
        if len(told) == 2:
            stop.set()

    assert shop.workspace.search.catch_up(shop.store, tell, stop) == told[-1][0] < 50 == told[-1][1]
    assert sorted(shop.find("退款")) == sorted(truth(events, "退款"))
    assert shop.index() == 50 - told[-1][0]
    assert shop.workspace.search.pending(shop.store) == 0


def test_killed_while_indexing(url: str, shop: Shop) -> None:
    """Nothing is lost: what is not indexed is still pending."""
    events = many(400)
    shop.hear(*events)
    program = (
        "import sys\nimport app.storage.search as index\nfrom app.services.workspace import Workspace\n"
        "from app.domain.permissions import local_owner\nindex.PIECE = 8\nw = Workspace.open(sys.argv[1], local_owner())\n"
        "w.search.catch_up(w.store('shop'), lambda done, total: print(done, flush=True))\n"
    )
    for pieces in (1, 3, 2):
        child = subprocess.Popen([sys.executable, "-c", program, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(pieces):
            child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        for text in ("退款", "费", "refund"):
            assert sorted(shop.find(text)) == sorted(truth(events, text))
    shop.index()
    assert shop.workspace.search.pending(shop.store) == 0
    assert sorted(shop.find("退款")) == sorted(truth(events, "退款"))


def test_recording_while_indexing(shop: Shop) -> None:
    """A message that comes while its session is indexed is not forgotten."""
    events = many(150)
    done = threading.Event()

    def keep_indexing() -> None:
        while not done.is_set():
            shop.index()

    thread = threading.Thread(target=keep_indexing)
    thread.start()
    try:
        for start in range(0, len(events), 10):
            shop.hear(*events[start : start + 10])
    finally:
        done.set()
        thread.join()
    shop.index()
    assert shop.workspace.search.pending(shop.store) == 0
    for text in ("退款", "费"):
        assert sorted(shop.find(text)) == sorted(truth(events, text))


def test_what_changes_while_it_is_read_stays_pending(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.hear(*session("s1", "我要退款"), *session("s2", "在吗"))
    later = [event("message.sent", NOON + 90_000, session="s2", sender="customer", content="text", text="我也要退款")]
    cut = index.cut

    def interrupted(text: str) -> set[str]:
        if later:
            shop.hear(later.pop())
        return cut(text)

    monkeypatch.setattr(index, "cut", interrupted)
    index.index_piece(shop.workspace.database, shop.store.id, 0, 0, threading.Event())
    assert not later
    assert shop.workspace.search.pending(shop.store) == 1
    assert sorted(shop.find("退款")) == ["s1", "s2"]
    assert shop.index() == 1
    assert shop.find("我也要") == ["s2"]


def test_segments_become_fewer_and_two_may_try(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """However they are made: while one indexer joins segments, another has already done so."""
    monkeypatch.setattr(index, "PIECE", 3)
    events = many(200)
    shop.hear(*events)
    joined, database = index.postings.joined, shop.workspace.database
    entered = False

    def overtaken(parts: Any) -> Any:
        nonlocal entered
        if not entered:
            entered = True
            assert index.merge_some(database, shop.store.id)
        return joined(parts)

    monkeypatch.setattr(index.postings, "joined", overtaken)
    assert shop.index() > 100
    assert entered
    with database.read() as connection:
        segments = connection.exec_driver_sql("SELECT sessions, blocks FROM search_segments").all()
        blocks = connection.exec_driver_sql("SELECT count(*) FROM search_blocks").scalar_one()
    assert sum(sessions for sessions, _ in segments) == 200 - shop.workspace.search.pending(shop.store)
    assert len(segments) < 20
    assert sum(held for _, held in segments) == blocks
    for text in ("退款", "费", "refund", '"退款，运费"'):
        assert sorted(shop.find(text)) == sorted(truth(events, text))


def test_the_engine_indexes_beside_its_work(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.desk.engine.INDEX_EVERY_SECONDS", 0.01)
    indexed = threading.Event()

    def watched(*given: Any, **more: Any) -> int:
        done = index.index_pending(*given, **more)
        if done:
            indexed.set()
        return done

    monkeypatch.setattr("app.desk.serving.index_pending", watched)
    shop.hear(*session("s1", "我要退款"))
    desk = Desk(shop.workspace.database, shop.store.code)
    thread = threading.Thread(target=desk.run)
    thread.start()
    try:
        assert indexed.wait(10)
    finally:
        desk.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert shop.workspace.search.pending(shop.store) == 0
    assert shop.find("退款") == ["s1"]


def test_doctor_tells_the_state_of_the_index(shop: Shop) -> None:
    def said() -> str:
        return next(finding.detail for finding in examine(shop.workspace.database) if "index of transcripts" in finding.title.en)

    shop.hear(*session("s1", "退款"), *session("s2", "退款"))
    assert "待索引 2 个" in said()
    shop.index()
    assert "已索引 2 个会话，待索引 0 个" in said()


def test_command(shop: Shop, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    shop.hear(*session("s1", "我要[b]退款"), *session("s2", "在吗", "可以退款", at=NOON + DAY))
    assert run(["search", "退款", "--db", url, "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [hit["session"] for hit in said["hits"]] == ["s2", "s1"]
    assert (said["more"], said["pending"]) == (False, 0)
    assert said["hits"][1]["snippet"] == "我要[b]退款"
    assert said["hits"][1]["spans"] == [[5, 7]]
    assert run(["search", "退款", "--db", url, "--oldest-first", "--limit", "1", "--to", "2020-12-15"]) == 0
    printed = capsys.readouterr()
    assert "我要[b]退款" in printed.out
    assert "还有更多" in printed.err
    assert run(["search", " ", "--db", url]) == 2


def test_ingest_leaves_an_index(url: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"".join(json.dumps(e).encode() + b"\n" for e in session("s1", "我要退款")))
    assert run(["ingest", str(file), "--db", url]) == 0
    shop = Shop(database)
    assert shop.workspace.search.pending(shop.store) == 0
    assert shop.find("退款") == ["s1"]
