"""Kefu Manager (客服管家): reads the command and hands over. Imports nothing heavy.

Without a command the console opens; every other command goes to the command line, which is handed the screen for those that need one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path


class _Screen:
    def console(self, url: str | None = None, store: str = "", engine: Sequence[str] = ()) -> int:
        from ui.application import Options, run

        return run(Options(url=url, store=store, serve=tuple(engine)))

    def take(self, out: Path, url: str | None, pages: Sequence[str]) -> Iterable[Path]:
        from ui.screenshots import take

        return take(out, url, pages)


def main() -> int:
    if len(sys.argv) == 1:
        return _Screen().console()
    from app.cli import run

    return run(sys.argv[1:], _Screen())


if __name__ == "__main__":
    sys.exit(main())
