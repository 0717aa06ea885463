"""The command `ingest`: good lines in, bad lines told, the same numbers whatever the order and however often."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli import run
from tests.oracle.malformed import ACCEPTED, MALFORMED
from tests.oracle.streams import ndjson, random_stream


def ingest(capsys: pytest.CaptureFixture[str], file: Path, url: str, *options: str) -> dict[str, Any]:
    code = run(["ingest", str(file), "--db", url, "--store", "shop", "--format", "json", *options])
    out = capsys.readouterr()
    assert code == 0, out.err
    summary: dict[str, Any] = json.loads(out.out)
    return summary


def reports(capsys: pytest.CaptureFixture[str], url: str) -> list[str]:
    """Every report's JSON as text."""
    found = []
    period = ["--from", "2024-02-25", "--to", "2024-03-20", "--format", "json"]
    at = ["--at", "2024-03-05T12:00:00+08:00", "--format", "json"]
    for arguments in (
        ["live", *at],
        ["seats", *at],
        ["store", *period],
        ["store", "--by", "halfhour", "--population", "assessed", *period],
        ["compare", "--window", "15d", *period],
        ["groups", "--window", "7d", *period],
        ["sessions", *period],
        ["orders", "--window", "15d", *period],
    ):
        assert run(["report", *arguments, "--db", url]) == 0
        found.append(capsys.readouterr().out)
    return found


def test_twice_and_shuffled_give_the_identical_json(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = random_stream(21, 60)
    unique = len({event["id"] for event in events})
    file = tmp_path / "events.ndjson"
    file.write_bytes(ndjson(events))
    first = ingest(capsys, file, url)
    assert (first["read"], first["applied"], first["repeated"], first["rejected"]) == (len(events), unique, len(events) - unique, 0)
    before = reports(capsys, url)
    assert all('"rows"' in text and len(json.loads(text)["rows"]) > 0 for text in before)

    again = ingest(capsys, file, url)
    assert (again["applied"], again["repeated"]) == (0, len(events))
    assert reports(capsys, url) == before


def test_a_shuffled_file_gives_the_identical_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = random_stream(22, 60)
    answers = []
    for name in ("in-order", "shuffled"):
        file = tmp_path / f"{name}.ndjson"
        file.write_bytes(ndjson(events))
        url = str(tmp_path / f"{name}.db")
        ingest(capsys, file, url)
        answers.append(reports(capsys, url))
        random.Random(1).shuffle(events)
    assert answers[0] == answers[1]


def test_every_bad_line_is_told_and_every_good_one_taken(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = [re.sub(rb'"id": ?"[^"]*"', b'"id":"good-%d"' % i, line.line.strip(), count=1) for i, line in enumerate(ACCEPTED)]
    bad = [line.line for line in MALFORMED if line.line.strip() and b"\n" not in line.line]
    lines: list[bytes] = good + bad
    random.Random(3).shuffle(lines)
    file = tmp_path / "mixed.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    summary = ingest(capsys, file, url)
    assert summary["read"] == len(lines)
    assert summary["rejected"] == len(bad)
    assert summary["applied"] + summary["repeated"] == len(good)
    rejects = [json.loads(line) for line in (tmp_path / "mixed.ndjson.rejected.ndjson").read_text(encoding="utf-8").splitlines()]
    assert sorted(r["line"] for r in rejects) == [n for n, line in enumerate(lines, 1) if line in set(bad)]
    assert all(r["reason"] for r in rejects)


def test_a_pipe_is_recorded_as_it_comes(tmp_path: Path) -> None:
    """What has been written to a pipe is in the database although the pipe stays open."""
    from app.storage.database import Database

    path = tmp_path / "pipe.db"
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, str(root / "main.py"), "ingest", "-", "--db", str(path), "--store", "shop", "--format", "json"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env={**os.environ})
    assert child.stdin is not None
    child.stdin.write(b'{"type":"agent.presence","id":"1","at":1700000000000,"agent":"a","state":"available"}\n')
    child.stdin.flush()
    from app.storage.notices import Notices

    while not path.exists():
        assert child.poll() is None
    database = Database(str(path))
    while not database.stores():
        assert child.poll() is None
    notices = Notices(database, database.stores()[0][0])
    from sqlalchemy import text

    for _ in range(100):
        with database.read() as connection:
            if connection.execute(text("SELECT count(*) FROM presence")).scalar() == 1:
                break
        notices.wait(0.1)
    else:
        pytest.fail("the event never arrived")
    notices.close()
    database.close()
    out, _ = child.communicate()
    assert json.loads(out)["applied"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["ingest", "nowhere.ndjson", "--db", "x.db"], 1, "nowhere.ndjson"),
        (["ingest", "-", "--db", "x.db", "--timezone", "Mars/Olympus"], 1, "Mars/Olympus"),
        (["ingest"], 2, "FILE"),
        (["report", "store", "--db", "nowhere.db"], 1, "nowhere.db"),
        (["report", "store"], 2, "--db"),
        (["report", "store", "--db", "mysql://x/y"], 2, "mysql"),
        (["report", "nothing", "--db", "x.db"], 2, "nothing"),
    ],
)
def test_refusals_and_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [], "a refused command leaves nothing behind"


def test_events_without_a_store_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "e.ndjson"
    file.write_bytes(b'{"type":"order.paid","id":"1","at":1700000000000,"order":"o"}\n')
    assert run(["ingest", str(file), "--db", str(tmp_path / "x.db"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rejected"] == 1
    assert "--store" in (tmp_path / "e.ndjson.rejected.ndjson").read_text(encoding="utf-8")
