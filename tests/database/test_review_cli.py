"""Defects found in a review of the command line: each was a traceback, a file lost or a wrong number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from app.cli import run
from app.services import ingest as ingest_service
from app.services import workbook
from app.services.ingest import Ingest
from app.sources import ndjson

AT = 1_773_108_000_000  # 2026-03-10 10:00 in Shanghai
DAY = ("--from", "2026-03-10", "--to", "2026-03-10")
ONE = ("--metrics", "consults")
_OF = {"compare": (*DAY, *ONE), "groups": (*DAY, *ONE), "sessions": DAY, "seats": ONE}


def event(kind: str, id: str, at: int = AT, /, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "id": id, "at": at, **fields}


def write(file: Path, *events: dict[str, Any]) -> Path:
    file.write_text("".join(json.dumps(e) + "\n" for e in events), encoding="utf-8")
    return file


def feed(tmp_path: Path, url: str, *events: dict[str, Any]) -> None:
    assert run(["ingest", str(write(tmp_path / "fed.ndjson", *events)), "--db", url, "--store", "shop"]) == 0


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert code == 2 or (said.err.count("\n") == 1 and len(said.err) > 5), said.err
    return said.err


class TestRejects:
    def test_the_input_is_never_taken_for_the_rejects_of_an_earlier_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = write(tmp_path / "events.ndjson", event("session.closed", "1", session="s"))
        before = file.read_bytes()
        refusal(capsys, "ingest", str(file), "--db", str(tmp_path / "a.db"), "--store", "shop", "--rejects", str(file))
        assert file.read_bytes() == before

    def test_another_file_is_left_alone(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = write(tmp_path / "events.ndjson", event("session.closed", "1", session="s"))
        precious = tmp_path / "notes.txt"
        precious.write_text("not rejected lines")
        said = refusal(capsys, "ingest", str(file), "--db", str(tmp_path / "a.db"), "--store", "shop", "--rejects", str(precious))
        assert "--rejects" in said
        assert precious.read_text() == "not rejected lines"

    def test_those_of_an_earlier_run_are_replaced(self, tmp_path: Path) -> None:
        file = tmp_path / "events.ndjson"
        file.write_text("bad\nworse\n")
        rejects = tmp_path / "events.ndjson.rejected.ndjson"
        for expected in (2, 2):
            assert run(["ingest", str(file), "--db", str(tmp_path / "a.db"), "--store", "shop"]) == 0
            assert len(rejects.read_text().splitlines()) == expected
        write(file, event("session.closed", "1", session="s"))
        assert run(["ingest", str(file), "--db", str(tmp_path / "a.db"), "--store", "shop"]) == 0
        assert not rejects.exists()

    @pytest.mark.parametrize("where", ["folder", "file/below"])
    def test_a_place_that_cannot_be(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").write_text("")
        file = tmp_path / "events.ndjson"
        file.write_text("bad\n")
        place = str(tmp_path / where)
        said = refusal(capsys, "ingest", str(file), "--db", str(tmp_path / "a.db"), "--store", "shop", "--rejects", place, code=2)
        assert "--rejects" in said


class TestValues:
    def test_one_that_the_database_cannot_hold_does_not_stop_the_others(
        self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On PostgreSQL the error is psycopg's own, which SQLAlchemy has not wrapped."""
        monkeypatch.setattr(ingest_service, "BATCH", 4)
        record = ingest_service.Recorder.record

        def refusing(self: Any, events: Any, source: str = "ndjson") -> Any:
            if any(e.id == "bad" for e in events):
                if self._database.is_sqlite:
                    raise OverflowError("Python int too large to convert to SQLite INTEGER")
                with self._database.write() as connection:
                    connection.connection.driver_connection.execute("SELECT 40000::smallint")
            return record(self, events, source)

        monkeypatch.setattr(ingest_service.Recorder, "record", refusing)
        names = ["1", "2", "bad", "3", "4", "5"]
        file = write(tmp_path / "events.ndjson", *(event("session.closed", name, session=name) for name in names))
        assert run(["ingest", str(file), "--db", url, "--store", "shop", "--format", "json"]) == 0
        summary = json.loads(capsys.readouterr().out)
        assert (summary["applied"], summary["rejected"]) == (5, 1)
        assert json.loads((tmp_path / "events.ndjson.rejected.ndjson").read_text())["line"] == 3

    @pytest.mark.parametrize(("store", "code"), [("", 2), ("x" * 129, 1)])
    def test_a_store_that_cannot_be(self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], store: str, code: int) -> None:
        file = write(tmp_path / "events.ndjson", event("session.closed", "1", session="s"))
        refusal(capsys, "ingest", str(file), "--db", url, "--store", store, code=code)

    def test_codes_that_look_like_markup(self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        names = ("[/b]", "[red]", ":smile:", "\x1b[2J", "a\nb")
        feed(
            tmp_path,
            url,
            *(event("session.opened", f"o{i}", session=f"s{n}", customer=n, agent=n, group=n, sku=n) for i, n in enumerate(names)),
            *(event("message.sent", f"m{i}", session=f"s{n}", sender="customer") for i, n in enumerate(names)),
        )
        for name in ("compare", "groups", "sessions", "seats"):
            capsys.readouterr()
            assert run(["report", name, "--db", url, *_OF[name]]) == 0
            out = capsys.readouterr().out
            assert "[/b]" in out
            assert "[red]" in out
            assert ":smile:" in out
            assert "\x1b" not in out


class TestQuestions:
    @pytest.mark.parametrize("at", ["0", "99999999999999999999", "253402300800000", "0001-01-01T00:00:00", "9999-12-31T23:59:59Z"])
    def test_moments_out_of_reach(self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], at: str) -> None:
        feed(tmp_path, url, event("agent.presence", "1", agent="A", state="available"))
        for name in ("live", "seats", "store", "sessions", "orders"):
            refusal(capsys, "report", name, "--db", url, "--at", at)

    def test_a_moment_that_is_none(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        url = str(tmp_path / "a.db")
        feed(tmp_path, url, event("agent.presence", "1", agent="A", state="available"))
        for at in ("²", "", "now"):
            refusal(capsys, "report", "live", "--db", url, "--at", at, code=2)

    @pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
    def test_days_out_of_reach(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], day: str) -> None:
        url = str(tmp_path / "a.db")
        feed(tmp_path, url, event("agent.presence", "1", agent="A", state="available"))
        for name in ("store", "compare", "orders", "sessions"):
            refusal(capsys, "report", name, "--db", url, "--from", day, "--to", day)

    def test_what_does_not_exist_or_does_not_fit(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        url = str(tmp_path / "a.db")
        feed(tmp_path, url, event("agent.presence", "1", agent="A", state="available"))
        assert "nobody" in refusal(capsys, "report", "seats", "--db", url, "--agent", "nobody")
        assert "--agent" in refusal(capsys, "report", "live", "--db", url, "--agent", "nobody")
        assert "active" in refusal(capsys, "report", "store", "--db", url, "--metrics", "consults,active")
        assert "nope" in refusal(capsys, "report", "sessions", "--db", url, "--metrics", "nope", code=2)
        for form in ("table", "json", "csv"):
            assert "late_30s" in refusal(capsys, "report", "sessions", "--db", url, "--only", "nope", "--format", form)
        for name in ("compare", "groups", "live", "seats", "orders", "sessions"):
            assert "--by" in refusal(capsys, "report", name, "--db", url, "--by", "day", code=2)
        assert "--agent" in refusal(capsys, "report", "agent", "--db", url, code=2)

    def test_a_database_without_a_store(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        url = str(tmp_path / "a.db")
        assert run(["migrate", "--db", url]) == 0
        assert "ingest" in refusal(capsys, "report", "live", "--db", url)


class TestOutput:
    @pytest.mark.parametrize(("where", "code"), [("file/below", 2), ("x" * 300, 1)])
    def test_a_place_that_cannot_be(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str, code: int) -> None:
        url = str(tmp_path / "a.db")
        feed(tmp_path, url, event("agent.presence", "1", agent="A", state="available"))
        (tmp_path / "file").write_text("")
        refusal(capsys, "report", "live", "--db", url, "--format", "json", "--out", str(tmp_path / where), code=code)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_a_pipe_is_written_to_and_not_replaced(self, tmp_path: Path) -> None:
        """As root, --out /dev/null made a file of the device."""
        url = str(tmp_path / "a.db")
        feed(tmp_path, url, event("agent.presence", "1", agent="A", state="available"))
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        heard: list[str] = []
        reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
        reader.start()
        assert run(["report", "live", "--db", url, "--format", "json", "--out", str(pipe)]) == 0
        reader.join(10)
        assert json.loads(heard[0])["rows"][0]["key"] == "shop"
        assert pipe.is_fifo()

    def test_a_listing_as_a_table(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A column that is called like a metric and holds no number was a traceback; shares and hours had 16 digits."""
        url = str(tmp_path / "a.db")
        line = {"sku": "k", "quantity": 1, "amount_fen": 10_000}
        feed(
            tmp_path, url,
            event("session.opened", "1", session="s", customer="c", channel="app"),
            event("session.assigned", "2", session="s", agent="A", reason="routed"),
            event("message.sent", "3", session="s", sender="customer"),
            event("message.sent", "4", AT + 12_345, session="s", sender="agent"),
            event("rating.given", "5", AT + 20_000, session="s", score=5, resolved=True),
            event("order.placed", "6", AT + 1_200_000, order="o", customer="c", lines=[line, line | {"amount_fen": 20_000}]),
        )  # fmt: skip
        capsys.readouterr()
        for name, wanted, unwanted in (
            ("sessions", ("12.3", "是"), "12.345"),
            ("orders", ("0.33", "200.00"), "333"),
            ("skus", ("300.00", "100.0%"), "│ 1.0"),
        ):
            assert run(["report", name, "--db", url, *DAY]) == 0
            shown = capsys.readouterr().out
            assert all(word in shown for word in wanted), shown
            assert unwanted not in shown

    def test_a_listing_in_words_for_people_and_in_codes_for_machines(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        url = str(tmp_path / "a.db")
        opened = event("session.opened", "1", session="s", customer="c", channel="app")
        feed(tmp_path, url, opened, event("session.assigned", "2", session="s", agent="A", reason="routed"))
        shown = {}
        for form in ("table", "csv", "json"):
            capsys.readouterr()
            assert run(["report", "sessions", "--db", url, *DAY, "--format", form]) == 0
            shown[form] = capsys.readouterr().out
        assert ["routed" in shown[form] for form in shown] == [False, False, True]

    def test_more_rows_than_excel_takes(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        url = str(tmp_path / "a.db")
        feed(tmp_path, url, *(event("session.opened", str(i), session=str(i), customer="c") for i in range(9)))
        out = tmp_path / "sessions.xlsx"
        above = 6  # title, store, days, population, order window, time of making
        monkeypatch.setattr(workbook, "ROWS", above + 1 + 8)
        assert "CSV" in refusal(capsys, "report", "sessions", "--db", url, *DAY, "--format", "xlsx", "--out", str(out))
        assert not out.exists()
        monkeypatch.setattr(workbook, "ROWS", above + 1 + 9)
        assert run(["report", "sessions", "--db", url, *DAY, "--format", "xlsx", "--out", str(out)]) == 0


def test_a_long_line_from_a_slow_pipe_is_joined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It took its length squared: 37 s for 100 MB in pieces of 64 KB."""
    monkeypatch.setattr(ndjson, "LONGEST_LINE", 500)
    good = json.dumps(event("session.closed", "1", session="s")).encode()
    data = b"\n".join([b"\xef\xbb\xbf" + good, b"x" * 2000, good, b"", b"y" * 490, good])
    for size in (1, 7, 100, 5000):
        reader, writer = os.pipe()

        def tell(writer: int = writer, size: int = size) -> None:
            for start in range(0, len(data), size):
                os.write(writer, data[start : start + size])
            os.close(writer)

        thread = threading.Thread(target=tell)
        thread.start()
        blocks = list(ndjson.blocks(reader))
        thread.join()
        os.close(reader)
        assert [number for block in blocks for number, *_ in block.events] == [1, 3, 6]
        assert [bad.line for block in blocks for bad in block.bad] == [2, 5]
        assert blocks[-1].bytes_read == len(data)


def test_a_full_disk_says_what_is_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from app.storage.faults import FaultError

    monkeypatch.setattr(ingest_service, "BATCH", 2)
    record = Ingest._record
    batches: list[int] = []

    def filling(self: Ingest, recorder: Any, lines: Any) -> None:
        batches.append(len(lines))
        if len(batches) > 2:
            raise FaultError("full", "disk full.")
        record(self, recorder, lines)

    monkeypatch.setattr(Ingest, "_record", filling)
    file = write(tmp_path / "events.ndjson", *(event("session.closed", str(i), session="s") for i in range(10)))
    assert " 4 " in refusal(capsys, "ingest", str(file), "--db", str(tmp_path / "a.db"), "--store", "shop")


@pytest.mark.parametrize("encoding", ["gbk", "cp1252"])
def test_an_output_that_does_not_know_every_character(tmp_path: Path, encoding: str) -> None:
    """As pipes on Windows do not."""
    url = str(tmp_path / "a.db")
    feed(tmp_path, url, event("agent.presence", "1", agent="A", state="available"))
    for arguments in (["--help"], ["doctor", "--db", url], ["ingest", str(tmp_path / "fed.ndjson"), "--db", url]):
        done = subprocess.run(
            [sys.executable, "-c", f"from app.cli import run; raise SystemExit(run({arguments!r}))"],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert (done.returncode, done.stderr) == (0, b""), arguments
