"""A process of its own that records a file: `python -m tests.database.feeder URL FILE ZONE BATCH SEED [--from N] [--share I/N]`.

Says on standard output, before and after each batch, how many lines of the file will be and are durable. With a share, it takes
only every Nth batch, beginning with the Ith.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from app.domain.events import decode
from app.storage.database import Database
from app.storage.recorder import Recorder, open_store


def cuts(lines: int, largest: int, seed: int) -> Iterator[tuple[int, int]]:
    """The same batches for every process that is given the same numbers."""
    rng = random.Random(seed)
    start = 0
    while start < lines:
        end = min(lines, start + rng.randint(1, largest))
        yield start, end
        start = end


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("zone")
    parser.add_argument("batch", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--from", dest="start", type=int, default=0)
    parser.add_argument("--share", default="0/1")
    asked = parser.parse_args()
    mine, of = map(int, asked.share.split("/"))
    events = [decode(line) for line in asked.file.read_bytes().splitlines()]
    database = Database(asked.url)
    recorder = Recorder(database, open_store(database, "shop", asked.zone))
    for number, (start, end) in enumerate(cuts(len(events), asked.batch, asked.seed)):
        if number % of == mine and end > asked.start:
            sys.stdout.write(f"begin {end}\n")
            sys.stdout.flush()
            recorder.record(events[start:end])
            sys.stdout.write(f"ack {end}\n")
            sys.stdout.flush()
    database.close()


if __name__ == "__main__":
    main()
